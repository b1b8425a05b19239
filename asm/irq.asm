; The NIC's interrupt, and the way in that all entries share; their way out is in asm/int60.asm.

%include "abi.inc"
bits 16

extern entries
extern catch_up
extern pending
extern core_state
extern busy
extern restore

; src/resident/table.rs, Entry.
IRQ   equ 2 * 0

PIC1  equ 20h
PIC2  equ 0A0h
EOI   equ 20h

section .text.irq progbits alloc exec nowrite align=1

; Purpose:  The NIC's interrupt line. Not ours: the old handler's turn.
; In:       interrupt frame on any stack, interrupts off
; Corrupts: nothing
; Stack:    2 bytes of the interrupted program's beyond the interrupt's 6; when it is not ours, 6 and the old handler's
global irq_entry
global irq_entry.second
irq_entry:                          ; an IISP header (Interrupt Sharing Protocol)
        jmp     short .start
.old:   dd 0
        dw 424Bh
        db 0                        ; EOI is our own affair
        jmp     short .reset
        times 7 db 0
.reset: retf
.start: call    save
        mov     bx, [core_state+STATE.device]   ; as an address: EBX was ESP
        call    [entries+IRQ]
        or      [pending], al
        or      al, [core_state+STATE.irq_lone]
        jz      not_ours
        mov     al, EOI
.second:
        out     PIC2, al            ; for a line of the first PIC the installer has NO_EOI here
        out     PIC1, al
        cmp     byte [busy], 1      ; an outer entry will look
        jne     .out
        call    catch_up
.out:   dec     byte [busy]
        jmp     restore

not_ours:                           ; IRET goes to the old handler
        sub     word [esp+FRAME.sp], 6
        o32 les edi, [esp+FRAME.sp]
        mov     eax, [irq_entry.old]
        stosd
        pushf
        pop     ax
        stosw
        jmp     short irq_entry.out

; Purpose:  Before an entry leaves: take what came meanwhile, or what a NIC without an interrupt has; unless an outer entry
;           will.
; In:       `save`d; something is [pending], or there is an outer entry
; Out:      [busy] counts this entry no more
; Corrupts: EAX, EBX, ECX, EDX, ESI, EDI, EBP
global settle
settle: cmp     byte [busy], 1
        jne     .leave
        call    catch_up
.leave: dec     byte [busy]
        ret

; Purpose:  The way in: save the interrupted program's registers on our stack, set up for Rust, count the entry.
; In:       called near, on any stack, with interrupts off
; Out:      FRAME at SS:ESP, EBX = its offset, segments ours, DF clear
; Corrupts: everything but FRAME's contents
; Which stack: ours goes on below SP (a receiver that calls back); a foreign one gets the top, or, while we are
; busy (a receiver on a stack of its own), the part that no receiver reaches.
TOP equ 7FFEh                       ; the installer's to fill in: FRAME.sp of an entry from outside
global save
global save.counted
global save.sp
global save.ss
global save.patch
save:   cmp     byte [cs:busy], 1
.counted:
        pop     word [cs:return_to]
        jnc     .inner
        mov     [cs:TOP], esp
.sp     equ     $-2
        mov     [cs:TOP], ss
.ss     equ     $-2
        lss     esp, [cs:core_state+STATE.stack]
.save:  pushad
        push    ds
        push    si
        push    es
        mov     ax, cs
        mov     ds, ax
        inc     byte [busy]
.patch: mov     es, ax              ; a call of the flat feature does the same
        cld
        mov     ebx, esp
        jmp     [return_to]
.inner: mov     [cs:caller_ss], ss
        mov     [cs:caller_sp], esp
        push    ax
        mov     ax, cs
        cmp     [cs:caller_ss], ax
        pop     ax
        je      .ours
        push    cs
        pop     ss
        movzx   esp, word [cs:core_state+STATE.stack_second]
.ours:  push    word [cs:caller_ss]
        push    dword [cs:caller_sp]
        jmp     short .save

section .bss align=2
; Alive only between two instructions with interrupts off, so one copy serves every depth.
caller_sp:  resd 1
caller_ss:  resw 1
return_to:  resw 1
