using System.Diagnostics;

namespace Appc.Signing.Tests.Support;

/// <summary>A home directory of gpg, with its agent, that ends with the test.</summary>
internal sealed class Gpg : IDisposable
{
    private readonly TempDirectory _directory = new();

    public Gpg() => File.SetUnixFileMode(_directory.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    public string Home => _directory.Path;

    /// <summary>Makes a key and returns the fingerprint of its primary key.</summary>
    public string Generate(string name, string algorithm, string usage = "sign", string expires = "never", string? at = null, string passphrase = "")
    {
        RunAt(at, "--passphrase", passphrase, "--quick-generate-key", $"{name} <{name}@example.com>", algorithm, usage, expires);
        return Fingerprints(name)[0];
    }

    public void AddSubkey(string fingerprint, string algorithm, string usage = "sign", string expires = "never", string? at = null, string passphrase = "") =>
        RunAt(at, "--passphrase", passphrase, "--quick-add-key", fingerprint, algorithm, usage, expires);

    /// <summary>Fingerprints of primary key and subkeys, in lower case.</summary>
    public string[] Fingerprints(string name) => [.. Text("--with-colons", "--list-keys", User(name)).Split('\n')
        .Where(l => l.StartsWith("fpr:", StringComparison.Ordinal)).Select(l => l.Split(':')[9].ToLowerInvariant())];

    public byte[] Export(string name) => Run("--export", User(name));

    public byte[] ExportSecret(string name, string passphrase = "", string option = "--export-secret-keys") =>
        Run("--armor", "--passphrase", passphrase, option, User(name));

    /// <summary>A detached signature; the key may be a subkey's fingerprint with an exclamation mark.</summary>
    public byte[] Sign(string key, byte[] data, string? at = null, params string[] options)
    {
        using var file = new TempDirectory();
        string input = file.Write("data", data);
        return RunAt(at, [.. options, "--passphrase", "", "--local-user", User(key), "--output", "-", "--detach-sign", input]);
    }

    /// <summary>Revokes a key by the certificate that gpg made together with it.</summary>
    public void Revoke(string fingerprint)
    {
        string path = Path.Combine(Home, "openpgp-revocs.d", fingerprint.ToUpperInvariant() + ".rev");
        string text = File.ReadAllText(path).Replace(":-----BEGIN", "-----BEGIN", StringComparison.Ordinal);
        File.WriteAllText(path + ".use", text);
        Run("--import", path + ".use");
    }

    /// <summary>What gpg says of a signature with nothing but some keys on its ring.</summary>
    public static bool Verifies(byte[] keys, byte[] signature, byte[] data, string? at = null)
    {
        using var gpg = new Gpg();
        using var files = new TempDirectory();
        string keyFile = files.Write("keys", keys);
        string signatureFile = files.Write("data.asc", signature);
        string dataFile = files.Write("data", data);
        string[] time = at is null ? [] : ["--faked-system-time", at + "!"];
        gpg.Start(["--no-autostart", .. time, "--import", keyFile], out _);
        gpg.Start(["--no-autostart", .. time, "--status-fd", "1", "--verify", signatureFile, dataFile], out byte[] output);

        // The exit status also tells of further signatures by unknown keys, which do not make a good one worse.
        return System.Text.Encoding.UTF8.GetString(output).Contains("[GNUPG:] GOODSIG", StringComparison.Ordinal);
    }

    public string Text(params string[] arguments) => System.Text.Encoding.UTF8.GetString(Run(arguments));

    public byte[] Run(params string[] arguments) => RunAt(null, arguments);

    public byte[] RunAt(string? at, params string[] arguments)
    {
        string[] all = at is null ? arguments : ["--faked-system-time", at + "!", .. arguments];
        int exit = Start(all, out byte[] output);
        Assert.True(exit == 0, $"gpg {string.Join(' ', all)} ended with {exit}: {_errors}");
        return output;
    }

    public void Dispose()
    {
        using (Process process = Process.Start("gpgconf", ["--homedir", Home, "--kill", "all"]))
        {
            process.WaitForExit();
        }

        _directory.Dispose();
    }

    private string _errors = "";

    /// <summary>The exact user id of a key that was made here, since gpg looks for parts of names; fingerprints stay.</summary>
    private static string User(string name) => name.Length >= 40 ? name : $"={name} <{name}@example.com>";

    private int Start(IEnumerable<string> arguments, out byte[] output)
    {
        var start = new ProcessStartInfo("gpg") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in new[] { "--homedir", Home, "--batch", "--yes", "--no-tty", "--pinentry-mode", "loopback" }.Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var content = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(content);
        _errors = errors.GetAwaiter().GetResult();
        process.WaitForExit();
        output = content.ToArray();
        return process.ExitCode;
    }
}
