; Calls into client programs.

%include "abi.inc"
bits 16

extern work

section .text.upcall progbits alloc exec nowrite align=1

; Purpose:  Call a client's receiver.
; In:       BX = where its far address stands: its handle; AX = its AX; ZF: offer it the frame of `work`'s job, else
;           the job's address goes to DS:SI and ES:DI
; Out:      AX = 0 when it left ES:DI = 0:0; the job's address: its ES:DI. (Nobody means anything by its CX.)
; Corrupts: nothing else
; Stack:    what the receiver takes, beyond 42 bytes
; The receiver may end with RETF or IRET, and keeps nothing but SS and SP: so FLAGS lie under its return address,
; and SP comes back from memory (one copy: there is no upcall inside an upcall). Interrupts are off again at once,
; whatever the receiver did.
global upcall
global upcall.before
global upcall.after
upcall:
        pushad
        mov     [resume_sp], esp
        mov     cx, [work+WORK_JOB+JOB.len]
        pushf
.before:                            ; a call of the flat feature does the same
        mov     dx, LOOKAHEAD       ; no frame is shorter
        jz      .offer
        les     di, [work+WORK_JOB+JOB.at]
        lds     si, [work+WORK_JOB+JOB.at]
.call:  call    far [cs:bx]
        cli
        mov     ax, cs
        mov     ds, ax
        mov     esp, [resume_sp]
        mov     [work+WORK_JOB+JOB.at], di
        mov     [work+WORK_JOB+JOB.at+2], es
.after:                             ; the same
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
