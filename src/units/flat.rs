//! The flat feature: asm/flat.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
