//! Where all NICs of a bond receive: drops a frame to a group that another NIC has received, too, and one that this station
//! has sent itself. A switch with a trunk sends neither; one without, or a hub, does.

use super::{Fields as BondFields, TRUNK};
use crate::device::{Job, MacAddr, Rx};

/// Frames that are remembered.
pub const SEEN: usize = 8;
/// Ticks for which they are remembered.
const RECENT: u16 = 2;
const _: () = assert!(SEEN.is_power_of_two());

/// A frame that has come.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Seen {
    /// A sum over its head.
    pub sum: u16,
    /// By which NIC.
    pub nic: u16,
    /// The tick.
    pub at: u16,
}

/// The fields.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Fields {
    /// The frames that have come,
    pub seen: [Seen; SEEN],
    /// and which of them is the latest.
    pub last: u16,
    /// Frames that were dropped.
    pub doubles: u16,
}

impl Fields {
    /// Nothing yet.
    pub const NEW: Fields = Fields { seen: [Seen { sum: 0, nic: 0, at: 0 }; SEEN], last: 0, doubles: 0 };
}

/// What is needed: in the image statics and the bond's unit, in tests a world.
pub trait Around: Copy {
    /// Pointer to the fields.
    fn fields(self) -> *mut Fields;
    /// Pointer to the bond's fields.
    fn bond(self) -> *mut BondFields;
    /// The frame on its way.
    fn job(self) -> *mut Job;
    /// The station's address.
    fn address(self) -> *const MacAddr;
    /// The BIOS's tick count.
    fn now(self) -> u16;
    /// The NIC whose frame was peeked at.
    fn current(self) -> u16;
}

/// The filter.
#[derive(Clone, Copy)]
pub struct Doubles<A>(pub A);

// SAFETY of all blocks below: memory of the features', no reference into which is alive across a call; see mod.rs.
impl<A: Around> Doubles<A> {
    /// A frame was peeked at: drops it if it has come before.
    #[inline(always)]
    pub fn peeked(self) {
        // SAFETY: see above.
        unsafe {
            let job = self.0.job();
            let bond = self.0.bond();
            let fields = self.0.fields();
            let rx = Rx::word((*job).rx);
            if (*bond).mode != TRUNK || rx <= 0 || (*job).head[0] & 1 == 0 {
                return;
            }
            let words = &raw const (*job).head as *const u16;
            let mut sum = rx as u16;
            let mut place = 0;
            while place != (*job).head.len() / 2 {
                sum = sum.rotate_left(3) ^ words.add(place).read_unaligned();
                place += 1;
            }
            let nic = self.0.current();
            let now = self.0.now();
            if self.is_own() {
                return self.drop();
            }
            place = SEEN;
            while place != 0 {
                place -= 1;
                let seen = (&raw const (*fields).seen as *const Seen).add(place);
                if (*seen).sum == sum && (*seen).nic != nic && now.wrapping_sub((*seen).at) < RECENT {
                    return self.drop();
                }
            }
            let last = ((*fields).last + 1) & (SEEN as u16 - 1);
            (*fields).last = last;
            (&raw mut (*fields).seen as *mut Seen).add(last as usize).write_unaligned(Seen { sum, nic, at: now });
        }
    }

    /// Drops the peeked frame.
    #[inline(never)]
    fn drop(self) {
        // SAFETY: see above.
        unsafe {
            let doubles = &raw mut (*self.0.fields()).doubles;
            *doubles = (*doubles).wrapping_add(1);
            Job::refuse(self.0.job());
        }
    }

    /// Whether the peeked frame is this station's own. The last four bytes of its source will do: the first ones are those of
    /// the vendor.
    #[inline(always)]
    fn is_own(self) -> bool {
        // SAFETY: see above.
        unsafe {
            let from = (&raw const (*self.0.job()).head as *const u8).add(8) as *const u32;
            let own = (self.0.address() as *const u8).add(2) as *const u32;
            from.read_unaligned() == own.read_unaligned()
        }
    }
}
