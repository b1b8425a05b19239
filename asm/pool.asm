; The pool feature in real mode with XMS: frames are moved by a flat copy, without the XMS driver.

%include "pool.inc"

; Purpose:  Move a frame between the cache and its slot in XMS.
; In:       BX = the move (src/memory/xms.rs): both addresses linear, the length a multiple of four; FS = 0 and all limits
;           flat (asm/flat.inc)
; Out:      AL = 1
; Corrupts: nothing else
section .text.move_block progbits alloc exec nowrite align=1
global move_block
move_block:
        pushad
        push    es
        mov     ecx, [bx+MOVE.len]
        mov     esi, [bx+MOVE.from]
        mov     edi, [bx+MOVE.to]
        push    fs
        pop     es
        shr     ecx, 2
        a32 rep fs movsd
        pop     es
        popad
        mov     al, 1
        ret
