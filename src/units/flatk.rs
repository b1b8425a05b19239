//! The flat feature: asm/flatk.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
