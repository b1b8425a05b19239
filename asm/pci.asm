; Access to PCI configuration by the PCI BIOS. The bus of discarded units and the kernel calls it (src/bus/real.rs).

bits 16

; `Call` of src/bus/real.rs.
struc CALL
.value      resd 1
.function   resw 1
.place      resw 1
.register   resw 1
endstruc

section .text.pci_bios progbits alloc exec

; Purpose:  INT 1Ah: read or write a register of a PCI function's configuration.
; In:       BX = Call
; Out:      AL = 1 and Call.value is read; AL = 0: there is no PCI BIOS, or it refuses
; Corrupts: EAX, EDX
global pci_bios
pci_bios:
        push    ebx
        push    ecx
        push    esi
        push    edi
        push    ebp
        push    ds
        push    es
        push    bx
        mov     ecx, [bx+CALL.value]
        mov     di, [bx+CALL.register]
        mov     ax, [bx+CALL.function]
        mov     bx, [bx+CALL.place]
        stc
        int     1Ah
        pop     bx
        pop     es
        pop     ds
        mov     [bx+CALL.value], ecx
        setnc   al
        pop     ebp
        pop     edi
        pop     esi
        pop     ecx
        pop     ebx
        ret
