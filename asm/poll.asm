; The poll feature: a look at a NIC without an interrupt, at every timer tick.

%include "abi.inc"
bits 16

extern core_state
extern pending

; PollHeader (src/resident/table.rs): the last three are the core's, the installer's to fill in.
section .unit_header progbits alloc exec write
global unit_header
unit_header:
        dw poll_entry
save_at:        dw 0
settle_at:      dw 0
driver_at:      dw 0                ; the driver's entries: Irq is the first

section .text.poll progbits alloc exec nowrite align=1

; Purpose:  INT 08h: the old handler's turn, then ours.
; In:       interrupt frame on any stack, interrupts off
; Corrupts: nothing
; Stack:    8 bytes of the interrupted program's beyond the interrupt's 6, and what the old handler takes
poll_entry:                         ; an IISP header (Interrupt Sharing Protocol)
        jmp     short .start
.old:   dd 0
        dw 424Bh
        db 0
        jmp     short .reset
        times 7 db 0
.reset: retf
.start: pushf
        call    far [cs:.old]
        cli                         ; the old handler may have come back with interrupts on
        call    [cs:save_at]
        mov     ebx, [core_state+STATE.device]
        mov     si, [driver_at]
        call    [si]
        or      [pending], al
        jmp     [settle_at]
