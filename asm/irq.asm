; The NIC's interrupt, and `settle`, the way out of every entry that has work left.

%include "abi.inc"
bits 16

extern entries
extern catch_up
extern pending
extern core_state
extern work
extern busy
extern save
extern restore

; src/resident/table.rs, Entry.
IRQ          equ 2 * 0
UNMASK       equ 2 * 1
SET_RCV_MODE equ 2 * 6
SET_ADDRESS  equ 2 * 7

PIC1  equ 20h
PIC1_MASK equ 21h
PIC2  equ 0A0h
; OCW3: the next read of a PIC's first port returns the requested lines. Written before each read, because another program may
; have selected the lines in service.
READ_REQUESTS equ 0Ah
; A specific end of interrupt: the level is added. A specific one, because a spurious interrupt has no level in service: it
; then ends no level, where a non-specific one would end another line's (for a spurious line 7 or 15 of this card, too).
SPECIFIC_EOI equ 60h
CASCADE      equ 2                  ; the second PIC's level at the first PIC

section .text.irq progbits alloc exec nowrite align=1

; Purpose:  The handler of the NIC's interrupt line. An interrupt that is not the NIC's is passed to the old handler.
; In:       interrupt frame on any stack; interrupts off, or on when another handler chains here
; Corrupts: nothing
; Stack:    of the interrupted program's, beyond the interrupt's 6 bytes: 2; 8 when a burst ends (`more`); 6 and what the old
;           handler takes when the interrupt is passed on
global irq_entry
global irq_entry.eoi
irq_reset:                          ; hardware reset: nothing to do
        retf
irq_entry:                          ; an IISP header (Interrupt Sharing Protocol)
        jmp     short .start
.old:   dd 0
        dw 424Bh
        db 0                        ; flag 0: this handler sends its own EOI
        jmp     short irq_reset
        times 7 db 0
.start: cli
        call    save
        mov     bx, [core_state+STATE.device]   ; a near address, high half zero: EBX is ESP
        call    [entries+IRQ]
        or      [pending], al
        or      al, [core_state+STATE.irq_lone]
        jz      not_ours
; The installer fills in the level, and for a line of the first PIC replaces `out PIC2, al` by NO_EOI.
.eoi:   mov     al, SPECIFIC_EOI
        out     PIC2, al
        mov     al, SPECIFIC_EOI+CASCADE
        out     PIC1, al

; Purpose:  The way out of an entry when there is work left: deliver the frames that have come, give the card a changed
;           address and receive mode, unmask the NIC. An inner entry skips all that: the outer entry does it.
; In:       jumped to with FRAME at SS:SP, DS = ES = CS
; Out:      [busy] is one less; otherwise as `restore`
global settle
settle: cmp     byte [busy], 1
        jne     .leave
.burst: call    catch_up
        cmp     word [work+WORK_JOB+JOB.rx], 0
        jne     more                ; the end of a burst
        mov     al, [pending]
        and     byte [pending], POLLED
        cmp     al, OPEN
        je      .leave              ; the NIC was not masked: nothing to unmask
        jb      .unmask
        test    al, CHANGED_BIT
        jz      .unmask
        mov     si, entries+SET_ADDRESS
        call    drive
        mov     si, entries+SET_RCV_MODE
        call    drive
.unmask:
        mov     ebx, [core_state+STATE.device]
        call    [entries+UNMASK]
.leave: dec     byte [busy]
        jmp     restore

; Purpose:  Call an entry of the driver.
; In:       SI = address of the entry's near address
; Out, corrupts: as the entry
global drive
drive:  mov     ebx, [core_state+STATE.device]
        jmp     [si]

not_ours:                           ; pushes a frame so that IRET goes to the old handler
        call    six_more
        mov     eax, [irq_entry.old]
        stosd
        pushf
        pop     ax
        stosw
        jmp     short settle.leave

; A burst has ended: the card may hold frames whose interrupt has been acknowledged. If no interrupt is requested in the PICs,
; the next burst begins at once: leaving the entry and coming back would take 40 instructions, with flat memory 100. Otherwise
; a frame is pushed so that IRET goes to `again`, with the interrupted program's FLAGS: if these enable interrupts, the requested
; ones come in before `again`, which takes the next frames before the program continues. [pending] stays set until then.
more:   mov     al, READ_REQUESTS
        out     PIC1, al
        in      al, PIC1            ; the second PIC's requests show as the cascade's
        mov     ah, al
        in      al, PIC1_MASK
        not     al
        test    al, ah
        jz      settle.burst
        call    six_more
        mov     ax, again
        stosw
        mov     ax, cs
        stosw
        mov     ax, [es:di+2+CALLER_FLAGS]
        stosw
        jmp     short settle.leave
again:  cli
        call    save
        jmp     short settle

; Out:      ES:DI = 6 bytes on the interrupted program's stack, for one more interrupt frame
six_more:
        sub     word [esp+2+FRAME.sp], 6
        o32 les edi, [esp+2+FRAME.sp]
        ret
