; CRC-32 of an Ethernet address. Drivers call it to set hash filters.

bits 16

section .text.crc progbits alloc exec nowrite align=1

; Purpose:  CRC-32 of six bytes, low bit of each byte first.
; In:       BX = the bytes
; Out:      AX = the high half
; Corrupts: EAX, BX, DX
global crc_high
crc_high:
        push    cx
        or      eax, -1
        mov     cx, 6
.byte:  xor     al, [bx]
        inc     bx
        mov     dl, 8
.bit:   shr     eax, 1
        jnc     .next
        xor     eax, 0EDB88320h
.next:  dec     dl
        jnz     .bit
        loop    .byte
        shr     eax, 16
        pop     cx
        ret
