namespace Appc.Linux;

internal static unsafe partial class LaunchProgram
{
    // The loop of LaunchStub.Code.cs once more, as the whole code of a program. In words:
    //
    //   start:   the plan's address is the eight bytes that WriteProgram fills in.
    //            for each step: load its number and six arguments (each through a pointer), call, store the result
    //            where the step says. A failure that the step does not tolerate writes its errno and the step's
    //            address into the plan, and the plan's step, end and errno to the descriptor that the plan names.
    //   forked:  after clone3, in the parent: go on with the steps that the plan has for it, if it has any; else write
    //            the child's id to that descriptor, and exit.

    private static ReadOnlySpan<byte> X64 =>
    [
        // start:
        0x48, 0xBB, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,   // movabs rbx, PLAN
        0x4C, 0x8B, 0x63, 0x10,                                       // mov r12,[rbx+0x10]
        // next:
        0x4C, 0x3B, 0x63, 0x18,                                       // cmp r12,[rbx+0x18]
        0x74, 0x76,                                                   // je exit
        0x49, 0x8B, 0x04, 0x24,                                       // mov rax,[r12]
        0x49, 0x8B, 0x7C, 0x24, 0x08,                                 // mov rdi,[r12+0x8]
        0x48, 0x8B, 0x3F,                                             // mov rdi,[rdi]
        0x49, 0x8B, 0x74, 0x24, 0x10,                                 // mov rsi,[r12+0x10]
        0x48, 0x8B, 0x36,                                             // mov rsi,[rsi]
        0x49, 0x8B, 0x54, 0x24, 0x18,                                 // mov rdx,[r12+0x18]
        0x48, 0x8B, 0x12,                                             // mov rdx,[rdx]
        0x4D, 0x8B, 0x54, 0x24, 0x20,                                 // mov r10,[r12+0x20]
        0x4D, 0x8B, 0x12,                                             // mov r10,[r10]
        0x4D, 0x8B, 0x44, 0x24, 0x28,                                 // mov r8,[r12+0x28]
        0x4D, 0x8B, 0x00,                                             // mov r8,[r8]
        0x4D, 0x8B, 0x4C, 0x24, 0x30,                                 // mov r9,[r12+0x30]
        0x4D, 0x8B, 0x09,                                             // mov r9,[r9]
        0x0F, 0x05,                                                   // syscall
        0x48, 0x3D, 0x01, 0xF0, 0xFF, 0xFF,                           // cmp rax,-4095
        0x73, 0x1D,                                                   // jae failed
        0x49, 0x8B, 0x4C, 0x24, 0x38,                                 // mov rcx,[r12+0x38]
        0x48, 0x89, 0x01,                                             // mov [rcx],rax
        0x49, 0x81, 0x3C, 0x24, 0xB3, 0x01, 0x00, 0x00,               // cmp qword ptr [r12], 435
        0x75, 0x05,                                                   // jne advance
        0x48, 0x85, 0xC0,                                             // test rax,rax
        0x75, 0x3B,                                                   // jnz forked
        // advance:
        0x49, 0x83, 0xC4, 0x48,                                       // add r12,0x48
        0xEB, 0x9F,                                                   // jmp next
        // failed:
        0x48, 0xF7, 0xD8,                                             // neg rax
        0x49, 0x8B, 0x4C, 0x24, 0x40,                                 // mov rcx,[r12+0x40]
        0x48, 0x39, 0xC1,                                             // cmp rcx,rax
        0x74, 0xED,                                                   // je advance
        0x48, 0x83, 0xF9, 0xFF,                                       // cmp rcx,-1
        0x74, 0xE7,                                                   // je advance
        0x48, 0x89, 0x43, 0x20,                                       // mov [rbx+0x20],rax
        0x4C, 0x89, 0x63, 0x10,                                       // mov [rbx+0x10],r12
        // exit:
        0x8B, 0x7B, 0x28,                                             // mov edi,[rbx+0x28]
        0x48, 0x8D, 0x73, 0x10,                                       // lea rsi,[rbx+0x10]
        0xBA, 0x18, 0x00, 0x00, 0x00,                                 // mov edx,0x18
        0xB8, 0x01, 0x00, 0x00, 0x00,                                 // mov eax,1
        0x0F, 0x05,                                                   // syscall
        0xBF, 0x7F, 0x00, 0x00, 0x00,                                 // mov edi,0x7f
        0xEB, 0x2D,                                                   // jmp leave
        // forked:
        0x48, 0x8B, 0x43, 0x30,                                       // mov rax,[rbx+0x30]
        0x48, 0x85, 0xC0,                                             // test rax,rax
        0x74, 0x10,                                                   // jz tell
        0x49, 0x89, 0xC4,                                             // mov r12,rax
        0x48, 0x8B, 0x43, 0x38,                                       // mov rax,[rbx+0x38]
        0x48, 0x89, 0x43, 0x18,                                       // mov [rbx+0x18],rax
        0xE9, 0x51, 0xFF, 0xFF, 0xFF,                                 // jmp next
        // tell:
        0x8B, 0x7B, 0x28,                                             // mov edi,[rbx+0x28]
        0x48, 0x89, 0xCE,                                             // mov rsi,rcx
        0xBA, 0x08, 0x00, 0x00, 0x00,                                 // mov edx,0x8
        0xB8, 0x01, 0x00, 0x00, 0x00,                                 // mov eax,1
        0x0F, 0x05,                                                   // syscall
        0x31, 0xFF,                                                   // xor edi,edi
        // leave:
        0xB8, 0xE7, 0x00, 0x00, 0x00,                                 // mov eax,0xe7
        0x0F, 0x05,                                                   // syscall
        0xF4,                                                         // hlt
    ];

