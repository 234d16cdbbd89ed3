using System.Diagnostics;
using System.Text;
using Appc.Images;
using Appc.Linux;
using Appc.Trust;

namespace Appc.Core.Tests.Images;

/// <summary>A scratch directory with a store, and GNU tar to make archives with.</summary>
internal sealed class ImageFixture : IDisposable
{
    public ImageFixture(ISignatureVerifier? verifier = null)
    {
        Directory.CreateDirectory(Scratch);
        Options = new ImageStoreOptions { Verifier = verifier };
        Store = new ImageStore(Root, Options);
    }

    public string Scratch { get; } = Path.Combine(Path.GetTempPath(), "appc-images-" + Guid.NewGuid().ToString("N"));

    public string Root => Path.Combine(Scratch, "root");

    public ImageStoreOptions Options { get; }

    public ImageStore Store { get; }

    public static ImportOptions Insecure(Action<ImportOptions>? change = null)
    {
        ImportOptions options = new() { Trust = TrustPolicy.Insecure };
        change?.Invoke(options);
        return options;
    }

    public static string Manifest(string name, string extra = "") =>
        $$"""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"{{name}}"{{(extra.Length > 0 ? "," + extra : "")}}}""";

    /// <summary>Lays out an image and packs it with GNU tar.</summary>
    public string Pack(string name, Action<string> fill, string manifestExtra = "", string tarOptions = "--format=gnu", string compress = "gzip -n")
    {
        string layout = NewDirectory();
        File.WriteAllText(Path.Combine(layout, "manifest"), Manifest(name, manifestExtra));
        string rootfs = Directory.CreateDirectory(Path.Combine(layout, "rootfs")).FullName;
        fill(rootfs);
        return PackLayout(layout, tarOptions, compress);
    }

    public string PackLayout(string layout, string tarOptions = "--format=gnu", string compress = "gzip -n")
    {
        string archive = Path.Combine(Scratch, Guid.NewGuid().ToString("N") + ".aci");
        Shell($"tar -C '{layout}' {tarOptions} --sort=name -cf - manifest rootfs | {compress} > '{archive}'");
        return archive;
    }

    public string NewDirectory() => Directory.CreateDirectory(Path.Combine(Scratch, Guid.NewGuid().ToString("N"))).FullName;

    /// <summary>Runs a command with bash and returns what it wrote; fails the test if the command fails.</summary>
    public static string Shell(string command)
    {
        (int code, string output, string errors) = TryShell(command);
        Assert.True(code == 0, $"{command}\nexit code {code}\n{errors}");
        return output;
    }

    public static (int Code, string Output, string Errors) TryShell(string command)
    {
        using Process process = new()
        {
            StartInfo = new ProcessStartInfo("bash", ["-o", "pipefail", "-c", command])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardOutputEncoding = Encoding.Latin1,
            },
        };
        process.Start();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }

    /// <summary>Everything about a tree that must survive: types, modes, owners, times, targets, contents, attributes.</summary>
    public static string Describe(string tree, bool times = true) => Shell(
        $"cd '{tree}' && find . -type d -printf '%P|d|%m|%U:%G|{(times ? "%T@" : "")}\\n' -o -printf '%P|%y|%m|%U:%G|%s|%l|{(times ? "%T@" : "")}|%n\\n' | LC_ALL=C sort"
        + " && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum") + Attributes(tree);

    /// <summary>Sets an extended attribute.</summary>
    public static unsafe void SetAttribute(string path, string name, byte[] value)
    {
        using Fd fd = Open(path);
        fixed (byte* n = Fd.PathBytes(name))
        fixed (byte* v = value)
        {
            ErrnoException.ThrowIfFailed(Libc.fsetxattr(fd.Number, n, v, (nuint)value.Length, 0), "setxattr " + name);
        }
    }

    private static unsafe Fd Open(string path)
    {
        fixed (byte* p = Fd.PathBytes(path))
        {
            return Fd.Own(Libc.openat(Libc.AT_FDCWD, p, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_NONBLOCK | Libc.O_CLOEXEC, 0), "open");
        }
    }

    private static unsafe string Attributes(string tree)
    {
        StringBuilder text = new();
        foreach (string path in Shell($"find '{tree}' '(' -type f -o -type d ')' -print").Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal))
        {
            if (!File.Exists(path) && !Directory.Exists(path))
            {
                // A name that is no text; such files have no attributes in these tests.
                continue;
            }

            using Fd fd = Open(path);
            byte[] list = new byte[4096];
            byte[] value = new byte[65536];
            fixed (byte* l = list)
            fixed (byte* v = value)
            {
                nint length = Libc.flistxattr(fd.Number, l, (nuint)list.Length);
                foreach (string name in Encoding.UTF8.GetString(list, 0, (int)Math.Max(length, 0)).Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal))
                {
                    fixed (byte* n = Fd.PathBytes(name))
                    {
                        nint size = Libc.fgetxattr(fd.Number, n, v, (nuint)value.Length);
                        text.AppendLine($"{path[tree.Length..]} {name}={Convert.ToHexString(value.AsSpan(0, (int)size))}");
                    }
                }
            }
        }

        return text.ToString();
    }

    public string[] Leftovers() => Directory.Exists(Path.Combine(Root, "tmp")) ? Directory.GetFileSystemEntries(Path.Combine(Root, "tmp")) : [];

    public void Dispose() => Shell($"chmod -R u+rwx '{Scratch}' 2>/dev/null; rm -rf '{Scratch}'");
}
