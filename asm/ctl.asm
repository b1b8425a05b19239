; The ctl feature of a driver without a pool.

%include "ctl.inc"
