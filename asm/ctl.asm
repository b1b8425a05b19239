; The ctl feature: the control interrupt, INT 2Dh by the Alternate Multiplex Interrupt Specification (AMIS 3.6), and the log
; of events. src/control.rs says what programs see of it.
;
; A call runs on the caller's stack with interrupts off. What needs the card runs as an entry of the driver, on the driver's
; stack (`entry`). Callbacks run behind that, on the caller's stack, while no entry is in progress: so they may do what any
; program may do.

%include "attach.inc"
%include "3compkt.inc"
bits 16

extern work, core_state, busy, pending, open

; src/resident/table.rs, Entry; functions of INT 60h.
IRQ            equ 0
DISCARD        equ 4
TERMINATE      equ 5
SET_RCV_MODE   equ 20
SET_MULTICAST  equ 22
SET_ADDRESS    equ 25
CANT_TERMINATE equ 7

VERSION        equ 1                ; src/install/stages/about.rs
INT_CTL        equ 2Dh
TICKS          equ 46Ch             ; the BIOS's count
PIC1_MASK      equ 21h
PIC2_MASK      equ 0A1h

; AMIS: answers of installation check, uninstall and hooked interrupts; a flag of device driver.
IN_USE         equ 0FFh
UNSUCCESSFUL   equ 1
DISABLED       equ 6                ; its memory stays DOS's, because it came by DEVICE=
REMOVED        equ 0FFh
LISTED         equ 4
FROM_CONFIG    equ 1

; src/install/features.rs, Ctl: offsets in FACTS.ctl.
CTL_RUN        equ 0
CTL_OUT        equ 2
CTL_LINK       equ 4
CTL_FULL       equ 6
CTL_CACHE      equ 8
CTL_SPAN       equ 10

; linker/resident.ld: `work` and `core_state`, as numbers of a byte.
WORK_AT        equ 20
STATE_AT       equ 144

struc CALLBACK
.at         resd 1          ; its far address; segment 0: the place is free
.parameter  resb 1          ; 0: all
.runs       resb 1          ; it was called and has not returned
endstruc

FEATURE NEEDS_CTL, BLOCK_CTL, 0
TAKES   OPERAND + POINT_FUNCTIONS, TERMINATE, ctl_terminate.below
TAKES   OPERAND + POINT_ENTRIES, IRQ, ctl_irq.below
TAKES   OPERAND + POINT_ENTRIES, DISCARD, ctl_discard.below
TAKES   OPERAND + POINT_TICK, 0, ctl_tick.below
TOLD    ctl+CTL_SPAN, TOLD_SIZE, told
TOLD    save, OPERAND + 2, entry.save
TOLD    ctl+CTL_RUN, OPERAND + 2, entry.run
TOLD    ctl+CTL_OUT, 2, ctl_tick.out
TOLD    ctl+CTL_LINK, 2, ctl_tick.link
TOLD    ctl+CTL_FULL, 2, set.full
TOLD    ctl+CTL_CACHE, 2, set.cache
TOLD    hold_at, 2, hold_at
ONCE    once_at, tables
HOOKS   INT_CTL, ctl

section .data.ctl progbits alloc noexec write align=1
; From BURST on the least value of each parameter, and the greatest one less that.
limits:         dw 1, 63, 0, 1, 0, LAST_EVENT, 0, 255, 1, 249, 0, 255, 16, 16384 - 16, CACHE_LEAST
; From here on FACTS.ctl, from CTL_SPAN: the greatest value of MIGRATE less the least;
told:           dw 0
wanted:         dw 0                ; MEDIA and XMS as wanted; no XMS if 0,
wanted_xms:     dw 0
in_force:       dw 0, 0             ; and in force;
migrate:        dw 0                ; MIGRATE; none if 0
TOLD_SIZE       equ $-told
; Where each parameter is, by its number; 0: this driver has not got it.
places:         dw WORK_AT + NIC_RCV_MODE, WORK_AT + NIC_MAC, WORK_AT + WORK_GROUPS - 2, STATE_AT + STATE.burst
                dw polled, level, interval
hold_at:        dw 0, wanted, wanted_xms, migrate
polled:         db 0
level:          db LAST_EVENT       ; `/REPLACE` copies both
interval:       db 1
LAST_EVENT      equ COMPKT_EVENT_SPURIOUS
CACHE_LEAST     equ 1536            ; src/memory/mod.rs, SLOT
; The functions of INT 60h that set those before BURST.
setters:        db SET_RCV_MODE, SET_ADDRESS, SET_MULTICAST
; Our interrupts, as AMIS lists them: number and header; 2Dh is the last. `once` fills in the first two, and has the list begin
; at the second where the card has no interrupt.
vectors:        db 0
                dw 0
                db 0
                dw 0
                db 8
                dw 0
                db INT_CTL
                dw ctl

