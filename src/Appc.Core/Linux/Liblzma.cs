using System.Reflection;
using System.Runtime.InteropServices;

namespace Appc.Linux;

/// <summary>The system's xz library, which may be missing.</summary>
internal static unsafe partial class Liblzma
{
    public const int Ok = 0;
    public const int StreamEnd = 1;
    public const int MemoryLimitError = 6;
    public const int UnsupportedCheck = 3;
    public const uint TellUnsupportedCheck = 0x02;
    public const uint Concatenated = 0x08;
    public const int Run = 0;
    public const int Finish = 3;

    private const string Library = "liblzma.so.5";

    /// <summary>Whether the library is there.</summary>
    public static bool IsAvailable { get; } =
        NativeLibrary.TryLoad(Library, Assembly.GetExecutingAssembly(), DllImportSearchPath.SafeDirectories, out _);

    /// <summary>lzma_stream: the fields that are used, and room for those that are not.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Stream
    {
        public byte* NextIn;
        public nuint AvailableIn;
        public ulong TotalIn;
        public byte* NextOut;
        public nuint AvailableOut;
        public ulong TotalOut;
        private readonly nint _allocator;
        private readonly nint _internal;
        private readonly nint _reservedPointer1;
        private readonly nint _reservedPointer2;
        private readonly nint _reservedPointer3;
        private readonly nint _reservedPointer4;
        private readonly ulong _seek;
        private readonly ulong _reservedInt2;
        private readonly nuint _reservedInt3;
        private readonly nuint _reservedInt4;
        private readonly int _reservedEnum1;
        private readonly int _reservedEnum2;
    }

    [LibraryImport(Library)]
    public static partial int lzma_stream_decoder(Stream* stream, ulong memoryLimit, uint flags);

    [LibraryImport(Library)]
    public static partial int lzma_code(Stream* stream, int action);

    [LibraryImport(Library)]
    public static partial void lzma_end(Stream* stream);
}
