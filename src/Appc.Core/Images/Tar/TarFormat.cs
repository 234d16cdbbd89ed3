namespace Appc.Images.Tar;

/// <summary>The header's fields (POSIX ustar; the old GNU ones where they differ) and the type flags.</summary>
internal static class TarFormat
{
    public const int BlockSize = 512;

    public static readonly Range Name = 0..100;
    public static readonly Range Mode = 100..108;
    public static readonly Range Uid = 108..116;
    public static readonly Range Gid = 116..124;
    public static readonly Range Size = 124..136;
    public static readonly Range ModifyTime = 136..148;
    public static readonly Range Checksum = 148..156;
    public const int TypeFlag = 156;
    public static readonly Range LinkName = 157..257;
    public static readonly Range Magic = 257..263;
    public static readonly Range Version = 263..265;
    public static readonly Range UserName = 265..297;
    public static readonly Range GroupName = 297..329;
    public static readonly Range DeviceMajor = 329..337;
    public static readonly Range DeviceMinor = 337..345;
    public static readonly Range Prefix = 345..500;

    // Old GNU sparse: four segments of 24 bytes in the header, 21 in each block that extends it.
    public const int GnuSparseMap = 386;
    public const int GnuSparseHeaderSegments = 4;
    public const int GnuSparseExtended = 482;
    public static readonly Range GnuRealSize = 483..495;
    public const int GnuSparseBlockSegments = 21;
    public const int GnuSparseBlockExtended = 504;

    public const byte OldFile = 0;
    public const byte File = (byte)'0';
    public const byte HardLink = (byte)'1';
    public const byte SymbolicLink = (byte)'2';
    public const byte CharacterDevice = (byte)'3';
    public const byte BlockDevice = (byte)'4';
    public const byte Directory = (byte)'5';
    public const byte Fifo = (byte)'6';
    public const byte Contiguous = (byte)'7';
    public const byte PaxLocal = (byte)'x';
    public const byte PaxGlobal = (byte)'g';
    public const byte GnuLongName = (byte)'L';
    public const byte GnuLongLink = (byte)'K';
    public const byte GnuSparse = (byte)'S';

    public static ReadOnlySpan<byte> PosixMagic => "ustar\0"u8;

    public static ReadOnlySpan<byte> GnuMagic => "ustar "u8;

    /// <summary>Whether a block's checksum fits; old programs summed signed bytes, so either sum counts.</summary>
    public static bool HasValidChecksum(ReadOnlySpan<byte> header)
    {
        if (!TarNumber.TryParse(header[Checksum], out long stored))
        {
            return false;
        }

        long unsigned = 0;
        long signed = 0;
        for (int i = 0; i < BlockSize; i++)
        {
            byte b = i is >= 148 and < 156 ? (byte)' ' : header[i];
            unsigned += b;
            signed += (sbyte)b;
        }

        return stored == unsigned || stored == signed;
    }
}
