; The many feature: several NICs under one core. It is the lowest filter: the core and the filters above see one NIC, and
; `many` calls the driver of the NIC that is meant.
;
; Each NIC has a record (asm/several.inc) with its driver's entries, its device, and what there is to do for it. A frame is
; received from any NIC; before the core gets it, the interface of its NIC is made the current one (the ifs feature).

%include "attach.inc"
%include "several.inc"
bits 16

extern work, core_state, busy, pending

; src/resident/table.rs, Entry: offsets in a table of entries.
IRQ            equ 2 * 0
UNMASK         equ 2 * 1
PEEK           equ 2 * 2
COPY           equ 2 * 3
DISCARD        equ 2 * 4
SEND           equ 2 * 5
SET_RCV_MODE   equ 2 * 6
SET_ADDRESS    equ 2 * 7
LINK_STATE     equ 2 * 8
STOP           equ 2 * 9

RX             equ 1                ; src/device.rs, Events
TERMINATE      equ 5
CANT_TERMINATE equ 7
CHANGED_AT     equ 5                ; the number of CHANGED_BIT

PIC1           equ 20h
PIC1_MASK      equ 21h
PIC2           equ 0A0h
PIC2_MASK      equ 0A1h

XMS_FREE       equ 0Ah
XMS_UNLOCK     equ 0Dh

FEATURE NEEDS_SEVERAL, BLOCK_MANY, 0, BLOCK_NICS, NICS, NIC_size
PROVIDES POINT_MANY, many
TAKES   POINT_ENTRIES, 0, many + 0
TAKES   POINT_ENTRIES, 1, many + 2
TAKES   POINT_ENTRIES, 2, many + 4
TAKES   POINT_ENTRIES, 3, many + 6
TAKES   POINT_ENTRIES, 4, many + 8
TAKES   POINT_ENTRIES, 5, many + 10
TAKES   POINT_ENTRIES, 6, many + 12
TAKES   POINT_ENTRIES, 7, many + 14
TAKES   POINT_ENTRIES, 8, many + 16
TAKES   POINT_ENTRIES, 9, many + 18
; From here on the entries are in the core's table, and their place in this unit is that of MANY's first fields.
TOLD    table, 4, many + MANY.first
TOLD    entries, 2, many + MANY.table
TOLD    save, 4, many + MANY.save
TOLD    xms_entry, 4, many + MANY.xms
TAKES   POINT_FUNCTIONS, TERMINATE, terminate
CALLED  PATCH_FAREWELL, farewell, next

section .unit_header progbits alloc exec write
global unit_header
unit_header:
many:           dw many_irq, nothing, many_peek, many_copy, many_discard, many_send, nothing, nothing, many_link, many_stop
                dw nothing          ; MANY.switch
                dw 0                ; MANY.current
                dw note             ; MANY.note
                dw handler          ; MANY.handler
                dw 0                ; MANY.count
                dw one              ; MANY.receive
                db 0                ; MANY.left
terminate:      dw check
next:           dw nothing

section .text.many progbits alloc exec nowrite align=1

; Purpose:  The handler of a NIC's line, called by the record.
; In:       the record's NIC.reset on the interrupted program's stack, above an interrupt frame; interrupts off, or on when
;           another handler chains here
; Corrupts: nothing
; Stack:    as irq_entry of asm/irq.asm
handler:
        cli
        pop     word [cs:many+MANY.asked]
        call    [cs:many+MANY.save]
        sub     word [many+MANY.asked], NIC.reset
        mov     ebx, [core_state+STATE.device]
        mov     si, [many+MANY.table]
        call    [si+IRQ]            ; the topmost filter's
        or      [pending], al
        xor     si, si
        xchg    si, [many+MANY.asked]
        or      al, [si+NIC.lone]
        jz      .not_ours
        mov     ax, [si+NIC.line]
        xchg    al, ah
        test    al, al
        jz      .first
        out     PIC2, al
.first: mov     al, ah
        out     PIC1, al
.out:   jmp     [many+MANY.settle]
; Pushes a frame so that IRET goes to the old handler.
.not_ours:
        sub     word [esp+FRAME.sp], 6
        o32 les edi, [esp+FRAME.sp]
        mov     eax, [si+NIC.old]
        stosd
        pushf
        pop     ax
        stosw
        push    cs
        pop     es
        jmp     short .out

; The entries, by the contract of a driver's (asm/abi.inc).

; Out:      AL = events: of the NICs on the line that has interrupted, or of all
many_irq:
        xor     cx, cx
        mov     si, [many+MANY.first]
.each:  mov     bx, [many+MANY.asked]
        test    bx, bx
        jz      .ask                ; a tick
        mov     ax, [bx+NIC.line]
        cmp     ax, [si+NIC.line]
        jne     .next
.ask:   mov     dx, IRQ
        call    one
        or      [si+NIC.events], al
        or      cl, al
.next:  call    following
        cmp     si, [many+MANY.first]
        jne     .each
        mov     al, cl
        ret

; Purpose:  The next frame of a NIC for which there is something to do. A NIC without frames gets its changed address and
;           receive mode, and its interrupts are unmasked.
many_peek:
        pushad
        call    note
        mov     si, [many+MANY.rx]
        mov     cx, [many+MANY.count]
        dec     byte [many+MANY.left]
        jns     .try
