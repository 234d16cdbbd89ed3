using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Appc.Trust;

namespace Appc.Signing;

/// <summary>
/// Signs with gpg, and so with its agent, its smart cards and its own way to ask for passphrases. Useful where a
/// secret key must not lie in a file that this process can read.
/// </summary>
public sealed class GpgSigner : IDetachedSigner
{
    private readonly string _program;
    private readonly string _key;
    private readonly string? _home;

    /// <summary>Creates a signer; gpg is not started yet.</summary>
    /// <param name="key">The key, as gpg's option <c>--local-user</c> takes it; a fingerprint is never ambiguous.</param>
    /// <param name="homeDirectory">gpg's home directory; null for the user's.</param>
    /// <param name="program">The program to run.</param>
    public GpgSigner(string key, string? homeDirectory = null, string program = "gpg")
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentException.ThrowIfNullOrEmpty(program);
        _key = key;
        _home = string.IsNullOrEmpty(homeDirectory) ? null : homeDirectory;
        _program = program;
    }

    /// <inheritdoc/>
    public async Task<string> SignAsync(Stream content, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        var start = new ProcessStartInfo(_program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.ASCII,
        };
        List<string> arguments = ["--batch", "--no-tty", "--armor", "--digest-algo", "SHA512", "--local-user", _key, "--detach-sign"];
        if (_home is not null)
        {
            arguments.InsertRange(0, ["--homedir", _home]);
        }

        arguments.ForEach(start.ArgumentList.Add);
        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            throw new TrustException(TrustFailure.KeyNotUsable, $"{_program} cannot be started: {CleanText.From(e.Message)}", "install gpg, or sign with a key file", e);
        }

        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
            try
            {
                await content.CopyToAsync(process.StandardInput.BaseStream, cancellationToken).ConfigureAwait(false);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // gpg closed its input: what it has to say about that is better than a broken pipe.
            }

            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            string signature = await output.ConfigureAwait(false);
            string said = (await errors.ConfigureAwait(false)).Trim();
            return process.ExitCode == 0 && signature.Length > 0
                ? signature
                : throw new TrustException(
                    TrustFailure.KeyNotUsable, $"gpg did not sign with key {CleanText.From(_key)}: {CleanText.From(said.ReplaceLineEndings("; "))}");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }
}
