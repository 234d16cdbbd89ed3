using System.Diagnostics;
using System.Text;
using Appc.Images;
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
        $"cd '{tree}' && find . -printf '%P|%y|%m|%U:%G|%s|%l|{(times ? "%T@" : "")}|%n\\n' | sed -E '/\\|d\\|/s/\\|[0-9]+\\|\\|/|-||/' | LC_ALL=C sort"
        + " && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum"
        + " && getfattr -R -h -d -m - -e hex . 2>/dev/null | LC_ALL=C sort");

    public string[] Leftovers() => Directory.Exists(Path.Combine(Root, "tmp")) ? Directory.GetFileSystemEntries(Path.Combine(Root, "tmp")) : [];

    public void Dispose() => Shell($"chmod -R u+rwx '{Scratch}' 2>/dev/null; rm -rf '{Scratch}'");
}
