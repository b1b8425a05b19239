; Calls to clients' receivers. The core and the pool call it, with interrupts off.

%include "abi.inc"
bits 16

extern work

section .text.upcall progbits alloc exec nowrite align=1

; Purpose:  Call a client's receiver.
; In:       BX = address of the receiver's far address (a handle begins with it); AX = the receiver's AX; ZF set: the first
;           upcall, which offers the frame of the job; ZF clear: the job's address goes to DS:SI and ES:DI
; Out:      the job's address = the receiver's ES:DI; AX = 0 if ES:DI is 0:0. CX is not looked at: no client returns
;           anything there.
; Corrupts: nothing else
; Stack:    42 bytes, and what the receiver takes
; The receiver may end with RETF or with IRET, and keeps only SS and SP. For IRET, FLAGS lie above the return address; SP is
; reloaded from memory, which drops them after RETF. One saved SP is enough: there is no upcall inside an upcall. Interrupts
; are switched off as soon as the receiver returns.
global upcall
global upcall.before
global upcall.after
upcall:
        pushad
        mov     [resume_sp], esp
        mov     cx, [work+WORK_JOB+JOB.len]
        pushf
.before:                            ; the flat feature replaces the next instruction by a call, and executes it itself
        mov     dx, LOOKAHEAD       ; every frame has as many bytes
        jz      .offer
        les     di, [work+WORK_JOB+JOB.at]
        lds     si, [work+WORK_JOB+JOB.at]
.call:  call    far [cs:bx]
.called:
%if .called - .before != 3 + 13
%error asm/shift.asm: TO_RETURN
%endif
        cli
        mov     ax, cs
        mov     ds, ax
        mov     esp, [resume_sp]
        mov     [work+WORK_JOB+JOB.at], di
        mov     [work+WORK_JOB+JOB.at+2], es
.after:                             ; the flat feature replaces `mov es, ax` and CLD in the same way
        mov     es, ax
        cld
        popad
        mov     ax, [work+WORK_JOB+JOB.at]
        or      ax, [work+WORK_JOB+JOB.at+2]
        ret
.offer: xor     di, di              ; no errors
        mov     si, work+WORK_JOB+JOB.head
        jmp     short .call

section .bss align=2
resume_sp:  resd 1
