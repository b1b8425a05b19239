//! The flow table: by which NIC of a bond a frame is sent.
//!
//! A flow is what has one key: addresses, protocol and ports of TCP and UDP over IPv4 and IPv6, without ports for a fragment,
//! another protocol, or IPv4 with options; both Ethernet addresses of all other frames. A flow stays with its NIC, so that its
//! frames keep their order, until it ends, pauses for longer than the sticky time, or its NIC must not be used. The table has
//! sets of two entries; a key can be in one set only, so that a search takes the same time whatever the table's size. A flow
//! that comes to a full set replaces the one that was used earlier.
//!
//! A new flow goes to the NIC with the least load. What load is depends on the algorithm. By turns and by weight, each flow
//! adds to it: so the numbers of flows are as the weights, exactly. By bytes and adaptive, each frame adds to it, and a
//! quarter is taken off at each tick.

use super::{Fields as BondFields, Row};
use crate::device::Job;

/// Each NIC in its turn.
pub const TURNS: u8 = 0;
/// As many flows as the NIC's speed allows.
pub const WEIGHTED: u8 = 1;
/// The key alone decides.
pub const HASH: u8 = 2;
/// The NIC with the fewest bytes of late.
pub const LEAST: u8 = 3;
/// The same in relation to its speed.
pub const ADAPTIVE: u8 = 4;

/// The load of a NIC that has had no room, at the next tick.
const CROWDED: u16 = 0xC000;
/// What a flow adds by turns.
const TURN: u16 = 256;
/// [`Row::cost`] of the slowest NIC of a bond; of one that is twice as fast, half of it.
pub const SLOWEST: u16 = 800;
/// [`Row::cost`] of a NIC, by its speed and that of the slowest one of its bond.
pub fn cost(speed: u16, slowest: u16) -> u16 {
    (SLOWEST as u32 * slowest as u32 / speed.max(1) as u32) as u16
}

/// An entry of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Flow {
    /// The key.
    pub key: u32,
    /// The NIC in the low half, 0: the entry is free; above it when its last frame was sent, in units of 16 ticks.
    pub place: u32,
}

impl Flow {
    /// Bytes of an entry.
    pub const SIZE: u16 = size_of::<Flow>() as u16;
    /// The NIC.
    pub fn nic(self) -> u16 {
        self.place as u16
    }
}

/// The fields; the table lies behind the unit.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(2))]
pub struct Fields {
    /// [`TURNS`] to [`ADAPTIVE`].
    pub algorithm: u8,
    /// Units of 16 ticks for which a flow may pause, 3 to 200.
    pub sticky: u8,
    /// Frames whose flow had an entry. It wraps.
    pub hits: u32,
    /// All other frames are counted by [`Row::given`]. Of these, those whose flow had to leave its NIC.
    pub moved: u16,
    /// Near address of the table.
    pub table: u16,
    /// Bytes of the table less those of a set. The number of sets is a power of two.
    pub mask: u16,
    /// Offset in the table of the set that is looked at for age at the next tick.
    pub swept: u16,
    /// Far address of a client's routine that chooses NICs for new flows (asm/flows.asm, `wanted`); 0: there is none.
    pub hook: u32,
}

impl Fields {
    /// Nothing yet.
    pub const NEW: Fields = Fields {
        algorithm: ADAPTIVE,
        sticky: 68,
        hits: 0,
        moved: 0,
        table: 0,
        mask: 0,
        swept: 0,
        hook: 0,
    };
}

/// What the flow table needs: in the image statics and the bond's unit, in tests a world.
pub trait Above: Copy {
    /// Pointer to the fields.
    fn fields(self) -> *mut Fields;
    /// Pointer to the bond's fields.
    fn bond(self) -> *mut BondFields;
    /// A NIC's row.
    fn row(self, near: u16) -> *mut Row;
    /// An entry of the table,
    fn flow(self, near: u16) -> *mut Flow;
    /// and a set: the flow that was used last comes first.
    fn set(self, near: u16) -> *mut [Flow; 2];
    /// The frame on its way.
    fn job(self) -> *mut Job;
    /// The BIOS's tick count.
    fn now(self) -> u16;
    /// The NIC that the client's routine wants for a new flow; 0: there is no routine, or it leaves the choice to the driver.
    fn wanted(self) -> u16;
}

/// The flow table.
#[derive(Clone, Copy)]
pub struct Table<A>(pub A);

// SAFETY of all blocks below: memory of the features', no reference into which is alive across a call; see mod.rs.
impl<A: Above> Table<A> {
    #[inline(always)]
    fn fields(self) -> *mut Fields {
        self.0.fields()
    }

