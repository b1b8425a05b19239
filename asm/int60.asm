; INT 60h: the packet driver's software interrupt.

%include "abi.inc"
bits 16

extern save
extern restore
extern busy
extern core_state
extern irq
extern driver_info, access_type, release_type, send_pkt, terminate, get_address, reset_interface
extern get_parameters, as_send_pkt, as_send_pkt_iocb, drop_pkt
extern set_rcv_mode, get_rcv_mode, set_multicast_list, get_multicast_list, get_statistics, set_address
extern get_info

BAD_COMMAND equ 11
CANT_SEND   equ 12

section .text

; Purpose:  Look up the function, run it, hand back CF and DH.
; In:       AH function and its registers, by the specification
; Out:      CF clear and the function's results, or CF set and DH = error
; Corrupts: nothing else
; Stack:    2 bytes of the caller's beyond the interrupt's 6
global int60_entry
int60_entry:
        jmp     short .start
        nop
        db      'PKT DRVR', 0
.start: cmp     byte [cs:busy], 2   ; a third level has no stack left
        jae     .deeper
        call    save
        mov     al, BAD_COMMAND
        movzx   bx, byte [ecx+FRAME.eax+1]
        cmp     bl, 80h
        jne     .below
        mov     bl, 26
.below: cmp     bl, 26
        ja      .answer
        add     bx, bx
        movzx   ebx, word [functions+bx]
        test    bx, bx
        jz      .answer
        inc     byte [busy]
        call    ebx
        dec     byte [busy]
.answer:
        mov     bp, sp
        mov     di, [bp+FRAME.sp]
        mov     es, [bp+FRAME.ss]
        and     byte [es:di+CALLER_FLAGS], ~FLAG_CARRY
        test    al, al
        jz      .out
        mov     [bp+FRAME.edx+1], al
        or      byte [es:di+CALLER_FLAGS], FLAG_CARRY
.out:   push    cs
        pop     es
        cmp     byte [core_state+STATE.polled], 0    ; a NIC without an interrupt is looked at here, too
        je      .back
        call    dword irq
.back:  call    restore
        iret
.deeper:
        mov     dh, CANT_SEND
        push    bp
        mov     bp, sp
        or      byte [bp+2+CALLER_FLAGS], FLAG_CARRY
        pop     bp
        iret

; By AH; 0: undefined. The last one is AH=80h.
functions:
        dw 0, driver_info, access_type, release_type, send_pkt, terminate, get_address, reset_interface
        dw 0, 0, get_parameters, as_send_pkt, as_send_pkt_iocb, drop_pkt, 0, 0
        dw 0, 0, 0, 0, set_rcv_mode, get_rcv_mode, set_multicast_list, get_multicast_list
        dw get_statistics, set_address, get_info
