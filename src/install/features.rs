//! How a feature attaches: what asm/attach.inc writes behind its unit in the file, and what it may be told.

use crate::resident::table::Region;

/// What may hold of a machine, a card and the switches. A feature is placed where one of its needs holds.
pub mod needs {
    use crate::probe::{FLAT_INTX, FLAT_KEYBOARD};

    /// Memory above 1 MB is reached.
    pub const FLAT: u32 = 1 << 0;
    /// The same, of a card whose interrupt can be switched off in its command register.
    pub const FLATI: u32 = 1 << 1;
    /// The same, where the keyboard controller moves A20.
    pub const FLATK: u32 = 1 << 2;
    /// Frames are counted for each handle.
    pub const STATS: u32 = 1 << 3;
    /// Handles share types.
    pub const SHARE: u32 = 1 << 4;
    /// The control interrupt alone.
    pub const CTL: u32 = 1 << 5;
    /// Frames wait, in XMS in V86 mode.
    pub const POOLV: u32 = 1 << 6;
    /// Frames wait, below 1 MB.
    pub const POOLC: u32 = 1 << 7;
    /// The timer's tick, without the control interrupt, which has it: the card has no interrupt, which shows only when it runs, or
    /// another feature has a tick routine.
    pub const TICK: u32 = 1 << 8;
    /// Frames that receivers take are counted: the README's example of a feature.
    pub const COUNT: u32 = 1 << 9;
    /// The pool copies frames straight between XMS and a card's port of 16 bits.
    pub const XWORDS: u32 = 1 << 10;
    /// A port of 8 bits.
    pub const XBYTES: u32 = 1 << 11;
    /// A FIFO.
    pub const XFIFO: u32 = 1 << 12;
    /// Rings in XMS.
    pub const XRINGS: u32 = 1 << 13;
    /// A ring in XMS from which a frame is taken in parts.
    pub const XPARTS: u32 = 1 << 14;
    /// Frames wait, in XMS in real mode: one of these.
    pub const POOL: u32 = XWORDS | XBYTES | XFIFO | XRINGS | XPARTS;
    /// Handles of programs that have ended are closed.
    pub const REAP: u32 = 1 << 15;
    /// The control interrupt, and another feature has a tick routine.
    pub const CTLP: u32 = 1 << 16;
    /// There are several NICs.
    pub const SEVERAL: u32 = 1 << 17;
    /// `/REPLACE`: the handle table lies further up than that of the other copy.
    pub const SHIFT: u32 = 1 << 18;
    /// Each of them is an interface of its own.
    pub const IFS: u32 = 1 << 19;
    /// They are a bond.
    pub const BOND: u32 = 1 << 20;
    /// All of its NICs send.
    pub const FLOWS: u32 = 1 << 21;
    /// Its partner says which NICs carry frames.
    pub const LACP: u32 = 1 << 22;
    /// All of its NICs receive, without that.
    pub const DOUBLES: u32 = 1 << 23;
    /// Rings below 1 MB, which the DMA services lock.
    pub const VDS: u32 = 1 << 24;

    /// These needs with what hooks the timer: the pool has a tick routine (`waits`), and a card may have to be polled.
    #[inline(always)]
    pub fn timer(needs: u32, waits: bool, polled: bool) -> u32 {
        match needs & CTL != 0 {
            true if waits => needs - CTL + CTLP,
            false if waits || polled => needs | TICK,
            _ => needs,
        }
    }

    /// Which of the flat features a card wants ([`crate::probe::Found::flat`]).
    #[inline(always)]
    pub fn of_flat(flat: u8) -> u32 {
        match flat {
            FLAT_INTX => FLATI,
            FLAT_KEYBOARD => FLATK,
            _ => FLAT,
        }
    }
}

/// One thing that a feature wants done.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Hook {
    /// [`PROVIDES`] and its kin.
    pub op: u8,
    /// A point, a patch, bytes, or an interrupt.
    pub what: u8,
    /// An offset in the unit.
    pub at: u16,
    /// One more, or a number.
    pub more: u16,
}

/// The most hooks of a feature,
pub const HOOKS: usize = 21;
/// and of all features of a machine together. The pack step sees to both, and to the next ones.
pub const ALL_HOOKS: usize = 68;
/// The same with `/REPLACE`.
pub const HOOKS_OF_HANDOVER: usize = 65;
/// The same where there are several NICs.
pub const HOOKS_OF_SEVERAL: usize = 128;
/// A size of a feature's table: so many bytes for each NIC as the feature says for a handle; they were taken before the unit.
pub const NICS: u16 = 0xFFFE;
/// The most features of a machine, and its driver.
pub const FEATURES: usize = 10;

/// Others find point `what` at `at`.
pub const PROVIDES: u8 = 1;
/// The word at `at` changes places with the one of number `more` at point `what`.
pub const TAKES: u8 = 2;
/// The core calls the routine at `at`, at patch `what`; whom it called there before goes to `more`.
pub const CALLED: u8 = 3;
/// `what` bytes of [`Facts`], from `more` on, are copied to `at`.
pub const TOLD: u8 = 4;
/// The linear address of the driver's segment, and `what` MB, are added at `at`.
pub const BASED: u8 = 5;
/// The far routine whose offset is at `at` runs; then there are zeros from `more` on.
pub const ONCE: u8 = 6;
/// The vector of interrupt `what` gets the IISP header at `at`.
pub const HOOKS_VECTOR: u8 = 7;
/// Four bytes at point `what` are replaced by a call of the routine at `at`.
pub const INSTEAD: u8 = 8;

