; The vds feature: gives back, when the driver goes, the memory that the Virtual DMA Services locked for its rings.

bits 16

VDS        equ 4Bh
VDS_UNLOCK equ 8104h

; VdsHeader (src/resident/table.rs): the installer fills in the region.
section .unit_header progbits alloc exec write
global unit_header
unit_header:
        dw vds_farewell
        dw 0
region: times 16 db 0

section .text progbits alloc exec nowrite align=1

; Purpose:  Unlock the rings: the driver goes.
; In:       ES = CS, the card at rest
; Corrupts: AX, DX, FLAGS
vds_farewell:
        push    di
        mov     di, region
        mov     ax, VDS_UNLOCK
        xor     dx, dx
        int     VDS
        pop     di
        ret
