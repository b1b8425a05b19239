//! The vds feature: asm/vds.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
