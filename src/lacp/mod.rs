//! LACP (IEEE 802.1AX, once 802.3ad): which ports of a bond may carry frames, agreed with the partner at their other ends.
//!
//! A port is a NIC of a bond. The state machines work on an [`Aggregator`] and its [`Port`]s; the bond feature owns both.
//!
//! - Receive: a port's partner is known (neither of the bits below), silent for one time-out ([`EXPIRED`]), or for one more
//!   ([`DEFAULTED`]).
//! - Periodic: an LACPDU each second, or each 30 seconds, as the partner wants.
//! - Selection: one port leads. Ports with the lead's key and the lead's partner, by its system and key, are selected. The lead
//!   changes if its link fails, its partner is silent, or its partner takes it out of the bond.
//! - Mux: a port that has been selected for two seconds is in sync. If the partner says the same of its end, the port collects and
//!   distributes: it carries frames.
//! - Without any partner the lead carries frames alone, so that the bond works at a switch without LACP.
//!
//! The time unit is [`UNIT`] ticks of 55 ms, so that each timer is a byte. At most one LACPDU is sent in a unit: the standard
//! allows three in a second. Churn detection is left out: it only informs.
//!
//! # In the image
//!
//! [`filter`] stands between the feature that drives several NICs and the bond: a port that must not carry has no link, as the
//! bond sees it, and no frames. It takes frames of [`frame::TYPE`] with the subtypes 1 and 2, whether the port carries or not;
//! those of other subtypes are the clients'.

pub mod filter;
pub mod frame;

use core::cell::Cell;

use crate::device::MacAddr;
use frame::{ACTOR, COLLECTOR, Frame, GROUP, Info, LACPDU, LEN, MARKER, PARTNER, REQUEST, RESPONSE, TYPE};

// Bits of a state.
/// It sends LACPDUs without being asked.
pub const ACTIVITY: u8 = 1;
/// It wants LACPDUs each second, and expires after three; otherwise 30 and 90.
pub const TIMEOUT: u8 = 2;
/// It may be one of several ports.
pub const AGGREGATION: u8 = 4;
/// It is in the group that it is to be in.
pub const SYNC: u8 = 8;
/// It collects: frames from it are taken.
pub const COLLECTING: u8 = 0x10;
/// It distributes: frames are sent by it.
pub const DISTRIBUTING: u8 = 0x20;
/// It knows no partner.
pub const DEFAULTED: u8 = 0x40;
/// Its partner is silent.
pub const EXPIRED: u8 = 0x80;

/// Ticks of the timer in a unit.
pub const UNIT: u8 = 8;
// Units of 0.44 s. A timer may end up to one unit early: so these have one more than the standard's 3, 90 and 2 s.
const SHORT: u8 = 8;
const LONG: u8 = 206;
const WAIT: u8 = 6;
// These have less than 1 and 30 s.
const FAST: u8 = 2;
const SLOW: u8 = 68;

/// A port of a bond.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Port {
    /// This end; [`TIMEOUT`] in `state` before the first [`Port::link`]. The key's low byte is 0 while the link is down. Otherwise it
    /// is as the high one: bit 0 says full duplex, bits 1 to 4 rise with the speed.
    pub actor: Info,
    /// The other end, as it was last heard.
    pub partner: Info,
    /// Units until the partner is silent; 0: for ever.
    current: u8,
    /// Units until an LACPDU is due.
    periodic: u8,
    /// Units until the port is in sync, if it is selected.
    wait: u8,
    /// [`SEND`], [`CARRIES`].
    pub flags: Cell<u8>,
    /// The NIC's own address: the source of its LACPDUs, so that both ends notice a loop.
    pub own: MacAddr,
}

/// Bytes of a port.
pub const PORT: u16 = size_of::<Port>() as u16;
/// Bytes in front of the ports ([`Aggregator`]).
pub const HEAD: u16 = core::mem::offset_of!(Aggregator<[Port; 0]>, ports) as u16;
const _: () = assert!(PORT == 40);

/// An LACPDU is to be sent, if the link is up.
pub const SEND: u8 = 1;
/// The port may carry frames, in both directions.
pub const CARRIES: u8 = 2;
/// The port is in the lead's group.
const SELECTED: u8 = 4;
/// The port is the lead.
const LEADS: u8 = 8;

/// The ports of a bond. In memory they lie behind the other fields ([`HEAD`]).
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Aggregator<Ports: ?Sized = [Port]> {
    /// How many ports.
    pub count: u8,
    /// Ticks.
    ticks: u8,
    /// Frames that were dropped: on a port that does not carry; and LACPDUs that are too short, damaged, of no known kind, on a port
    /// whose link is down, or the bond's own. It wraps.
    pub dropped: u16,
    /// The ports.
    pub ports: Ports,
}

