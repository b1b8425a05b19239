; The vds feature: unlocks, when the driver is unloaded, the memory that the Virtual DMA Services locked for its rings.

%include "attach.inc"
bits 16

VDS        equ 4Bh
VDS_UNLOCK equ 8104h

FEATURE NEEDS_VDS, BLOCK_VDS, 0
CALLED  PATCH_FAREWELL, vds_farewell, next
TOLD    region, 16, region

section .unit_header progbits alloc exec write
global unit_header
unit_header:
next:           dw vds_farewell.done
region:         times 16 db 0       ; the DMA descriptor structure of the services

section .text.vds progbits alloc exec nowrite align=1

; Purpose:  Unlock the rings when the driver is unloaded.
; In:       ES = CS, the card at rest
; Corrupts: AX, DX, FLAGS
vds_farewell:
        push    di
        mov     di, region
        mov     ax, VDS_UNLOCK
        xor     dx, dx
        int     VDS
        pop     di
        jmp     [next]
.done:  ret
