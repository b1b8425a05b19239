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

BAD_HANDLE  equ 1
BAD_COMMAND equ 11
CANT_SEND   equ 12

section .text

; Purpose:  Look up the function, check its handle, run it, hand back CF and DH.
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
        mov     al, [esp+FRAME.eax+1]
        cmp     al, 26
        jb      .known
        cmp     al, 80h
        jne     .bad_command
        mov     al, 26
.known: movzx   si, al
        bt      [handle_functions], si
        jnc     .run
        mov     di, [esp+FRAME.ebx]
        mov     al, BAD_HANDLE
        sub     di, [core_state+STATE.handles]
        test    di, HANDLE_SIZE-1
        jnz     .answer
        cmp     di, [core_state+STATE.handle_bytes]
        jae     .answer
        add     di, [core_state+STATE.handles]
        test    byte [di+HANDLE_FLAGS], HANDLE_IN_USE
        jz      .answer
.run:   add     si, si
        mov     si, [functions+si]
        test    si, si
        jz      .bad_command
        inc     byte [busy]
        call    si
        dec     byte [busy]
        jmp     short .answer
.bad_command:
        mov     al, BAD_COMMAND
.answer:
        mov     bx, sp
        mov     di, [bx+FRAME.sp]
        mov     es, [bx+FRAME.ss]
        and     byte [es:di+CALLER_FLAGS], ~FLAG_CARRY
        test    al, al
        jz      .out
        mov     [bx+FRAME.edx+1], al
        inc     byte [es:di+CALLER_FLAGS]
.out:   push    cs
        pop     es
        cmp     byte [core_state+STATE.polled], 0   ; a NIC without an interrupt is looked at here, too
        je      .back
        call    irq
.back:  call    restore
        iret
.deeper:
        mov     dh, CANT_SEND
        push    bp
        mov     bp, sp
        or      byte [bp+2+CALLER_FLAGS], FLAG_CARRY
        pop     bp
        iret

; Functions whose BX has to be an open handle.
handle_functions:
        dd (1 << 3) | (1 << 5) | (1 << 6) | (1 << 7) | (1 << 20)

; By AH; 0: undefined. The last one is AH=80h.
functions:
        dw 0, driver_info, access_type, release_type, send_pkt, terminate, get_address, reset_interface
        dw 0, 0, get_parameters, as_send_pkt, as_send_pkt_iocb, drop_pkt, 0, 0
        dw 0, 0, 0, 0, set_rcv_mode, get_rcv_mode, set_multicast_list, get_multicast_list
        dw get_statistics, set_address, get_info
