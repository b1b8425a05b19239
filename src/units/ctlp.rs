//! The ctlp feature: asm/ctlp.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
