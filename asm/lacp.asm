; The unit of LACP: the near addresses of its entries (src/units/lacp.rs), in this order, and of the frame that they share.

bits 16

extern tick, link, receive, fill, frame

section .unit_header progbits alloc exec nowrite align=1
global unit_header
unit_header:
                dw tick, link, receive, fill, frame
