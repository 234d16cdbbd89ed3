using Appc.Linux;
using Appc.Manifests;
using Appc.Signing.Packets;

namespace Appc.Signing.Store;

/// <summary>
/// Reads the directories of a keystore. Whatever does not belong there, or cannot be read, is reported and
/// skipped: one stray file must not take the trust of all other keys away. Reads at once, not by threads of the pool:
/// handing files of a few kilobytes over takes longer than reading them.
/// </summary>
internal sealed class KeystoreReader(IReadOnlyList<string> directories, int keyFileBytes, int maxEntries, KnownKeys known)
{
    public const string RootScope = "root.d";
    public const string PrefixScopes = "prefix.d";

    private readonly List<KeystoreEntry> _entries = [];
    private readonly List<KeystoreProblem> _problems = [];
    private int _seen;

    public KeystoreSnapshot Read(CancellationToken cancellationToken)
    {
        for (int i = 0; i < directories.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _seen = 0;
            foreach (FileSystemInfo item in List(directories[i], missingIsFine: true))
            {
                if (item.Name == RootScope && IsDirectory(item))
                {
                    ReadScope(item.FullName, "", i, descend: false, cancellationToken);
                }
                else if (item.Name == PrefixScopes && IsDirectory(item))
                {
                    ReadPrefixes(item.FullName, i, cancellationToken);
                }
                else
                {
                    Report(item.FullName, $"it is neither {RootScope} nor {PrefixScopes}");
                }
            }
        }

        return new KeystoreSnapshot(_entries, _problems);
    }

    private void ReadPrefixes(string path, int index, CancellationToken cancellationToken)
    {
        foreach (FileSystemInfo item in List(path))
        {
            if (!IsDirectory(item))
            {
                Report(item.FullName, "keys for every name belong into " + RootScope);
            }
            else if (IsScope(item.Name))
            {
                ReadScope(item.FullName, item.Name, index, descend: true, cancellationToken);
            }
            else
            {
                Report(item.FullName, "it is not named like a prefix of image names");
            }
        }
    }

    private void ReadScope(string path, string scope, int index, bool descend, CancellationToken cancellationToken)
    {
        foreach (FileSystemInfo item in List(path))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (++_seen > maxEntries)
            {
                if (_seen == maxEntries + 1)
                {
                    Report(directories[index], $"it holds more than {maxEntries} entries; the rest was not read");
                }

                return;
            }

            if (IsDirectory(item))
            {
                string below = $"{scope}/{item.Name}";
                if (descend && IsScope(below))
                {
                    ReadScope(item.FullName, below, index, descend, cancellationToken);
                }
                else
                {
                    Report(item.FullName, descend ? "it is not named like a prefix of image names" : "directories do not belong here");
                }
            }
            else if (Fingerprints.IsName(item.Name))
            {
                ReadEntry((FileInfo)item, scope, index);
            }
            else
            {
                Report(item.FullName, "it is not named by a fingerprint in lower-case hex");
            }
        }
    }

    private void ReadEntry(FileInfo file, string scope, int index)
    {
        Certificate? certificate = null;
        string? problem = null;
        try
        {
            FileInfo target = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
            if (IsWritableByOthers(target))
            {
                problem = "everybody may write to it";
            }
            else if (target.Length > keyFileBytes)
            {
                problem = $"it is larger than {keyFileBytes} bytes";
            }
            else if (target.Length > 0)
            {
                // Nothing without a length is opened: a pipe or a device might block for ever.
                byte[] content = SmallFile.TryReadContent(target.FullName) ?? throw new FileNotFoundException("it has been removed");
                certificate = Select(known.Read(content), file.Name, file.FullName);
                problem = certificate is null ? "the key in it has another fingerprint than its name" : null;
            }
        }
        catch (MalformedPacketException e)
        {
            problem = e.Message;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = CleanText.From(e.Message);
        }

        if (problem is not null)
        {
            Report(file.FullName, problem);
        }

        _entries.Add(new KeystoreEntry(scope, file.Name, file.FullName, index, certificate, problem));
    }

    /// <summary>The key that the file is named for. rkt may have stored several in one file; trust goes to the named one.</summary>
    private Certificate? Select(IReadOnlyList<Certificate> certificates, string fingerprint, string path)
    {
        Certificate? named = certificates.FirstOrDefault(c => c.Fingerprint == fingerprint);
        if (named is not null && certificates.Count > 1)
        {
            Report(path, $"of its {certificates.Count} keys only the one that it is named for is trusted");
        }

        return named;
    }

    private IReadOnlyList<FileSystemInfo> List(string path, bool missingIsFine = false)
    {
        try
        {
            var directory = new DirectoryInfo(path);
            if (!directory.Exists && missingIsFine)
            {
                return [];
            }

            if (IsWritableByOthers(directory))
            {
                Report(path, "everybody may write to it; nothing below it counts");
                return [];
            }

            // A bound for this one directory; the bound for the tree is counted while it is read.
            return [.. directory.EnumerateFileSystemInfos().Take(maxEntries + 1).OrderBy(i => i.Name, StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Report(path, CleanText.From(e.Message));
            return [];
        }
    }

    private static bool IsWritableByOthers(FileSystemInfo item) =>
        !OperatingSystem.IsWindows() && item.Exists && (item.UnixFileMode & UnixFileMode.OtherWrite) != 0;

    /// <summary>A real directory: links to directories could lead in circles and out of the keystore.</summary>
    private static bool IsDirectory(FileSystemInfo item) => item is DirectoryInfo && item.LinkTarget is null;

    private static bool IsScope(string scope) => AcIdentifier.TryParse(scope, out _);

    private void Report(string path, string reason) => _problems.Add(new KeystoreProblem(CleanText.From(path), reason));
}
