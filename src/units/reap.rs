//! The reap feature: asm/reap.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
