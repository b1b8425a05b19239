//! The feature that copies frames between a port of 8 bits and the pool in XMS: asm/xbytes.asm.
#![no_std]
#![no_main]

compkt::no_panic!();
