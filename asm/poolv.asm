; The pool feature in V86 mode: the XMS driver moves frames. It is hooked, so that it is not called inside a call.

%define XMS_DRIVER
; How the entry of the last in the chain begins: a short jump and three NOPs (XMS 3.0, "hooking the XMS function chain").
XMS_SHORT       equ 0EBh
XMS_FAR         equ 0EAh            ; all others begin with a far jump to the next
NOP_BYTE        equ 90h
XMS_SHORT_DWORD equ 909003EBh
; More programs than this are not in the chain.
LONGEST_CHAIN   equ 16
XMS_FREE        equ 0Ah
XMS_MOVE        equ 0Bh

%include "pool.inc"

section .text.poolv progbits alloc exec nowrite align=1

; Purpose:  XMS function 0Bh.
; In:       BX = the move (src/memory/xms.rs)
; Out:      AL = 1 when it is done, else 0
; Corrupts: nothing else
; Stack:    what the XMS driver takes
global move_block
move_block:
        pushad
        mov     si, bx
        mov     ah, XMS_MOVE
        call    far [xms_next]
        cli
        cld
        cmp     ax, 1
        popad
        sete    al
        ret

; Purpose:  Stands in the XMS driver's chain: five bytes of the one before jump here.
; Corrupts: FLAGS
; Stack:    4 bytes and what the driver takes
xms_hook:
        jmp     short .start
        times 3 nop
.start: inc     byte [cs:xms_busy]
        call    far [cs:xms_next]
        dec     byte [cs:xms_busy]
        retf
