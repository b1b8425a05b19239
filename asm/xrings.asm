; Frames between a card's rings in XMS and XMS.

%include "xms.inc"

%ifdef PARTS
FEATURE NEEDS_XPARTS, BLOCK_XPARTS, 0
%else
FEATURE NEEDS_XRINGS, BLOCK_XRINGS, 0
%endif
PROVIDES_LINEAR
INSTEAD POINT_IN, to_xms
INSTEAD POINT_OUT, from_xms

%ifdef PARTS
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
%else
; Instead of `les di, [job.at]` in `flat_take_frame`.
; In:       the high half of EDI zero
; Out:      ES:EDI = to
; Corrupts: FLAGS
to_xms: IS_CLIENTS .clients
        mov     edi, [linear]
        push    fs
        pop     es
        ret
.clients:
        les     di, [work+WORK_JOB+JOB.at]
        ret
%endif

; Instead of `lds si, [job.at]` in `flat_give_frame`.
; In:       the high half of ESI zero
; Out:      DS:ESI = from
; Corrupts: FLAGS
from_xms:
        IS_CLIENTS .clients
        mov     esi, [linear]
        push    fs
        pop     ds
        ret
.clients:
        lds     si, [work+WORK_JOB+JOB.at]
        ret
