; The flat feature for an ISA card in a PC in which only the keyboard controller moves A20.

%define KEYBOARD_A20
%include "flat.inc"
