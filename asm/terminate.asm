; The way out.

%include "abi.inc"
bits 16

extern core_state
extern int60_entry
extern info

CANT_TERMINATE equ 7
PIC1_MASK      equ 21h
PIC2_MASK      equ 0A1h
INFO_VECTOR    equ 8                ; src/info.rs

section .text

; Purpose:  Give our vectors back, if nobody hooked them after us.
; In:       interrupts off
; Out:      AL = 0, or CANT_TERMINATE with nothing changed
; Corrupts: EAX, EBX, EDX
global unhook
unhook:
        push    edi
        push    es
        xor     ax, ax
        mov     es, ax
        call    irq_vector
        movzx   bx, byte [info+INFO_VECTOR]
        shl     bx, 2
        mov     ax, cs
        shl     eax, 16
        mov     ax, int60_entry
        cmp     [es:bx], eax
        jne     .not_on_top
        mov     ax, [core_state+STATE.handler]
        cmp     [es:di], eax
        jne     .not_on_top
        xchg    ax, bx
        mov     edx, [bx+2]         ; the IISP header's old handler
        xchg    ax, bx
        mov     [es:di], edx
        mov     edx, [core_state+STATE.old_int60]
        mov     [es:bx], edx
        ; A line that was masked before is masked again.
        xor     ax, ax
        cmp     [core_state+STATE.irq_lone], al
        je      .out
        mov     dx, PIC1_MASK
        mov     bl, [core_state+STATE.irq]
        btr     bx, 3
        jnc     .mask
        mov     dl, PIC2_MASK
.mask:  mov     bh, 0
        in      al, dx
        bts     ax, bx
        out     dx, al
        xor     ax, ax
        jmp     .out
.not_on_top:
        mov     al, CANT_TERMINATE
.out:   pop     es
        pop     edi
        ret

; Out:      DI = offset of the NIC's vector in the table; the timer's when there is no line
irq_vector:
        movzx   di, byte [core_state+STATE.irq]
        cmp     di, 8
        jb      .first
        add     di, 60h             ; lines 8 to 15 are vectors 70h to 77h
.first: add     di, 8
        shl     di, 2
        ret

; Purpose:  Give the memory that we run in back to DOS; it stays as it is until the interrupt has returned.
; Corrupts: EAX, EBX, EDX
global free
global patch_farewell
free:
        push    es
patch_farewell:
        PATCH
        mov     ax, [core_state+STATE.memory]
        test    ax, ax
        jz      .done
        mov     es, ax
        mov     ah, 49h
        int     21h
.done:  pop     es
        ret
