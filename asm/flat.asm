; The flat feature of an ISA card on a PC whose A20 port 92h moves, and of a PCI card whose command register has no bit to
; switch its interrupt off.

%include "flat.inc"
