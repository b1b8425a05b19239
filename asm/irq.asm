; The NIC's interrupt, and the way in and out that all entries share.

%include "abi.inc"
bits 16

extern irq
extern catch_up
extern pending
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
        mov     bx, sp
        add     word [bx+FRAME.sp], 6   ; or past it
        call    settle
        jmp     short restore
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

; Purpose:  Before an entry leaves: take what came meanwhile, unless an outer entry will, or what a NIC without an interrupt
;           has.
; In:       `save`d, [busy] counts this entry
; Out:      [busy] counts it no more
; Corrupts: EAX, EBX, EDX
global settle
global patch_poll
settle:
patch_poll:
        PATCH                       ; `irq`, if nothing else calls it
        cmp     byte [pending], 0
        je      .leave
        cmp     byte [busy], 1
        jne     .leave
        call    catch_up
.leave: dec     byte [busy]
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
        pop     word [cs:return_to]
        mov     [cs:caller_ss], ss
        mov     [cs:caller_sp], esp
        cmp     byte [cs:busy], 0
        jne     nested
        push    cs
        pop     ss
        movzx   esp, word [cs:info+INFO_STACK_TOP]
ours:   push    word [cs:caller_ss]
        push    dword [cs:caller_sp]
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
nested:
        push    ax
        mov     ax, cs
        cmp     [cs:caller_ss], ax
        pop     ax
        je      ours
        push    cs
        pop     ss
        movzx   esp, word [cs:core_state+STATE.stack_second]
        jmp     short ours

section .bss align=2
; Alive only between two instructions with interrupts off, so one copy serves every depth.
caller_sp:  resd 1
caller_ss:  resw 1
return_to:  resw 1
