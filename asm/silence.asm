; Stops the card of a resident copy, for `3COMPKT /REPLACE`. The stage `take` copies these bytes to the low end of that copy's
; stack, and puts the address of `silence` in the place of the driver's entry `link`, which INT 60h AH=80h calls. So it runs
; inside an entry of that copy: on its stack, with memory above 1 MB within reach. The code has no address of its own.

%include "abi.inc"
bits 16

; src/resident/table.rs: offsets in the core that no build changes, and Entry.
WORK        equ 20
CORE_STATE  equ 144
ENTRIES_ALL equ 10
PEEK        equ 2 * 2
DISCARD     equ 2 * 4
STOP        equ 2 * 9
COUNT_LOST  equ 24                  ; src/device.rs, Counters
; Frames that are taken from the card, at most: more than any card holds.
MOST        equ 2048
; An answer that means FAILED from `send` and Link::Unknown from `link`.
FAILED      equ 2

section .text.silence progbits alloc exec nowrite align=1

global old_entries, old_entries_end
old_entries:
        dw 0                        ; address of the table of the driver's entries,
        times 2 * ENTRIES_ALL db 0  ; and the table as it was: the stage fills in both

; Purpose:  Count the frames in the card as lost, stop the card, and exchange the driver's entries for some that refuse.
; In:       as a driver's entry: BX = device, DS = ES = SS = CS, interrupts off
; Out:      AL = FAILED
; Corrupts: EAX, EBX, EDX
global silence
silence:
        push    ecx
        push    esi
        push    edi
        call    .here
.here:  pop     si
        sub     si, .here - old_entries
        mov     di, [si]
        mov     cx, MOST
.next:  pusha
        mov     ebx, [CORE_STATE+STATE.device]
        call    [di+PEEK]
        popa
        mov     bx, [CORE_STATE+STATE.device]
        cmp     word [WORK+WORK_JOB+JOB.rx], 0
        je      .stop
        jl      .discard            ; a bad frame, which the driver has counted
        inc     dword [bx+COUNT_LOST]
.discard:
        pusha
        movzx   ebx, bx
        call    [di+DISCARD]
        popa
        loop    .next
.stop:  pusha
        movzx   ebx, bx
        call    [di+STOP]
        popa
        lea     ax, [si+refuse-old_entries]
        mov     cx, ENTRIES_ALL
        cld
        rep stosw
        add     ax, refuse_irq-refuse
        mov     [di-2*ENTRIES_ALL], ax
        mov     al, FAILED
        pop     edi
        pop     esi
        pop     ecx
        ret

; The entries that refuse: no frame is there, sending fails, no interrupt is the card's. Corrupt: FLAGS, AL.
refuse: and     word [WORK+WORK_JOB+JOB.rx], 0
        mov     al, FAILED
        ret
refuse_irq:
        mov     al, 0
        ret
old_entries_end:
