; The flat feature: DS, ES and FS reach 4 GB in real mode while the driver runs. Only drivers with rings in XMS or
; registers above 1 MB, and the pool in XMS, bring it; the installer then patches the core's entries to call it.
;
; In V86 mode memory cannot be made flat. A memory manager that comes after the driver (JEMM386 LOAD) switches it on, and
; may switch it off again. Meanwhile the driver rests: the core's table of the driver's entries has entries that refuse,
; the card's line is masked, and `terminate` refuses. The first entry in real mode undoes that.

%include "abi.inc"
%include "visit.inc"
bits 16

extern work, core_state, pending

; src/resident/table.rs, Entry, and what `send` answers; the last, to `link`, is that nobody knows.
DRIVER_ENTRIES equ 10
IRQ            equ 2 * 0
SET_RCV_MODE   equ 2 * 6
SET_ADDRESS    equ 2 * 7
FAILED         equ 2

PIC1_MASK      equ 21h
PIC2_MASK      equ 0A1h

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
entries_at:     dw 0                ; the core's table of the driver's entries
gdt:    dw 0                        ; the first entry is nobody's: this is for A20_ON,
old_gdtr:       times 6 db 0        ; that for what the table's register was
        dq 00CF92000000FFFFh        ; data, base 0, limit 4 GB

; What stands in the core's table while the driver rests; the driver's entries lie here then.
other_entries:
        dw refuse_irq
        times DRIVER_ENTRIES - 1 dw refuse

section .text.flat progbits alloc exec nowrite align=1

; Purpose:  Make DS, ES and FS flat and switch A20 on: at an entry (asm/irq.asm), and behind a receiver.
; In:       interrupts off, DS = CS; at an entry FRAME above the return address
; Out:      DS = ES = CS with flat limits, FS = 0 with a flat limit, DF clear; in V86 mode no more than ES = CS, DF clear
; Corrupts: EAX, BX, FLAGS
flat_enter:
        mov     [esp+2+FRAME.fs], fs
flat_again:
        cld
        smsw    ax
        and     al, 1               ; PE under DOS is V86 mode
        or      al, [rests]
        jnz     turn
flat:   sgdt    [old_gdtr]
        VISIT   gdtr
        o32 lgdt [old_gdtr]
        A20_ON  gdtr, gdt, was_off
        ret

RESTS   equ 2                       ; in [rests]

; Purpose:  Begin to rest, or end it: memory is flat then, the card has the address and the receive mode that are in
;           force by now, and its interrupt cause is taken (an edge-triggered line gives no second edge).
; In:       AL = 1 in V86 mode, and RESTS while the driver does; as `flat_enter`
; Corrupts: FLAGS
turn:   cmp     al, 1 + RESTS
        je      .done               ; V86 mode goes on
        pushad
        mov     cl, [work+NIC_IRQ]
        mov     bx, RESTS
        xor     bl, [rests]
        in      al, PIC2_MASK
        mov     ah, al
        in      al, PIC1_MASK
        btr     ax, cx
        dec     cx
        shl     bx, cl              ; the line's bit, to rest; line 0 is the timer's, and nothing is left of the bit
        or      ax, bx
        out     PIC1_MASK, al
        mov     al, ah
        out     PIC2_MASK, al
        mov     si, [entries_at]
        mov     di, other_entries
        mov     cx, DRIVER_ENTRIES
.swap:  lodsw
        xchg    ax, [di]
        mov     [si-2], ax
        inc     di
        inc     di
        loop    .swap
        ; What `terminate` takes for the NIC's vector is one of those from 28h and from 50h on, which are never ours.
        xor     byte [core_state+STATE.irq_slot], 80h
        xor     byte [rests], RESTS
        jnz     .kept
        call    flat
        mov     ebx, [core_state+STATE.device]
        call    [si-2*DRIVER_ENTRIES+SET_ADDRESS]
        mov     ebx, [core_state+STATE.device]
        call    [si-2*DRIVER_ENTRIES+SET_RCV_MODE]
        mov     ebx, [core_state+STATE.device]
        call    [si-2*DRIVER_ENTRIES+IRQ]
        or      [pending], al
.kept:  popad
.done:  push    cs
        pop     es
        ret

; Purpose:  The driver's entries while it rests: no frame is there, none is sent, no interrupt is ours.
; Out:      AL = FAILED, of `irq` 0
; Corrupts: FLAGS
refuse: and     word [work+WORK_JOB+JOB.rx], 0
        mov     al, FAILED
        ret
refuse_irq:
        mov     al, 0
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
rests:          resb 1
