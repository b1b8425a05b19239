//! The lacp feature.
#![no_std]
#![no_main]
#![allow(missing_docs, non_upper_case_globals, reason = "names are asm's; docs are where they are implemented")]

use compkt::lacp::filter::{self, ROOM};

/// The frame that came, or that is to be sent ([`compkt::lacp::frame::Frame`]).
#[unsafe(no_mangle)]
static mut frame: [u8; ROOM] = [0; ROOM];

#[unsafe(no_mangle)]
extern "fastcall" fn irq() -> u8 {
    filter::irq()
}
#[unsafe(no_mangle)]
extern "fastcall" fn peek() {
    filter::peek();
}
#[unsafe(no_mangle)]
extern "fastcall" fn link() -> u8 {
    filter::link()
}
#[unsafe(no_mangle)]
extern "fastcall" fn tick() {
    filter::tick();
}
compkt::no_panic!();
