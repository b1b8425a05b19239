; Calls into client programs.

%include "abi.inc"
bits 16

extern work
global patch_before
global patch_after

section .text.upcall progbits alloc exec nowrite align=1

; Purpose:  Call a client's receiver.
; In:       BX = where its far address stands: its handle; DL = its AX; DX = 0: offer it the frame of `work`'s job, else
;           the job's address goes to DS:SI and ES:DI
; Out:      AX = 0 when it left ES:DI = 0:0; the job's address and length: its ES:DI and CX
; Corrupts: nothing else
; Stack:    what the receiver takes, beyond 42 bytes
; The receiver may end with RETF or IRET, and keeps nothing but SS and SP: so FLAGS lie under its return address,
; and SP comes back from memory (one copy: there is no upcall inside an upcall). Interrupts are off again at once,
; whatever the receiver did.
global upcall
upcall:
        pushad
patch_before:
        PATCH
        mov     [resume_sp], esp
        mov     cx, [work+WORK_JOB+JOB.len]
        pushf
        test    dx, dx
        jz      .offer
        movzx   ax, dl
        les     di, [work+WORK_JOB+JOB.at]
        lds     si, [work+WORK_JOB+JOB.at]
        jmp     short .call
.offer: xchg    ax, dx              ; 0
        xor     di, di              ; no errors
        mov     si, work+WORK_JOB+JOB.head
        mov     dx, LOOKAHEAD
        cmp     cx, dx
        jae     .call
        mov     dx, cx
.call:  call    far [cs:bx]
        cli
        cld
        push    cs
        pop     ds
        mov     esp, [resume_sp]
        mov     [work+WORK_JOB+JOB.len], cx
        mov     [work+WORK_JOB+JOB.at], di
        mov     [work+WORK_JOB+JOB.at+2], es
        push    cs
        pop     es
patch_after:
        PATCH
        popad
        mov     ax, [work+WORK_JOB+JOB.at]
        or      ax, [work+WORK_JOB+JOB.at+2]
        ret

section .bss align=2
resume_sp:  resd 1
