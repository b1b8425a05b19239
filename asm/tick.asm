; The tick feature: the driver's one hook of the timer interrupt. At each tick it calls the driver's `irq`, as the NIC's
; interrupt does, and the tick routines of other features. It is attached when the card has no interrupt or a feature has
; a tick routine.

%include "attach.inc"
bits 16

extern core_state
extern pending

TIMER          equ 4 * 8            ; INT 08h
CANT_TERMINATE equ 7
TERMINATE      equ 5

FEATURE NEEDS_POLLED + NEEDS_POOL + NEEDS_POOLV + NEEDS_POOLC + NEEDS_CTL, BLOCK_TICK, 0
PROVIDES POINT_TICK, tick.routines
TAKES   OPERAND + POINT_FUNCTIONS, TERMINATE, check.below
CALLED  PATCH_FAREWELL, restore, restore.next
TOLD    entries, 2, tick.irq
TOLD    save, OPERAND + 2, tick.save
TOLD    settle, OPERAND + 2, tick.settle
HOOKS   8, tick

section .text.tick progbits alloc exec nowrite align=1
global unit_header
unit_header:

; Purpose:  INT 08h: call the old handler, then the driver and the tick routines.
; In:       interrupt frame on any stack, interrupts off
; Corrupts: nothing
; Stack:    8 bytes of the interrupted program's beyond the interrupt's 6, and what the old handler takes
tick:                               ; an IISP header (Interrupt Sharing Protocol)
        jmp     short .start
.old:   dd 0
        dw 424Bh
        db 0
        jmp     short .reset
        times 7 db 0
.start: pushf
        call    far [cs:.old]
        cli                         ; the old handler may return with interrupts on
        CALL_NEAR 0
.save   equ     $-2                 ; the core's `save`: told
        mov     bx, [core_state+STATE.device]   ; EBX was ESP, whose high half is 0, too
        call    [word 0]            ; the driver's `irq`, the first of the table of its entries
.irq    equ     $-2                 ; the table's address: told
        or      [pending], al
        ; A chain of near routines, each of which ends with a jump to the next. They run on the driver's stack, DS = ES = CS,
        ; interrupts off, inside an entry. Corrupt: all but SP.
        mov     si, strict word restore.none
.routines equ   $-2
        times tick.routines-tick-TICK_HEADER db 0       ; none: neither of the two numbers may be negative
        times TICK_HEADER+tick-tick.routines db 0
        call    si
        JUMP_NEAR 0
.settle equ     $-2                 ; the core's `settle`: told
.reset: retf

; Purpose:  terminate: refuse if another program has hooked the timer since.
; In:       as a function of INT 60h
; Corrupts: AX, ES
check:  push    byte 0
        pop     es
        mov     ax, cs
        cmp     [es:TIMER+2], ax
        mov     al, CANT_TERMINATE
        jne     restore.none
        JUMP_NEAR check
.below  equ     $-2                 ; the function below

; Purpose:  Restore the vector when the driver is unloaded.
; In:       DS = ES = CS, the card at rest
; Corrupts: EAX
restore:
        mov     eax, [tick.old]
        push    byte 0
        pop     ds
        mov     [TIMER], eax
        push    cs
        pop     ds
        push    strict word .none
.next   equ     $-2                 ; the routine before this one
.none:  ret
