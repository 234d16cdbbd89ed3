using System.Diagnostics;

namespace Appc.Fuzz;

/// <summary>Small archives to begin with: the hostile ones, the conformance vectors, and what GNU tar makes of a tree in each format.</summary>
internal static class ArchiveSeeds
{
    private const int MostBytes = 24_000;

    public static IEnumerable<byte[]> All(string corpus)
    {
        string data = Path.Combine(corpus, "..");
        foreach (string file in Directory.EnumerateFiles(Path.Combine(data, "hostile", "archives")).Concat(Directory.EnumerateFiles(Path.Combine(data, "vectors", "aci"))).Order(StringComparer.Ordinal))
        {
            byte[] bytes = File.ReadAllBytes(file);
            if (bytes.Length <= MostBytes)
            {
                yield return bytes;
            }

            if (bytes is [0x1f, 0x8b, ..] && Run($"zcat '{file}' 2>/dev/null | head -c {MostBytes + 1}") is { Length: > 0 and <= MostBytes } plain)
            {
                yield return plain;
            }
        }

        string tree = Directory.CreateTempSubdirectory("appc-fuzz-").FullName;
        const string Make = """
            mkdir -p rootfs/d/e; printf x > rootfs/d/f; ln rootfs/d/f rootfs/d/g; ln -s ../f rootfs/d/s; mkfifo rootfs/p; mknod rootfs/c c 1 3
            printf x > rootfs/$(printf 'n%.0s' $(seq 150)); truncate -s 60000 rootfs/h; printf x | dd of=rootfs/h bs=1 seek=30000 conv=notrunc status=none; setfattr -n user.a -v b rootfs/d/f
            printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a"}' > manifest
            """;
        Run($"cd '{tree}'\n{Make}");
        foreach (string options in (string[])["gnu", "gnu --sparse", "oldgnu --sparse", "posix --xattrs", "posix --sparse --sparse-version=0.0", "posix --sparse --sparse-version=0.1", "posix --sparse --sparse-version=1.0"])
        {
            foreach (string compress in (string[])["cat", "gzip", "bzip2", "xz --check=none", "xz --block-size=4000", "zstd", "zstd --no-check"])
            {
                yield return Run($"cd '{tree}' && tar --format={options} -b1 -cf - manifest rootfs 2>/dev/null | {compress}");
            }
        }

        Directory.Delete(tree, recursive: true);
    }

    private static byte[] Run(string command)
    {
        using Process process = Process.Start(new ProcessStartInfo("bash", ["-c", command]) { RedirectStandardOutput = true })!;
        using MemoryStream output = new();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        return output.ToArray();
    }
}
