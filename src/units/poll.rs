//! The poll feature: asm/poll.asm and nothing else.
#![no_std]
#![no_main]

compkt::no_panic!();
