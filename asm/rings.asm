; A frame between its client and a card's rings above 1 MB: FS = 0, and every segment has a limit of 4 GB (asm/flat.inc). Each
; driver links those routines that it calls.

bits 16

; Purpose:  Copy from a ring to a client.
; In:       EBX = from, linear; EDX = to, far; AX = bytes
; Corrupts: EAX, FLAGS
section .text.flat_take progbits alloc exec nowrite align=1
global flat_take, flat_take.at
flat_take:
        push    es
        push    esi
        push    edi
        push    ecx
        mov     esi, ebx
        movzx   edi, dx
.at:    push    edx                 ; these three are a place for a patch (asm/xrings.asm)
        pop     es
        pop     es
        movzx   ecx, ax
        shr     cx, 2
        a32 rep fs movsd
        and     al, 3
        mov     cl, al
        a32 rep fs movsb
        pop     ecx
        pop     edi
        pop     esi
        pop     es
        ret

; Purpose:  Copy from a client to a ring.
; In:       EBX = from, far; EDX = to, linear; AX = bytes
; Corrupts: EAX, FLAGS
section .text.flat_give progbits alloc exec nowrite align=1
global flat_give, flat_give.at
flat_give:
        push    ds
        push    es
        push    esi
        push    edi
        push    ecx
        push    fs
        pop     es
        mov     edi, edx
        movzx   esi, bx
.at:    push    ebx                 ; as above
        pop     ds
        pop     ds
        movzx   ecx, ax
        shr     cx, 2
        a32 rep movsd
        and     al, 3
        mov     cl, al
        a32 rep movsb
        pop     ecx
        pop     edi
        pop     esi
        pop     es
        pop     ds
        ret
