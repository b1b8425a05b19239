; Calls of a network driver in a ROM (UNDI, Preboot Execution Environment 2.1, chapter 3): far calls on a stack of their own.
; Both the resident driver and the unit that starts it have this routine.

bits 16

%include "visit.inc"

; src/drivers/undi.rs, Rom.
struc ROM
.entry      resd 1              ; far address of the ROM's entry point
.stack      resd 1              ; far address of the top of the ROM's stack
.sp         resd 1              ; ESP and SS of the caller of `rom_call`
.ss         resw 1
.masks      resw 1              ; interrupt masks of the PICs
.pit        resb 1              ; how counter 0 of the PIT works
.wraps      resb 1              ; not 0: A20 is off
.taken      resb 1              ; not 0: a call is in progress
.tick       resb 1              ; the low byte of the BIOS's count of timer ticks, at the end of a call
.line       resw 1              ; bit of the card's line in the interrupt masks; 0: it is polled
.block:                         ; the parameter block
endstruc
LOADER      equ 0FFFFh          ; the opcode of a call of the ROM's loader, which takes none
REFUSED     equ 0FFFFh

PIC1_MASK   equ 21h
PIC2_MASK   equ 0A1h
PIT_COUNTER equ 40h
PIT_CONTROL equ 43h
TICKS       equ 46Ch
READ_STATUS equ 0E2h            ; read-back command: the status of counter 0
PIT_MODE    equ 3Fh             ; the status's bits that are those of a control word

section .text.rom_call progbits alloc exec nowrite align=1

; Purpose:  Call the ROM. Put back what a ROM may change: EFLAGS, all registers, A20, the interrupt masks, the mode of the
;           timer's counter.
; In:       BX = ROM with its parameter block, DX = opcode or LOADER
; Out:      AX = the ROM's answer, 0: success; REFUSED: the ROM was not called, because a memory manager has begun V86 mode, in
;           which a ROM may do what ends the machine
; Corrupts: FLAGS
; Stack:    42 bytes
; The card's line is masked meanwhile: the ROM may enable interrupts, and an entry could not have it acknowledge the card's.
; One call at a time: of the driver's entries only `send` may come in during a call, and it refuses (`taken`).
; The ROM may enable interrupts. Their handlers run on the ROM's stack. It lies in the driver's segment, so that an entry of
; the driver continues on it (asm/int60.asm, `save`).
global rom_call
rom_call:
        smsw    ax
        test    al, 1               ; PE
        mov     ax, REFUSED
        jnz     .refused
        inc     byte [bx+ROM.taken]
        pushfd
        pushad
        push    fs
        push    gs
        mov     [bx+ROM.sp], esp
        mov     [bx+ROM.ss], ss
        mov     [current], bx
        in      al, PIC2_MASK
        mov     ah, al
        in      al, PIC1_MASK
        mov     [bx+ROM.masks], ax
        or      ax, [bx+ROM.line]
        out     PIC1_MASK, al
        mov     al, ah
        out     PIC2_MASK, al
        lss     sp, [bx+ROM.stack]
        call    look
        mov     [bx+ROM.pit], ax
        mov     si, bx
        lea     di, [bx+ROM.block]
        mov     bx, dx
        push    ds
        push    ds
        pop     es
        push    di
        cmp     bx, LOADER
        je      .call
        push    bx
.call:  call    far [si+ROM.entry]
        cli
        cld
        push    cs
        pop     ds
        mov     bx, [current]
        lss     sp, [bx+ROM.stack]
        push    ax
        push    byte 0
        pop     es
        mov     al, [es:TICKS]
        mov     [bx+ROM.tick], al
        push    cs
        pop     es
        mov     dx, [bx+ROM.pit]    ; DH = wraps
        call    look
        cmp     ah, dh
        je      .a20
        FAST_GATE_ON
        test    dh, dh
        jz      .a20
        xor     al, FAST_ON
        out     FAST_A20, al
.a20:   call    look
        cmp     dl, al
        je      .pit
        mov     al, dl
        out     PIT_CONTROL, al
        mov     al, 0               ; the BIOS's count, 65,536: the count before cannot be read
        out     PIT_COUNTER, al
        out     PIT_COUNTER, al
.pit:   mov     ax, [bx+ROM.masks]
        out     PIC1_MASK, al
        mov     al, ah
        out     PIC2_MASK, al
        pop     ax
        lss     esp, [bx+ROM.sp]
        mov     [esp+4+28], ax      ; EAX of PUSHAD, below FS and GS
        dec     byte [bx+ROM.taken]
        pop     gs
        pop     fs
        popad
        popfd
.refused:
        ret

; Purpose:  See whether A20 is off, and how counter 0 of the PIT works.
; Out:      AH = 0 if A20 is on, AL = the counter's mode
; Corrupts: FLAGS
; A20 is off if the first 256 bytes of memory are also found 1 MB further up.
look:   push    ds
        push    es
        pusha
        xor     si, si
        mov     ds, si
        mov     cx, 0FFFFh
        mov     es, cx
        mov     di, 10h
        mov     cx, 40h
        repe cmpsd
        popa
        pop     es
        pop     ds
        lahf
        and     ah, 40h             ; ZF
        mov     al, READ_STATUS
        out     PIT_CONTROL, al
        in      al, PIT_COUNTER
        and     al, PIT_MODE
        ret

section .bss align=2
current:    resw 1
