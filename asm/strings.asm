; A frame between its client and a card: the core's job by a data port, or by rings below 1 MB. Each driver links those
; routines that it calls.

%include "abi.inc"
bits 16

extern work

; ROOM: ES:DI = where the frame goes, CX = its length. `.at` is a place for a patch (asm/xms.inc).
%macro ROOM 0
        pusha
        mov     cx, [work+WORK_JOB+JOB.len]
.at:    les     di, [work+WORK_JOB+JOB.at]
        WHOLE   es, di
%endmacro

; FRAME_AT: DS:SI = the frame, CX = its length. `.at` as above.
%macro FRAME_AT 0
        pusha
        mov     cx, [work+WORK_JOB+JOB.len]
.at:    lds     si, [work+WORK_JOB+JOB.at]
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
; In:       DX = port
; Corrupts: FLAGS
section .text.ins_words progbits alloc exec nowrite align=1
global ins_words, ins_words.at
ins_words:
        ROOM
        shr     cx, 1
        rep insw
        adc     cx, cx
        rep insb
        ROOM_END

; Purpose:  Read a frame by bytes.
; In:       DX = port
; Corrupts: FLAGS
section .text.ins_bytes progbits alloc exec nowrite align=1
global ins_bytes, ins_bytes.at
ins_bytes:
        ROOM
        rep insb
        ROOM_END

; Purpose:  Put what has been read of a frame, and what is left of it in a FIFO, to its client.
; In:       DX = port
; Corrupts: FLAGS
section .text.ins_fifo progbits alloc exec nowrite align=1
global ins_fifo, ins_fifo.at
ins_fifo:
        ROOM
        mov     si, work+WORK_JOB+JOB.head
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
; In:       DX = port
; Corrupts: FLAGS
section .text.outs_words progbits alloc exec nowrite align=1
global outs_words, outs_words.at
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
; In:       DX = port
; Corrupts: FLAGS
section .text.outs_bytes progbits alloc exec nowrite align=1
global outs_bytes, outs_bytes.at
outs_bytes:
        FRAME_AT
        rep outsb
        FRAME_END

; Purpose:  Write a frame by whole double words, the last of which may reach behind it. In the last three bytes of the HMA,
;           where there is nothing behind it, only a frame of whole double words may end.
; In:       DX = port
; Corrupts: FLAGS
section .text.outs_fifo progbits alloc exec nowrite align=1
global outs_fifo, outs_fifo.at
outs_fifo:
        pusha
        mov     cx, [work+WORK_JOB+JOB.len]
        add     cx, 3               ; as double words, which SHR does
.at:    lds     si, [work+WORK_JOB+JOB.at]
        WHOLE   ds, si
        shr     cx, 2
        rep outsd
        FRAME_END

section .text.rings progbits alloc exec nowrite align=1

; Purpose:  Copy from a ring to a client.
; In:       EBX = from, linear; EDX = to, far; AX = bytes
; Corrupts: AX, EBX, FLAGS
global ring_to_client
ring_to_client:
        push    ds
        push    es
        push    si
        push    di
        push    cx
        call    both
.copy:  rep movsb
        pop     cx
        pop     di
        pop     si
        pop     es
        pop     ds
        ret

; Purpose:  Copy from a client to a ring.
; In:       EBX = from, far; EDX = to, linear; AX = bytes
; Corrupts: AX, EBX, EDX, FLAGS
global client_to_ring
client_to_ring:
        push    ds
        push    es
        push    si
        push    di
        push    cx
        xchg    ebx, edx
        call    both
        push    ds
        push    es
        pop     ds
        pop     es
        xchg    si, di
        jmp     short ring_to_client.copy

; DS:SI = the ring's linear address EBX, ES:DI = the client's far one EDX, CX = AX. The client's is not made linear: the HMA
; has no other segment.
both:   mov     cx, ax
        mov     si, bx
        and     si, 15
        shr     ebx, 4
        mov     ds, bx
        push    edx
        pop     di
        pop     es
        WHOLE   es, di
        ret
