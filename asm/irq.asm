; The NIC's interrupt, and the way in and out that all entries share.

%include "abi.inc"
bits 16

extern irq
extern core_state
extern busy

section .text

; Purpose:  The NIC's interrupt line. Not ours: the old handler's turn.
; In:       interrupt frame on any stack, interrupts off
; Corrupts: nothing
; Stack:    2 bytes of the interrupted program's beyond the interrupt's 6
global irq_entry
irq_entry:                          ; an IISP header (Interrupt Sharing Protocol)
        jmp     short .start
.old:   dd 0
        dw 424Bh
        db 0                        ; EOI is our own affair
        jmp     short .reset
        times 7 db 0
.reset: retf
.start: call    save
        call    irq
        mov     [chain], al
        call    restore
        cmp     byte [cs:chain], 0
        jne     .done
        jmp     far [cs:irq_entry.old]
.done:  iret

global patch_enter
global patch_leave

; Purpose:  Save the interrupted program's registers on our stack and set up for Rust.
; In:       called near, on any stack, with interrupts off
; Out:      FRAME at SS:ESP, EBX = its offset, segments ours
; Corrupts: everything but FRAME's contents
; Which stack: ours goes on below SP (a receiver that calls back); a foreign one gets the top, or, while we are
; busy (a receiver on a stack of its own), the part that no receiver reaches.
global save
save:
        pop     word [cs:return_to]
        mov     [cs:caller_sp], esp
        mov     [cs:caller_ss], ss
        mov     [cs:caller_ax], ax
        mov     ax, cs
        cmp     [cs:caller_ss], ax
        je      .ours
        mov     ss, ax
        mov     sp, [cs:core_state+STATE.stack_top]
        cmp     byte [cs:busy], 0
        je      .ours
        mov     sp, [cs:core_state+STATE.stack_second]
.ours:  movzx   esp, sp
        mov     ax, [cs:caller_ax]
        push    word [cs:caller_ss]
        push    dword [cs:caller_sp]
        push    gs
        push    fs
        push    eax
        push    ecx
        push    edx
        push    ebx
        push    ds
        push    si
        push    es
        push    di
        push    cs
        pop     ds
        push    cs
        pop     es
        cld
patch_enter:
        PATCH
        mov     ebx, esp
        jmp     [return_to]

; Purpose:  The way back: every register and the stack as `save` found them.
; In:       called near with FRAME under the return address
; Out:      the interrupted program's registers, its interrupt frame at SS:SP
global restore
restore:
patch_leave:
        PATCH
        pop     word [return_to]
        pop     di
        pop     es
        pop     si
        pop     ds
        pop     ebx
        pop     edx
        pop     ecx
        pop     eax
        pop     fs
        pop     gs
        pop     dword [cs:caller_sp]
        pop     word [cs:caller_ss]
        lss     esp, [cs:caller_sp]
        jmp     [cs:return_to]

section .bss
; Alive only between two instructions with interrupts off, so one copy serves every depth.
global caller_sp
caller_sp:  resd 1
caller_ss:  resw 1
caller_ax:  resw 1
return_to:  resw 1
chain:      resb 1
