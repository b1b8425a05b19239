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
PROVIDES POINT_TICK, routines
TAKES   POINT_FUNCTIONS, TERMINATE, terminate
CALLED  PATCH_FAREWELL, restore, next
TOLD    entries, 2, driver_at
TOLD    save, 4, save_at
HOOKS   8, tick

section .unit_header progbits alloc exec write
global unit_header
unit_header:
; A chain of near routines, each of which ends with a jump to the next. They run on the driver's stack, DS = ES = CS,
; interrupts off, inside an entry. Corrupt: all but SP.
routines:       dw none
terminate:      dw check
next:           dw none
driver_at:      dw 0                ; the table of the driver's entries, which begins with `irq`
save_at:        dw 0
settle_at:      dw 0

section .text.tick progbits alloc exec nowrite align=1

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
        call    [cs:save_at]
        mov     ebx, [core_state+STATE.device]
        mov     si, [driver_at]
        call    [si]
        or      [pending], al
        call    [routines]
        jmp     [settle_at]
.reset: retf

; Purpose:  terminate: refuse if another program has hooked the timer since.
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

; Purpose:  Restore the vector when the driver is unloaded.
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