/// What is to be done with a frame that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// Nothing.
    Done = 0,
    /// It has become an answer: send it on the same port.
    Send = 1,
    /// It has been dropped, and is to be counted.
    Dropped = 2,
}

impl Info {
    /// Nothing is known.
    const NONE: Info = Info { id: [0; 14], state: 0 };

    /// Copies it. One routine for all: as a copy it would be eight instructions each time.
    #[inline(never)]
    fn put(&self, to: &mut Info) {
        *to = *self;
    }

    /// How many bytes of both identities are the same, from the first on. `==` would be a call of `memcmp`, which the unit lacks.
    #[inline(never)]
    fn common(&self, other: &Info) -> usize {
        self.id.iter().zip(&other.id).take_while(|(this, that)| this == that).count()
    }
}

/// What [`Info::common`] says if the same system is meant; the same system and key; the same port.
const SYSTEM: usize = 8;
/// See [`SYSTEM`].
const LINKS: usize = 10;
/// See [`SYSTEM`].
const ALL: usize = 14;

impl Port {
    /// Port `number`, from 1, of a bond with this address; its link is down. `key` is the key's low byte while it is up. System and
    /// port have the usual priorities, 65535 and 255.
    pub const fn new(bond: MacAddr, number: u8, timeout: u8, key: u8, own: MacAddr) -> Port {
        let [a, b, c, d, e, f] = bond;
        let actor = Info { id: [0xFF, 0xFF, a, b, c, d, e, f, key, 0, 0, 0xFF, 0, number], state: timeout };
        Port { actor, partner: Info::NONE, current: 0, periodic: 0, wait: 0, flags: Cell::new(0), own }
    }

    /// The key's low byte.
    fn key(&self) -> u8 {
        self.actor.id[9]
    }

    /// The link is up or down. Whether that is new: then [`Port::link`] has been done.
    pub fn set_link(&mut self, up: bool) -> bool {
        let key = if up { self.actor.id[8] } else { 0 };
        let is_new = key != self.actor.id[9];
        if is_new {
            self.actor.id[9] = key;
            self.link();
        }
        is_new
    }

    /// The larger, the better a lead; 0: the link is down.
    fn rank(&self) -> u8 {
        let state = self.actor.state;
        if self.key() == 0 {
            return 0;
        }
        let known = if state & (EXPIRED | DEFAULTED) == 0 { 0x80 } else { 0 };
        known | (self.partner.state & SYNC) << 3 | (state & SYNC) << 2 | self.key() & 0x1E | 1
    }

    /// Whether the port belongs to the lead's group.
    fn follows(&self, lead: &Port) -> bool {
        let both = self.actor.state & self.partner.state & lead.partner.state & AGGREGATION;
        both != 0 && self.actor.common(&lead.actor) >= LINKS && self.partner.common(&lead.partner) >= LINKS
    }

    fn flag(&self, flag: u8) {
        self.flags.set(self.flags.get() | flag);
    }

    /// Takes the port out of its group, for at least [`WAIT`].
    fn detach(&mut self) {
        self.actor.state &= !SYNC;
        self.wait = WAIT;
    }

    /// Nothing is known of the partner.
    #[inline(never)]
    fn forget(&mut self) {
        self.partner = Info::NONE;
        self.detach();
    }

    /// The link has changed, or the key: what was known of the partner is void.
    pub fn link(&mut self) {
        self.actor.state = self.actor.state & TIMEOUT | ACTIVITY | EXPIRED | (self.key() & 1) << 2;
        self.forget();
        self.partner.state = TIMEOUT;
        self.current = SHORT;
        self.periodic = FAST;
        self.flag(SEND);
    }

    /// Whether an LACPDU is to be sent.
    pub fn sends(&self) -> bool {
        self.key() != 0 && self.flags.get() & SEND != 0
    }

    /// One unit of time.
    fn tick(&mut self) {
        self.wait = self.wait.saturating_sub(1);
        if self.current != 0 {
            self.current -= 1;
            if self.current == 0 {
                self.silent();
            }
        }
        let period = if self.partner.state & TIMEOUT != 0 { FAST } else { SLOW };
        self.periodic = self.periodic.min(period).wrapping_sub(1);
        if self.periodic == 0 {
            self.periodic = period;
            self.flag(SEND);
        }
    }

    /// The partner has been silent for one time-out.
    fn silent(&mut self) {
        if self.actor.state & EXPIRED == 0 {
            self.actor.state |= EXPIRED;
            self.partner.state = self.partner.state & !SYNC | TIMEOUT;
            self.current = SHORT;
        } else {
            self.actor.state ^= EXPIRED | DEFAULTED;
            self.forget();
        }
    }

