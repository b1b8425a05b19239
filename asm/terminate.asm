; INT 60h AH=5, terminate: unloads the driver.

%include "abi.inc"
bits 16

extern core_state
extern drive
extern entries
extern open
extern busy
extern pending
extern work

CANT_TERMINATE equ 7
; src/resident/table.rs, Entry.
STOP           equ 2 * 9

section .text.terminate progbits alloc exec nowrite align=1

; Purpose:  Unload: restore the vectors, stop the card, free the memory in DOS. The code stays intact until the interrupt has
;           returned. Frames that wait in the pool are given up.
;           Refused while another client has a handle, or if another program has hooked one of the vectors since.
;           Refused inside another entry: DOS or the XMS driver may be in a call then, and the outer entry would return into
;           freed memory. Refused for the same reason between two bursts (asm/irq.asm, `more`): the job has a frame then, also
;           when [pending] has no event, because the frames come from the pool or the card has no interrupt.
; In:       interrupts off, DS = CS
; Out:      AL = 0, or CANT_TERMINATE and nothing has changed
; Corrupts: EAX, EBX, CX, EDX, SI, ES
global terminate
global terminate.patch
terminate:
        cmp     byte [open], 1
        ja      .no
        mov     ax, [busy]          ; AH = [pending], the next byte
        and     ah, ~(POLLED | WAITING)
        dec     ax
        or      ax, [work+WORK_JOB+JOB.rx]
        jnz     .no
        mov     es, ax
        mov     ax, cs
        mov     bx, [core_state+STATE.irq_slot]
        cmp     [es:bx+2], ax
        jne     .no
        mov     si, [core_state+STATE.int_slot]
        cmp     [es:si+2], ax
        jne     .no
        mov     eax, [core_state+STATE.old_int60]
        mov     [es:si], eax
        mov     si, [core_state+STATE.old_irq]
        push    dword [si]
        pop     dword [es:bx]
        push    cs
        pop     es
        mov     si, entries+STOP
        call    drive
.patch:
        db 8Dh, 74h, 0              ; lea si, [si+0]: no effect; a feature's call replaces it
        mov     cx, [core_state+STATE.memory]
        jcxz    .done
        mov     es, cx
        mov     ah, 49h
        int     21h
.done:  xor     ax, ax
        mov     [pending], al       ; with 0, not even POLLED, `settle` does not touch the stopped card
        ret
.no:    mov     al, CANT_TERMINATE
        ret