    /// The NIC for the job's frame, whose head lies in the bond's fields.
    #[inline(always)]
    pub fn choose(self) -> u16 {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            let key = self.key();
            let now = (self.0.now() >> 4) as u8;
            let set = self.0.set((*fields).table + (key as u16 & (*fields).mask));
            if (*set)[0].key != key {
                // The flow becomes the first of its set, and the first one the second.
                let found = if (*set)[1].key == key { (*set)[1].place } else { 0 };
                (*set)[1] = (*set)[0];
                (*set)[0] = Flow { key, place: found };
            }
            let found = (*set)[0].place;
            let mut nic = found as u16;
            if nic != 0 && now.wrapping_sub((found >> 16) as u8) < (*fields).sticky {
                if (*self.0.row(nic)).state & Row::USABLE != 0 {
                    (*fields).hits = (*fields).hits.wrapping_add(1);
                    (*set)[0].place = nic as u32 | (now as u32) << 16;
                    self.charge(nic);
                    return nic;
                }
                (*fields).moved = (*fields).moved.wrapping_add(1);
            }
            nic = self.new(key as u16);
            (*set)[0].place = nic as u32 | (now as u32) << 16;
            self.charge(nic);
            nic
        }
    }

    /// Adds a frame to its NIC's load.
    #[inline(never)]
    fn charge(self, nic: u16) {
        // SAFETY: see above.
        unsafe {
            let algorithm = (*self.fields()).algorithm;
            if algorithm >= LEAST {
                let mut more = (*self.0.job()).len >> 5;
                if algorithm != LEAST {
                    more = more.wrapping_mul((*self.0.row(nic)).cost) >> 6;
                }
                self.add(nic, more);
            }
        }
    }

    /// Adds to a NIC's load. If it is at its limit all loads begin at 0 again.
    #[inline(never)]
    fn add(self, nic: u16, more: u16) {
        // SAFETY: see above.
        unsafe {
            let row = self.0.row(nic);
            let (load, over) = (*row).load.overflowing_add(more);
            (*row).load = load;
            if over {
                self.fade(0);
            }
        }
    }

    /// Takes a quarter off all loads, except of NICs that have had no room; and all that is not in the mask.
    #[inline(never)]
    fn fade(self, mask: u16) {
        // SAFETY: see above.
        unsafe {
            let bond = self.0.bond();
            let mut nic = (*bond).first;
            while nic != (*bond).end {
                let row = self.0.row(nic);
                let mut load = (&raw const (*row).load).read_volatile();
                load -= load >> 2;
                if (*row).refused != 0 {
                    load = CROWDED;
                }
                (*row).refused = 0;
                (*row).load = load & mask;
                nic += Row::SIZE;
            }
        }
    }

    /// The NIC for a new flow.
    #[inline(never)]
    fn new(self, mut key: u16) -> u16 {
        // SAFETY: see above.
        unsafe {
            let wanted = self.0.wanted();
            if wanted != 0 {
                return wanted;
            }
            let bond = self.0.bond();
            let mut best = (*bond).active;
            let mut least = u16::MAX;
            let algorithm = (*self.fields()).algorithm;
            let mut nic = (*bond).first;
            while nic != (*bond).end {
                let row = self.0.row(nic);
                if algorithm == HASH {
                    // A number for the key and the NIC that says nothing about either.
                    key = key.wrapping_mul(0x6C8D);
                    (&raw mut (*row).load).write_volatile(key);
                }
                if (*row).state & Row::USABLE != 0 {
                    let load = (&raw const (*row).load).read_volatile();
                    if load < least {
                        least = load;
                        best = nic;
                    }
                }
                nic += Row::SIZE;
            }
            let row = self.0.row(best);
            (*row).given = (*row).given.wrapping_add(1);
            if algorithm <= WEIGHTED {
                self.add(best, if algorithm == TURNS { TURN } else { (*row).cost });
            }
            best
        }
    }

    /// The key of the frame whose head lies in the bond's fields. A frame that is shorter than its headers say gets a key like
    /// any other.
    #[inline(always)]
    fn key(self) -> u32 {
        // SAFETY: the head has as many bytes as the longest key needs.
        unsafe {
            let head = &raw const (*self.0.bond()).head as *const u16;
            let bytes = head as *const u8;
            let kind = *head.add(6);
            // Both Ethernet addresses.
            let (mut at, mut left, mut protocol) = (0u16, 3u8, 0u8);
            if kind == IPV4 {
                (at, left) = (26, 2);
                protocol = *bytes.add(23);
                // With options or in a fragment no ports stand behind the addresses.
                if *bytes.add(14) != 0x45 || *head.add(10) & 0xFF3F != 0 {
                    protocol |= NO_PORTS;
                }
            } else if kind == IPV6 {
                (at, left) = (22, 8);
                protocol = *bytes.add(20);
            }
            if protocol == TCP || protocol == UDP {
                left += 1;
            }
            let mut key = protocol as u32;
            let mut place = bytes.add(at as usize) as *const u32;
            while left != 0 {
                key = (key ^ place.read_unaligned()).wrapping_mul(0x9E37_79B1).rotate_left(15);
                place = place.add(1);
                left -= 1;
            }
            key
        }
    }

    /// To be called at each timer tick: loads and old flows go.
    #[inline(always)]
    pub fn tick(self) {
        // SAFETY: see above.
        unsafe {
            let fields = self.fields();
            let algorithm = (*fields).algorithm;
            if algorithm >= LEAST {
                self.fade(u16::MAX);
            }
            let now = (self.0.now() >> 4) as u8;
            let offset = ((*fields).swept + Flow::SIZE) & ((*fields).mask | Flow::SIZE);
            (*fields).swept = offset;
            let flow = self.0.flow((*fields).table + offset);
            if now.wrapping_sub(((*flow).place >> 16) as u8) >= (*fields).sticky {
                (*flow).place = 0;
            }
        }
    }
}

/// Types as they lie in a frame.
const IPV4: u16 = 0x0008;
const IPV6: u16 = 0xDD86;
const TCP: u8 = 6;
const UDP: u8 = 17;
/// Added to the protocol of a frame without ports.
const NO_PORTS: u8 = 0x80;

const _: () = assert!(size_of::<Flow>() == 8);
