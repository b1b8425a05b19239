//! The core's state: its statics, reached by raw pointers, so that no borrow is alive across a call into a driver or a
//! client. Interrupts are off whenever this code runs, so that no half-written value is ever read.

use core::ptr::addr_of_mut;

use super::handle::{Handle, KNOWN, Known, Slots, place_of};
use super::table::{Entry, State, Work};
use crate::device::{Counters, Job};
use crate::info::{Info, NicInfo};

macro_rules! field {
    ($(#[$doc:meta])* $name:ident: $type:ty = $($path:tt)+) => {
        $(#[$doc])*
        #[inline(always)]
        pub fn $name() -> *mut $type {
            // SAFETY: takes the address only. (For a whole static that needs no `unsafe`.)
            #[allow(unused_unsafe)]
            unsafe {
                addr_of_mut!($($path)+)
            }
        }
    };
}

// Defined in units/core.rs. asm/ uses all but the last three by name.
unsafe extern "C" {
    static mut core_state: State;
    static mut info: Info;
    static mut work: Work;
    static mut busy: u8;
    static mut open: u8;
    static mut getter: u16;
    static mut pending: u8;
    static mut known: [Known; KNOWN];
}

field!(/// The fields that the installer has filled in.
    state: State = core_state);
field!(/// The head of the information block.
    head_of_info: Info = info);
field!(/// The data that the driver's entries use.
    desk: Work = work);
field!(/// The NIC's part of the information block.
    nic: NicInfo = work.nic);
field!(/// Number of entries in progress.
    depth: u8 = busy);
field!(/// The work for the way out of an entry.
    work_left: u8 = pending);
field!(/// Number of open handles.
    opened: u8 = open);
field!(/// The type cache.
    all_known: [Known; KNOWN] = known);
field!(/// The handle that gets the peeked frame; 0: none.
    taker: u16 = getter);
field!(/// The frame on its way.
    job: Job = work.job);

/// Calls an entry in the named table, with the device that the installer filled in; its result is the entry's.
#[macro_export]
macro_rules! call_by {
    ($table:literal, $entry:expr, $($name:ident)*) => {
        match $entry { $(
            $crate::resident::table::Entry::$name => {
                let answer: u32;
                // SAFETY: the installer filled in both near addresses. A driver keeps neither EAX and EDX nor ECX (which is
                // EBX after tools/src/narrow).
                unsafe {
                    core::arch::asm!(
                        "mov ecx, dword ptr [core_state]", concat!("call word ptr [", $table, " + {}]"),
                        const 2 * $crate::resident::table::Entry::$name as u16,
                        out("ecx") _, out("edx") _, out("eax") answer,
                    );
                }
                answer as u8
            })*
        }
    };
}

/// Calls an entry of the driver, or of the filter above it; returns its answer.
#[inline(always)]
pub fn drive(entry: Entry) -> u8 {
    call_by!("entries", entry, Irq Unmask Peek Copy Discard Send SetRcvMode SetAddress Link Stop)
}

/// Calls, from a filter, the entry of the next filter below it, or the driver's; its address is in the filter's own header.
/// Only return the answer after [`Entry::Irq`], which keeps no register.
#[inline(always)]
pub fn lower(entry: Entry) -> u8 {
    call_by!("unit_header", entry, Irq Unmask Peek Copy Discard Send SetRcvMode SetAddress Link Stop)
}

/// A pointer to something at a near address. The assembly makes rustc hold it in ECX, which becomes BX (tools/src/narrow):
/// rustc would choose AX or DX, which cannot address.
#[inline(always)]
pub fn at<T>(near: u16) -> *mut T {
    let place: u32;
    // SAFETY: it has no instruction.
    unsafe { core::arch::asm!("", inlateout("ecx") near as u32 => place, options(pure, nomem, nostack, preserves_flags)) };
    place as *mut T
}

/// The device's counters, the first field of every device.
#[inline(always)]
pub fn counters() -> *mut Counters {
    // SAFETY: written once, by the installer.
    at(unsafe { (*state()).device } as u16)
}

/// The handle with this near address.
#[inline(always)]
pub fn handle(near: u16) -> *mut Handle {
    at(near)
}

/// The entry of the type cache for a type.
#[inline(always)]
pub fn known_of(kind: u16) -> *mut Known {
    // SAFETY: takes the address only.
    #[allow(unused_unsafe)]
    let first = unsafe { addr_of_mut!(known) } as u32 as u16;
    at(first + place_of(kind))
}

/// Clears the type cache, because the handles have changed.
#[inline(never)]
pub fn forget() {
    // SAFETY: interrupts are off; the cache has twice four bytes.
    unsafe {
        // In assembly: rustc would store two immediate zeros, of four bytes each.
        core::arch::asm!(
            "xor {0:e}, {0:e}", "mov dword ptr [known], {0:e}", "mov dword ptr [known + 4], {0:e}",
            out(reg) _, options(nostack),
        );
    }
}

/// The handle table.
#[derive(Clone, Copy)]
pub struct Handles;

impl Slots for Handles {
    #[inline(always)]
    fn first(self) -> *mut Handle {
        // SAFETY: written once, by the installer.
        unsafe { (*head_of_info()).handles as u32 as *mut Handle }
    }

    #[inline(always)]
    fn count(self) -> u8 {
        // SAFETY: written once, by the installer.
        unsafe { (*head_of_info()).handle_count }
    }

    #[inline(always)]
    unsafe fn alike(self, slot: *const Handle, bytes: *const u8) -> u8 {
        unsafe extern "fastcall" {
            /// asm/transfer.asm: compares bytes with a handle's type.
            fn alike(slot: *const Handle, bytes: *const u8) -> u8;
        }
        // SAFETY: as the caller promises.
        unsafe { alike(slot, bytes) }
    }
}
