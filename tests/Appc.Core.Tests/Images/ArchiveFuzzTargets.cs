using Appc.Images;
using Appc.Images.Compression;
using Appc.Images.Extraction;
using Appc.Images.Tar;
using Appc.Linux;
using Appc.Manifests;

namespace Appc.Core.Tests.Images;

/// <summary>Hostile archives for the reader and for the extractor: each target throws if the library does what it never should.</summary>
internal static class ArchiveFuzzTargets
{
    private const long MostMemory = 96 << 20;

    public static IReadOnlyDictionary<string, Action<byte[]>> All { get; } = new Dictionary<string, Action<byte[]>>(StringComparer.Ordinal)
    {
        ["archive"] = ReadArchive,
        ["extract"] = Extract,
    };

    private static ArchiveLimits Limits => new()
    {
        ExpandedBytes = 2 << 20, Entries = 500, ManifestBytes = 16 << 10, ExtendedHeaderBytes = 32 << 10, AllowZstd = true,
    };

    /// <summary>Decompression, tar, layout and manifest, as the validator has them.</summary>
    private static void ReadArchive(byte[] input)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Outcome strict = Read(input, new LayoutChecker(), null);
        Require(strict.Fault is null or ImageException or ManifestException, $"it ends with {strict.Fault}");

        // With all faults collected: the first one is the same, and all have their place.
        List<AciFinding> findings = [];
        Outcome lenient = Read(input, new LayoutChecker(), findings.Add);
        foreach (AciFinding finding in findings)
        {
            Require(finding is { Entry: not null, Offset: >= 0, Message.Length: > 0 }, "a finding of an entry without its place");
            Require(!finding.Message.Concat(finding.Entry!).Any(char.IsControl), "control characters in a finding");
        }

        string? first = findings.Count > 0 ? findings[0].Message : lenient.Fault?.Message;
        Require(first == strict.Fault?.Message, $"first '{strict.Fault?.Message}', then '{first}'");
        if (input is [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..])
        {
            (byte[]? native, _) = Decompress(archive => new XzDecompressor(archive), input);
            (byte[]? managed, string? fault) = Decompress(archive => new ManagedXzDecompressor(archive), input);
            Require(fault?.Contains("filter", StringComparison.Ordinal) == true || (native is null == managed is null && native.AsSpan().SequenceEqual(managed)), "the two xz decoders differ");
        }

        Require(GC.GetAllocatedBytesForCurrentThread() - before < MostMemory, "it takes too much memory");
    }

    /// <summary>
    /// A tree among canaries, on file systems of this thread alone. The extractor and the checker that stands for it
    /// elsewhere must agree.
    /// </summary>
    private static void Extract(byte[] input)
    {
        Outcome checkedOnly = Read(input, new LayoutChecker(), null);
        using ExtractionPlace place = new();
        Outcome written;
        using (Fd root = Fd.OpenDirectory(place.Tree))
        using (TreeWriter writer = new(root, place.Work))
        {
            written = Read(input, writer, null);
        }

        place.CheckCanaries();
        Require(written.Fault is null or ImageException or ManifestException, $"it ends with {written.Fault}");

        // What only a file system knows: attributes that the kernel does not take, paths that are too long for it.
        bool ofFileSystem = written.Fault is ImageException { Failure: ImageFailure.Storage or ImageFailure.LimitExceeded }
            || written.Fault?.Message.Contains("the kernel does not take", StringComparison.Ordinal) == true;
        Require(ofFileSystem || (written.Fault is null) == (checkedOnly.Fault is null), $"checked: {checkedOnly.Fault?.Message}; written: {written.Fault?.Message}");
    }

    private static Outcome Read(byte[] input, ITreeSink sink, Action<AciFinding>? onFinding)
    {
        using ArchiveInput archive = new(new MemoryStream(input), 4 << 10);
        try
        {
            using IDecompressor decompressor = Decompressor.Open(archive, Limits);
            AciReader reader = new(new TarReader(new Source(decompressor), Limits), sink, Limits) { OnFinding = onFinding };
            ImageManifest manifest = reader.Read();
            Require(manifest == reader.Manifest && reader.Entries > 1, "it accepts an image that has not all its parts");
            return new Outcome(null);
        }
        catch (AppcException e)
        {
            Require(!(e.Message + e.Hint).Any(char.IsControl), "control characters in a message");
            return new Outcome(e);
        }
    }

    /// <summary>The content as far as the limits go, or what was wrong with it.</summary>
    private static (byte[]? Content, string? Fault) Decompress(Func<ArchiveInput, IDecompressor> open, byte[] input)
    {
        using ArchiveInput archive = new(new MemoryStream(input), 4 << 10);
        using MemoryStream content = new();
        byte[] buffer = new byte[8 << 10];
        try
        {
            using IDecompressor decompressor = open(archive);
            int length;
            while (content.Length < Limits.ExpandedBytes && (length = decompressor.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, Limits.ExpandedBytes - content.Length)))) > 0)
            {
                content.Write(buffer, 0, length);
            }

            return (content.ToArray(), null);
        }
        catch (ImageException e)
        {
            return (null, e.Message);
        }
    }

    private static void Require(bool condition, string fault)
    {
        if (!condition)
        {
            throw new InvalidOperationException(fault);
        }
    }

    private sealed record Outcome(AppcException? Fault);

    /// <summary>What the pipeline does with threads, on this one.</summary>
    private sealed class Source(IDecompressor decompressor) : IByteSource
    {
        private readonly byte[] _block = new byte[8 << 10];

        private long _expanded;

        public ReadOnlyMemory<byte> Next()
        {
            int length = decompressor.Read(_block);
            _expanded += length;
            return _expanded > Limits.ExpandedBytes
                ? throw new ImageException(ImageFailure.LimitExceeded, "it expands to more than the limit")
                : _block.AsMemory(0, length);
        }
    }
}
