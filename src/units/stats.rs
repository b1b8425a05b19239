//! The stats feature: asm/stats.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
