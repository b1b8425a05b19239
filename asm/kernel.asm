; The entries of the installer, which DOS calls: INIT request (DEVICE=) and program start (prompt). Both call `install` in
; Rust with DS = ES = SS = CS.

bits 16

extern install

%include "cpu.inc"

; ImageHeader (src/install/header.rs). The pack step fills in all but the three entries, which it reads.
section .image_header progbits alloc exec write align=16
global image_header
image_header:
directory:      dd 0                ; offset of the unit directory in the file
build:          dw 0                ; the file's build number
core_bytes:     dw 0                ; bytes of the core in the file
slot_b:         dw 0
stack_top:      dw 0                ; the end of the image
                dw strategy
                dw interrupt
                dw program
nics:           dw 0
                times 25 dw 0       ; offsets in the core: CoreTable (src/resident/table.rs)
; Context: where the image is, and who called.
load_segment:   dw 0                ; the segment where the image begins
psp:            dw 0                ; the PSP, from the prompt; 0: DEVICE=
request:        dd 0                ; far address of the INIT request, for DEVICE=

; `move_up` is the first code: it copies from the end down, and the copy may overwrite the code behind it.
section .move_up progbits alloc exec

; Purpose:  Move the kernel, slot B and the stack up, and continue there.
; In:       BX = paragraphs to move by, at least MOVE_LEAST of src/install/kernel/mod.rs
; Out:      DS = ES = SS = CS, the new segment
; Corrupts: EAX
global move_up
move_up:
        push    ecx
        push    esi
        push    edi
        pushf
        cli
        mov     ax, cs
        add     ax, bx
        mov     es, ax
        mov     cx, [stack_top]
        mov     si, cx
        dec     si
        dec     si
        mov     di, si
        sub     cx, image_header
        shr     cx, 1
        std
        rep movsw
        mov     ss, ax              ; before any push: the old stack may have been overwritten
        push    ax
        push    word .there
        retf
.there: mov     ds, ax
        popf
        cld
        pop     edi
        pop     esi
        pop     ecx
        ret

section .text

; Purpose:  DOS's strategy call, before the core is in place: CS is the load segment, not the kernel's.
strategy:
        push    ds
        push    ax
        call    find_segment
        mov     ds, ax
        mov     [request], bx
        mov     [request+2], es
        pop     ax
        pop     ds
        retf

; Out:      AX = the kernel's segment (its offsets hold there), whatever CS is
find_segment:
        cpu     8086
        push    bx
        call    .here
.here:  pop     ax
        sub     ax, .here           ; bytes from CS:0 to the kernel's offset 0, whole paragraphs
        shr     ax, 1
        shr     ax, 1
        shr     ax, 1
        shr     ax, 1
        mov     bx, cs
        add     ax, bx
        pop     bx
        ret

; Purpose:  The program's start from the prompt. Never returns: Rust ends the program.
; In:       DS = ES = PSP, CS = SS = the kernel's segment
program:
        mov     ax, ds
        push    cs
        pop     ds
        mov     [psp], ax
        add     ax, 10h
        mov     [load_segment], ax
        call    is_386
        jc      .old
        cpu     386
        call    to_rust
        cpu     8086
.old:   mov     ax, 4C07h           ; manual, ERRORLEVEL
        int     21h

; Out:      carry set on a processor below a 386, after the line is printed
is_386:
        jump_below_386 .old
        clc
        ret
.old:   mov     dx, needs_386
        mov     ah, 9
        int     21h
        stc
        ret
needs_386:      db '3COMPKT needs a 386 or later.', 13, 10, '$'

; Purpose:  DOS's INIT request: install, or refuse and say so in the request.
; Stack:    26 bytes of DOS's
interrupt:
        push    ax
        push    bx
        push    cx
        push    dx
        push    si
        push    di
        push    bp
        push    ds
        push    es
        pushf
        call    find_segment
        mov     ds, ax
        mov     [load_segment], cs
        mov     word [psp], 0
        push    ax
        mov     ax, in_ours
        push    ax
        retf                        ; to the kernel's own segment

in_ours:
        call    is_386
        jc      .old
        cpu     386
        pushad                      ; DOS keeps no high halves, but other callers do
        push    fs
        push    gs
        mov     [outer_sp], sp
        mov     [outer_ss], ss
        call    to_rust
        mov     ss, [outer_ss]
        movzx   esp, word [outer_sp]
        pop     gs
        pop     fs
        popad
        jmp     .out
        cpu     8086
.old:   les     bx, [request]
        mov     word [es:bx+3], 8003h
        mov     word [es:bx+0Eh], 0
        mov     ax, [load_segment]
        mov     [es:bx+10h], ax
.out:   popf
        pop     es
        pop     ds
        pop     bp
        pop     di
        pop     si
        pop     dx
        pop     cx
        pop     bx
        pop     ax
        retf
        cpu     386

to_rust:
        pop     word [return_to]
        mov     ax, cs
        mov     es, ax
        mov     ss, ax
        movzx   esp, word [stack_top]
        cld
        sti
        call    install
        jmp     [return_to]

; Purpose:  Execute any software interrupt.
; In:       BL = number, DX = Regs (src/install/dos.rs)
; Out:      Regs as the handler left them
; Corrupts: nothing
global software_interrupt
software_interrupt:
        pushad
        push    ds
        push    es
        mov     [.number], bl
        mov     [regs_at], dx
        mov     bx, dx
        mov     ax, [bx]
        mov     cx, [bx+4]
        mov     dx, [bx+6]
        mov     si, [bx+8]
        mov     di, [bx+10]
        mov     es, [bx+14]
        push    word [bx+2]
        mov     ds, [bx+12]
        pop     bx
        jmp     short .go           ; flushes the prefetch queue: a 386 may hold the old number
.go:    db      0CDh
.number: db     0
        push    ds
        push    bx
        mov     bx, cs
        mov     ds, bx
        mov     bx, [regs_at]
        pop     word [bx+2]
        pop     word [bx+12]
        mov     [bx], ax
        mov     [bx+4], cx
        mov     [bx+6], dx
        mov     [bx+8], si
        mov     [bx+10], di
        mov     [bx+14], es
        pushf
        pop     word [bx+16]
        cld
        pop     es
        pop     ds
        popad
        ret

; Purpose:  Call a far address: the XMS driver or a unit.
; In:       BX = Call (src/install/dos.rs)
; Out:      its AX, BX, DX, in Call
; Corrupts: EAX, EBX, EDX
global far_call
far_call:
        push    ecx
        push    esi
        mov     si, bx
        mov     ax, [si+4]
        mov     bx, [si+6]
        mov     dx, [si+8]
        call    far [si]
        mov     [si+4], ax
        mov     [si+6], bx
        mov     [si+8], dx
        cld
        pop     esi
        pop     ecx
        ret

section .bss
outer_sp:       resw 1
outer_ss:       resw 1
return_to:      resw 1
regs_at:        resw 1
