//! The flat feature: asm/flati.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
