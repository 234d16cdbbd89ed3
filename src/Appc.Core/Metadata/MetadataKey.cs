using System.Security.Cryptography;
using Appc.Linux;
using Appc.Manifests;
using Appc.Pods;

namespace Appc.Metadata;

/// <summary>
/// The key by which pods of a data directory are told apart from all others (ace.md, "Identity Endpoint"): kept there, so that what was signed can be
/// verified after the service was started again, and after the pod has ended.
/// </summary>
internal sealed class MetadataKey
{
    private const string FileName = "key";
    private const int Length = 64;

    private readonly byte[] _key;

    private MetadataKey(byte[] key) => _key = key;

    /// <summary>Reads the key, or makes one. The caller holds the lock of the service.</summary>
    /// <exception cref="PodException">The file is damaged.</exception>
    public static MetadataKey Load(string directory)
    {
        string path = Path.Combine(directory, FileName);
        if (SmallFile.TryReadContent(path) is { } known)
        {
            return known.Length == Length ? new MetadataKey(known) : throw new PodException(
                PodFailure.Storage, $"the key {path} is damaged: it has {known.Length} bytes instead of {Length}", "remove it: a new one is made, and what pods have signed so far is no longer verified");
        }

        byte[] key = RandomNumberGenerator.GetBytes(Length);
        string temporary = path + ".new";
        File.Delete(temporary);
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (FileStream file = new(temporary, options))
        {
            file.Write(key);
            FileFlush.ToDisk(file);
        }

        File.Move(temporary, path);
        return new MetadataKey(key);
    }

    /// <summary>The HMAC-SHA-512 of the pod's UUID, as its 16 bytes, and the content.</summary>
    public byte[] Sign(Uuid pod, ReadOnlySpan<byte> content)
    {
        using IncrementalHash hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, _key);
        hash.AppendData(Convert.FromHexString(pod.ToString().Replace("-", "", StringComparison.Ordinal)));
        hash.AppendData(content);
        return hash.GetHashAndReset();
    }

    public bool Verify(Uuid pod, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature) =>
        CryptographicOperations.FixedTimeEquals(Sign(pod, content), signature);
}
