//! The shift feature: asm/shift.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
