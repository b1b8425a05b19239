//! The ctl feature: asm/ctl.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
