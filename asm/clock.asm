; The clock that limits waits: the core's, and the stages' and probes'.

bits 16

; Purpose:  Read counter 0 of the PIT, latched. It counts down at 1.19 MHz in mode 2 and at twice that in mode 3.
; Out:      AX
; Corrupts: nothing else
section .text.clock progbits alloc exec nowrite align=1
global clock
clock:  xor     al, al
        out     43h, al
        in      al, 40h
        mov     ah, al
        in      al, 40h
        xchg    al, ah
        ret
