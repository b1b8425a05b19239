//! The feature that copies frames between a card's FIFO and the pool in XMS: asm/xfifo.asm.
#![no_std]
#![no_main]

compkt::no_panic!();
