//! The flow table in the image.
//!
//! Each `unsafe` block here reaches statics of the core or of this unit. Interrupts are off, and no reference is alive across
//! a call.

use super::flows::{Above, Fields, Flow, Table};
use super::{Fields as BondFields, Row};
use crate::device::Job;
use crate::resident::state::{at, job};

unsafe extern "C" {
    // In units/flows.rs.
    static mut fields: Fields;
    // In asm/flows.asm.
    static mut bond_at: u16;
}

/// The table, in the image.
#[derive(Clone, Copy)]
pub struct Here;

const TABLE: Table<Here> = Table(Here);

impl Above for Here {
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
    fn row(self, near: u16) -> *mut Row {
        at(near)
    }
    #[inline(always)]
    fn flow(self, near: u16) -> *mut Flow {
        at(near)
    }
    #[inline(always)]
    fn set(self, near: u16) -> *mut [Flow; 2] {
        at(near)
    }
    #[inline(always)]
    fn job(self) -> *mut Job {
        job()
    }
    #[inline(always)]
    fn now(self) -> u16 {
        routine!("now")
    }
    #[inline(always)]
    fn wanted(self) -> u16 {
        routine!("wanted")
    }
}

/// The bond asks for a NIC.
#[inline(always)]
pub fn choose() -> u16 {
    TABLE.choose()
}

/// At each timer tick.
#[inline(always)]
pub fn tick() {
    TABLE.tick();
}
