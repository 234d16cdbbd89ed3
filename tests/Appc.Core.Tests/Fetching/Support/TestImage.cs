using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Appc.Manifests;

namespace Appc.Core.Tests.Fetching;

/// <summary>An archive of the tests: a manifest and one file of bytes that do not compress.</summary>
internal sealed record TestImage(string Name, byte[] Archive, ImageId Id)
{
    private static readonly JsonSerializerOptions JsonOptions = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public byte[] Signature => HashVerifier.Sign(Archive);

    public static TestImage Make(string name, string labels = "version=1.0.0,os=linux,arch=amd64", int payload = 1000, params Need[] needs)
    {
        var manifest = new
        {
            acKind = "ImageManifest",
            acVersion = "0.8.11",
            name,
            labels = labels.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(l => new { name = l.Split('=')[0], value = l.Split('=')[1] }),
            dependencies = needs.Select(n => new { imageName = n.Name, imageID = n.Id?.ToString(), size = n.Size }),
        };
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "manifest") { DataStream = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(manifest, JsonOptions)) });
            writer.WriteEntry(new UstarTarEntry(TarEntryType.Directory, "rootfs") { Mode = (UnixFileMode)0b111_101_101 });
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "rootfs/payload") { DataStream = new MemoryStream(RandomNumberGenerator.GetBytes(payload)) });
        }

        using var archive = new MemoryStream();
        using (var gzip = new GZipStream(archive, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(tar.ToArray());
        }

        return new TestImage(name, archive.ToArray(), ImageId.Parse("sha512-" + Convert.ToHexStringLower(SHA512.HashData(tar.ToArray()))));
    }

    /// <summary>A dependency.</summary>
    public sealed record Need(string Name, ImageId? Id = null, long? Size = null);
}
