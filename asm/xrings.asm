; Frames between a card's rings in XMS and XMS.

%include "xms.inc"

FEATURE NEEDS_XRINGS, BLOCK_XMS, 0
PROVIDES_LINEAR
INSTEAD POINT_IN, to_xms
INSTEAD POINT_OUT, from_xms

; Instead of the instructions in `flat_take` that load ES.
; In:       EDX = to: far; if the frame goes to XMS, the offset in it. EDI = the offset
; Out:      ES:EDI = to
; Corrupts: FLAGS
to_xms: IS_CLIENTS .clients
        add     edi, [linear]
        push    fs
        pop     es
        ret
.clients:
        push    edx
        pop     es
        pop     es
        ret

; Instead of the instructions in `flat_give` that load DS.
; In:       EBX = from, as above; ESI = the offset
; Out:      DS:ESI = from
; Corrupts: FLAGS
from_xms:
        IS_CLIENTS .clients
        add     esi, [linear]
        push    fs
        pop     ds
        ret
.clients:
        push    ebx
        pop     ds
        pop     ds
        ret