section .text.ctl progbits alloc exec nowrite align=1
global unit_header
unit_header:

; Purpose:  INT 2Dh: answer a call with our multiplex number, and chain all others.
; In:       AH = multiplex number, AL = function; interrupts off
; Out:      AL = result, and what the function returns
; Corrupts: EAX
; Stack:    of the caller's, beyond the interrupt's 6 bytes: 60, and what callbacks take
ctl:                                ; an IISP header (Interrupt Sharing Protocol)
        jmp     short .start
.old:   dd 0
        dw 424Bh
        db 0
        jmp     short .reset
        times 7 db 0
.chain: jmp     far [cs:.old]
.start: cmp     ah, 0
.number equ     $-1                 ; filled in by `once`
.jump:  jne     .chain
        cli                         ; a handler above may have called this one with interrupts on
        push    ds
        push    si
        push    cs
        pop     ds
        test    al, 0E8h
        jz      .known
        mov     al, 1               ; not implemented, too
.known: aam     10h                 ; 0 to 7 stay, 10h to 17h become 8 to 15
        aad     8
        mov     si, ax
        movzx   si, byte [offsets+si]
        add     si, check
        call    si
        pop     si
        pop     ds
        iret
.reset: retf

; What the installation check gives. The zero at its end is the first of `offsets`.
signature:      db '3COMPKT PKTDRVR Ethernet'
; The functions' routines, by AL, from `check` on.
offsets:        db 0, none-check, uninstall-check, none-check, list-check, none-check, device-check, none-check
                db get-check, set-check, apply-check, rollback-check, register-check, remove-check, read_log-check, none-check
%if COMPKT_CTL_GET != 10h || COMPKT_CTL_LOG != 16h
%error "the table has not got the functions of src/control.rs"
%endif

; The functions. In: the caller's registers, but DS = CS; interrupts off. Out: AL = result, and what each says. Corrupt: EAX,
; SI.
; AMIS, installation check: CX = version, DX:DI = signature.
check:  mov     cx, VERSION
        mov     di, signature
        mov     dx, cs
        jmp     short done          ; IN_USE

none:   mov     al, COMPKT_CTL_NOT_IMPLEMENTED
        ret

; AMIS, hooked interrupts: DX:BX = list; AL stays LISTED.
list:   mov     bx, vectors
.first  equ     $-2                 ; filled in by `once`
        mov     dx, cs
        ret

; AMIS, device driver: AL = number of headers, AH = flags, DX:BX = header. DOS uses the header only after DEVICE=.
device: xor     bx, bx
        mov     dx, cs
        mov     ax, FROM_CONFIG << 8
        cmp     word [core_state+STATE.memory], 1
        adc     al, 0
        ret

; AMIS, uninstall. The code stays intact until the caller has its answer: DOS only marks its memory as free.
uninstall:
        call    idle
        cmp     byte [open], 0
        jne     return              ; with AL = COMPKT_CTL_BUSY
        mov     si, TERMINATE
        pushf
        push    cs
        call    entry
        mov     al, UNSUCCESSFUL
        jc      return
        mov     al, [core_state+STATE.irq_lone]
        cmp     al, [polled]
        jbe     .masked
        call    flip                ; the line was masked before the load
.masked:
        mov     al, DISABLED
        cmp     word [core_state+STATE.memory], 0
        je      return
        jmp     done                ; REMOVED

; LOG: ES:DI = entries, DX = number of those ever written.
read_log:
        mov     dx, [written]
        mov     si, entries
in_es:  push    cs
        pop     es
        mov     di, si
done:   mov     al, COMPKT_CTL_DONE
return: ret

; GET: ES:DI = where the value is, CX = the value; of a pending one the wanted value, and DX = the value in force.
get:    call    find
        mov     cx, [si]
        mov     dx, [si+in_force-wanted]
        cmp     bl, COMPKT_PARAM_MEDIA
        jae     in_es
        mov     ch, 0
        jmp     in_es

; ROLLBACK.
rollback:
        mov     eax, [in_force]
        mov     [wanted], eax
        jmp     done

; APPLY. What it takes is in the file: a stage of the installer does it (src/install/stages/apply.rs).
apply:  mov     al, COMPKT_CTL_FILE
        ret

