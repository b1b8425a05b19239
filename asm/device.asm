; The DOS character device: its header is the first thing in the image, its two routines stay for good.

%include "abi.inc"
bits 16

extern info
extern int60_entry
extern irq_entry
extern core_state
extern __unit_end
extern patch_enter, patch_leave, patch_before, patch_after, patch_farewell
extern save, restore, irq

section .unit_header progbits alloc exec write

global unit_header
unit_header:
        dd -1                       ; next device
        dw 8000h                    ; character device
strategy_offset:
        dw strategy                 ; the pack step points both at the installer,
interrupt_offset:
        dw interrupt                ; which writes these offsets back
        db 'PKTDRV$0'               ; the digit tells copies apart

; CoreTable (src/resident/table.rs): how the installer finds its way.
        dw strategy
        dw interrupt
        dw int60_entry
        dw irq_entry
        dw core_state
        dw info
        dw __unit_end
        dw patch_enter
        dw patch_leave
        dw patch_before
        dw patch_after
        dw patch_farewell
        dw save
        dw irq
        dw restore

section .text

; Purpose:  DOS leaves the address of a request.
; In:       ES:BX request
; Corrupts: nothing
strategy:
        mov     [cs:request], bx
        mov     [cs:request+2], es
        retf

; Purpose:  Answer that request: a device that swallows what is written and is at its end when read.
; In:       the address that strategy kept
; Corrupts: nothing
; Stack:    12 bytes of DOS's
interrupt:
        push    ax
        push    bx
        push    es
        pushf
        les     bx, [cs:request]
        mov     ax, 8103h           ; error, done: unknown command
        cmp     byte [es:bx+2], 18h
        ja      .answer
        mov     ax, 0100h           ; done
        cmp     byte [es:bx+2], 5   ; non-destructive read: nothing there
        jne     .read
        mov     ah, 3               ; done, busy
.read:  cmp     byte [es:bx+2], 4
        jne     .answer
        mov     word [es:bx+12h], 0 ; no bytes read
.answer:
        mov     [es:bx+3], ax
        popf
        pop     es
        pop     bx
        pop     ax
        retf

section .bss
request: resd 1
