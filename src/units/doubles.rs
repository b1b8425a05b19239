//! The feature that drops frames which come by several NICs of a bond.
#![no_std]
#![no_main]
#![allow(missing_docs, non_upper_case_globals, reason = "names are asm's; docs are where they are implemented")]

use compkt::bond::doubles::Fields;
use compkt::bond::doubles_filter as filter;

#[unsafe(no_mangle)]
static mut fields: Fields = Fields::NEW;

#[unsafe(no_mangle)]
extern "fastcall" fn peek() {
    filter::peek();
}
compkt::no_panic!();