.next:  mov     al, [core_state+STATE.burst]
        mov     [many+MANY.left], al
        call    following
.try:   mov     al, [si+NIC.events]
        test    al, al
        jz      .empty
        mov     dx, PEEK
        call    one
        cmp     word [work+WORK_JOB+JOB.rx], 0
        jne     .found
        mov     al, [si+NIC.events]
        and     byte [si+NIC.events], POLLED
        cmp     al, OPEN
        je      .empty              ; the NIC was not masked
        test    al, CHANGED_BIT
        jz      .unmask
        mov     bx, si
        call    [many+MANY.switch]
        mov     dx, SET_ADDRESS
        call    one
        mov     dx, SET_RCV_MODE
        call    [many+MANY.receive]
.unmask:
        mov     dx, UNMASK
        call    one
.empty: loop    .next
        mov     [work+WORK_JOB+JOB.rx], cx
        jmp     short .done
.found: mov     [many+MANY.rx], si
        mov     bx, si
        call    [many+MANY.switch]
.done:  popad
nothing:
        ret

; In:       SI = record
; Out:      SI = the next one; behind the last one comes the first
following:
        add     si, NIC_size
        cmp     si, [many+MANY.end]
        jne     .done
        mov     si, [many+MANY.first]
.done:  ret

; Purpose:  Call an entry of a NIC's driver.
; In:       SI = record, DX = offset of the entry
; Out:      AL
; Corrupts: AH
one:    push    ax
        pushad
        mov     di, [si+NIC.entries]
        add     di, dx
        movzx   ebx, word [si+NIC.device]
        call    [di]
        mov     bp, sp
        mov     [bp+32], al
        popad
        pop     ax
        ret

; Purpose:  If a function of INT 60h has changed address, receive mode or multicast list of the current interface, note that for
;           its NICs.
; Corrupts: nothing
note:   btr     word [pending], CHANGED_AT
        jnc     .none
        pusha
        or      byte [pending], RX
        mov     si, [many+MANY.first]
.each:  mov     ax, [many+MANY.current]
        cmp     ax, [si+NIC.iface]
        jne     .next
        or      byte [si+NIC.events], CHANGED_BIT | RX
.next:  call    following
        cmp     si, [many+MANY.first]
        jne     .each
        popa
.none:  ret

many_copy:
        mov     dx, COPY
        jmp     short to_rx
; A filter above may have made the frame a useless one, which sets the length's high bit (src/device.rs, `Job::refuse`).
many_discard:
        and     byte [work+WORK_JOB+JOB.rx+1], 7Fh
        mov     dx, DISCARD
to_rx:  mov     bx, [many+MANY.rx]
        jmp     short through
many_send:
        mov     dx, SEND
        jmp     short to_out
many_link:
        mov     dx, LINK_STATE
to_out: mov     bx, [many+MANY.out]
through:
        add     dx, [bx+NIC.entries]
        movzx   edx, dx
        mov     bx, [bx+NIC.device]
        jmp     [edx]

many_stop:
        mov     si, [many+MANY.first]
.each:  mov     dx, STOP
        call    one
        call    following
        cmp     si, [many+MANY.first]
        jne     .each
        ret

; Purpose:  terminate: refuse if another program has hooked a line since.
; In:       as a function of INT 60h
check:  push    es
        xor     ax, ax
        mov     es, ax
        mov     si, [many+MANY.first]
.each:  mov     bx, [si+NIC.slot]
        test    bx, bx
        jz      .next
        mov     ax, cs
        cmp     [es:bx+2], ax
        jne     .no
.next:  call    following
        cmp     si, [many+MANY.first]
        jne     .each
        pop     es
        jmp     [terminate]
.no:    pop     es
        mov     al, CANT_TERMINATE
        ret

; Purpose:  Give back vectors, masked lines and XMS when the driver is unloaded.
; In:       DS = ES = CS, the cards at rest
; Corrupts: EAX, BX, CX, DX, SI
farewell:
        push    es
        xor     ax, ax
        mov     es, ax
        mov     si, [many+MANY.first]
.each:  mov     bx, [si+NIC.slot]
        test    bx, bx
        jz      .next
        mov     eax, [si+NIC.old]
        mov     [es:bx], eax
        cmp     byte [si+NIC.lone], 0
        je      .next
        mov     dx, PIC1_MASK
        mov     cx, [si+NIC.line]
        test    ch, ch
        jz      .mask
        mov     cl, ch
        mov     dl, PIC2_MASK
.mask:  and     cx, 7
        in      al, dx
        bts     ax, cx
        out     dx, al
.next:  call    following
        cmp     si, [many+MANY.first]
        jne     .each
        pop     es
        call    [next]              ; the flat feature gives the machine its interrupt table, which the XMS driver needs
.xms:   mov     dx, [si+NIC.xms]
        test    dx, dx
        jz      .none
        mov     ah, XMS_UNLOCK
        call    far [many+MANY.xms]
        mov     dx, [si+NIC.xms]
        mov     ah, XMS_FREE
        call    far [many+MANY.xms]
.none:  call    following
        cmp     si, [many+MANY.first]
        jne     .xms
        ret
