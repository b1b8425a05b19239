; Calls into client programs.

%include "abi.inc"
bits 16

extern call_frame
global patch_before
global patch_after

section .text

; Purpose:  Call a client's receiver.
; In:       call_frame = UPCALL
; Out:      its CX, ES and DI as the receiver left them
; Corrupts: nothing
; Stack:    what the receiver takes, beyond 42 bytes
; The receiver may end with RETF or IRET, and keeps nothing but SS and SP: so FLAGS lie under its return address,
; and SP comes back from memory (one copy: there is no upcall inside an upcall). Interrupts are off again at once,
; whatever the receiver did.
global upcall
upcall:
        pushad
patch_before:
        PATCH
        mov     [resume_sp], sp
        mov     di, call_frame
        mov     si, [di+UPCALL.si]
        mov     bx, [di+UPCALL.bx]
        mov     dx, [di+UPCALL.dx]
        mov     cx, [di+UPCALL.cx]
        mov     ax, [di+UPCALL.ax]
        mov     ds, [di+UPCALL.ds]
        les     di, [cs:di+UPCALL.di]
        pushf
        call    far [cs:call_frame+UPCALL.receiver]
        cli
        cld
        mov     sp, [cs:resume_sp]
        movzx   esp, sp
        push    cs
        pop     ds
        mov     bx, call_frame
        mov     [bx+UPCALL.cx], cx
        mov     [bx+UPCALL.di], di
        mov     [bx+UPCALL.es], es
        push    cs
        pop     es
patch_after:
        PATCH
        popad
        ret

section .bss
resume_sp:  resw 1
