//! The filter of [`super::doubles`] in the image, above the bond's.
//!
//! Each `unsafe` block here reaches statics of the core or of this unit. Interrupts are off, and no reference is alive across
//! a call.

use super::Fields as BondFields;
use super::doubles::{Around, Doubles, Fields};
use crate::device::{Job, MacAddr};
use crate::resident::state::{at, job, lower, nic};
use crate::resident::table::Entry;

unsafe extern "C" {
    // In units/doubles.rs.
    static mut fields: Fields;
    // In asm/doubles.asm.
    static mut bond_at: u16;
}

/// The filter, in the image.
#[derive(Clone, Copy)]
pub struct Here;

impl Around for Here {
    #[inline(always)]
    fn fields(self) -> *mut Fields {
        &raw mut fields
    }
    #[inline(always)]
    fn bond(self) -> *mut BondFields {
        // SAFETY: the installer has filled it in.
        at(unsafe { bond_at })
    }
    #[inline(always)]
    fn job(self) -> *mut Job {
        job()
    }
    #[inline(always)]
    fn address(self) -> *const MacAddr {
        // SAFETY: takes the address only.
        unsafe { &raw const (*nic()).mac }
    }
    #[inline(always)]
    fn now(self) -> u16 {
        routine!("now")
    }
    #[inline(always)]
    fn current(self) -> u16 {
        routine!("current")
    }
}

/// [`Entry::Peek`].
#[inline(always)]
pub fn peek() {
    lower(Entry::Peek);
    Doubles(Here).peeked();
}
