; The DOS character device: its header is the first thing in the image; both of its routines stay resident. DOS calls them.

bits 16

extern clock

section .unit_header progbits alloc exec write

global unit_header
unit_header:
        dd -1                       ; next device
        dw 8000h                    ; character device
        dw strategy                 ; the pack step lets both point to the installer,
        dw interrupt                ; which writes these offsets back
        db 'PKTDRV$0'               ; the digit tells several copies apart
        dw clock                    ; the drivers call it (asm/service.asm)

section .text.device progbits alloc exec nowrite align=1

; Purpose:  Answer a request, as a device that discards what is written and is at its end of file when read.
; In:       ES:BX request
; Corrupts: nothing
; Stack:    8 bytes of DOS's
; DOS calls the interrupt routine right after this one; this routine does all the work.
global strategy
global interrupt
strategy:
        push    ax
        pushf
        mov     al, [es:bx+2]
        cmp     al, 4
        jne     .look
        and     word [es:bx+12h], 0 ; 0 bytes were read
.look:  cmp     al, 5               ; non-destructive read: nothing there
        mov     ah, 3               ; done, busy
        je      .known
        cmp     al, 18h
        mov     ah, 1               ; done
.known: mov     al, 0
        jbe     .answer
        mov     ax, 8103h           ; error, done: unknown command
.answer:
        mov     [es:bx+3], ax
        popf
        pop     ax
interrupt:
        retf
