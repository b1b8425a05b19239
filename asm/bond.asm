; The bond feature: a filter above the feature that drives several NICs. src/bond/bond.rs decides; here are its header and the
; routines that reach the NICs and the client's frame.

%include "attach.inc"
%include "several.inc"
bits 16

extern irq, peek, send, tick, fields
extern work, core_state

FEATURE NEEDS_BOND, BLOCK_BOND, 64, BLOCK_BOND, NICS, BOND_ROW_size
PROVIDES POINT_CHOOSE, choose
PROVIDES POINT_BOND, fields
PROVIDES POINT_CURRENT, current
TOLD    points+2*POINT_MANY, 2, many_at
TOLD    table, 4, fields+BOND.first
TOLD    table, 2, fields+BOND.active
TOLD    table, 2, fields+BOND.looked
TAKES   POINT_ENTRIES, 0, own_irq
TAKES   POINT_ENTRIES, 2, own_peek
TAKES   POINT_ENTRIES, 5, own_send
TAKES   POINT_ENTRIES, 8, own_link
TAKES   POINT_TICK, 0, own_tick

section .unit_header progbits alloc exec write
; This unit's entries at the offsets of a driver's, because src/bond/bond_filter.rs calls them as such (`lower`). Attaching
; exchanges them for those of the filter below. Between and behind them stands what else the unit needs, and what PKTCTL looks
; for (src/bond/mod.rs, Head).
global unit_header
unit_header:
own_irq:        dw irq
many_at:        dw 0                ; MANY
own_peek:       dw peek
global choose
choose:         dw active           ; the flow table's choice of a NIC, if there is one
own_tick:       dw bond_tick
own_send:       dw send
                dw 0                ; the flow table's fields, if there is one: entry FLOWS_AT of POINT_CHOOSE
                dw 0
own_link:       dw link
                dw fields

section .text.bond progbits alloc exec nowrite align=1

; Purpose:  At each timer tick.
; In:       as a tick routine (asm/tick.asm)
bond_tick:
        call    tick
        jmp     [own_tick]

; Purpose:  link: that of the NIC that receives.
; In, out, corrupts: as a driver's entry
link:   mov     bx, [fields+BOND.active]

; Purpose:  Read a NIC's link.
; In:       BX = the NIC
; Out, corrupts: as a driver's entry
global link_of
link_of:
        call    ask
        jmp     [own_link]

; Purpose:  Send the job's frame by a NIC.
; In:       BX = the NIC
; Out, corrupts: as a driver's entry
global send_by
send_by:
        call    ask
        jmp     [own_send]

; Purpose:  Say which NIC the next call of an entry below is for.
; In:       BX = the NIC
; Out:      EBX = the device, for that call
; Corrupts: AX
ask:    mov     ax, [bx+BOND_ROW.slave]
        mov     bx, [many_at]
        mov     [bx+MANY.out], ax
        mov     ebx, [core_state+STATE.device]
        ret

; Purpose:  Find the NIC whose frame was peeked at. The rows are in the order of the records.
; Out:      AX = the NIC
; Corrupts: nothing else
global current
current:
        push    bx
        mov     bx, [many_at]
        mov     ax, [bx+MANY.rx]
        sub     ax, [bx+MANY.first]
        mov     bl, NIC_size
        div     bl                  ; 15 at most, and nothing remains
        mov     bl, BOND_ROW_size
        mul     bl
        add     ax, [fields+BOND.first]
        pop     bx
        ret

; Purpose:  The NIC that receives: the choice where there is no other.
; Out:      AX = the NIC
; Corrupts: nothing else
active: mov     ax, [fields+BOND.active]
        ret

%include "ticks.inc"

; Purpose:  Make the ARP request the job's frame.
; Corrupts: EAX
global compose
compose:
        mov     eax, [work+NIC_MAC]
        mov     [fields+BOND.arp+6], eax
        mov     [fields+BOND.arp+22], eax
        mov     ax, [work+NIC_MAC+4]
        mov     [fields+BOND.arp+10], ax
        mov     [fields+BOND.arp+26], ax
        mov     word [work+WORK_JOB+JOB.at], fields+BOND.arp
        mov     [work+WORK_JOB+JOB.at+2], cs
        mov     word [work+WORK_JOB+JOB.len], ARP_SIZE
        ret

; Purpose:  Copy the first bytes of the job's frame.
; Corrupts: EAX
global fetch_head
fetch_head:
        pusha
        push    ds
        call    frame
        push    es
        pop     ds
        push    cs
        pop     es
        mov     si, di
        mov     di, fields+BOND.head
        mov     cx, BOND_HEAD/4
        rep movsd
        pop     ds
        popa
        ret

; Purpose:  Exchange the source address of the job's frame with a NIC's own.
; In:       BX = the NIC
; Corrupts: EAX
global exchange
exchange:
        push    di
        call    frame
        mov     eax, [es:di+6]
        xchg    eax, [bx+BOND_ROW.own]
        mov     [es:di+6], eax
        mov     ax, [es:di+10]
        xchg    ax, [bx+BOND_ROW.own+4]
        mov     [es:di+10], ax
        push    cs
        pop     es
        pop     di
        ret

; Purpose:  Find the job's frame.
; Out:      ES:DI, so that its head does not reach the end of the segment
; Corrupts: AX
frame:  push    cx
        mov     cx, BOND_HEAD
        les     di, [work+WORK_JOB+JOB.at]
        WHOLE   es, di
        pop     cx
        ret