/// Point: the core's table of the driver's entries.
pub const POINT_ENTRIES: usize = 0;
/// The core's table of INT 60h's functions.
pub const POINT_FUNCTIONS: usize = 1;
/// Routines of the timer's tick.
pub const POINT_TICK: usize = 2;
/// What the information block tells of the pool.
pub const POINT_POOL: usize = 3;
/// Where the driver loads the address of a received frame.
pub const POINT_IN: usize = 4;
/// Where it loads the address of a frame that it sends.
pub const POINT_OUT: usize = 5;
/// The near address of such a frame's linear address, if it is in XMS.
pub const POINT_LINEAR: usize = 6;
/// Where the pool has `/HOLD=`, a byte.
pub const POINT_HOLD: usize = 7;
/// The fields of `many` ([`crate::resident::several::Many`]).
pub const POINT_MANY: usize = 8;
/// Where the core looks which function of INT 60h is called.
pub const POINT_CALL: usize = 9;
/// Where a bond has the address of the routine that chooses a NIC.
pub const POINT_CHOOSE: usize = 10;
/// A bond's fields ([`crate::bond::Fields`]).
pub const POINT_BOND: usize = 11;
/// A bond's routine that tells whose frame was peeked at.
pub const POINT_CURRENT: usize = 12;
/// Points, and numbers for more. Attaching takes a number's remainder by this, which drops [`OPERAND`] from it.
pub const POINTS: usize = 16;
const _: () = assert!(OPERAND as usize % POINTS == 0);

/// A feature's table or buffers: near addresses.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Table {
    /// Where it lies,
    pub at: u16,
    /// up to here.
    pub end: u16,
    /// `at` less a quarter of the handle table's address.
    pub bias: u16,
}

/// Room in XMS for frames that wait.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, packed(2))]
pub struct PoolFacts {
    /// Slots; 0: frames wait in conventional memory.
    pub slots: u16,
    /// The linear address of slot 0, which does not exist, in real mode.
    pub base: u32,
    /// The most slots that one user of the pool may have.
    pub most: u16,
}

/// Added to the number of [`TAKES`] or [`TOLD`]: the word at `at` is the operand of a near call or jump to the address that it gets.
pub const OPERAND: u8 = 0x80;

/// A vector in the control interrupt's list, as AMIS wants it.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, packed)]
pub struct Hooked {
    /// The interrupt.
    pub number: u8,
    /// Near address of its handler.
    pub at: u16,
}

/// What the control interrupt is told; asm/ctl.inc has the same.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Ctl {
    /// The vector of the card's line, and INT 60h.
    pub hooked: [Hooked; 2],
    /// The interrupt controller's port for the mask of the card's line,
    pub port: u8,
    /// and the line's bit in it; 0: the line was not masked before the load.
    pub bit: u8,
    /// Offsets in the core: of the routine that calls a function of INT 60h, of the way out,
    pub core: [u16; 2],
    /// and of where it has the address of the driver's entry `link`.
    pub link: u16,
    /// With a cache before XMS: the offset of where the pool has the cache's end for [`Ctl::migrate`],
    pub full: u16,
    /// and that of the cache.
    pub cache: u16,
    /// The greatest value of the parameter MIGRATE, less its least one.
    pub span: u16,
    /// As wanted: `/MEDIA=` ([`crate::probe::media`]), and KB of XMS where frames wait there in real mode.
    pub pending: [u16; 2],
    /// The same, as in force.
    pub in_force: [u16; 2],
    /// With a cache before XMS: bytes in it from which on frames go to XMS.
    pub migrate: u16,
}

/// What a feature may be told.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Facts {
    /// Offset of the core's table of the driver's entries.
    pub entries: u16,
    /// Of the core's routines `save`
    pub save: u16,
    /// and `settle`.
    pub settle: u16,
    /// Of the handle that gets the frame in hand.
    pub getter: u16,
    /// Of the types that are remembered.
    pub known: u16,
    /// Of the core's routine that calls a client.
    pub upcall: u16,
    /// Of the handle table.
    pub handles: u16,
    /// The feature's own table or buffers.
    pub table: Table,
    /// Ticks for which a refused frame is offered again.
    pub hold: u16,
    /// Frames that wait in XMS.
    pub pool: PoolFacts,
    /// The XMS block's handle, 0: none.
    pub xms_handle: u16,
    /// The XMS driver's entry.
    pub xms_entry: u32,
    /// Bytes of waiting frames at which they go to XMS.
    pub migrate: u16,
    /// The driver's segment.
    pub segment: u16,
    /// Of a PCI card: what makes its command register reachable through the configuration ports.
    pub command: u32,
    /// What the DMA services locked.
    pub region: Region,
    /// The core's entry of INT 60h,
    pub int60: u16,
    /// and its information block.
    pub info: u16,
    /// Where the points are, by their numbers; 0: nowhere.
    pub points: [u16; POINTS],
    /// Where the pool has `/HOLD=`, 0: there is no pool.
    pub hold_at: u16,
    /// What the control interrupt is told.
    pub ctl: Ctl,
    /// The pool's table.
    pub pool_table: Table,
    /// The control interrupt's multiplex number; 0: it takes a free one.
    pub amis: u16,
    /// A bit for each interrupt line of the cards.
    pub lines: u16,
    /// Of the flow table, the algorithm
    pub algorithm: u16,
    /// and the mask ([`crate::bond::flows::Fields`]).
    pub mask: u16,
}

const _: () = assert!(size_of::<Facts>() == 144 && size_of::<Hook>() == 6);
