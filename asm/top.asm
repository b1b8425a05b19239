; What the unit needs of the machine that starts a card by its ROM: where memory ends, because ROMs may use the end of it, which
; is XMS's; and the console.

bits 16

section .text.xms_top progbits alloc exec nowrite align=1

; Purpose:  Ask whether there is an XMS driver, and the BIOS where memory ends.
; Out:      AX = the end in units of 64 KB; 0: there is no XMS driver. An end that the BIOS does not tell is that of 16 MB.
; Corrupts: nothing else
global xms_top
xms_top:
        pushad
        push    ds
        push    es
        mov     ax, 4300h
        int     2Fh
        cmp     al, 80h
        mov     bx, 0
        jne     .end
        mov     ax, 0E801h
        xor     cx, cx
        xor     dx, dx
        xor     bx, bx
        int     15h
        jc      .unknown
        jcxz    .told               ; some tell it in AX and BX, others in CX and DX
        mov     ax, cx
        mov     bx, dx
.told:  add     bx, 100h            ; above 16 MB
        cmp     bx, 100h
        jne     .end
        shr     ax, 6               ; KB above 1 MB
        add     ax, 10h
        xchg    ax, bx
        jmp     short .end
.unknown:
        mov     bx, 100h
.end:   pop     es
        pop     ds
        push    bx
        pop     word [answer]
        popad
        mov     ax, [answer]
        ret

section .text.tell_text progbits alloc exec nowrite align=1

; Purpose:  Write a text to the console.
; In:       BX = text, DX = its bytes, at least one
; Corrupts: AX, BX, DX
global tell_text
tell_text:
        push    cx
        mov     cx, dx
.each:  mov     dl, [bx]
        mov     ah, 2
        int     21h
        inc     bx
        loop    .each
        pop     cx
        ret

section .bss align=2
answer: resw 1
