//! The bond feature.
#![no_std]
#![no_main]
#![allow(missing_docs, non_upper_case_globals, reason = "names are asm's; docs are where they are implemented")]

use compkt::bond::{Fields, bond_filter as filter};

// Not among what is zeroed at load: the installer fills in some fields after that.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".data.table")]
static mut fields: Fields = Fields::NEW;

#[unsafe(no_mangle)]
extern "fastcall" fn irq() -> u8 {
    filter::irq()
}
#[unsafe(no_mangle)]
extern "fastcall" fn peek() {
    filter::peek();
}
#[unsafe(no_mangle)]
extern "fastcall" fn send() -> u8 {
    filter::send()
}
#[unsafe(no_mangle)]
extern "fastcall" fn tick() {
    filter::tick();
}
compkt::no_panic!();
