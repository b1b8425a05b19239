//! The tick feature: asm/tick.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
