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
        dw flat_leave
        dw flat_farewell
gdtr:   dw 15                       ; limit
        dd gdt                      ; base: the installer adds the segment's
xms_handle:     dw 0                ; 0: no XMS; the installer's to fill in
xms_entry:      dd 0
gdt:    dq 0
        dq 00CF92000000FFFFh        ; data, base 0, limit 4 GB

section .text

; Purpose:  Make DS, ES and FS flat and switch A20 on.
; In:       interrupts off, DS = ES = CS
; Out:      DS = ES = CS with flat limits, FS = 0 with a flat limit
; Corrupts: EAX, BX, FLAGS
flat_enter:
        sgdt    [old_gdtr]
        VISIT   gdtr
        o32 lgdt [old_gdtr]
        A20_ON  gdtr, gdt, was_off
        ret

; Purpose:  Leave A20 as `flat_enter` found it.
; In:       DS = CS
; Corrupts: AL, FLAGS
flat_leave:
        A20_BACK was_off
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
old_gdtr:       resb 6
was_off:        resb 1
