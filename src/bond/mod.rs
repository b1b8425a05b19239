//! Bonds: several NICs that clients see as one.
//!
//! [`bond`] decides which NIC receives and sends, by the health of each, and tells the network when the station moves.
//! [`flows`] spreads what is sent over the NICs; a bond with one NIC in use and others on standby does without it. [`doubles`]
//! is for bonds all of whose NICs receive. Each is a feature of its own above the one that drives several NICs.
//!
//! A NIC's name is the near address of its [`Row`]. Interrupts are off, and no reference is alive across a call into a driver
//! or a client: this makes the raw pointers of this module safe to use.

/// Calls a routine of a bond's unit in asm/ that changes no register but EAX; AX is its answer, if it has one.
#[cfg(target_os = "none")]
macro_rules! routine {
    ($routine:literal) => {{
        let answer: u32;
        // SAFETY: see the routine.
        unsafe { core::arch::asm!(concat!("call ", $routine), out("eax") answer) };
        answer as u16
    }};
}

pub mod bond;
pub mod doubles;
pub mod flows;

#[cfg(target_os = "none")]
pub mod bond_filter;
#[cfg(target_os = "none")]
pub mod doubles_filter;
#[cfg(target_os = "none")]
pub mod flows_filter;

use crate::device::MacAddr;

/// Bytes of a frame that are looked at before it is sent: the headers up to the ports of TCP or UDP over IPv6.
pub const HEAD: usize = 60;
/// The most NICs of a bond.
pub const NICS: usize = 16;
/// Addresses that are remembered, of those that clients have used.
pub const LEARNED: usize = 4;

/// One NIC sends and receives; the others stand by.
pub const STANDBY: u8 = 0;
/// All NICs send, one receives: for a switch without settings.
pub const BALANCE: u8 = 1;
/// All NICs send and receive by the bond's address: the switch has them as one trunk.
pub const TRUNK: u8 = 2;
/// The same of those NICs that the other end has in its trunk, too: it says so each second,
pub const LACP: u8 = 3;
/// or each 30 seconds.
pub const LACP_SLOW: u8 = 4;

/// A NIC of a bond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Row {
    /// [`Row::USABLE`] and the constants behind it.
    pub state: u8,
    /// Periods without a sign of life, one behind the other.
    pub misses: u8,
    /// The address from which it sends while another NIC receives.
    pub own: MacAddr,
    /// The tick at which it was last unwell.
    pub since: u16,
    /// What the feature that drives several NICs knows it by.
    pub slave: u16,
    /// Frames that it had no room for or refused; the flow table sets it back to 0.
    pub refused: u16,
    /// Its load, as the algorithm counts it.
    pub load: u16,
    /// What a flow, or 16 bytes, add to the load: the lower, the faster the NIC.
    pub cost: u16,
    /// Flows that it was given.
    pub given: u16,
    /// Frames that it has sent,
    pub sent: u32,
    /// and received, whether they were used or not. Both wrap.
    pub received: u32,
}

impl Row {
    /// The NIC may be used.
    pub const USABLE: u8 = 0x80;
    /// It has no link.
    pub const NO_LINK: u8 = 1;
    /// It has given no sign of life for too long.
    pub const SILENT: u8 = 2;
    /// The user has taken it out.
    pub const OUT: u8 = 4;
    /// It must not be used.
    pub const UNWELL: u8 = Row::NO_LINK | Row::SILENT | Row::OUT;
    /// It has received a frame in this period.
    pub const HEARD: u8 = 8;
    /// It has refused the last frame, or had no room for it.
    pub const STUCK: u8 = 16;
    /// A NIC without a link.
    pub const NEW: Row = Row { state: 0, misses: 0, own: [0; 6], since: 0, slave: 0, refused: 0, load: 0, cost: 0, given: 0, sent: 0, received: 0 };
    /// Bytes of a row.
    pub const SIZE: u16 = size_of::<Row>() as u16;
}

/// What the bond's unit begins with (asm/bond.asm). [`crate::info::NicInfo::io`] of a bond is its near address.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Head {
    /// The unit's own.
    entries: [u16; 6],
    /// The flow table's [`flows::Fields`]; 0: there is no flow table.
    pub flows: u16,
    /// The unit's own.
    more: [u16; 2],
    /// The bond's [`Fields`].
    pub fields: u16,
}

/// The frame that a bond sends on its own: an ARP request (RFC 826).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, packed(2))]
pub struct Arp {
    /// To all stations.
    pub to: MacAddr,
    /// From the bond.
    pub from: MacAddr,
    /// Type, hardware and protocol with the lengths of their addresses, and operation.
    pub kind: [u16; 5],
    /// The bond's address.
    pub sender: MacAddr,
    /// Who asks, as it lies in the frame; 0: nobody.
    pub sender_ip: u32,
    /// Not known.
    pub target: MacAddr,
    /// Who is asked for.
    pub target_ip: u32,
}

/// A bond.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(2))]
pub struct Fields {
    /// [`STANDBY`] or one of the constants behind it.
    pub mode: u8,
    /// Misses after which a NIC is silent (`/FAILOVER=`).
    pub failover: u8,
    /// Ticks of a period (`/HEALTH=`).
    pub period: u16,
    /// Ticks for which a NIC must be well before it is used again.
    pub hold: u16,
    /// The address that each NIC asks for in each period, as it lies in a frame; 0: none.
    pub target: u32,
    /// The first NIC.
    pub first: u16,
    /// The end of the rows.
    pub end: u16,
    /// The NIC that receives.
    pub active: u16,
    /// The NIC whose link is read at the next tick.
    pub looked: u16,
    /// Ticks that are left of this period.
    pub left: u16,
    /// The PIT's count when a NIC first had no room.
    pub full: u16,
    /// How often another NIC has become the one that receives.
    pub moves: u16,
    /// Frames of NICs that do not receive.
    pub ignored: u16,
    /// Announcements that are still to be made.
    pub tell: u16,
    /// Addresses that clients have used, the latest first, as they lie in frames; 0 behind the last.
    pub learned: [u32; LEARNED + 1],
    /// The first bytes of the frame to be sent.
    pub head: [u16; HEAD / 2],
    /// The frame that the bond sends.
    pub arp: Arp,
}

impl Fields {
    /// Misses, if `/FAILOVER=` is not given.
    pub const FAILOVER: u8 = 3;
    /// Ticks of a period, if `/HEALTH=` is not given: five seconds.
    pub const PERIOD: u16 = 91;
    /// Ticks for which a NIC must be well: two seconds.
    pub const HOLD: u16 = 36;
    /// A bond without NICs.
    pub const NEW: Fields = Fields {
        mode: STANDBY,
        failover: Fields::FAILOVER,
        period: Fields::PERIOD,
        hold: Fields::HOLD,
        target: 0,
        first: 0,
        end: 0,
        active: 0,
        looked: 0,
        left: Fields::PERIOD,
        full: 0,
        moves: 0,
        ignored: 0,
        tell: 0,
        learned: [0; LEARNED + 1],
        head: [0; HEAD / 2],
        arp: Arp {
            to: [0xFF; 6],
            from: [0; 6],
            kind: [0x0608, 0x0100, 0x0008, 0x0406, 0x0100],
            sender: [0; 6],
            sender_ip: 0,
            target: [0; 6],
            target_ip: 0,
        },
    };
}

const _: () = assert!(size_of::<Row>() == 28 && size_of::<Arp>() == 42);
