; A frame between its client and a card's rings above 1 MB: FS = 0, and every segment has a limit of 4 GB (asm/flat.inc). Each
; driver links those routines that it calls. `.at` is a place of four bytes for a patch (asm/xrings.asm, asm/xparts.asm).

%include "abi.inc"
bits 16

extern work

; Copies ECX bytes, of which the high half is zero, to ES:EDI from %1:ESI. Corrupts: AL, ECX.
%macro COPY 1
        mov     al, cl
        shr     cx, 2
        a32 rep %1 movsd
        and     al, 3
        mov     cl, al
        a32 rep %1 movsb
%endmacro

; Purpose:  Copy the job's frame from a ring to its client.
; In:       EBX = from, linear
; Corrupts: FLAGS
; Stack:    34 bytes
section .text.flat_take_frame progbits alloc exec nowrite align=1
global flat_take_frame, flat_take_frame.at
flat_take_frame:
        pushad
        mov     esi, ebx
        movzx   ecx, word [work+WORK_JOB+JOB.len]
        xor     edi, edi
.at:    les     di, [work+WORK_JOB+JOB.at]
        COPY    fs
        push    cs
        pop     es
        popad
        ret

; Purpose:  Copy from a ring to any place.
; In:       EBX = from, linear; EDX = to, far; AX = bytes
; Corrupts: FLAGS
; Stack:    38 bytes
section .text.flat_take progbits alloc exec nowrite align=1
global flat_take, flat_take.at
flat_take:
        pushad
        mov     esi, ebx
        movzx   ecx, ax
        movzx   edi, dx
.at:    push    edx
        pop     es
        pop     es
        COPY    fs
        push    cs
        pop     es
        popad
        ret

; Purpose:  Copy the job's frame from its client to a ring.
; In:       EBX = to, linear
; Corrupts: FLAGS
; Stack:    34 bytes
section .text.flat_give_frame progbits alloc exec nowrite align=1
global flat_give_frame, flat_give_frame.at
flat_give_frame:
        pushad
        push    fs
        pop     es
        mov     edi, ebx
        movzx   ecx, word [work+WORK_JOB+JOB.len]
        xor     esi, esi
.at:    lds     si, [work+WORK_JOB+JOB.at]
        COPY    ds
        push    cs
        pop     ds
        push    cs
        pop     es
        popad
        ret
