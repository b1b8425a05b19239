; CONFORM's receiver that does not switch stacks: it stays on the driver's.

bits 16
cpu 386

extern __text_paragraphs

; ----------------------------------------------------------------------------------------------------------------
; direct_receiver
;   Purpose: a receiver that takes each frame. In its second upcall it pushes bytes on the driver's stack. If direct_sends is
;            set, it then, with those pushed, sends one frame; when the answer to that comes, it sets a full multicast list.
;   In:      as the specification has it: AX, CX
;   Out:     the first upcall: ES:DI
;   Stack:   240 bytes of the driver's; or 104, and what the driver's functions take
section .text.direct_receiver progbits alloc exec nowrite align=1
global direct_receiver
direct_receiver:
    test    ax, ax
    jnz     .second
    mov     ax, cs
    add     ax, __text_paragraphs
    mov     es, ax
    mov     [es:direct_sp], sp
    mov     di, direct_buffer
    retf
.second:
    push    ds
    mov     ax, cs
    add     ax, __text_paragraphs
    mov     ds, ax
    inc     word [direct_upcalls]
    mov     cx, 119                 ; words to push; 48 if functions are called
    cmp     byte [direct_sends], 0
    je      .deep
    mov     cl, 48
.deep:
    mov     [direct_words], cx
.fill:
    push    cx
    loop    .fill
    cmp     byte [direct_sends], 0
    je      .end
    mov     al, [direct_vector]
    mov     [cs:.list + 1], al
    mov     [cs:.int + 1], al
    cmp     word [direct_sent], 0   ; one frame only: the answer comes to this receiver, too
    jne     .answer
    mov     ah, 4                   ; send_pkt
    mov     si, direct_frame
    mov     cx, 60
    jmp     .int                    ; flushes the prefetch queue: a 486 may hold the old number
.int:
    int     60h
    jc      .end
    inc     word [direct_sent]
    jmp     .end
.answer:
    push    ds
    pop     es
    mov     ah, 22                  ; set_multicast_list
    mov     di, groups
    mov     cx, 6 * 8
    jmp     .list
.list:
    int     60h
    jnc     .end
    inc     word [direct_sent]
.end:
    mov     cx, [direct_words]
    add     cx, cx
    add     sp, cx
    pop     ds
    retf

section .data.direct progbits alloc noexec write align=2
global direct_vector
global direct_sends
global direct_frame
global direct_upcalls
global direct_sent
global direct_sp
direct_upcalls: dw 0
direct_sp:      dw 0            ; SP at the last first upcall
direct_sent:    dw 0
direct_words:   dw 0
direct_vector:  db 60h
direct_sends:   db 0
direct_frame:   times 60 db 0
groups:         times 8 db 1, 0, 5Eh, 0, 0, 1

section .bss.direct nobits alloc noexec write align=16
direct_buffer:  resb 1514
