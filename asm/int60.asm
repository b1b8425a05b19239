; INT 60h: the packet driver's software interrupt, called by clients. It looks up the function and calls it in Rust. Also `save`
; and `restore`, with which every entry begins and ends; an entry with work left ends by `settle` (asm/irq.asm) and `restore`.

%include "abi.inc"
bits 16

extern settle
extern busy
extern pending
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
GET_INFO    equ 80h                 ; this driver's own; the last in the table
LAST        equ 25                  ; the specification's last function

section .text.int60 progbits alloc exec nowrite align=1

; Purpose:  Begin an entry: save the interrupted program's registers on the driver's stack, load the segments that Rust
;           needs, count the entry.
; In:       called near, on any stack, with interrupts off
; Out:      FRAME at SS:ESP, EBX = its offset, DS = ES = SS = CS, DF clear
; Corrupts: everything but FRAME's contents
; Which stack: an entry from outside starts at the top. An inner entry continues below SP if its caller is on the driver's
; stack. If its caller is a receiver on another stack, it starts at STATE.stack_second, below what receivers use.
TOP equ 7FFEh                       ; a placeholder: the installer fills in the address of FRAME.sp of an entry from outside
global save
global save.sp
global save.ss
global save.patch
save:   cmp     byte [cs:busy], 1
        pop     word [cs:return_to]
        jnc     .inner
        mov     [cs:TOP], esp
.sp     equ     $-2
        mov     [cs:TOP], ss
.ss     equ     $-2
        lss     esp, [cs:core_state+STATE.stack]
.save:  pushad
        push    ds
        push    si
        push    es
        mov     ax, cs
        mov     ds, ax
        inc     byte [busy]
.patch: mov     es, ax              ; the flat feature replaces this and CLD by a call, and executes both itself
        cld
        mov     ebx, esp
        jmp     [return_to]
.deeper:                            ; a third level of INT 60h is refused: it has no stack
        mov     dh, CANT_SEND
        push    bp
        mov     bp, sp
        or      byte [bp+2+CALLER_FLAGS], FLAG_CARRY
        pop     bp
        iret
.inner: je      .second
        cmp     word [cs:return_to], int60_entry.saved
        je      .deeper
.second:
        mov     [cs:caller_ss], ss
        mov     [cs:caller_sp], esp
        push    ax
        mov     ax, cs
        cmp     [cs:caller_ss], ax
        pop     ax
        je      .ours
        push    cs
        pop     ss
        movzx   esp, word [cs:core_state+STATE.stack_second]
.ours:  push    word [cs:caller_ss]
        push    dword [cs:caller_sp]
        jmp     short .save

; Purpose:  Look up the function, check its handle, call it, return CF and DH.
; In:       AH = function, its registers as specified; interrupts on or off (a client may use PUSHF and CALL FAR)
; Out:      CF clear and the function's results, or CF set and DH = error; IF as it was
; Corrupts: nothing else
; Stack:    2 bytes of the caller's beyond the interrupt's 6; 8 when a burst ends (asm/irq.asm, `more`)
global int60_entry
global int60_entry.saved
global int60_entry.out
int60_entry:
        jmp     short .start
        nop
        db      'PKT DRVR', 0
.start: cli
        call    save
.saved: cmp     byte [bx+FRAME.eax+1], SEND_PKT
        jne     other               ; send_pkt is compared first, because it has to be fast
        call    send_pkt
.done:  o32 les edi, [esp+FRAME.sp]
        and     byte [es:di+CALLER_FLAGS], ~FLAG_CARRY
        test    al, al
        jnz     .error
.out:   cmp     word [busy], 1      ; no outer entry, and [pending], the next byte, is 0
        jne     .late
        dec     byte [busy]

; Purpose:  The way out of every entry: restore all registers and the stack.
; In:       jumped to with FRAME at SS:SP, DS = CS
; Out:      the interrupted program's registers, and IRET from its stack
global restore
restore:
        pop     es                  ; the flat feature replaces these three by a call, and executes them itself
        pop     si
        pop     ds
        popad
        lss     esp, [esp]
        iret

int60_entry.error:
        mov     [esp+FRAME.edx+1], al
        inc     byte [es:di+CALLER_FLAGS]
        jmp     short int60_entry.out

int60_entry.late:
        push    cs
        pop     es
        jmp     settle

global other.run
other:  movzx   si, byte [bx+FRAME.eax+1]
        cmp     si, LAST
        jbe     .known
        sub     si, GET_INFO-LAST-1
        cmp     si, LAST+1
        je      .known
        xor     si, si              ; the index of `undefined`
.known: bt      [handle_functions], si
        jc      .handle
.run:   add     si, si
        call    [functions+si]
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

; Purpose:  Mark a change of address, receive mode or multicast list: the way out (`settle`) gives them to the card.
; Out:      AX = 0: no error
; Corrupts: nothing else
global note_change
note_change:
        or      byte [pending], CHANGED
        xor     ax, ax
        ret

; A bit for each function that takes an open handle in BX.
handle_functions:
        dd (1 << 3) | (1 << 5) | (1 << 6) | (1 << 7) | (1 << 20)

; The functions by AH; the last one is AH=80h. The pool feature replaces some (asm/pool.inc).
global functions
functions:
        dw undefined, driver_info, access_type, release_type, send_pkt, terminate, get_address, reset_interface
        dw undefined, undefined, get_parameters, as_send_pkt, as_send_pkt_iocb, drop_pkt, undefined, undefined
        dw undefined, undefined, undefined, undefined
        dw set_rcv_mode, get_rcv_mode, set_multicast_list, get_multicast_list
        dw get_statistics, set_address, get_info

section .bss align=2
; Used between a few instructions with interrupts off: one copy serves every depth.
caller_sp:  resd 1
caller_ss:  resw 1
return_to:  resw 1
