; The flat feature for a PCI card whose command register has no bit for its interrupt, and for an ISA card in a PC in which
; port 92h moves A20.

%include "flat.inc"
