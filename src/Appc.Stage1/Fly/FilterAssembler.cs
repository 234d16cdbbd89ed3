using System.Buffers.Binary;

namespace Appc.Stage1.Fly;

/// <summary>
/// Assembles a program of classic BPF, see seccomp(2): instructions that go on with the next one or with one that a
/// label names. Numbers of system calls are looked up by halves, not one by one: when a filter is installed the kernel
/// runs it for each number that there is.
/// </summary>
internal sealed class FilterAssembler
{
    private const ushort LoadWord = 0x20;
    private const ushort ReturnValue = 0x06;
    private const ushort EqualTo = 0x15;
    private const ushort AtLeast = 0x35;
    private const ushort HasAny = 0x45;
    private const int InstructionSize = 8;

    private readonly List<(ushort Code, uint Value, string? True, string? False)> _program = [];
    private readonly Dictionary<string, int> _labels = new(StringComparer.Ordinal);

    /// <summary>Names the place of the next instruction.</summary>
    internal void Label(string name) => _labels.Add(name, _program.Count);

    /// <summary>Loads 32 bits of what the filter is told of a call.</summary>
    internal void Load(uint offset) => _program.Add((LoadWord, offset, null, null));

    /// <summary>Ends with a verdict.</summary>
    internal void Return(uint action) => _program.Add((ReturnValue, action, null, null));

    /// <summary>Goes on elsewhere if what was loaded is a value, or is not; null for the next instruction.</summary>
    internal void IfEqual(uint value, string? then, string? otherwise = null) => _program.Add((EqualTo, value, then, otherwise));

    /// <summary>Goes on elsewhere if what was loaded is a value or greater.</summary>
    internal void IfAtLeast(uint value, string then) => _program.Add((AtLeast, value, then, null));

    /// <summary>Goes on elsewhere if what was loaded has one of these bits, or none of them.</summary>
    internal void IfAny(uint bits, string then, string otherwise) => _program.Add((HasAny, bits, then, otherwise));

    /// <summary>Goes on where the loaded number leads, and elsewhere with all other numbers.</summary>
    /// <param name="cases">Numbers, in order and each of them once, and their labels; at least one.</param>
    /// <param name="otherwise">The label for all other numbers.</param>
    internal void Switch(ReadOnlySpan<(uint Number, string Label)> cases, string otherwise)
    {
        if (cases.Length == 1)
        {
            IfEqual(cases[0].Number, cases[0].Label, otherwise);
            return;
        }

        int middle = cases.Length / 2;
        string upper = $"from {cases[middle].Number}";
        IfAtLeast(cases[middle].Number, upper);
        Switch(cases[..middle], otherwise);
        Label(upper);
        Switch(cases[middle..], otherwise);
    }

    /// <summary>The instructions, as the kernel takes them. Labels must lie ahead, and not too far.</summary>
    internal byte[] Assemble()
    {
        byte[] bytes = new byte[_program.Count * InstructionSize];
        for (int i = 0; i < _program.Count; i++)
        {
            (ushort code, uint value, string? then, string? otherwise) = _program[i];
            Span<byte> instruction = bytes.AsSpan(i * InstructionSize, InstructionSize);
            BinaryPrimitives.WriteUInt16LittleEndian(instruction, code);
            instruction[2] = Distance(i, then);
            instruction[3] = Distance(i, otherwise);
            BinaryPrimitives.WriteUInt32LittleEndian(instruction[4..], value);
        }

        return bytes;
    }

    private byte Distance(int from, string? label) => label is null ? (byte)0 : checked((byte)(_labels[label] - from - 1));
}
