; The feature that drops frames which come by several NICs of a bond (src/bond/doubles.rs): a filter above the bond.

%include "attach.inc"
bits 16

extern peek

FEATURE NEEDS_DOUBLES, BLOCK_DOUBLES, 0
TOLD    points+2*POINT_BOND, 2, bond_at
TOLD    points+2*POINT_CURRENT, 2, current_at
TAKES   POINT_ENTRIES, 2, own_peek

section .unit_header progbits alloc exec write
; This unit's entry at the offset of a driver's (asm/bond.asm).
global unit_header
unit_header:
global bond_at
bond_at:        dw 0                ; near address of the bond's fields
current_at:     dw 0                ; and of its routine `current`
own_peek:       dw peek

section .text.doubles progbits alloc exec nowrite align=1

; Purpose:  Find the NIC whose frame was peeked at.
; Out:      AX = the NIC
; Corrupts: nothing else
global current
current:
        jmp     [current_at]

%include "ticks.inc"
