using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// What a process of an app is before it is its program, where the unit cannot say how that is executed: systemd drops variables
/// with a period or hyphen in their names, takes no program whose path holds quotes or backslashes, and no line longer
/// than a million bytes. It holds path, arguments and these variables, keeps those that it got, and executes the program; all that isolates the app is in
/// place already.
/// </summary>
internal static class NspawnStarter
{
    /// <summary>Where it is in the app's root: in the /run that systemd mounts there for each unit.</summary>
    internal const string Path = "/run/appc/start";

    /// <summary>Its name on the host, in the directory of a unit's own files.</summary>
    internal const string FileName = "start";

    /// <summary>Only for its user to execute, and for nobody to read: it holds the environment.</summary>
    internal const uint Mode = 0x40; // 0100

    // Systemd reads lines of up to 1 MiB.
    private const int LongestLine = 1_000_000;

    // In words: count the variables on the stack; copy their addresses below it, and behind them those of more variables; execve;
    // exit_group with 203, as systemd ends where it cannot execute. What it needs to know follows the code: how many more addresses there are, the last one being
    // null, and where path, arguments and these addresses are.
    private static ReadOnlySpan<byte> X64 =>
    [
        // start:
        0x48, 0x89, 0xE3,                                             // mov rbx, rsp
        0x48, 0x8B, 0x0B,                                             // mov rcx, qword ptr [rbx]
        0x48, 0x8D, 0x74, 0xCB, 0x10,                                 // lea rsi, [rbx + 8*rcx + 16]
        0x4C, 0x8D, 0x05, 0x4E, 0x00, 0x00, 0x00,                     // lea r8, [rip+data]
        0x31, 0xD2,                                                   // xor edx, edx
        // count:
        0x48, 0x83, 0x3C, 0xD6, 0x00,                                 // cmp qword ptr [rsi + 8*rdx], 0
        0x74, 0x05,                                                   // je counted
        0x48, 0xFF, 0xC2,                                             // inc rdx
        0xEB, 0xF4,                                                   // jmp count
        // counted:
        0x49, 0x8B, 0x00,                                             // mov rax, qword ptr [r8]
        0x48, 0x01, 0xD0,                                             // add rax, rdx
        0x48, 0xC1, 0xE0, 0x03,                                       // shl rax, 3
        0x48, 0x29, 0xC4,                                             // sub rsp, rax
        0x48, 0x89, 0xE7,                                             // mov rdi, rsp
        0x48, 0x89, 0xD1,                                             // mov rcx, rdx
        0xF3, 0x48, 0xA5,                                             // rep movsq qword ptr es:[rdi], qword ptr [rsi]
        0x49, 0x8B, 0x70, 0x18,                                       // mov rsi, qword ptr [r8 + 24]
        0x49, 0x8B, 0x08,                                             // mov rcx, qword ptr [r8]
        0xF3, 0x48, 0xA5,                                             // rep movsq qword ptr es:[rdi], qword ptr [rsi]
        0x49, 0x8B, 0x78, 0x08,                                       // mov rdi, qword ptr [r8 + 8]
        0x49, 0x8B, 0x70, 0x10,                                       // mov rsi, qword ptr [r8 + 16]
        0x48, 0x89, 0xE2,                                             // mov rdx, rsp
        0xB8, 0x3B, 0x00, 0x00, 0x00,                                 // mov eax, 59
        0x0F, 0x05,                                                   // syscall
        0xBF, 0xCB, 0x00, 0x00, 0x00,                                 // mov edi, 203
        0xB8, 0xE7, 0x00, 0x00, 0x00,                                 // mov eax, 231
        0x0F, 0x05,                                                   // syscall
        0xF4,                                                         // hlt
        0x90,                                                         // nop
    ];

