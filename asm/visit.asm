; Flat memory for probes, which run while other programs' interrupts do: every access makes it anew, and leaves A20 as
; it was.

%include "visit.inc"
bits 16

section .text

; Purpose:  Read anywhere, as wide as the register there is.
; In:       ECX = address
; Out:      EAX, AX, AL = what is there
; Corrupts: ECX, EDX (fastcall)
global visit_get
visit_get:
        call    visit
        mov     eax, [fs:ecx]
        jmp     short leave_visit

global visit_get16
visit_get16:
        call    visit
        mov     ax, [fs:ecx]
        jmp     short leave_visit

global visit_get8
visit_get8:
        call    visit
        mov     al, [fs:ecx]
        jmp     short leave_visit

; Purpose:  Write anywhere, as wide as the register there is.
; In:       ECX = address, EDX, DX, DL = value
; Corrupts: EAX, ECX, EDX (fastcall)
global visit_put32
visit_put32:
        call    visit
        mov     [fs:ecx], edx
        jmp     short leave_visit

global visit_put16
visit_put16:
        call    visit
        mov     [fs:ecx], dx
        jmp     short leave_visit

global visit_put8
visit_put8:
        call    visit
        mov     [fs:ecx], dl
        jmp     short leave_visit

; Purpose:  Copy memory to memory, bytes at a time: registers that change when read are not for this.
; In:       ECX = from, EDX = to, length of 1 to 65535 on the stack
; Corrupts: EAX, ECX, EDX (fastcall)
global visit_copy
visit_copy:
        pop     eax                 ; fastcall: we take the argument off
        pop     dword [length]
        push    eax
        push    esi
        push    edi
        mov     esi, ecx
        mov     edi, edx
        mov     ecx, [length]
        call    visit
.next:  mov     al, [fs:esi]
        mov     [fs:edi], al
        inc     esi
        inc     edi
        dec     cx
        jnz     .next
        call    resume
        pop     edi
        pop     esi
        o32 ret

leave_visit:
        call    resume
        o32 ret

; Keeps everything but EAX, with interrupts off until `resume`.
visit:
        pop     word [return_to]
        pushf
        pop     word [flags]
        cli
        push    ebx
        push    fs
        mov     eax, cs
        shl     eax, 4
        add     eax, gdt
        mov     [gdtr+2], eax
        VISIT   gdtr
        A20_ON  gdtr, gdt, was_off
        jmp     [return_to]

; Keeps everything.
resume:
        pop     word [return_to]
        push    ax
        A20_BACK was_off
        pop     ax
        pop     fs
        pop     ebx
        push    word [flags]
        popf
        jmp     [return_to]

section .data
        align   8, db 0
gdt:    dq 0
        dq 00CF92000000FFFFh        ; data, base 0, limit 4 GB
gdtr:   dw 15
        dd 0

section .bss
length:         resd 1
return_to:      resw 1
flags:          resw 1
was_off:        resb 1
