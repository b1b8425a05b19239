; The way out.

%include "abi.inc"
bits 16

extern core_state
extern int60_entry
extern irq_entry
extern info

CANT_TERMINATE equ 7
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
        test    di, di
        jz      .give_back
        mov     ax, irq_entry
        cmp     [es:di], eax
        jne     .not_on_top
        mov     edx, [irq_entry+2]
        mov     [es:di], edx
.give_back:
        mov     edx, [core_state+STATE.old_int60]
        mov     [es:bx], edx
        xor     ax, ax
        jmp     .out
.not_on_top:
        mov     al, CANT_TERMINATE
.out:   pop     es
        pop     edi
        ret

; Out:      DI = offset of the NIC's vector in the table, 0: none
irq_vector:
        movzx   di, byte [core_state+STATE.irq]
        test    di, di
        jz      .none
        cmp     di, 8
        jb      .first
        add     di, 60h             ; lines 8 to 15 are vectors 70h to 77h
.first: add     di, 8
        shl     di, 2
.none:  ret

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
