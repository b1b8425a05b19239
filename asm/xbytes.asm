; Frames between a card's port of 8 bits and XMS.

%define BY_PORT
%include "xms.inc"

FEATURE NEEDS_XBYTES, BLOCK_XBYTES, 0
PROVIDES_LINEAR
INSTEAD POINT_IN, in_bytes
INSTEAD POINT_OUT, out_bytes

; Instead of the rest of `ins_bytes`.
in_bytes:
        READS
        a32 rep insb
        READ_END

; Instead of the rest of `outs_bytes`.
out_bytes:
        WRITES
        a32 rep fs outsb
        WRITE_END
