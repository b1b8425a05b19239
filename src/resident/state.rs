//! The core's state: statics of this unit, reached by raw pointers so that no borrow outlives a call into a driver
//! or a client. Interrupts are off whenever this code runs, so nothing here is ever seen half written.

use core::ptr::{addr_of, addr_of_mut};

use super::frame::Upcall;
use super::handle::{Handle, Table};
use super::table::{BLOCKS, Filter, Send, State, UnitHeader};
use crate::device::{Counters, Head};
use crate::info::{Block, Info, NicInfo};

/// What AH=80h shows: the head, the NIC and the blocks, one behind the other.
#[repr(C)]
pub struct InfoArea {
    /// The head.
    pub head: Info,
    /// The NIC.
    pub nic: NicInfo,
    /// The blocks.
    pub blocks: [Block; BLOCKS],
}

/// What the core knows besides what the installer told it.
#[repr(C)]
pub struct Core {
    /// Filled in by the installer.
    pub state: State,
    /// The lookahead of the frame in hand.
    pub head: Head,
    /// The receive mode and the multicast list in force.
    pub filter: Filter,
    /// The frame that is being sent.
    pub send: Send,
    /// An interrupt came while the core was busy: look again before leaving.
    pub pending: u8,
}

macro_rules! field {
    ($(#[$doc:meta])* $name:ident: $type:ty = $($path:tt)+) => {
        $(#[$doc])*
        #[inline(always)]
        pub fn $name() -> *mut $type {
            // SAFETY: only the address is taken; and a bare static needs no `unsafe` for that.
            #[allow(unused_unsafe)]
            unsafe {
                addr_of_mut!($($path)+)
            }
        }
    };
}

// The statics that asm/ knows by name; units/core.rs has them.
unsafe extern "C" {
    static mut core_state: Core;
    static mut info: InfoArea;
    static mut call_frame: Upcall;
    static mut busy: u8;
}

field!(/// The installer's part.
    state: State = core_state.state);
field!(/// The lookahead buffer.
    head: Head = core_state.head);
field!(/// The receive mode and the multicast list.
    filter: Filter = core_state.filter);
field!(/// The frame that is being sent.
    sending: Send = core_state.send);
field!(/// See [`Core::pending`].
    pending: u8 = core_state.pending);
field!(/// The information block.
    info_area: InfoArea = info);
field!(/// The upcall in hand.
    call: Upcall = call_frame);
field!(/// Depth of entries.
    depth: u8 = busy);

/// The NIC as INT 60h sees it.
#[inline(always)]
pub fn nic() -> *mut NicInfo {
    // SAFETY: only the address is taken.
    unsafe { addr_of_mut!((*info_area()).nic) }
}

/// The driver's entry points.
#[inline(always)]
pub fn driver() -> &'static UnitHeader {
    // SAFETY: the installer wrote the address of a header that stays as it is.
    unsafe { &*((*state()).driver as *const UnitHeader) }
}

/// The device, as its driver wants it named.
#[inline(always)]
pub fn device() -> u32 {
    // SAFETY: written once, by the installer.
    unsafe { (*state()).device }
}

/// What the device counts; the first field of every instance.
#[inline(always)]
pub fn counters() -> *mut Counters {
    device() as *mut Counters
}

/// The handle table.
#[inline(always)]
pub fn handles() -> Table {
    // SAFETY: written once, by the installer.
    unsafe { Table { first: (*state()).handles as *mut Handle, bytes: (*state()).handle_bytes } }
}

/// Our segment.
#[inline(always)]
pub fn segment() -> u16 {
    // SAFETY: written once, by the installer.
    unsafe { (*addr_of!((*info_area()).head)).segment }
}
