; The pool feature without XMS.

%define NO_XMS
%include "pool.inc"
