//! The bond's filter between the core and the feature that drives several NICs.
//!
//! Each `unsafe` block here reaches statics of the core or of this unit. Interrupts are off, and no reference is alive across
//! a call.

use core::mem::offset_of;

use super::bond::{Below, Bond};
use super::{Fields, Row};
use crate::bus::Bus;
use crate::bus::real::Machine;
use crate::device::{Events, Job};
use crate::resident::several::Nic;
use crate::resident::state::{at, depth, job, lower};
use crate::resident::table::Entry;

unsafe extern "C" {
    // In units/bond.rs.
    static mut fields: Fields;
}

/// The bond, in the image.
#[derive(Clone, Copy)]
pub struct Here;

const BOND: Bond<Here> = Bond(Here);

/// Calls a routine of asm/bond.asm for a NIC; its answer.
macro_rules! ask {
    ($routine:literal, $nic:expr) => {{
        let answer: u32;
        // SAFETY: a row of the bond's. A driver keeps neither EAX and EDX nor ECX (which is EBX after tools/src/narrow).
        unsafe { core::arch::asm!(concat!("call ", $routine), inout("ecx") $nic as u32 => _, out("edx") _, out("eax") answer) };
        answer
    }};
}

impl Below for Here {
    #[inline(always)]
    fn fields(self) -> *mut Fields {
        &raw mut fields
    }
    #[inline(always)]
    fn row(self, near: u16) -> *mut Row {
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
    fn clock(self) -> u16 {
        Machine.clock()
    }
    #[inline(always)]
    fn is_alone(self) -> bool {
        unsafe { *depth() == 1 }
    }
    #[inline(always)]
    fn current(self) -> u16 {
        routine!("current")
    }
    #[inline(always)]
    fn has_event(self, nic: u16) -> bool {
        let Events(link) = Events::LINK;
        // SAFETY: the NIC's record, which the installer has made.
        unsafe { *at::<u8>((*self.row(nic)).slave + offset_of!(Nic, events) as u16) & link != 0 }
    }
    #[inline(always)]
    fn link(self, nic: u16) -> u8 {
        ask!("link_of", nic) as u8
    }
    #[inline(always)]
    fn send(self, nic: u16) -> u8 {
        ask!("send_by", nic) as u8
    }
    #[inline(always)]
    fn exchange(self, row: *mut Row) {
        // SAFETY: a row of the bond's; it changes EAX alone.
        unsafe { core::arch::asm!("call exchange", in("ecx") row, out("eax") _) };
    }
    #[inline(always)]
    fn fetch(self) {
        routine!("fetch_head");
    }
    #[inline(always)]
    fn choose(self) -> u16 {
        let answer: u32;
        // SAFETY: the flow table's choice, or asm/bond.asm's own.
        unsafe { core::arch::asm!("call word ptr [choose]", out("eax") answer, out("ecx") _, out("edx") _) };
        answer as u16
    }
    #[inline(always)]
    fn compose(self) {
        routine!("compose");
    }
}

/// [`Entry::Irq`].
#[inline(always)]
pub fn irq() -> u8 {
    let Events(link) = Events::LINK;
    let events = lower(Entry::Irq);
    if events & link != 0 {
        BOND.link_event();
    }
    events
}

/// [`Entry::Peek`].
#[inline(always)]
pub fn peek() {
    lower(Entry::Peek);
    BOND.peeked();
}

/// [`Entry::Send`].
#[inline(always)]
pub fn send() -> u8 {
    BOND.send()
}

/// At each timer tick.
#[inline(always)]
pub fn tick() {
    BOND.tick();
}
