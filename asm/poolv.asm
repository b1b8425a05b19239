; The pool feature in V86 mode: the XMS driver moves frames. Its chain is hooked, to know when it is in a call: it is not
; re-entrant.

%define XMS_DRIVER
; The entry of the last program in the chain begins with a short jump and three NOPs (XMS 3.0, "hooking the XMS function
; chain").
XMS_SHORT       equ 0EBh
XMS_FAR         equ 0EAh            ; the entry of each other one begins with a far jump to the next
NOP_BYTE        equ 90h
XMS_SHORT_DWORD equ 909003EBh
; Longest chain that is followed.
LONGEST_CHAIN   equ 16
XMS_FREE        equ 0Ah
XMS_MOVE        equ 0Bh

%include "pool.inc"

section .text.poolv progbits alloc exec nowrite align=1

; Purpose:  Call XMS function 0Bh.
; In:       BX = the move (src/memory/xms.rs)
; Out:      AL = 1 if the block was moved, else 0
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

; Purpose:  The hook in the XMS driver's chain: five patched bytes jump here. Counts calls that are in progress.
; Corrupts: FLAGS
; Stack:    4 bytes and what the driver takes
xms_hook:
        jmp     short .start
        times 3 nop
.start: inc     byte [cs:xms_busy]
        call    far [cs:xms_next]
        dec     byte [cs:xms_busy]
        retf
