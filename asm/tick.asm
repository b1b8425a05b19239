; The tick feature: the driver's hook of the timer interrupt. It is attached when the card has no interrupt or a feature has a
; tick routine, and there is no control interrupt, which has the hook itself.

%include "attach.inc"
bits 16

FEATURE NEEDS_TICK, BLOCK_TICK, 0
PROVIDES POINT_TICK, tick.routines
TAKES   OPERAND + POINT_FUNCTIONS, TERMINATE, check.below
CALLED  PATCH_FAREWELL, restore, restore.next
TOLD    settle, OPERAND + 2, tick.settle

section .text.tick progbits alloc exec nowrite align=1
global unit_header
unit_header:

%include "tick.inc"
        ; A chain of near routines, each of which ends with a jump to the next.
        mov     si, strict word restore.none
.routines equ   $-2
        call    si
        JUMP_NEAR 0
.settle equ     $-2                 ; the core's `settle`: told
tick_reset:
        retf

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
