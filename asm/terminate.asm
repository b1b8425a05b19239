; The way out.

%include "abi.inc"
bits 16

extern core_state
extern drive
extern entries
extern open
extern busy
extern pending

CANT_TERMINATE equ 7
; src/resident/table.rs, Entry.
STOP           equ 2 * 9

section .text.terminate progbits alloc exec nowrite align=1

; Purpose:  INT 60h AH=5: if no other client has a handle and nobody hooked our vectors after us, give them back, stop the
;           card, give the memory back to DOS; it stays as it is until the interrupt has returned. Not from inside another
;           entry: DOS may be busy then, the XMS driver too, and there would be no way back; nor while frames wait to be
;           looked for (asm/irq.asm, `more`).
; In:       interrupts off, DS = CS
; Out:      AL = 0, or CANT_TERMINATE with nothing changed
; Corrupts: EAX, EBX, EDX, SI, ES
global terminate
global terminate.patch
terminate:
        xor     bx, bx
        mov     es, bx
        cmp     byte [open], 1
        ja      .no
        mov     ax, [busy]          ; and [pending]
        and     ah, ~POLLED
        dec     ax
        jnz     .no
        mov     ax, cs
        mov     bx, [core_state+STATE.irq_slot]
        cmp     [es:bx+2], ax
        jne     .no
        mov     si, [core_state+STATE.int_slot]
        cmp     [es:si+2], ax
        jne     .no
        push    dword [core_state+STATE.old_int60]
        pop     dword [es:si]
        mov     si, [core_state+STATE.old_irq]
        push    dword [si]
        pop     dword [es:bx]
        push    cs
        pop     es
        mov     si, entries+STOP
        call    drive
.patch:
        db 8Dh, 74h, 0              ; lea si, [si+0], which does nothing
        mov     ax, [core_state+STATE.memory]
        test    ax, ax
        jz      .done
        mov     es, ax
        mov     ah, 49h
        int     21h
.done:  xor     ax, ax
        mov     [pending], al       ; a card at rest stays so
        ret
.no:    mov     al, CANT_TERMINATE
        ret