; REMOVE.
remove: push    es
        push    di
        pop     eax
        test    eax, eax
        jz      unknown
        call    place_of
        jne     unknown
        xor     [si+CALLBACK.at], eax           ; 0
        jmp     done

; REGISTER.
register:
        cmp     bx, COMPKT_PARAM_TX_RING
        ja      unknown
        call    signed
        jne     unknown
        xor     eax, eax
        call    place_of
        mov     al, COMPKT_CTL_NO_ROOM
        jne     return
        mov     [si+CALLBACK.at], di
        mov     [si+CALLBACK.at+2], es
        mov     [si+CALLBACK.parameter], bx     ; and it does not run
        jmp     done
unknown:
        mov     al, COMPKT_CTL_UNKNOWN
        ret

%include "ctl_set.inc"
%include "ctl_log.inc"

; Purpose:  Call a function of INT 60h, as an entry of the driver.
; In:       called by PUSHF, PUSH CS, CALL; DS = CS; SI = the function's number, its registers as specified
; Out:      as INT 60h
; Corrupts: nothing else
entry:  CALL_NEAR 0
.save   equ     $-2                 ; the core's `save`: told
        mov     si, [bx+FRAME.esi]
        JUMP_NEAR 0
.run    equ     $-2                 ; where the core calls function SI: told

; Purpose:  terminate: refuse if another program has hooked INT 2Dh since; otherwise restore its vector, too.
; In:       as a function of INT 60h
; Corrupts: as the core's
ctl_terminate:
        push    byte 0
        pop     es
        mov     ax, cs
        cmp     [es:4*INT_CTL+2], ax
        mov     al, CANT_TERMINATE
        jne     .done
        CALL_NEAR ctl_terminate
.below  equ     $-2                 ; the function below
        test    al, al
        jnz     .done
        push    byte 0
        pop     es
        mov     edx, [ctl.old]
        mov     [es:4*INT_CTL], edx
.done:  ret

section .bss align=1
; `/REPLACE` copies all of this from one copy to another, by its place before and behind `entries`
; (src/install/stages/handover.rs): other versions have the same, and may add to the end.
tables:
callbacks:      resb CALLBACK_size*COMPKT_CALLBACKS
.end:
entries:        resb COMPKT_LOG_size*COMPKT_LOG_ENTRIES
written:        resw 1              ; entries ever written
; The counts that the next tick expects: those at the last tick, but `lost` with the frames that the core has counted since,
; and the negative number of interrupts without a cause.
expected:       resw 1              ; errors_out
.lost:          resw 1
.spurious:      resw 1
link:           resb 1

; In the place of the tables, which the installer zeroes after `once` (linker/resident.ld).
section .init progbits alloc exec write align=1

once_at:        dw once

; Purpose:  Fill in what this feature is told; take the multiplex number of the copy that this one replaces, or a free one.
; In:       a far call; DS:BX = FACTS
; Corrupts: EAX, EBX, ECX, EDX, FLAGS, as `far_call` of asm/kernel.asm allows
global once
once:   push    ds
        push    es
        pusha
        push    cs
        pop     es
        cld
        mov     al, [bx+FACTS.amis]
        mov     [es:ctl.number], al
        mov     cx, [bx+FACTS.int60]
        mov     dx, [bx+FACTS.info]
        mov     bx, [bx+FACTS.points+2*POINT_TICK]
        push    cs
        pop     ds
        mov     al, [work+NIC_IRQ]
        mov     [flip.line], al
        test    al, al
        jnz     .line
        inc     byte [polled]
        add     byte [list.first], 3
.line:  mov     di, vectors
        mov     si, core_state + STATE.irq_slot
        lodsw
        shr     ax, 2
        stosb
        lodsw                       ; old_irq
        dec     ax
        dec     ax
        stosw
        lodsw                       ; int_slot
        shr     ax, 2
        stosb
        xchg    ax, cx
        stosw
        inc     di
        lea     ax, [bx-TICK_HEADER]
        stosw
        mov     bx, dx
        mov     ah, [ctl.number]
        test    ah, ah
        jnz     .free
        inc     ah                  ; 0 would say in the information block that there is none
.try:   mov     al, 0
        pusha
        int     INT_CTL
        test    al, al
        popa
        jz      .free
        inc     ah
        jnz     .try
        mov     byte [ctl.jump], 0EBh           ; all are taken: chain every call
.free:  mov     [ctl.number], ah
        mov     [bx+COMPKT_INFO_AMIS], ah
        popa
        pop     es
        pop     ds
        retf
