//! LACP in the image: a filter between the feature that drives several NICs and the bond's.
//!
//! A NIC's port lies as far behind the first port as its record behind the first record: both have the same size.
//!
//! Each `unsafe` block here reaches statics of the core, of this unit or of `many`. Interrupts are off, and no reference is alive
//! across a call.
#![cfg(target_os = "none")]

use core::arch::asm;
use core::mem::offset_of;
use core::ptr::slice_from_raw_parts_mut;

use super::frame::{Frame, LACPDU, LEN, MARKER, TYPE};
use super::{Aggregator, CARRIES, HEAD, PORT, Port, SEND, Verdict};
use crate::bond::bond::SENT;
use crate::device::{Events, Job, Link, Rx};
use crate::resident::several::{Many, NIC, Nic};
use crate::resident::state::{at, depth, job, lower};
use crate::resident::table::Entry;

unsafe extern "C" {
    // In asm/lacp.asm: near addresses of the aggregator and of the fields of `many`.
    static ports_at: u16;
    static many_at: u16;
    // In units/lacp.rs.
    static mut frame: [u8; ROOM];
}

/// LACPDUs that are taken at once: one of each NIC.
const MOST: u8 = crate::bond::NICS as u8;
/// The longest frame that is taken: a card may pad it.
const LONGEST: u16 = LEN as u16 + 4;
/// Bytes of a [`Frame`] of that length.
pub const ROOM: usize = size_of::<Frame>() + 4;
/// The type of LACPDUs and markers, as it lies in a frame.
const KIND: u16 = u16::from_le_bytes(TYPE);

const _: () = assert!(NIC == PORT);

fn many() -> *mut Many {
    // SAFETY: the installer has filled it in.
    at(unsafe { many_at })
}

fn the_frame() -> *mut Frame {
    &raw mut frame as *mut Frame
}

/// The bond's ports.
#[inline(never)]
fn all<'a>() -> &'a mut Aggregator {
    // SAFETY: the installer has filled in the count, which is the first byte, and as many ports.
    unsafe {
        let count: *mut u8 = at(ports_at);
        &mut *(slice_from_raw_parts_mut(count, *count as usize) as *mut Aggregator)
    }
}

/// The port of the NIC that has this record.
#[inline(never)]
fn port_of(record: u16) -> *mut Port {
    // SAFETY: see above.
    unsafe { at(record.wrapping_sub((*many()).first).wrapping_add(ports_at).wrapping_add(HEAD)) }
}

/// Calls an entry of the driver of the NIC that has this record, with `len` bytes of the frame as the job's.
#[inline(never)]
fn ask(entry: Entry, record: u16, len: u16) -> u8 {
    let answer: u32;
    unsafe {
        (*job()).len = len;
        // SAFETY: see asm/lacp.asm.
        asm!("call aim", out("eax") _);
        asm!("call ask_nic", inout("ecx") record as u32 => _, inout("edx") 2 * entry as u32 => _, out("eax") answer);
    }
    answer as u8
}

/// [`Entry::Peek`]: takes LACPDUs and markers out, and all frames of a port that does not carry.
#[inline(always)]
pub fn peek() {
    let mut left = MOST;
    loop {
        lower(Entry::Peek);
        unsafe {
            let length = Rx::word((*job()).rx);
            if length <= 0 {
                return;
            }
            let record = (*many()).rx;
            let port = port_of(record);
            let head = &raw const (*job()).head as *const u8;
            let subtype = *head.add(14);
            let slow = (head.add(12) as *const u16).read_unaligned() == KIND && (subtype == LACPDU || subtype == MARKER);
            if !slow && (*port).flags.get() & CARRIES != 0 {
                return;
            }
            left -= 1;
            if !slow || left == 0 || length as u16 > LONGEST {
                all().received(Verdict::Dropped);
                Job::refuse(job());
                return;
            }
            (*the_frame()).len = length as u16;
            ask(Entry::Copy, record, length as u16);
            let verdict = (*port).receive(&mut *the_frame());
            all().received(verdict);
            if verdict == Verdict::Send {
                ask(Entry::Send, record, LEN as u16);
            }
        }
    }
}

/// [`Entry::Irq`]: when a link may have changed, another port may carry now. So all are settled before the bond looks at the NICs,
/// and it is to look at all.
#[inline(always)]
pub fn irq() -> u8 {
    let Events(changed) = Events::LINK;
    let events = lower(Entry::Irq);
    if events & changed != 0 {
        unsafe {
            let mut record = (*many()).first;
            while record != (*many()).end {
                (*many()).out = record;
                link();
                // SAFETY: the NIC's record, which the installer has made.
                *at::<u8>(record + offset_of!(Nic, events) as u16) |= changed;
                record += NIC;
            }
        }
    }
    events
}

/// [`Entry::Link`]: a port that does not carry has no link.
#[inline(never)]
pub fn link() -> u8 {
    let up = lower(Entry::Link) != Link::Down as u8;
    unsafe {
        let port = port_of((*many()).out);
        if (*port).set_link(up) {
            all().settle();
        }
        if (*port).flags.get() & CARRIES != 0 { Link::Up as u8 } else { Link::Down as u8 }
    }
}

/// At each timer tick.
#[inline(always)]
pub fn tick() {
    unsafe {
        if *depth() != 1 || !all().tick() {
            return;
        }
        let mut record = (*many()).first;
        while record != (*many()).end {
            let port = port_of(record);
            if (*port).sends() {
                (*port).fill(&mut *the_frame());
                if ask(Entry::Send, record, LEN as u16) != SENT {
                    (*port).flags.set((*port).flags.get() | SEND);
                }
            }
            record += NIC;
        }
    }
}
