//! The count feature: asm/count.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
