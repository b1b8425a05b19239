//! The ifs feature: asm/ifs.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
