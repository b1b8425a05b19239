; The tick feature: the one hook of the timer interrupt. At each tick the card is looked at, as at its interrupt; then the
; routines of other features run.

%include "attach.inc"
bits 16

extern core_state
extern pending

TIMER          equ 4 * 8            ; INT 08h
CANT_TERMINATE equ 7
TERMINATE      equ 5

FEATURE NEEDS_POLLED + NEEDS_POOL + NEEDS_POOLV + NEEDS_POOLC, BLOCK_TICK, 0
PROVIDES POINT_TICK, routines
TAKES   POINT_FUNCTIONS, TERMINATE, terminate
CALLED  PATCH_FAREWELL, farewell, next
TOLD    entries, 2, driver_at
TOLD    save, 4, save_at
HOOKS   8, tick

section .unit_header progbits alloc exec write
global unit_header
unit_header:
; Near routines that each end with a jump to the next. They run on our stack, DS = ES = CS, interrupts off, inside an entry.
; Corrupt: all but SP
routines:       dw none
terminate:      dw check
farewell:       dw restore
next:           dw none
driver_at:      dw 0                ; the driver's entries: Irq is the first
save_at:        dw 0
settle_at:      dw 0

section .text.tick progbits alloc exec nowrite align=1

; Purpose:  INT 08h: the old handler's turn, then ours.
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
        cli                         ; the old handler may have come back with interrupts on
        call    [cs:save_at]
        mov     ebx, [core_state+STATE.device]
        mov     si, [driver_at]
        call    [si]
        or      [pending], al
        call    [routines]
        jmp     [settle_at]
.reset: retf

; Purpose:  terminate: only if nobody hooked the timer after us.
; In:       as a function of INT 60h
check:  push    es
        xor     ax, ax
        mov     es, ax
        mov     ax, cs
        cmp     [es:TIMER+2], ax
        pop     es
        jne     .no
        jmp     [terminate]
.no:    mov     al, CANT_TERMINATE
        ret

; Purpose:  The driver goes.
; In:       DS = ES = CS, the card at rest
; Corrupts: EAX
restore:
        push    es
        xor     ax, ax
        mov     es, ax
        mov     eax, [tick.old]
        mov     [es:TIMER], eax
        pop     es
        jmp     [next]
none:   ret
