//! The many feature: asm/many.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
