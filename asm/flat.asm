; The flat feature: DS, ES and FS reach 4 GB in real mode while the driver runs. Only drivers with rings in XMS or
; registers above 1 MB bring it; the installer then patches the core's entries to call it.

%include "abi.inc"
%include "visit.inc"
bits 16

; FeatureHeader (src/install/header.rs).
section .unit_header progbits alloc exec write
global unit_header
unit_header:
        dw flat_enter
        dw flat_out
        dw flat_leave
        dw flat_again
        dw flat_farewell
gdtr:   dw 15                       ; limit
        dd gdt                      ; base: the installer adds the segment's
xms_handle:     dw 0                ; 0: no XMS; the installer's to fill in
xms_entry:      dd 0
gdt:    dw 0                        ; the first entry is nobody's: this is for A20_ON,
old_gdtr:       times 6 db 0        ; that for what the table's register was
        dq 00CF92000000FFFFh        ; data, base 0, limit 4 GB

section .text.flat progbits alloc exec nowrite align=1

; Purpose:  Make DS, ES and FS flat and switch A20 on: at an entry (asm/irq.asm), and behind a receiver.
; In:       interrupts off, DS = CS; at an entry FRAME above the return address
; Out:      DS = ES = CS with flat limits, FS = 0 with a flat limit, DF clear
; Corrupts: EAX, BX, FLAGS
flat_enter:
        mov     [esp+2+FRAME.fs], fs
flat_again:
        cld
        sgdt    [old_gdtr]
        VISIT   gdtr
        o32 lgdt [old_gdtr]
        A20_ON  gdtr, gdt, was_off
        ret

; Purpose:  Leave A20 as `flat_enter` found it: before a receiver (asm/upcall.asm), and for good (asm/int60.asm).
; In:       DS = CS; for good FRAME above the return address
; Out:      DX = LOOKAHEAD; for good FRAME's first three registers and FS are the interrupted program's
; Corrupts: for good AX and FLAGS, else nothing: FLAGS say what kind of an upcall it is
flat_out:
        pop     ax
        call    flat_leave
        mov     fs, [esp+FRAME.fs]
        pop     es
        pop     si
        pop     ds
        jmp     ax
flat_leave:
        pushf
        push    ax
        A20_BACK was_off
        pop     ax
        mov     dx, LOOKAHEAD
        popf
        ret

; Purpose:  Give the XMS memory back: the driver goes.
; In:       DS = CS, the card at rest
; Corrupts: AX, BX, DX
flat_farewell:
        mov     dx, [xms_handle]
        test    dx, dx
        jz      .done
        push    dx
        mov     ah, 0Dh             ; unlock
        call    far [xms_entry]
        pop     dx
        mov     ah, 0Ah             ; free
        call    far [xms_entry]
.done:  ret

section .bss
was_off:        resb 1
