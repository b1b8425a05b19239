; Frames between a card's FIFO and XMS.

%define BY_PORT
%include "xms.inc"

FEATURE NEEDS_XFIFO, BLOCK_XFIFO, 0
PROVIDES_LINEAR
INSTEAD POINT_IN, in_fifo
INSTEAD POINT_OUT, out_fifo

; Instead of the rest of `ins_fifo`. The whole frame is wanted. A shorter one than LOOKAHEAD is followed by what the slot has
; room for.
in_fifo:
        READS
        mov     esi, work+WORK_JOB+JOB.head
        sub     cx, LOOKAHEAD
        jae     .more
        mov     cx, 0
.more:  mov     ax, cx
        mov     cx, LOOKAHEAD / 4
        a32 rep movsd
        mov     cx, ax
        shr     cx, 2
        a32 rep insd
        and     al, 3
        mov     cl, al
        a32 rep insb
        READ_END

; Instead of the rest of `outs_fifo`.
out_fifo:
        WRITES
        shr     cx, 2
        a32 rep fs outsd
        WRITE_END
