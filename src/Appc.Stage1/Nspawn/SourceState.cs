using System.Globalization;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>By what it is told whether a file of the host is still the one that a stage1 tree was made of.</summary>
internal static class SourceState
{
    /// <summary>Device, inode, size and time of the last change: others for every file that an upgrade puts in its place.</summary>
    internal static string Of(in Libc.Statx file) => string.Create(
        CultureInfo.InvariantCulture,
        $"{file.DevMajor}:{file.DevMinor} {file.Inode} {file.Size} {file.ModifyTime.Seconds}.{file.ModifyTime.Nanoseconds}");
}
