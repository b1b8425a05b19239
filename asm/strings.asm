; A frame between its client and a card's data port. Each driver links those that it calls.

%include "abi.inc"
bits 16

; ROOM: ES:DI = where the frame goes, CX = its length.
%macro ROOM 0
        pusha
        mov     cx, [bx+JOB.len]
        les     di, [bx+JOB.at]
        WHOLE   es, di
%endmacro

; FRAME_AT: DS:SI = the frame, CX = its length.
%macro FRAME_AT 0
        pusha
        mov     cx, [bx+JOB.len]
        lds     si, [bx+JOB.at]
        WHOLE   ds, si
%endmacro

%macro ROOM_END 0
        push    cs
        pop     es
        popa
        ret
%endmacro

%macro FRAME_END 0
        push    cs
        pop     ds
        popa
        ret
%endmacro

; Purpose:  Read a frame by words, an odd last byte by itself.
; In:       BX = JOB, DX = port
; Corrupts: nothing
section .text.ins_words progbits alloc exec nowrite align=1
global ins_words
ins_words:
        ROOM
        shr     cx, 1
        rep insw
        adc     cx, cx
        rep insb
        ROOM_END

; Purpose:  Read a frame by bytes.
; In:       BX = JOB, DX = port
; Corrupts: nothing
section .text.ins_bytes progbits alloc exec nowrite align=1
global ins_bytes
ins_bytes:
        ROOM
        rep insb
        ROOM_END

; Purpose:  Put what has been read of a frame, and what is left of it in a FIFO, to its client.
; In:       BX = JOB, DX = port
; Corrupts: nothing
section .text.ins_fifo progbits alloc exec nowrite align=1
global ins_fifo
ins_fifo:
        ROOM
        lea     si, [bx+JOB.head]
        sub     cx, LOOKAHEAD
        jb      .short
        xchg    ax, cx
        mov     cx, LOOKAHEAD / 4
        rep movsd
        mov     cx, ax
        shr     cx, 2
        rep insd
        and     ax, 3
        xchg    ax, cx
        rep insb
.end:   ROOM_END
.short: add     cx, LOOKAHEAD       ; the client wants less than the head
        rep movsb
        jmp     short .end

; Purpose:  Write a frame by words; above an odd last byte stands a zero.
; In:       BX = JOB, DX = port
; Corrupts: nothing
section .text.outs_words progbits alloc exec nowrite align=1
global outs_words
outs_words:
        FRAME_AT
        shr     cx, 1
        rep outsw
        jnc     .even
        lodsb
        mov     ah, 0
        out     dx, ax
.even:  FRAME_END

; Purpose:  Write a frame by bytes.
; In:       BX = JOB, DX = port
; Corrupts: nothing
section .text.outs_bytes progbits alloc exec nowrite align=1
global outs_bytes
outs_bytes:
        FRAME_AT
        rep outsb
        FRAME_END

; Purpose:  Write a frame by whole double words.
; In:       BX = JOB, DX = port
; Corrupts: nothing
section .text.outs_fifo progbits alloc exec nowrite align=1
global outs_fifo
outs_fifo:
        pusha
        mov     cx, [bx+JOB.len]
        add     cx, 3
        and     cl, ~3
        lds     si, [bx+JOB.at]
        WHOLE   ds, si
        shr     cx, 2
        rep outsd
        FRAME_END
