; The flat feature for a PCI card that can switch its interrupt off (PCI 2.3).

%define INTX
%include "flat.inc"
