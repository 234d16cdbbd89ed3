using System.Globalization;

namespace Appc.Linux;

/// <summary>
/// Directories stacked by overlayfs for reading, mounted nowhere: nobody but the holder of the descriptor sees the mount, and it
/// ends with it.
/// </summary>
internal static unsafe class MergedTree
{
    private const uint CloseOnExec = 1;
    private const uint SetString = 1;
    private const uint CreateFileSystem = 6;

    // The kernel takes no longer value of an option.
    private const int LongestValue = 255;

    /// <summary>Opens the stack.</summary>
    /// <param name="layers">The directories, the lowest first.</param>
    /// <exception cref="ErrnoException">The kernel does not stack them.</exception>
    internal static Fd Open(IReadOnlyList<string> layers)
    {
        if (layers.Count == 1)
        {
            return Fd.OpenDirectory(layers[0]);
        }

        List<Fd> open = [];
        try
        {
            open.AddRange(layers.Select(Fd.OpenDirectory));
            using Fd context = NewOverlay();
            Stack(context, open);
            Configure(context, CreateFileSystem, null, null);
            return Fd.Own((int)Libc.SystemCall3(SystemCall.FsMount, context.Number, (nint)CloseOnExec, (nint)(Libc.MOUNT_ATTR_RDONLY | Libc.MOUNT_ATTR_NODEV)), "fsmount");
        }
        finally
        {
            open.ForEach(l => l.Dispose());
        }
    }

    private static Fd NewOverlay()
    {
        fixed (byte* name = "overlay\0"u8)
        {
            return Fd.Own((int)Libc.SystemCall3(SystemCall.FsOpen, (nint)name, (nint)CloseOnExec, 0), "fsopen overlay");
        }
    }

    private static void Stack(Fd context, List<Fd> layers)
    {
        // By descriptors: no path in them needs quoting, and many fit into one value.
        string[] lower = [.. layers.AsEnumerable().Reverse().Select(l => string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{l.Number}"))];
        string together = string.Join(':', lower);
        if (together.Length <= LongestValue)
        {
            Configure(context, SetString, "lowerdir", together);
            return;
        }

        // One by one, as newer kernels take them.
        foreach (string layer in lower)
        {
            Configure(context, SetString, "lowerdir+", layer);
        }
    }

    private static void Configure(Fd context, uint command, string? key, string? value)
    {
        fixed (byte* k = key is null ? null : Fd.PathBytes(key))
        fixed (byte* v = value is null ? null : Fd.PathBytes(value))
        {
            ErrnoException.ThrowIfFailed(Libc.SystemCall5(SystemCall.FsConfig, context.Number, (nint)command, (nint)k, (nint)v, 0), $"fsconfig overlay {key}");
        }
    }
}
