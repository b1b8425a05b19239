; The count feature: counts the frames that receivers take. It is of little use; README, Adding a feature, explains it line by
; line.

%include "attach.inc"
bits 16

; src/resident/table.rs, Entry.
TAKE        equ 3

FEATURE NEEDS_COUNT, BLOCK_EXAMPLE, 0
TAKES   POINT_ENTRIES, TAKE, take

section .unit_header progbits alloc exec write
global unit_header
unit_header:
count:          dd 0                ; PKTCTL status looks for it at the start of the block
take:           dw count_take       ; once attached, the entry of the driver or of the filter below

section .text.count progbits alloc exec nowrite align=1

; Purpose:  A receiver takes a frame: count it.
; In:       as a driver's entry
; Corrupts: what the entry below does
count_take:
        inc     dword [count]
        jmp     [take]
