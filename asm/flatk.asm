; The flat feature of an ISA card on a PC whose A20 the keyboard controller alone moves.

%define KEYBOARD_A20
%include "flat.inc"
