; The pool feature in real mode: frames are copied flat.

%include "pool.inc"

; Purpose:  Move a frame between the cache and its slot.
; In:       BX = the move (src/memory/xms.rs), both ends linear, the length a multiple of four; FS is flat, and so are
;           all limits (asm/flat.inc)
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
