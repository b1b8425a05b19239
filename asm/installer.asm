; The installer's entries: DOS's INIT request, and the prompt. Both land in Rust with DS = ES = SS = CS.

%include "abi.inc"
bits 16

extern install
extern __installer_end

STACK equ 1536                      ; the installer's own, in the file like everything here

; InstallerHeader (src/install/header.rs). The pack step fills it in and reads the entries' offsets.
section .installer_header progbits alloc exec write align=16
global installer_entry
installer_entry:
directory:      dd 0                ; offset of the unit directory in the file
unit_count:     dw 0
core_bytes:     dw 0                ; of the core, in the image
                dw strategy
                dw interrupt
                dw program
                dw stack_top
                dw INSTALLER_PARA
                times 16 dw 0       ; the core's offsets: CoreTable (src/resident/table.rs)
HEADER_SIZE     equ $ - installer_entry

; Purpose:  Move the installer with its stack further up and go on there.
; In:       ECX = paragraphs, at least this routine's offset and size
; Out:      DS = ES = SS = CS, the new segment
; Corrupts: EAX, ECX (fastcall)
; It stands at the start because the copy begins at the end and comes to lie over what follows.
global move_up
move_up:
        push    esi
        push    edi
        pushf
        cli
        mov     ax, cs
        add     ax, cx
        mov     es, ax
        mov     si, __installer_end - 2
        mov     di, si
        mov     cx, __installer_end
        shr     cx, 1
        std
        rep movsw
        mov     ss, ax              ; first of all: the old stack may lie in the new code
        push    ax
        push    word .there
        retf
.there: mov     ds, ax
        popf
        cld
        pop     edi
        pop     esi
        o32 ret

; Context (src/install/header.rs): where we are and who called. Not with the header: the driver comes to lie there.
section .data
        align   4, db 0
global context
context:
load_segment:   dw 0                ; where the image begins
psp:            dw 0                ; from the prompt; 0: DEVICE=
request:        dd 0                ; DEVICE=: the INIT request

section .text

; Purpose:  DOS's first strategy call: CS is the load segment here, not ours.
strategy:
        push    ds
        push    ax
        mov     ax, cs
        add     ax, INSTALLER_PARA
        mov     ds, ax
        mov     [request], bx
        mov     [request+2], es
        pop     ax
        pop     ds
        retf

; Purpose:  DOS's INIT request: install, or refuse, and say so in the request.
; Stack:    26 bytes of DOS's
interrupt:
        cpu     8086
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
        mov     bx, cs
        mov     ax, bx
        add     ax, INSTALLER_PARA
        mov     ds, ax
        mov     [load_segment], bx
        mov     word [psp], 0
        push    ax
        mov     ax, .ours
        push    ax
        retf                        ; into our own segment
.ours:  call    is_386
        jc      .old
        cpu     386
        pushad                      ; DOS keeps no high halves, others do
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

; Purpose:  From the prompt. Never returns: Rust ends the program.
; In:       DS = ES = PSP, CS = SS = ours
program:
        mov     bx, ds
        mov     ax, cs
        mov     ds, ax
        mov     [psp], bx
        sub     ax, INSTALLER_PARA
        mov     [load_segment], ax
        call    is_386
        jc      .old
        cpu     386
        call    to_rust
        cpu     8086
.old:   mov     ax, 4C01h
        int     21h

; Out:      carry on anything below a 386, with the line said
is_386:
        pushf                       ; bits 15:12 of FLAGS: 1 on an 8086, 0 on a 286 in real mode
        pop     ax
        mov     cx, ax
        or      ah, 70h
        and     ah, 7Fh
        push    ax
        popf
        pushf
        pop     ax
        push    cx
        popf
        test    ah, 80h
        jnz     .old
        test    ah, 70h
        jz      .old
        clc
        ret
.old:   mov     dx, needs_386
        mov     ah, 9
        int     21h
        stc
        ret
        cpu     386

to_rust:
        pop     word [return_to]
        mov     ax, cs
        mov     es, ax
        mov     ss, ax
        mov     esp, stack_top
        cld
        mov     si, installer_entry
        mov     di, installer_header
        mov     cx, HEADER_SIZE / 2
        rep movsw
        sti
        call    dword install
        jmp     [return_to]

; Purpose:  Any software interrupt.
; In:       ECX = number, EDX = Regs (src/install/dos.rs)
; Out:      Regs as the handler left them
; Corrupts: EAX, ECX, EDX (fastcall)
global software_interrupt
software_interrupt:
        pushad
        push    ds
        push    es
        mov     [.number], cl
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
        jmp     short .go           ; a 386 may have fetched the number already
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
        o32 ret

; Purpose:  Call the XMS driver.
; In:       ECX = its entry, segment in the high half; EDX = AX, BX, DX (src/install/xms.rs)
; Out:      those three
; Corrupts: EAX, ECX, EDX (fastcall)
global xms_call
xms_call:
        push    ebx
        push    esi
        mov     [xms_entry], ecx
        mov     si, dx
        mov     ax, [si]
        mov     bx, [si+2]
        mov     dx, [si+4]
        call    far [xms_entry]
        mov     [si], ax
        mov     [si+2], bx
        mov     [si+4], dx
        pop     esi
        pop     ebx
        o32 ret

section .data
needs_386:      db '3COMPKT needs a 386 or later.', 13, 10, '$'

section .bss
        alignb  4
global installer_header
installer_header: resb HEADER_SIZE  ; where it stays while the driver is placed
outer_sp:       resw 1
outer_ss:       resw 1
return_to:      resw 1
regs_at:        resw 1
xms_entry:      resd 1
        alignb  4
        resb    STACK
stack_top:
