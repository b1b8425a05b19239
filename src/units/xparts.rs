//! The feature that copies frames between rings in XMS and the pool in XMS: asm/xparts.asm.
#![no_std]
#![no_main]

compkt::no_panic!();
