; The ctl feature of a driver with a pool.

%define WITH_POOL
%include "ctl.inc"
