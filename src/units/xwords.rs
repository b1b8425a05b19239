//! The feature that copies frames between a port of 16 bits and the pool in XMS: asm/xwords.asm.
#![no_std]
#![no_main]

compkt::no_panic!();