    private static ReadOnlySpan<byte> Arm64 =>
    [
        // start:
        0xC9, 0x06, 0x00, 0x58,                                       // ldr x9, literal
        0x2A, 0x09, 0x40, 0xF9,                                       // ldr x10, [x9, #16]
        // next:
        0x2B, 0x0D, 0x40, 0xF9,                                       // ldr x11, [x9, #24]
        0x5F, 0x01, 0x0B, 0xEB,                                       // cmp x10, x11
        0x80, 0x03, 0x00, 0x54,                                       // b.eq exit
        0x48, 0x01, 0x40, 0xA9,                                       // ldp x8, x0, [x10]
        0x41, 0x09, 0x41, 0xA9,                                       // ldp x1, x2, [x10, #16]
        0x43, 0x11, 0x42, 0xA9,                                       // ldp x3, x4, [x10, #32]
        0x45, 0x2D, 0x43, 0xA9,                                       // ldp x5, x11, [x10, #48]
        0x00, 0x00, 0x40, 0xF9,                                       // ldr x0, [x0]
        0x21, 0x00, 0x40, 0xF9,                                       // ldr x1, [x1]
        0x42, 0x00, 0x40, 0xF9,                                       // ldr x2, [x2]
        0x63, 0x00, 0x40, 0xF9,                                       // ldr x3, [x3]
        0x84, 0x00, 0x40, 0xF9,                                       // ldr x4, [x4]
        0xA5, 0x00, 0x40, 0xF9,                                       // ldr x5, [x5]
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0
        0x1F, 0xFC, 0x3F, 0xB1,                                       // cmn x0, #0xfff
        0xE2, 0x00, 0x00, 0x54,                                       // b.cs failed
        0x60, 0x01, 0x00, 0xF9,                                       // str x0, [x11]
        0x1F, 0xCD, 0x06, 0xF1,                                       // cmp x8, #435
        0x41, 0x00, 0x00, 0x54,                                       // b.ne advance
        0x40, 0x02, 0x00, 0xB5,                                       // cbnz x0, forked
        // advance:
        0x4A, 0x21, 0x01, 0x91,                                       // add x10, x10, #0x48
        0xEB, 0xFF, 0xFF, 0x17,                                       // b next
        // failed:
        0xE0, 0x03, 0x00, 0xCB,                                       // neg x0, x0
        0x4B, 0x21, 0x40, 0xF9,                                       // ldr x11, [x10, #64]
        0x7F, 0x01, 0x00, 0xEB,                                       // cmp x11, x0
        0x60, 0xFF, 0xFF, 0x54,                                       // b.eq advance
        0x7F, 0x05, 0x00, 0xB1,                                       // cmn x11, #1
        0x20, 0xFF, 0xFF, 0x54,                                       // b.eq advance
        0x20, 0x11, 0x00, 0xF9,                                       // str x0, [x9, #32]
        0x2A, 0x09, 0x00, 0xF9,                                       // str x10, [x9, #16]
        // exit:
        0x20, 0x29, 0x40, 0xB9,                                       // ldr w0, [x9, #40]
        0x21, 0x41, 0x00, 0x91,                                       // add x1, x9, #16
        0x02, 0x03, 0x80, 0xD2,                                       // mov x2, #0x18
        0x08, 0x08, 0x80, 0xD2,                                       // mov x8, #0x40
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0
        0xE0, 0x0F, 0x80, 0xD2,                                       // mov x0, #0x7f
        0x0D, 0x00, 0x00, 0x14,                                       // b leave
        // forked:
        0x2C, 0x19, 0x40, 0xF9,                                       // ldr x12, [x9, #48]
        0xAC, 0x00, 0x00, 0xB4,                                       // cbz x12, tell
        0xEA, 0x03, 0x0C, 0xAA,                                       // mov x10, x12
        0x2C, 0x1D, 0x40, 0xF9,                                       // ldr x12, [x9, #56]
        0x2C, 0x0D, 0x00, 0xF9,                                       // str x12, [x9, #24]
        0xD6, 0xFF, 0xFF, 0x17,                                       // b next
        // tell:
        0x20, 0x29, 0x40, 0xB9,                                       // ldr w0, [x9, #40]
        0xE1, 0x03, 0x0B, 0xAA,                                       // mov x1, x11
        0x02, 0x01, 0x80, 0xD2,                                       // mov x2, #8
        0x08, 0x08, 0x80, 0xD2,                                       // mov x8, #0x40
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0
        0x00, 0x00, 0x80, 0xD2,                                       // mov x0, #0
        // leave:
        0xC8, 0x0B, 0x80, 0xD2,                                       // mov x8, #0x5e
        0x01, 0x00, 0x00, 0xD4,                                       // svc #0
        0x00, 0x00, 0x20, 0xD4,                                       // brk #0
        // literal:
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,               // .quad PLAN
    ];
}
