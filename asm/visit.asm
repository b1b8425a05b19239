; Memory above 1 MB for probes (src/bus/either.rs). Other programs' interrupts run between two accesses, so each access makes
; memory flat anew, and leaves A20 as it was.

%include "visit.inc"
bits 16

; The arguments of the routines (src/bus/either.rs).
section .data
        align   4, db 0
global visit_what
visit_what:
.at:            dd 0
.value:         dd 0                ; to write; for a copy, the target's address
.len:           dw 0                ; bytes of a copy, 1 to 65535

section .text

; Purpose:  Read a linear address, by one access of 32, 16 or 8 bits.
; In:       visit_what.at
; Out:      EAX, AX or AL = the value
; Corrupts: EAX, EBX, EDX
global visit_get32
visit_get32:
        call    visit
        mov     eax, [fs:edx]
        jmp     short leave_visit

global visit_get16
visit_get16:
        call    visit
        mov     ax, [fs:edx]
        jmp     short leave_visit

global visit_get8
visit_get8:
        call    visit
        mov     al, [fs:edx]
        jmp     short leave_visit

; The way out of each routine: undoes `visit`.
leave_visit:
        mov     bx, ax
        A20_BACK was_off
        mov     ax, bx
        pop     fs
        popf
        ret

; Purpose:  The way in of each routine.
; Out:      FS flat, EDX = visit_what.at, EAX = visit_what.value; interrupts off until `leave_visit`
; Stack:    leaves 4 bytes for `leave_visit`: FLAGS and FS
visit:
        pop     word [return_to]
        pushf
        cli
        push    fs
        mov     eax, cs
        shl     eax, 4
        add     eax, gdt
        mov     [gdtr+2], eax
        VISIT   gdtr
        A20_ON  gdtr, gdt, was_off
        mov     edx, [visit_what.at]
        mov     eax, [visit_what.value]
        jmp     [return_to]

; Purpose:  Write to a linear address, by one access of 32, 16 or 8 bits.
; In:       visit_what.at, .value
; Corrupts: EAX, EBX, EDX
global visit_put32
visit_put32:
        call    visit
        mov     [fs:edx], eax
        jmp     leave_visit

global visit_put16
visit_put16:
        call    visit
        mov     [fs:edx], ax
        jmp     leave_visit

global visit_put8
visit_put8:
        call    visit
        mov     [fs:edx], al
        jmp     leave_visit

; Purpose:  Copy memory by bytes. Not for registers that change when they are read.
; In:       visit_what.at, .value, .len
; Corrupts: EAX, EBX, EDX
global visit_copy
visit_copy:
        call    visit
        push    ecx
        mov     cx, [visit_what.len]
.next:  mov     bl, [fs:edx]
        mov     [fs:eax], bl
        inc     edx
        inc     eax
        dec     cx
        jnz     .next
        pop     ecx
        jmp     leave_visit

section .text.a20_gate progbits alloc exec nowrite align=1

; Purpose:  Find out what opens A20's gate, for the flat feature of an ISA card. Closes the gate, opens it again, and leaves
;           it as it was.
; In:       real mode
; Out:      AL = 0: port 92h opens it, or it is always open; 1: the keyboard controller opens it; 2: neither
; Corrupts: EAX, EBX, EDX
global a20_gate
a20_gate:
        pushf
        cli
        push    fs
        push    cx
        mov     cx, 0               ; CL = the answer; CH = what to send to the keyboard controller at the end, 0: nothing
        in      al, FAST_A20
        mov     dl, al
        FAST_GATE_OFF
        call    closed
        jc      .fast
        mov     ch, GATE_ON         ; open although port 92h is off: the keyboard controller had opened it
        mov     al, GATE_OFF
        call    keyboard_gate
        call    closed
        jnc     .done
.fast:  in      al, FAST_A20
        test    al, FAST_ON         ; the flat feature relies on reading what was written (asm/flat.inc)
        jnz     .not_fast
        FAST_GATE_ON
        call    closed
        jnc     .done
.not_fast:
        inc     cx
        mov     al, GATE_ON
        call    keyboard_gate
        call    closed
        jnc     .keyboard
        inc     cx
.keyboard:
        test    ch, ch
        jnz     .done
        mov     ch, GATE_OFF
.done:  mov     al, dl
        and     al, ~1
        out     FAST_A20, al
        mov     al, ch
        test    al, al
        jz      .answer
        call    keyboard_gate
.answer:
        mov     al, cl
        pop     cx
        pop     fs
        popf
        ret

; Purpose:  Is A20's gate closed?
; Out:      CF: it is
; Corrupts: EAX, BX, FS
closed: mov     eax, cs
        shl     eax, 4
        add     eax, gdt
        mov     [gdtr+2], eax
        VISIT   gdtr
        IF_A20  gdtr, gdt, .open
        stc
        ret
.open:  clc
        ret

        KEYBOARD_GATE

section .data
        align   8, db 0
gdt:    dq 0
        dq 00CF92000000FFFFh        ; data, base 0, limit 4 GB
gdtr:   dw 15
        dd 0

section .bss
return_to:      resw 1
was_off:        resb 1
