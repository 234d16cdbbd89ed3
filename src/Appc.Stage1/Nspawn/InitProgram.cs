using System.Runtime.InteropServices;
using System.Text;
using Appc.Linux;

namespace Appc.Stage1.Nspawn;

/// <summary>
/// What process 1 of a pod is before it is systemd: it gives up its inheritable capabilities. Systemd-nspawn hands it as many as it may have,
/// and since systemd executes apps by a program between, version 255, they would reach every app, whatever its user: a file in
/// an image that inherits capabilities would then gain them. And it makes a link in the place of the directory in which systemd
/// looks for questions about passwords; see <see cref="QuietWatches"/>.
/// </summary>
internal static class InitProgram
{
    /// <summary>Where it is in the stage1 tree.</summary>
    internal const string Path = "usr/lib/appc/init";

    /// <summary>What it becomes, with the arguments and the environment that it got.</summary>
    internal const string Systemd = "/usr/lib/systemd/systemd";

    private const string RunDirectory = "/run/systemd";
    private const string Link = RunDirectory + "/ask-password";
    private const string Target = "/" + QuietWatches.SharedDirectory;

    // In words: capget, nothing in the two halves of the inheritable set, capset; mkdir and symlink, which may fail; execve
    // with the path in the place of the first argument; exit_group with 1 if that or one of the first two fails.
    private static ReadOnlySpan<byte> X64 =>
    [
        // start:
        0x48, 0x89, 0xE3,                                             // mov rbx,rsp
        0x48, 0x83, 0xEC, 0x30,                                       // sub rsp,0x30
        0x48, 0xC7, 0x04, 0x24, 0x22, 0x05, 0x08, 0x20,               // mov qword ptr [rsp],0x20080522
        0x48, 0x89, 0xE7,                                             // mov rdi,rsp
        0x48, 0x8D, 0x74, 0x24, 0x08,                                 // lea rsi,[rsp+0x8]
        0xB8, 0x7D, 0x00, 0x00, 0x00,                                 // mov eax,0x7d
        0x0F, 0x05,                                                   // syscall
        0xC7, 0x44, 0x24, 0x10, 0x00, 0x00, 0x00, 0x00,               // mov dword ptr [rsp+0x10],0x0
        0xC7, 0x44, 0x24, 0x1C, 0x00, 0x00, 0x00, 0x00,               // mov dword ptr [rsp+0x1c],0x0
        0xB8, 0x7E, 0x00, 0x00, 0x00,                                 // mov eax,0x7e
        0x0F, 0x05,                                                   // syscall
        0x85, 0xC0,                                                   // test eax,eax
        0x75, 0x46,                                                   // jne leave
        0x48, 0x8D, 0x3D, 0x65, 0x00, 0x00, 0x00,                     // lea rdi,[rip+directory]
        0xBE, 0xED, 0x01, 0x00, 0x00,                                 // mov esi,0x1ed
        0xB8, 0x53, 0x00, 0x00, 0x00,                                 // mov eax,0x53
        0x0F, 0x05,                                                   // syscall
        0x48, 0x8D, 0x3D, 0x79, 0x00, 0x00, 0x00,                     // lea rdi,[rip+target]
        0x48, 0x8D, 0x35, 0x58, 0x00, 0x00, 0x00,                     // lea rsi,[rip+link]
        0xB8, 0x58, 0x00, 0x00, 0x00,                                 // mov eax,0x58
        0x0F, 0x05,                                                   // syscall
        0x48, 0x8D, 0x3D, 0x24, 0x00, 0x00, 0x00,                     // lea rdi,[rip+path]
        0x48, 0x89, 0x7B, 0x08,                                       // mov qword ptr [rbx+0x8],rdi
        0x48, 0x8D, 0x73, 0x08,                                       // lea rsi,[rbx+0x8]
        0x48, 0x8B, 0x13,                                             // mov rdx,qword ptr [rbx]
        0x48, 0x8D, 0x54, 0xD6, 0x08,                                 // lea rdx,[rsi+rdx*8+0x8]
        0xB8, 0x3B, 0x00, 0x00, 0x00,                                 // mov eax,0x3b
        0x0F, 0x05,                                                   // syscall
        // leave:
        0xBF, 0x01, 0x00, 0x00, 0x00,                                 // mov edi,0x1
        0xB8, 0xE7, 0x00, 0x00, 0x00,                                 // mov eax,0xe7
        0x0F, 0x05,                                                   // syscall
        0xF4,                                                         // hlt
    ];

    private static ReadOnlySpan<byte> Arm64 =>
    [
        // start:
        0xF3, 0x03, 0x00, 0x91,                                       // mov x19, sp
        0xFF, 0xC3, 0x00, 0xD1,                                       // sub sp, sp, #0x30
        0x42, 0xA4, 0x80, 0x52,                                       // mov w2, #0x522
        0x02, 0x01, 0xA4, 0x72,                                       // movk w2, #0x2008, lsl #16
        0xE2, 0x03, 0x00, 0xF9,                                       // str x2, [sp]
        0xE0, 0x03, 0x00, 0x91,                                       // mov x0, sp
        0xE1, 0x23, 0x00, 0x91,                                       // add x1, sp, #0x8
        0x48, 0x0B, 0x80, 0xD2,                                       // mov x8, #0x5a
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0x0
        0xFF, 0x13, 0x00, 0xB9,                                       // str wzr, [sp, #16]
        0xFF, 0x1F, 0x00, 0xB9,                                       // str wzr, [sp, #28]
        0xE0, 0x03, 0x00, 0x91,                                       // mov x0, sp
        0x68, 0x0B, 0x80, 0xD2,                                       // mov x8, #0x5b
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0x0
        0x20, 0x02, 0x00, 0xB5,                                       // cbnz x0, leave
        0x41, 0x03, 0x00, 0x30,                                       // adr x1, directory
        0xA2, 0x3D, 0x80, 0xD2,                                       // mov x2, #0x1ed
        0x48, 0x04, 0x80, 0xD2,                                       // mov x8, #0x22
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0x0
        0x00, 0x04, 0x00, 0x10,                                       // adr x0, target
        0x02, 0x03, 0x00, 0x50,                                       // adr x2, link
        0x88, 0x04, 0x80, 0xD2,                                       // mov x8, #0x24
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0x0
        0x80, 0x01, 0x00, 0x10,                                       // adr x0, path
        0x61, 0x22, 0x00, 0x91,                                       // add x1, x19, #0x8
        0x20, 0x00, 0x00, 0xF9,                                       // str x0, [x1]
        0x62, 0x02, 0x40, 0xF9,                                       // ldr x2, [x19]
        0x22, 0x0C, 0x02, 0x8B,                                       // add x2, x1, x2, lsl #3
        0x42, 0x20, 0x00, 0x91,                                       // add x2, x2, #0x8
        0xA8, 0x1B, 0x80, 0xD2,                                       // mov x8, #0xdd
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0x0
        // leave:
        0x20, 0x00, 0x80, 0xD2,                                       // mov x0, #0x1
        0xC8, 0x0B, 0x80, 0xD2,                                       // mov x8, #0x5e
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0x0
        0x00, 0x00, 0x20, 0xD4,                                       // brk #0x0
    ];

    /// <summary>The program's file.</summary>
    internal static byte[] Make(Architecture architecture) =>
        ElfHeader.MakeProgram(architecture, [.. architecture == Architecture.X64 ? X64 : Arm64, .. Encoding.ASCII.GetBytes($"{Systemd}\0{RunDirectory}\0{Link}\0{Target}\0")]);
}
