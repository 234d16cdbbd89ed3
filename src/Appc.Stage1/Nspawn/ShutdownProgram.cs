using System.Runtime.InteropServices;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// The program that systemd becomes at the pod's end, in the place of systemd-shutdown: it passes the exit code on. That
/// one would wait for processes and unmount file systems, as it must on a machine; here the kernel does both when process 1
/// exits. A script would do, were it not for the time that a shell takes to load.
/// </summary>
internal static class ShutdownProgram
{
    // In words: look through the arguments for "--exit-code=", or for "--exit-code" with the code in the next one, as older
    // versions have it; the digits are the code, 0 if there are none; exit_group.
    private static ReadOnlySpan<byte> X64 =>
    [
        // start:
        0x48, 0x8D, 0x74, 0x24, 0x08,                                 // lea rsi,[rsp+0x8]
        0x31, 0xFF,                                                   // xor edi,edi
        // next:
        0x48, 0x83, 0xC6, 0x08,                                       // add rsi,0x8
        0x48, 0x8B, 0x06,                                             // mov rax,[rsi]
        0x48, 0x85, 0xC0,                                             // test rax,rax
        0x74, 0x45,                                                   // je leave
        0x48, 0xBA, 0x2D, 0x2D, 0x65, 0x78, 0x69, 0x74, 0x2D, 0x63,   // movabs rdx,0x632d746978652d2d
        0x48, 0x39, 0x10,                                             // cmp [rax],rdx
        0x75, 0xE5,                                                   // jne next
        0x81, 0x78, 0x08, 0x6F, 0x64, 0x65, 0x00,                     // cmp dword ptr [rax+0x8],0x65646f
        0x74, 0x0F,                                                   // je apart
        0x81, 0x78, 0x08, 0x6F, 0x64, 0x65, 0x3D,                     // cmp dword ptr [rax+0x8],0x3d65646f
        0x75, 0xD3,                                                   // jne next
        0x48, 0x83, 0xC0, 0x0C,                                       // add rax,0xc
        0xEB, 0x09,                                                   // jmp digit
        // apart:
        0x48, 0x8B, 0x46, 0x08,                                       // mov rax,[rsi+0x8]
        0x48, 0x85, 0xC0,                                             // test rax,rax
        0x74, 0x15,                                                   // je leave
        // digit:
        0x0F, 0xB6, 0x10,                                             // movzx edx,byte ptr [rax]
        0x83, 0xEA, 0x30,                                             // sub edx,0x30
        0x83, 0xFA, 0x09,                                             // cmp edx,0x9
        0x77, 0x0A,                                                   // ja leave
        0x6B, 0xFF, 0x0A,                                             // imul edi,edi,0xa
        0x01, 0xD7,                                                   // add edi,edx
        0x48, 0xFF, 0xC0,                                             // inc rax
        0xEB, 0xEB,                                                   // jmp digit
        // leave:
        0xB8, 0xE7, 0x00, 0x00, 0x00,                                 // mov eax,0xe7
        0x0F, 0x05,                                                   // syscall
        0xF4,                                                         // hlt
    ];

    private static ReadOnlySpan<byte> Arm64 =>
    [
        // start:
        0xE1, 0x23, 0x00, 0x91,                                       // add x1, sp, #8
        0x00, 0x00, 0x80, 0xD2,                                       // mov x0, #0
        // next:
        0x22, 0x8C, 0x40, 0xF8,                                       // ldr x2, [x1, #8]!
        0xE2, 0x02, 0x00, 0xB4,                                       // cbz x2, leave
        0x43, 0x00, 0x40, 0xF9,                                       // ldr x3, [x2]
        0x04, 0x03, 0x00, 0x58,                                       // ldr x4, literal
        0x7F, 0x00, 0x04, 0xEB,                                       // cmp x3, x4
        0x61, 0xFF, 0xFF, 0x54,                                       // b.ne next
        0x43, 0x08, 0x40, 0xB9,                                       // ldr w3, [x2, #8]
        0xC4, 0x02, 0x00, 0x18,                                       // ldr w4, literal + 8
        0x7F, 0x00, 0x04, 0x6B,                                       // cmp w3, w4
        0xC0, 0x00, 0x00, 0x54,                                       // b.eq apart
        0x84, 0x02, 0x00, 0x18,                                       // ldr w4, literal + 12
        0x7F, 0x00, 0x04, 0x6B,                                       // cmp w3, w4
        0x81, 0xFE, 0xFF, 0x54,                                       // b.ne next
        0x42, 0x30, 0x00, 0x91,                                       // add x2, x2, #12
        0x03, 0x00, 0x00, 0x14,                                       // b digit
        // apart:
        0x22, 0x04, 0x40, 0xF9,                                       // ldr x2, [x1, #8]
        0x02, 0x01, 0x00, 0xB4,                                       // cbz x2, leave
        // digit:
        0x43, 0x14, 0x40, 0x38,                                       // ldrb w3, [x2], #1
        0x63, 0xC0, 0x00, 0x51,                                       // sub w3, w3, #48
        0x7F, 0x24, 0x00, 0x71,                                       // cmp w3, #9
        0x88, 0x00, 0x00, 0x54,                                       // b.hi leave
        0x44, 0x01, 0x80, 0x52,                                       // mov w4, #10
        0x00, 0x0C, 0x04, 0x1B,                                       // madd w0, w0, w4, w3
        0xFA, 0xFF, 0xFF, 0x17,                                       // b digit
        // leave:
        0xC8, 0x0B, 0x80, 0xD2,                                       // mov x8, #94
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0
        0x00, 0x00, 0x20, 0xD4,                                       // brk #0
        // literal:
        0x2D, 0x2D, 0x65, 0x78,                                       // "--ex"
        0x69, 0x74, 0x2D, 0x63,                                       // "it-c"
        0x6F, 0x64, 0x65, 0x00,                                       // "ode\0"
        0x6F, 0x64, 0x65, 0x3D,                                       // "ode="
    ];

    /// <summary>The program's file.</summary>
    internal static byte[] Make(Architecture architecture) =>
        ElfHeader.MakeProgram(architecture, architecture == Architecture.X64 ? X64 : Arm64);
}
