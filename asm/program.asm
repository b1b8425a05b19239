; The runtime of DOS programs that are written in Rust: entry, INT calls with all registers, far copies, and the receiver
; that packet drivers call.
;
; Rust runs with DS = ES = SS = the segment behind the code's, and ESP below 64 KB. It calls near, with arguments of four bytes on
; the stack: the first one is at [esp+2]. What Rust calls here keeps ECX, ESI, EDI and EBP, as narrowed code does (asm/abi.inc).
; Each routine has a section of its own, so that a program links only what it uses.

bits 16
cpu 386

extern program_main
extern __bss_start
extern __bss_end

%include "cpu.inc"
%include "program.inc"

IF_TF       equ 0300h
IF          equ 0200h
TF          equ 0100h
UPCALLS     equ 3           ; depth to which receivers may nest; each has a stack of its own
UPCALL_SIZE equ 1024        ; bytes of each such stack

; ----------------------------------------------------------------------------------------------------------------
; program_entry
;   Purpose: DOS starts the program here
;   In:      DS = ES = PSP, CS = load segment, SS:SP = top of the stack in our data (from the MZ header)
;   Stack:   its own
section .entry progbits alloc exec nowrite align=1
global program_entry
program_entry:
    cpu 8086
    jump_below_386 .old
    cpu 386
    mov     bx, ds
    load_ds
    mov     es, ax
    mov     [program_psp], bx
    movzx   esp, sp
    cld
    mov     di, __bss_start
    mov     cx, __bss_end
    sub     cx, di
    shr     cx, 2           ; both ends are multiples of 16
    xor     eax, eax
    rep stosd
    ; Ctrl-C and critical errors would end the program while its receivers are registered. So Ctrl-C sets a flag, and a
    ; critical error fails the DOS call. DOS restores both vectors when the program ends.
    mov     fs, ax
    mov     word [fs:23h * 4], ctrl_c
    mov     [fs:23h * 4 + 2], cs
    mov     word [fs:24h * 4], critical_error
    mov     [fs:24h * 4 + 2], cs
    call    program_main
    mov     ah, 4Ch
    int     21h
    cpu 8086
.old:
    push    cs
    pop     ds
    mov     dx, .text
    mov     ah, 9
    int     21h
    mov     ax, 4CFFh
    int     21h
.text:
    db "This program needs a 386 or later.", 13, 10, "$"
    cpu 386

ctrl_c:
    push    ax
    push    ds
    load_ds
    mov     byte [program_break], 1
    pop     ds
    pop     ax
    iret

critical_error:
    mov     al, 3           ; fail the DOS call
    iret

section .data progbits alloc noexec write align=4
global program_psp
global program_break
program_psp:    dw 0
program_break:  db 0

; ----------------------------------------------------------------------------------------------------------------
; void int_call(u32 vector, Regs *regs)
;   Purpose: INT, with all registers taken from `regs` and stored there afterwards
;   In:      regs: all but ss and esp; of the flags CF to OF, DF and IF, as before INT
;   Out:     regs: as the handler returned, esp with its high half
;   Corrupts: EAX, EBX, EDX; IF and DF are what they were
;   Stack:   48 bytes and what the handler takes
;   The INT instruction has its number in the code. A receiver that calls int_call inside this call would patch the number
;   again; so the handler is entered by RETF instead, above the frame that INT would have pushed.
;
; void far_call(u32 target, Regs *regs)
;   Purpose: PUSHF and CALL FAR to an interrupt handler: as int_call, but the handler gets IF as in `regs.flags`
section .text.int_call progbits alloc exec nowrite align=1
global int_call
global far_call
int_call:
    push    fs
    xor     ax, ax
    mov     fs, ax
    movzx   eax, byte [esp + 4]
    mov     edx, [fs:eax * 4]
    pop     fs
    mov     bx, ~IF_TF
    jmp     call_handler
far_call:
    mov     edx, [esp + 2]
    mov     bx, ~TF
; In: EDX = the handler, BX = mask of the FLAGS that the handler gets.
call_handler:
    keep_all
    pushf
    mov     ebp, [esp + 32]
    push    bp
    cli
    push    word [bp + regs.flags]
    push    cs
    push    word .back
    push    edx
    and     bx, [bp + regs.flags]
    push    bx
    load_regs  bp, gs, fs, es, ds, eax, ebx, ecx, edx, esi, edi, ebp
    popf
    retf
.back:
    pushf
    push    ebp
    mov     bp, sp
    movzx   ebp, word [bp + 6]
    store_regs bp, eax, ebx, ecx, edx, esi, edi, esp, ds, es, fs, gs, ss
    pop     dword [bp + regs.ebp]
    pop     word [bp + regs.flags]
    pop     bp
    movzx   esp, sp
    popf
    return_all

