using System.Globalization;
using Appc.Images.Building;
using Appc.Images.Tar;
using Appc.Manifests;

namespace Appc.Images;

/// <summary>
/// Builds images, byte for byte reproducible: entries in the order of their names' bytes, hard links kept as such,
/// extended attributes <c>user.*</c> and <c>security.capability</c> kept, PAX headers only where they are needed.
/// Sockets are refused, and so is what overlayfs uses to hide files.
/// </summary>
public static class AciWriter
{
    private const uint ManifestMode = 0x1a4;
    private const int CopyBytes = 256 << 10;

    /// <summary>Builds an image from a manifest and a directory that becomes its rootfs.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="rootfsDirectory">The directory; read without following links.</param>
    /// <param name="outputPath">The image's file, which appears whole or not at all; its name should end in <c>.aci</c>.</param>
    /// <param name="options">How to build; null means the defaults.</param>
    /// <param name="cancellationToken">Cancels the call; no file stays.</param>
    /// <returns>The image's id.</returns>
    /// <exception cref="ImageException">The directory cannot be read or holds what no image may hold, or the file cannot be written.</exception>
    /// <exception cref="ManifestException">The manifest is not valid.</exception>
    public static async Task<ImageId> BuildAsync(
        ImageManifest manifest,
        string rootfsDirectory,
        string outputPath,
        AciBuildOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentException.ThrowIfNullOrEmpty(rootfsDirectory);
        ArgumentException.ThrowIfNullOrEmpty(outputPath);
        options ??= new AciBuildOptions();
        byte[] json = manifest.ToJsonBytes();
        if (!Directory.Exists(rootfsDirectory))
        {
            throw new ImageException(ImageFailure.NotFound, $"there is no directory {rootfsDirectory} to build from");
        }

        if (!options.Overwrite && File.Exists(outputPath))
        {
            throw new ImageException(ImageFailure.Storage, $"{outputPath} exists", "choose another name, or allow to overwrite it");
        }

        ImageId? id = null;
        await OutputFile.WriteAsync(outputPath, options.Overwrite, async file =>
        {
            id = await DedicatedThread.RunAsync("appc build", () => Build(json, rootfsDirectory, file, options, cancellationToken)).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return id!;
    }

    private static ImageId Build(byte[] manifest, string directory, Stream file, AciBuildOptions options, CancellationToken cancellationToken)
    {
        using ArchiveOutput output = new(file, options.Compression);
        TarWriter tar = new(output);
        EntryTimes times = new(options.FixedTime);
        byte[] buffer = new byte[CopyBytes];
        bool first = true;
        ITreeSource source = OperatingSystem.IsLinux()
            ? new LinuxTreeSource(directory, cancellationToken)
            : new PortableTreeSource(directory, cancellationToken);
        source.Walk((entry, content) =>
        {
            entry.ModifyTime = times.For(entry.ModifyTime);
            if (options.OwnerRoot)
            {
                entry.Uid = 0;
                entry.Gid = 0;
            }

            if (first)
            {
                // The manifest has no file of its own here: it takes the time of the directory.
                WriteManifest(tar, manifest, entry.ModifyTime);
                first = false;
            }

            tar.WriteHeader(entry);
            if (content is not null)
            {
                Copy(content, entry, tar, buffer, cancellationToken);
            }
        });
        tar.Complete();
        return ImageId.Parse(ImageMatch.IdPrefix + Convert.ToHexStringLower(output.Complete()));
    }

    private static void WriteManifest(TarWriter tar, byte[] manifest, TarTime time)
    {
        tar.WriteHeader(new TarEntry
        {
            Type = TarEntryType.File,
            Name = "manifest"u8.ToArray(),
            Mode = ManifestMode,
            ModifyTime = time with { Nanoseconds = 0 },
            Length = manifest.Length,
        });
        tar.WriteContent(manifest);
        tar.Pad(manifest.Length);
    }

    private static void Copy(Stream content, TarEntry entry, TarWriter tar, byte[] buffer, CancellationToken cancellationToken)
    {
        long left = entry.Length;
        int length;
        while ((length = content.Read(buffer)) > 0 && length <= left)
        {
            cancellationToken.ThrowIfCancellationRequested();
            tar.WriteContent(buffer.AsSpan(0, length));
            left -= length;
        }

        if (length > 0 || left > 0)
        {
            throw new ImageException(
                ImageFailure.Storage, $"'{entry.ShownName}' changed while it was read", "build from a directory that nobody writes to");
        }

        tar.Pad(entry.Length);
    }

    /// <summary>The rule for times.</summary>
    private sealed class EntryTimes
    {
        private readonly TarTime? _fixed;
        private readonly long _latest = long.MaxValue;

        public EntryTimes(DateTimeOffset? fixedTime)
        {
            if (fixedTime is { } time)
            {
                long seconds = time.ToUnixTimeSeconds();
                _fixed = new TarTime(seconds, (int)((time.UtcTicks - DateTimeOffset.FromUnixTimeSeconds(seconds).UtcTicks) * 100));
            }
            else if (long.TryParse(Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH"), NumberStyles.None, CultureInfo.InvariantCulture, out long epoch))
            {
                _latest = epoch;
            }
        }

        public TarTime For(TarTime own) => _fixed ?? (own.Seconds >= _latest ? new TarTime(_latest, 0) : own);
    }
}
