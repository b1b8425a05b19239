; Routines of the core that the drivers call. Their near addresses lie in the core at offsets that all units know
; (linker/resident.ld).

bits 16

extern core_clock

; Purpose:  Read the clock: jumps to `clock` of the core (asm/clock.asm).
; Out:      AX
; Corrupts: nothing else
section .text.clock progbits alloc exec nowrite align=1
global clock
clock:  jmp     [core_clock]
