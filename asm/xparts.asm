; The same as asm/xrings.asm for a driver that takes a frame from its ring in parts.

%define PARTS
%include "xrings.asm"
