; INT 60h: the packet driver's software interrupt.

%include "abi.inc"
bits 16

extern save.counted
extern settle
extern busy
extern core_state
extern info
extern driver_info, access_type, release_type, send_pkt, terminate, get_address, reset_interface
extern get_parameters, as_send_pkt, as_send_pkt_iocb, drop_pkt
extern set_rcv_mode, get_rcv_mode, set_multicast_list, get_multicast_list, get_statistics, set_address
extern get_info

BAD_HANDLE  equ 1
BAD_COMMAND equ 11
CANT_SEND   equ 12

SEND_PKT    equ 4
GET_INFO    equ 80h                 ; ours; it comes last in the table
LAST        equ 25                  ; of the specification's

section .text.int60 progbits alloc exec nowrite align=1

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
.deeper:                            ; a third level has no stack left
        mov     dh, CANT_SEND
        push    bp
        mov     bp, sp
        or      byte [bp+2+CALLER_FLAGS], FLAG_CARRY
        pop     bp
        iret
.start: cmp     byte [cs:busy], 1
        ja      .deeper
        call    save.counted
        cmp     byte [bx+FRAME.eax+1], SEND_PKT
        jne     other               ; the one that has to be fast goes before
        call    send_pkt
.done:  cmp     word [busy], 1      ; no outer entry, and nothing [pending]
        jne     settled
        dec     byte [busy]
.answer:
        o32 les edi, [esp+FRAME.sp]
        and     byte [es:di+CALLER_FLAGS], ~FLAG_CARRY
        test    al, al
        jz      restore
        mov     [esp+FRAME.edx+1], al
        inc     byte [es:di+CALLER_FLAGS]

; Purpose:  The way back: every register and the stack as they were at the entry.
; In:       jumped to with FRAME at SS:SP, DS = CS
; Out:      the interrupted program's registers, and IRET from its stack
global restore
restore:
        pop     es                  ; a call of the flat feature does it all
        pop     si
        pop     ds
        popad
        lss     esp, [esp]
        iret

settled:
        push    ax
        call    settle
        pop     ax
        jmp     short int60_entry.answer

other:  movzx   si, byte [bx+FRAME.eax+1]
        cmp     si, LAST
        ja      .ours
.known: bt      [handle_functions], si
        jc      .handle
.run:   add     si, si
        call    [functions+si]
        jmp     short int60_entry.done
.ours:  sub     si, GET_INFO-LAST-1
        cmp     si, LAST+1
        je      .known
        mov     al, BAD_COMMAND
        jmp     short int60_entry.done
.handle:
        mov     al, BAD_HANDLE
        mov     di, [bx+FRAME.ebx]
        mov     cx, di
        sub     cx, [info+INFO_HANDLES]
        test    cl, HANDLE_SIZE-1
        jnz     int60_entry.done
        cmp     cx, [core_state+STATE.handles_size]
        jae     int60_entry.done
        test    byte [di+HANDLE_FLAGS], HANDLE_IN_USE
        jnz     .run
        jmp     short int60_entry.done

undefined:
        mov     al, BAD_COMMAND
        ret

; Functions whose BX has to be an open handle.
handle_functions:
        dd (1 << 3) | (1 << 5) | (1 << 6) | (1 << 7) | (1 << 20)

; By AH; the last one is AH=80h. The pool feature puts its own in some places (asm/pool.inc).
global functions
functions:
        dw undefined, driver_info, access_type, release_type, send_pkt, terminate, get_address, reset_interface
        dw undefined, undefined, get_parameters, as_send_pkt, as_send_pkt_iocb, drop_pkt, undefined, undefined
        dw undefined, undefined, undefined, undefined
        dw set_rcv_mode, get_rcv_mode, set_multicast_list, get_multicast_list
        dw get_statistics, set_address, get_info
