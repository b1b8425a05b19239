; The shift feature: handles keep the numbers that clients were given by a copy whose handle table lay lower. `/REPLACE` places it
; where the driver is longer than the copy that it takes over from. A client's number is the address of the handle less `delta`.

%include "attach.inc"
bits 16

extern work

; Functions of INT 60h that take a handle in BX: 3, 5 to 7, 20; and access_type, which returns one in AX.
ACCESS_TYPE  equ 2
SEND_PKT     equ 4
RESET        equ 7
SET_RCV_MODE equ 20
; From the instruction behind `upcall.before` to the one behind the call of the receiver (asm/upcall.asm).
TO_RETURN    equ 13

FEATURE NEEDS_SHIFT, BLOCK_SHIFT, 2
CALLED  PATCH_LEAVE, before, next

section .unit_header progbits alloc exec write
global unit_header
unit_header:
; The stage `handover` reads and fills in these three.
delta:          dw 0
entry_at:       dw shift_entry      ; the handler for the packet driver's vector,
core_int60:     dw 0                ; and that of the core
next:           dw none

section .text.shift progbits alloc exec nowrite align=1

; Purpose:  INT 60h.
; Stack:    8 bytes of the caller's more than the core's
shift_entry:
        jmp     short .start
        nop
        db      'PKT DRVR', 0
.start: cmp     ah, SEND_PKT        ; compared first, because it has to be fast
        je      .pass
        cmp     ah, ACCESS_TYPE
        je      .access
        jb      .pass
        cmp     ah, SET_RCV_MODE
        je      .handle
        cmp     ah, RESET
        ja      .pass
.handle:
        add     bx, [cs:delta]
        push    bp
        mov     bp, sp
        push    word [bp+2+CALLER_FLAGS]        ; with the caller's IF: a burst lets interrupts in if the caller does
        push    cs
        call    [cs:core_int60]
        jc      .failed
        and     byte [bp+2+CALLER_FLAGS], ~FLAG_CARRY
.back:  sub     bx, [cs:delta]
        pop     bp
        iret
.failed:
        or      byte [bp+2+CALLER_FLAGS], FLAG_CARRY
        jmp     short .back
.pass:  jmp     [cs:core_int60]
.access:
        push    bp
        mov     bp, sp
        push    word [bp+2+CALLER_FLAGS]
        push    cs
        call    [cs:core_int60]
        jc      .refused
        sub     ax, [cs:delta]
        and     byte [bp+2+CALLER_FLAGS], ~FLAG_CARRY
        pop     bp
        iret
.refused:
        or      byte [bp+2+CALLER_FLAGS], FLAG_CARRY
        pop     bp
        iret

; Purpose:  Before a receiver is called: give it the client's number in BX.
; In:       as `upcall.before`
before: call    [next]              ; DX = LOOKAHEAD
        jz      .offer
        les     di, [work+WORK_JOB+JOB.at]
        lds     si, [work+WORK_JOB+JOB.at]
        jmp     short .go
.offer: xor     di, di
        mov     si, work+WORK_JOB+JOB.head
.go:    pop     dx                  ; in the place of the return address: the receiver's,
        add     dx, TO_RETURN
        push    cs
        push    dx
        mov     dx, LOOKAHEAD
        push    dword [cs:bx]       ; and the receiver
        sub     bx, [cs:delta]
        retf
none:   mov     dx, LOOKAHEAD
        ret
