//! The share feature: asm/share.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
