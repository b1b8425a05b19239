; Frames between a card's port of 16 bits and XMS.

%define BY_PORT
%include "xms.inc"

FEATURE NEEDS_XWORDS, BLOCK_XWORDS, 0
PROVIDES_LINEAR
INSTEAD POINT_IN, in_words
INSTEAD POINT_OUT, out_words

; Instead of the rest of `ins_words`.
in_words:
        READS
        shr     cx, 1
        a32 rep insw
        adc     cx, cx
        a32 rep insb
        READ_END

; Instead of the rest of `outs_words`.
out_words:
        WRITES
        shr     cx, 1
        a32 rep fs outsw
        jnc     .even
        a32 fs lodsb
        mov     ah, 0
        out     dx, ax
.even:  WRITE_END
