; The way out.

%include "abi.inc"
bits 16

extern core_state
extern int60_entry
extern work

CANT_TERMINATE equ 7
PIC1_MASK      equ 21h
PIC2_MASK      equ 0A1h

section .text.terminate progbits alloc exec nowrite align=1

; Purpose:  Give our vectors back, if nobody hooked them after us.
; In:       interrupts off
; Out:      AL = 0, or CANT_TERMINATE with nothing changed
; Corrupts: EAX, EBX, EDX
global unhook
unhook:
        push    di
        xor     di, di
        mov     es, di
        mov     ax, cs
        shl     eax, 16
        mov     ax, [core_state+STATE.handler]
        mov     di, [core_state+STATE.irq_slot]
        cmp     [es:di], eax
        jne     .not_on_top
        xchg    ax, bx
        mov     edx, [bx+2]         ; the IISP header's old handler
        mov     ax, int60_entry
        mov     bx, [core_state+STATE.int_slot]
        cmp     [es:bx], eax
        jne     .not_on_top
        mov     [es:di], edx
        mov     eax, [core_state+STATE.old_int60]
        mov     [es:bx], eax
        ; A line that was masked before is masked again.
        cmp     byte [core_state+STATE.irq_lone], 0
        je      .done
        mov     dx, PIC1_MASK
        movzx   bx, byte [work+NIC_IRQ]
        btr     bx, 3
        jnc     .mask
        mov     dl, PIC2_MASK
.mask:  in      al, dx
        bts     ax, bx
        out     dx, al
.done:  xor     ax, ax
        jmp     short .out
.not_on_top:
        mov     al, CANT_TERMINATE
.out:   push    cs
        pop     es
        pop     di
        ret

; Purpose:  Give the memory that we run in back to DOS; it stays as it is until the interrupt has returned.
; Corrupts: EAX, EBX, EDX
global free
global patch_farewell
free:
patch_farewell:
        PATCH
        mov     ax, [core_state+STATE.memory]
        test    ax, ax
        jz      .done
        mov     es, ax
        mov     ah, 49h
        int     21h
        push    cs
        pop     es
.done:  ret
