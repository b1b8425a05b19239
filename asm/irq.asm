; The NIC's interrupt, and the way in and out that all entries share.

%include "abi.inc"
bits 16

extern irq
extern catch_up
extern core_state
extern info
extern busy
extern work

PIC1  equ 20h
PIC2  equ 0A0h
EOI   equ 20h

section .text.irq progbits alloc exec nowrite align=1

; Purpose:  The NIC's interrupt line. Not ours: the old handler's turn.
; In:       interrupt frame on any stack, interrupts off
; Corrupts: nothing
; Stack:    10 bytes of the interrupted program's beyond the interrupt's 6
global irq_entry
irq_entry:                          ; an IISP header (Interrupt Sharing Protocol)
        jmp     short .start
.old:   dd 0
        dw 424Bh
        db 0                        ; EOI is our own affair
        jmp     short .reset
        times 7 db 0
.reset: retf
.start: pushf                       ; IRET goes to the old handler,
        push    dword [cs:.old]
        call    save
        inc     byte [busy]
        call    irq
        test    al, al
        jz      .done
        mov     al, EOI
        cmp     byte [work+NIC_IRQ], 8
        jb      .first
        out     PIC2, al
.first: out     PIC1, al
        call    catch_up
        mov     bx, sp
        add     word [bx+FRAME.sp], 6   ; or past it
.done:  dec     byte [busy]

; Purpose:  The way back: every register and the stack as `save` found them.
; In:       jumped to with FRAME at SS:SP
; Out:      the interrupted program's registers, and IRET from its stack
global restore
global patch_leave
restore:
patch_leave:
        PATCH
        pop     di
        pop     es
        pop     si
        pop     ds
        pop     ebx
        pop     edx
        pop     ecx
        pop     eax
        pop     fs
        lss     esp, [esp]
        iret

; Purpose:  Before an entry leaves: take what came meanwhile, or what a NIC without an interrupt has.
; In:       `save`d, [busy] counts this entry
; Out:      [busy] counts it no more
; Corrupts: EAX, EBX, EDX
global settle
global patch_poll
settle:
patch_poll:
        PATCH                       ; `irq`, if nothing else calls it
        call    catch_up
        dec     byte [busy]
        ret

; Purpose:  Save the interrupted program's registers on our stack and set up for Rust.
; In:       called near, on any stack, with interrupts off
; Out:      FRAME at SS:ESP, EBX = its offset, segments ours
; Corrupts: everything but FRAME's contents
; Which stack: ours goes on below SP (a receiver that calls back); a foreign one gets the top, or, while we are
; busy (a receiver on a stack of its own), the part that no receiver reaches.
global save
global patch_enter
save:
        push    ds
        push    cs
        pop     ds
        pop     word [caller_ds]
        pop     word [return_to]
        mov     [caller_sp], esp
        mov     [caller_ss], ss
        mov     [caller_ax], ax
        mov     ax, cs
        cmp     [caller_ss], ax
        je      .ours
        mov     ss, ax
        movzx   esp, word [info+INFO_STACK_TOP]
        cmp     byte [busy], 0
        je      .ours
        mov     sp, [core_state+STATE.stack_second]
.ours:
        mov     ax, [caller_ax]
        push    word [caller_ss]
        push    dword [caller_sp]
        push    fs
        push    eax
        push    ecx
        push    edx
        push    ebx
        push    word [caller_ds]
        push    si
        push    es
        push    di
        push    cs
        pop     es
        cld
patch_enter:
        PATCH
        mov     ebx, esp
        jmp     [return_to]

section .bss align=2
; Alive only between two instructions with interrupts off, so one copy serves every depth.
caller_sp:  resd 1
caller_ss:  resw 1
caller_ds:  resw 1
caller_ax:  resw 1
return_to:  resw 1
