; The lacp feature: a filter between the feature that drives several NICs and the bond's (src/lacp/filter.rs).

%include "attach.inc"
%include "several.inc"
bits 16

extern irq, peek, link, tick, frame
extern work

FEATURE NEEDS_LACP, BLOCK_LACP, 64, BLOCK_LACP, BUFFERS
TOLD    table, 2, ports_at
TOLD    points+2*POINT_MANY, 2, many_at
TAKES   POINT_ENTRIES, 0, own_irq
TAKES   POINT_ENTRIES, 2, own_peek
TAKES   POINT_ENTRIES, 8, own_link
TAKES   POINT_TICK, 0, own_tick
TAKES   POINT_MANY, MANY.receive/2, own_receive

BROADCAST       equ 3               ; receive modes
MULTICAST       equ 4
ALL_GROUPS      equ 5
GROUPS          equ 8               ; the most addresses of the multicast list

section .unit_header progbits alloc exec write
; This unit's entries at the offsets of a driver's (asm/bond.asm).
global unit_header
unit_header:
own_irq:        dw irq
global many_at
many_at:        dw 0                ; MANY
own_peek:       dw peek
own_tick:       dw lacp_tick
own_receive:    dw receive          ; `one` of asm/many.asm
global ports_at
ports_at:       dw 0                ; near address of the aggregator
                dw 0, 0
own_link:       dw link

section .text.lacp progbits alloc exec nowrite align=1

; Purpose:  At each timer tick.
; In:       as a tick routine (asm/tick.asm)
lacp_tick:
        call    tick
        jmp     [own_tick]

; Purpose:  Make the frame the job's.
; Corrupts: nothing
global aim
aim:    mov     word [work+WORK_JOB+JOB.at], frame + 2
        mov     [work+WORK_JOB+JOB.at+2], cs
        ret

; Purpose:  Call an entry of a NIC's driver.
; In:       BX = its record, DX = offset of the entry
; Out:      AL = the driver's answer
; Corrupts: AH
global ask_nic
ask_nic:
        push    si
        mov     si, bx
        call    [own_receive]
        pop     si
        ret

; Purpose:  Have a NIC receive the group of LACPDUs, too. A NIC that is turned off stays so.
; In:       SI = record, DX = SET_RCV_MODE, as `one`
; Corrupts: AX
receive:
        pusha
        mov     di, work+WORK_GROUPS
        mov     bl, [work+NIC_RCV_MODE]
        cmp     bl, BROADCAST
        jb      .plain
        cmp     bl, MULTICAST
        ja      .plain
        mov     cx, [di-2]
        push    cx
        je      .behind
        xor     cx, cx              ; only this group
.behind:
        cmp     cx, GROUPS
        jae     .all
        imul    ax, cx, 6
        add     di, ax
        inc     cx
        mov     [work+WORK_GROUPS-2], cx
        push    dword [di]
        push    word [di+4]
        mov     dword [di], 00C28001h
        mov     word [di+4], 0200h
        mov     byte [work+NIC_RCV_MODE], MULTICAST
        call    [own_receive]
        pop     word [di+4]
        pop     dword [di]
        jmp     short .back
.all:   mov     byte [work+NIC_RCV_MODE], ALL_GROUPS
        call    [own_receive]
.back:  mov     [work+NIC_RCV_MODE], bl
        pop     word [work+WORK_GROUPS-2]
        popa
        ret
.plain: call    [own_receive]
        popa
        ret
