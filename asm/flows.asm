; The feature that spreads what a bond sends over its NICs (src/bond/flows.rs). The bond calls it.

%include "attach.inc"
bits 16

extern choose, tick, fields
extern work

FEATURE NEEDS_FLOWS, BLOCK_FLOWS, 64, BLOCK_FLOWS, BUFFERS
TOLD    algorithm, 1, fields+FLOWS.algorithm
TOLD    mask, 2, fields+FLOWS.mask
TOLD    points+2*POINT_BOND, 2, bond_at
TOLD    table, 2, fields+FLOWS.table
TAKES   POINT_CHOOSE, 0, own_choose
TAKES   POINT_CHOOSE, FLOWS_AT, fields_at
TAKES   POINT_TICK, 0, own_tick

section .unit_header progbits alloc exec write
global unit_header
unit_header:
own_choose:     dw choose
own_tick:       dw flows_tick
global bond_at
bond_at:        dw 0                ; near address of the bond's fields
fields_at:      dw fields

section .text.flows progbits alloc exec nowrite align=1

; Purpose:  At each timer tick.
; In:       as a tick routine (asm/tick.asm)
flows_tick:
        call    tick
        jmp     [own_tick]

%include "ticks.inc"

; Purpose:  Ask the client's routine for the NIC of a new flow. While the routine runs it is forgotten: one that never returns
;           is not called again, nor one whose signature was overwritten, nor one that names a NIC that does not exist.
; Out:      AX = the NIC; 0: no NIC
; Corrupts: nothing else
global wanted
wanted: pushad
        mov     bp, sp
        xor     eax, eax
        mov     [bp+EAX_AT], ax
        xchg    eax, [fields+FLOWS.hook]
        test    eax, eax
        jz      .out
        push    eax
        les     di, [bp-4]
        cmp     di, 4
        jb      .drop
        mov     edx, [es:di-4]
        inc     edx                 ; the signature itself must not be in this code
        cmp     edx, COMPKT_CALLBACK+1
        jne     .drop
        mov     bx, [bond_at]
        lea     si, [bx+BOND.head]
        mov     cx, [work+WORK_JOB+JOB.len]
        push    bp
        call    far [bp-4]
        cli
        cld
        push    cs
        pop     ds
        pop     bp
        mov     ah, 0
        mov     bx, [bond_at]
        cmp     al, 0FFh
        je      .keep
        imul    ax, ax, BOND_ROW_size
        add     ax, [bx+BOND.first]
        cmp     ax, [bx+BOND.end]
        jae     .drop
        xchg    ax, bx
        test    byte [bx], 80h
        jz      .keep
        mov     [bp+EAX_AT], bx
.keep:  mov     eax, [bp-4]
        mov     [fields+FLOWS.hook], eax
.drop:  mov     sp, bp
.out:   push    cs
        pop     es
        popad
        ret
EAX_AT  equ 28

%include "3compkt.inc"
