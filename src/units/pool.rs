//! The pool feature in real mode with XMS.
#![no_std]
#![no_main]
#![allow(missing_docs, non_upper_case_globals, reason = "names are asm's; docs are where they are implemented")]

use compkt::memory::Stats;
use compkt::memory::direct::Fields;
use compkt::memory::direct_filter as filter;
use compkt::resident::frame::Frame;

// Not among what is zeroed at load: the installer fills in some fields after that.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".data.table")]
static mut table: Fields = Fields { stats: Stats { flags: Stats::DIRECT, ..Stats::ZERO }, ..Fields::ZERO };

#[unsafe(no_mangle)]
extern "fastcall" fn run() {
    filter::run();
}
#[unsafe(no_mangle)]
extern "fastcall" fn peek() {
    filter::peek();
}
#[unsafe(no_mangle)]
extern "fastcall" fn copy() {
    filter::copy();
}
#[unsafe(no_mangle)]
extern "fastcall" fn discard() {
    filter::discard();
}
#[unsafe(no_mangle)]
extern "fastcall" fn delay(asked: u8) -> u8 {
    filter::delay(asked)
}
#[unsafe(no_mangle)]
extern "fastcall" fn drop_pkt(caller: &Frame, frame: u16) -> u8 {
    filter::drop_pkt(caller, frame)
}
#[unsafe(no_mangle)]
extern "fastcall" fn release(handle: u16) {
    filter::release(handle);
}
compkt::no_panic!();