    private static ReadOnlySpan<byte> Arm64 =>
    [
        // start:
        0xF3, 0x03, 0x00, 0x91,                                       // mov x19, sp
        0x61, 0x02, 0x40, 0xF9,                                       // ldr x1, [x19]
        0x61, 0x0E, 0x01, 0x8B,                                       // add x1, x19, x1, lsl #3
        0x21, 0x40, 0x00, 0x91,                                       // add x1, x1, #16
        0x09, 0x04, 0x00, 0x10,                                       // adr x9, data
        0x02, 0x00, 0x80, 0xD2,                                       // mov x2, #0
        // count:
        0x23, 0x78, 0x62, 0xF8,                                       // ldr x3, [x1, x2, lsl #3]
        0x63, 0x00, 0x00, 0xB4,                                       // cbz x3, counted
        0x42, 0x04, 0x00, 0x91,                                       // add x2, x2, #1
        0xFD, 0xFF, 0xFF, 0x17,                                       // b count
        // counted:
        0x24, 0x01, 0x40, 0xF9,                                       // ldr x4, [x9]
        0x85, 0x00, 0x02, 0x8B,                                       // add x5, x4, x2
        0xA5, 0x04, 0x00, 0x91,                                       // add x5, x5, #1
        0xA5, 0xF8, 0x7F, 0x92,                                       // and x5, x5, #0xfffffffffffffffe
        0x7F, 0x6E, 0x25, 0xCB,                                       // sub sp, x19, x5, lsl #3
        0xE6, 0x03, 0x00, 0x91,                                       // mov x6, sp
        // own:
        0xA2, 0x00, 0x00, 0xB4,                                       // cbz x2, others
        0x23, 0x84, 0x40, 0xF8,                                       // ldr x3, [x1], #8
        0xC3, 0x84, 0x00, 0xF8,                                       // str x3, [x6], #8
        0x42, 0x04, 0x00, 0xD1,                                       // sub x2, x2, #1
        0xFC, 0xFF, 0xFF, 0x17,                                       // b own
        // others:
        0x21, 0x0D, 0x40, 0xF9,                                       // ldr x1, [x9, #24]
        // more:
        0xA4, 0x00, 0x00, 0xB4,                                       // cbz x4, become
        0x23, 0x84, 0x40, 0xF8,                                       // ldr x3, [x1], #8
        0xC3, 0x84, 0x00, 0xF8,                                       // str x3, [x6], #8
        0x84, 0x04, 0x00, 0xD1,                                       // sub x4, x4, #1
        0xFC, 0xFF, 0xFF, 0x17,                                       // b more
        // become:
        0x20, 0x05, 0x40, 0xF9,                                       // ldr x0, [x9, #8]
        0x21, 0x09, 0x40, 0xF9,                                       // ldr x1, [x9, #16]
        0xE2, 0x03, 0x00, 0x91,                                       // mov x2, sp
        0xA8, 0x1B, 0x80, 0xD2,                                       // mov x8, #221
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0
        0x60, 0x19, 0x80, 0xD2,                                       // mov x0, #203
        0xC8, 0x0B, 0x80, 0xD2,                                       // mov x8, #94
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0
        0x00, 0x00, 0x20, 0xD4,                                       // brk #0
    ];

    /// <summary>What systemd executes for a command of an app, and with which arguments.</summary>
    internal static IEnumerable<string> CommandLine(NspawnApp app, NspawnHandler command) => IsNeededBy(app, command) ? [Path, "start"] : [command.Program, .. command.Arguments];

    /// <summary>Writes to the unit of a command the variables that systemd takes, and has it show this program if it is needed.</summary>
    internal static void Write(UnitText unit, NspawnApp app, NspawnHandler command, string name)
    {
        foreach ((string variable, string value) in app.Environment.Where(v => IsTaken(v.Key, v.Value)))
        {
            unit.SetQuoted("Environment", "", [$"{variable}={value}"]);
        }

        if (IsNeededBy(app, command))
        {
            unit.Set("BindReadOnlyPaths", $"{Stage1TreeFiles.PodDirectory}/units/{name}.d/{FileName}:{Path}");
        }
    }

    /// <summary>Whether a command of an app needs it.</summary>
    internal static bool IsNeededBy(NspawnApp app, NspawnHandler command) =>
        app.Environment.Any(v => !IsTaken(v.Key, v.Value))
        || command.Program.Any(c => char.IsControl(c) || c is '"' or '\'' or '\\')
        || command.Program.Split('/').Contains("..")
        || command.Arguments.Sum(a => UnitText.LengthOf(a) + 1) > LongestLine;

    /// <summary>Whether systemd takes a variable from a unit.</summary>
    internal static bool IsTaken(string name, string value) =>
        name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') && value.EnumerateRunes().All(r => (r.Value & 0xfffe) != 0xfffe && r.Value is not (>= 0xfdd0 and <= 0xfdef));

    /// <summary>The program's file.</summary>
    internal static byte[] Make(Architecture architecture, NspawnApp app, NspawnHandler command) =>
        Make(architecture, command.Program, command.Arguments, [.. app.Environment.Where(v => !IsTaken(v.Key, v.Value)).Select(v => $"{v.Key}={v.Value}")]);

    internal static byte[] Make(Architecture architecture, string program, IReadOnlyList<string> arguments, IReadOnlyList<string> variables)
    {
        ReadOnlySpan<byte> code = architecture == Architecture.X64 ? X64 : Arm64;
        List<ulong> words = [(ulong)variables.Count + 1, 0, 0, 0];
        int tables = words.Count + arguments.Count + 1 + variables.Count + 1;
        using MemoryStream strings = new();
        ulong first = ElfHeader.ProgramAddress + (ulong)code.Length;
        ulong Add(string text)
        {
            ulong address = first + ((ulong)tables * sizeof(ulong)) + (ulong)strings.Length;
            strings.Write(Encoding.UTF8.GetBytes(text));
            strings.WriteByte(0);
            return address;
        }

        ulong AddAll(IEnumerable<string> texts)
        {
            ulong address = first + ((ulong)words.Count * sizeof(ulong));
            words.AddRange(texts.Select(Add));
            words.Add(0);
            return address;
        }

        words[1] = Add(program);
        words[2] = AddAll(arguments);
        words[3] = AddAll(variables);
        byte[] table = new byte[words.Count * sizeof(ulong)];
        for (int i = 0; i < words.Count; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(i * sizeof(ulong)), words[i]);
        }

        return ElfHeader.MakeProgram(architecture, [.. code, .. table, .. strings.ToArray()]);
    }
}