; ----------------------------------------------------------------------------------------------------------------
; void far_copy(u32 to, u32 from, u32 bytes)
;   Purpose: copies between far addresses, segment in the high word
;   In:      bytes: 0 to FFFFh; neither side may run past its segment
;   Stack:   16 bytes
section .text.far_copy progbits alloc exec nowrite align=1
global far_copy
far_copy:
    push    ecx
    push    esi
    push    edi
    push    ds
    push    es
    mov     ecx, [esp + 26]
    les     di, [esp + 18]
    lds     si, [esp + 22]
    cld
    rep movsb
    pop     es
    pop     ds
    pop     edi
    pop     esi
    pop     ecx
    ret

; ----------------------------------------------------------------------------------------------------------------
; u32 far_sum(u32 from, u32 dwords, u32 seed)
;   Purpose: a checksum of far memory that depends on the order of the double words
;   In:      dwords: 0 to 4000h; the memory may not run past its segment
;   Stack:   12 bytes
section .text.far_sum progbits alloc exec nowrite align=1
global far_sum
far_sum:
    push    ecx
    push    esi
    push    ds
    mov     ecx, [esp + 16]
    mov     ebx, [esp + 20]
    lds     si, [esp + 12]
    cld
    jcxz    .end
.next:
    lodsd
    add     ebx, eax
    rol     ebx, 5
    dec     cx
    jnz     .next
.end:
    mov     eax, ebx
    pop     ds
    pop     esi
    pop     ecx
    ret

; ----------------------------------------------------------------------------------------------------------------
; u32 interrupts_off()
;   Purpose: CLI
;   Out:     EAX: the flags as they were
; void interrupts_back(u32 flags)
;   Purpose: enables interrupts if they were on in `flags`
; void halt()
;   Purpose: HLT, if interrupts are on
section .text.interrupts progbits alloc exec nowrite align=1
global interrupts_off
global interrupts_back
global halt
interrupts_off:
    pushf
    pop     ax
    cli
    ret
interrupts_back:
    push    word [esp + 2]
    popf
    ret
halt:
    pushf
    pop     ax
    test    ax, IF
    jz      .end
    hlt
.end:
    ret

; ----------------------------------------------------------------------------------------------------------------
; receiver_entry
;   Purpose: the receiver for access_type, and the upcall of as_send_pkt: calls receiver_hook(Regs *) on a stack of the
;            program's own
;   In:      a far call from the driver, any DS, ES and stack
;   Out:     all registers but SS:ESP as the hook left them in its Regs
;   Stack:   14 bytes of the driver's
;   Nested deeper than UPCALLS, it returns ES:DI = 0:0.
section .text.receiver_entry progbits alloc exec nowrite align=1
global receiver_entry
receiver_entry:
    pushf
    push    ds
    push    eax
    push    ebx
    load_ds
    movzx   ebx, byte [receiver_depth]
    cmp     bl, UPCALLS
    jae     .refuse
    inc     byte [receiver_depth]
    inc     bx
    imul    bx, bx, UPCALL_SIZE
    add     bx, receiver_stacks - regs_size
    store_regs bx, ecx, edx, esi, edi, ebp, es, fs, gs
    pop     dword [bx + regs.ebx]
    pop     dword [bx + regs.eax]
    pop     word [bx + regs.ds]
    pop     word [bx + regs.flags]
    mov     [bx + regs.ss], ss
    mov     [bx + regs.esp], esp
    mov     es, ax
    mov     ss, ax
    mov     esp, ebx        ; MOV SS keeps interrupts off until after this instruction
    push    ebx
    cld
    call    word [receiver_hook]
    pop     ebx
    mov     bx, sp          ; the argument's place belongs to the hook: take the saved copy
    load_regs  bx, ss, esp, ecx, edx, esi, edi, ebp, eax, es, fs, gs
    push    word [bx + regs.ds]
    push    dword [bx + regs.ebx]
    push    word [bx + regs.flags]
    dec     byte [receiver_depth]
    test    byte [receiver_irets], 1
    jnz     .iret
    popf
    pop     ebx
    pop     ds
    retf
.iret:
    popf
    pop     ebx
    pop     ds
    iret
.refuse:
    pop     ebx
    pop     eax
    pop     ds
    xor     di, di
    mov     es, di
    popf
    retf

section .data.receiver progbits alloc noexec write align=4
global receiver_hook
global receiver_irets
receiver_hook:  dd 0
receiver_depth: db 0
receiver_irets: db 0        ; 1: return by IRET, as some receivers do

section .bss.receiver nobits alloc noexec write align=16
receiver_stacks: resb UPCALLS * UPCALL_SIZE