    /// A frame of the slow protocols has come.
    pub fn receive(&mut self, frame: &mut Frame) -> Verdict {
        if frame.len < LEN as u16 {
            return Verdict::Dropped;
        }
        if frame.subtype == MARKER && frame.first == REQUEST {
            frame.first = RESPONSE;
            frame.from = self.own;
            return Verdict::Send;
        }
        // The standard forbids to look at the kinds of the information.
        let lengths = frame.first[1] == ACTOR[1] && frame.second[1] == PARTNER[1];
        if frame.subtype != LACPDU || !lengths || self.key() == 0 || frame.actor.common(&self.actor) >= SYSTEM {
            return Verdict::Dropped;
        }
        self.heard(&frame.actor, &frame.partner);
        Verdict::Done
    }

    /// An LACPDU from the partner: what it says of itself and of this end.
    fn heard(&mut self, theirs: &Info, ours: &Info) {
        if (theirs.state ^ self.partner.state) & AGGREGATION != 0 || theirs.common(&self.partner) < ALL {
            self.detach();
        }
        let mut differs = ours.state ^ self.actor.state;
        if ours.common(&self.actor) < ALL {
            differs = AGGREGATION;
        }
        if differs & (ACTIVITY | TIMEOUT | AGGREGATION | SYNC) != 0 {
            self.flag(SEND);
        }
        theirs.put(&mut self.partner);
        // Its end is ready for this port only if it knows it, or takes no other one beside it.
        if theirs.state & differs & AGGREGATION != 0 {
            self.partner.state &= !SYNC;
        }
        self.actor.state &= !(EXPIRED | DEFAULTED);
        self.current = if self.actor.state & TIMEOUT != 0 { SHORT } else { LONG };
    }

    /// Makes the port's LACPDU.
    pub fn fill(&mut self, frame: &mut Frame) {
        self.flags.set(self.flags.get() & !SEND);
        *frame = Frame::ZERO;
        frame.to = GROUP;
        frame.from = self.own;
        frame.kind = TYPE;
        frame.subtype = LACPDU;
        frame.version = 1;
        frame.first = ACTOR;
        self.actor.put(&mut frame.actor);
        frame.second = PARTNER;
        self.partner.put(&mut frame.partner);
        frame.third = COLLECTOR;
    }
}

impl<const COUNT: usize> Aggregator<[Port; COUNT]> {
    /// These ports.
    pub const fn new(ports: [Port; COUNT]) -> Self {
        Aggregator { count: COUNT as u8, ticks: 0, dropped: 0, ports }
    }
}

impl Aggregator {
    /// One tick of the timer. Whether a unit is over: each port that [`Port::sends`] then sends its LACPDU.
    pub fn tick(&mut self) -> bool {
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks & (UNIT - 1) != 0 {
            return false;
        }
        for port in &mut self.ports {
            if port.key() != 0 {
                port.tick();
            }
        }
        self.settle();
        true
    }

    /// A port has received a frame.
    pub fn received(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Done => self.settle(),
            Verdict::Send => {}
            Verdict::Dropped => self.dropped = self.dropped.wrapping_add(1),
        }
    }

    /// Chooses the lead, and its group.
    fn select(&self) {
        let (mut best, mut lead) = (0, None);
        for port in &self.ports {
            port.flags.set(port.flags.get() & !(SELECTED | LEADS));
            if port.rank() > best {
                (best, lead) = (port.rank(), Some(port));
            }
        }
        if let Some(lead) = lead {
            self.ports.iter().filter(|port| port.follows(lead)).for_each(|port| port.flag(SELECTED));
            lead.flag(SELECTED | LEADS);
        }
    }

    /// Selection and mux, after a port has changed.
    pub fn settle(&mut self) {
        self.select();
        for port in &mut self.ports {
            let mut state = port.actor.state & !(COLLECTING | DISTRIBUTING);
            let mut carries = 0;
            if port.flags.get() & SELECTED == 0 {
                state &= !SYNC;
                port.wait = WAIT;
            }
            if port.wait == 0 {
                state |= SYNC;
            }
            if state & port.partner.state & SYNC != 0 {
                state |= COLLECTING | DISTRIBUTING;
                carries = CARRIES;
            }
            if port.flags.get() & LEADS != 0 && state & (EXPIRED | DEFAULTED) != 0 {
                carries = CARRIES;
            }
            if state != port.actor.state {
                port.actor.state = state;
                port.flag(SEND);
            }
            if (port.flags.get() ^ carries) & CARRIES != 0 {
                port.flags.set(port.flags.get() ^ CARRIES);
            }
        }
    }
}
