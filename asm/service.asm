; What the core does for the drivers, by near addresses in places that every unit knows (linker/resident.ld).

bits 16

extern core_clock

; Purpose:  asm/clock.asm's, in the core.
; Out:      AX
; Corrupts: nothing else
section .text.clock progbits alloc exec nowrite align=1
global clock
clock:  jmp     [core_clock]
