; A driver's entries, at offset 0 of its unit (src/resident/table.rs, Entry). src/units/mod.rs has them.

bits 16

extern irq, unmask, peek, copy, discard, send, set_rcv_mode, set_address, link, stop

section .unit_header progbits alloc exec

global unit_header
unit_header:
        dw irq, unmask, peek, copy, discard, send, set_rcv_mode, set_address, link, stop
