; The header of a driver's unit, at its offset 0: the near addresses of the driver's ten entries (src/resident/table.rs,
; Entry). The entries are functions of the macro `driver_unit` in src/units/mod.rs.

bits 16

extern irq, unmask, peek, copy, discard, send, set_rcv_mode, set_address, link, stop

section .unit_header progbits alloc exec

global unit_header
unit_header:
        dw irq, unmask, peek, copy, discard, send, set_rcv_mode, set_address, link, stop
