//! The feature that spreads what a bond sends over its NICs.
#![no_std]
#![no_main]
#![allow(missing_docs, non_upper_case_globals, reason = "names are asm's; docs are where they are implemented")]

use compkt::bond::flows::Fields;
use compkt::bond::flows_filter as filter;

// Not among what is zeroed at load: the installer fills in some fields after that.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".data.table")]
static mut fields: Fields = Fields::NEW;

#[unsafe(no_mangle)]
extern "fastcall" fn choose() -> u16 {
    filter::choose()
}
#[unsafe(no_mangle)]
extern "fastcall" fn tick() {
    filter::tick();
}
compkt::no_panic!();
