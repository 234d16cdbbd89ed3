using Appc.Manifests;
using Microsoft.Extensions.Logging;

namespace Appc.Images;

/// <summary>What the store logs. The numbers are stable.</summary>
internal static partial class ImageStoreLog
{
    [LoggerMessage(2001, LogLevel.Warning, "Image {Source} is imported without a signature check, as the caller asked for")]
    public static partial void InsecureImport(this ILogger log, string source);

    [LoggerMessage(2002, LogLevel.Information, "Imported {Name} from {Source} as {Id}")]
    public static partial void Imported(this ILogger log, AcIdentifier name, string source, ImageId id);

    [LoggerMessage(2003, LogLevel.Information, "Image {Id} was in the store already")]
    public static partial void AlreadyStored(this ILogger log, ImageId id);

    [LoggerMessage(2004, LogLevel.Information, "Image {Id}, stored without a signature check before, is now verified: signed by {Fingerprint}")]
    public static partial void NowVerified(this ILogger log, ImageId id, string fingerprint);

    [LoggerMessage(2005, LogLevel.Warning, "{Source}: {Count} extended attributes were left out, such as {Example}")]
    public static partial void AttributesLeftOut(this ILogger log, string source, int count, string example);

    [LoggerMessage(2006, LogLevel.Warning, "Image {Id} is damaged and left out of the list: {Why}")]
    public static partial void DamagedImage(this ILogger log, ImageId id, string why);

    [LoggerMessage(2007, LogLevel.Information, "Removed image {Id}")]
    public static partial void Removed(this ILogger log, ImageId id);

    [LoggerMessage(2008, LogLevel.Information, "Removed {Count} leftovers of interrupted calls")]
    public static partial void LeftoversRemoved(this ILogger log, int count);

    [LoggerMessage(2009, LogLevel.Warning, "Leftover {Path} cannot be removed: {Why}")]
    public static partial void LeftoverStays(this ILogger log, string path, string why);

    [LoggerMessage(2010, LogLevel.Warning, "{Source}: owners of files are not kept, since this process is not root")]
    public static partial void OwnersNotKept(this ILogger log, string source);

    [LoggerMessage(2021, LogLevel.Information, "Image {Source} is stored as {Id} for its id alone, which the policy names; its signatures do not suffice: {Why}")]
    public static partial void AllowedById(this ILogger log, string source, ImageId id, string why);

    [LoggerMessage(2022, LogLevel.Information, "Image {Id} was in the store already and has other signatures now, the first by {Fingerprint}")]
    public static partial void SignedAnew(this ILogger log, ImageId id, string fingerprint);
}
