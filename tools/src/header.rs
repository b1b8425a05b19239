//! The layout of `3compkt.h`, the C header for client programs, by a C compiler.

use std::ffi::{CStr, c_char, c_uint};

#[repr(C)]
struct Entry {
    name: *const c_char,
    value: c_uint,
}

unsafe extern "C" {
    static compkt_layout: Entry;
    static compkt_signature: [c_char; 5];
}

/// Sizes (`info`), offsets (`info.flags`) and constants (`FLAG_UPPER`).
pub fn layout() -> Vec<(&'static str, u32)> {
    let mut all = Vec::new();
    let mut entry = &raw const compkt_layout;
    loop {
        // SAFETY: header.c ends its table with a null name, and its names are string literals.
        let name = unsafe {
            if (*entry).name.is_null() {
                return all;
            }
            CStr::from_ptr((*entry).name)
        };
        // SAFETY: as above; the table has not ended.
        unsafe {
            all.push((name.to_str().unwrap_or_default(), (*entry).value));
            entry = entry.add(1);
        }
    }
}

/// The signature.
pub fn signature() -> &'static [u8] {
    // SAFETY: a string literal of four characters and its end.
    unsafe { CStr::from_ptr((&raw const compkt_signature).cast()) }.to_bytes()
}
