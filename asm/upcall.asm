; Calls into client programs.

%include "abi.inc"
bits 16

section .text

; Purpose:  Call a client's receiver.
; In:       ECX = UPCALL
; Out:      UPCALL.cx, .es, .di as the receiver left them
; Corrupts: EAX, ECX, EDX (fastcall)
; Stack:    what the receiver takes, beyond 42 bytes
; The receiver may end with RETF or IRET, and keeps nothing but SS and SP: so FLAGS lie under its return address,
; and SP comes back from memory (one copy: there is no upcall inside an upcall). Interrupts are off again at once,
; whatever the receiver did.
global upcall
upcall:
        pushad
        mov     [resume_sp], sp
        mov     eax, [ecx+UPCALL.receiver]
        mov     [receiver], eax
        mov     bx, cx
        mov     di, [bx+UPCALL.di]
        mov     si, [bx+UPCALL.si]
        mov     cx, [bx+UPCALL.cx]
        mov     dx, [bx+UPCALL.dx]
        mov     ax, [bx+UPCALL.ax]
        mov     es, [bx+UPCALL.es]
        push    word [bx+UPCALL.bx]
        mov     ds, [bx+UPCALL.ds]
        pop     bx
        pushf
        call    far [cs:receiver]
        cli
        cld
        mov     sp, [cs:resume_sp]
        movzx   esp, sp
        mov     ax, cs
        mov     ds, ax
        mov     bp, sp
        mov     bx, [bp+24]         ; ECX as pushad left it
        mov     [bx+UPCALL.cx], cx
        mov     [bx+UPCALL.di], di
        mov     [bx+UPCALL.es], es
        mov     es, ax
        popad
        o32 ret

section .bss
resume_sp:  resw 1
receiver:   resd 1
