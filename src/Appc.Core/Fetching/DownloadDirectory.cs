using System.Security.Cryptography;
using System.Text;
using Appc.Images;
using Appc.Linux;

namespace Appc.Fetching;

/// <summary>
/// The directory below <c>ROOT/tmp</c> in which one address is downloaded. Its name comes from the address, so that all
/// processes meet there: one downloads, the others wait, and what a killed one left is continued. Collectors of leftovers
/// see a lock as on any other directory there.
/// </summary>
internal sealed class DownloadDirectory : IDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);
    private readonly DirectoryLock _lock;

    private DownloadDirectory(string path, DirectoryLock taken, bool waited)
    {
        Path = path;
        _lock = taken;
        Waited = waited;
    }

    public string Path { get; }

    /// <summary>Whether somebody else was downloading the same address before.</summary>
    public bool Waited { get; }

    /// <summary>Whether the directory stays when this object goes, so that a later call can continue.</summary>
    public bool Keep { get; set; }

    public static async Task<DownloadDirectory> OpenAsync(string root, Uri url, TimeProvider time, Action waiting, CancellationToken cancellationToken)
    {
        var layout = new StoreLayout(root);
        layout.Ensure();
        string name = "fetch-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(url.AbsoluteUri)))[..32];
        string path = System.IO.Path.Combine(layout.Temporary, name);
        bool waited = false;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            switch (DirectoryLock.TryTake(path, exclusive: true, out DirectoryLock? taken))
            {
                case DirectoryLock.Outcome.Taken:
                    return new DownloadDirectory(path, taken!, waited);
                case DirectoryLock.Outcome.Missing:
                    Create(path);
                    break;
                default:
                    if (!waited)
                    {
                        waited = true;
                        waiting();
                    }

                    await Task.Delay(PollInterval, time, cancellationToken).ConfigureAwait(false);
                    break;
            }
        }
    }

    public void Dispose()
    {
        try
        {
            if (!Keep)
            {
                TreeRemover.Remove(Path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The lock goes, so that anybody can collect what is left.
        }
        finally
        {
            _lock.Dispose();
        }
    }

    private static void Create(string path)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(path);
            }
            else
            {
                Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(ImageFailure.Storage, $"cannot make {path}: {DisplayText.Clean(e.Message)}", innerException: e);
        }
    }
}
