using System.Buffers.Binary;

namespace Appc.Stage1.Fly;

/// <summary>Runs a filter of system calls as the kernel does, for one architecture.</summary>
internal sealed class FilterVerdicts(byte[] program, uint architecture)
{
    public const uint Allowance = 0x7fff0000;
    public const uint Denial = 0x00050001;
    public const uint Absence = 0x00050026;

    private const uint MoreThanThereAre = 1024;

    /// <summary>The calls that are not permitted, whatever their arguments; in order.</summary>
    public IEnumerable<uint> Denied => With(Denial);

    /// <summary>The calls that the kernel is said not to have.</summary>
    public IEnumerable<uint> Missing => With(Absence);

    /// <summary>The verdict over a call.</summary>
    public uint Of(uint number, ulong argument = 0)
    {
        uint loaded = 0;
        for (int at = 0; ; at++)
        {
            ReadOnlySpan<byte> instruction = program.AsSpan(at * 8, 8);
            ushort code = BinaryPrimitives.ReadUInt16LittleEndian(instruction);
            uint value = BinaryPrimitives.ReadUInt32LittleEndian(instruction[4..]);
            switch (code)
            {
                case 0x20:
                    loaded = value switch { 0 => number, 4 => architecture, 16 => (uint)argument, _ => throw new InvalidOperationException($"loads {value}") };
                    break;
                case 0x06:
                    return value;
                default:
                    bool holds = code switch { 0x15 => loaded == value, 0x35 => loaded >= value, 0x45 => (loaded & value) != 0, _ => throw new InvalidOperationException($"code {code}") };
                    at += instruction[holds ? 2 : 3];
                    break;
            }
        }
    }

    private IEnumerable<uint> With(uint verdict)
    {
        for (uint number = 0; number < MoreThanThereAre; number++)
        {
            if (Of(number) == verdict)
            {
                yield return number;
            }
        }
    }
}
