//! What the stages share. It lies in the kernel; each stage gets a reference to it.

use super::features::{FEATURES, PoolFacts, Table};
use super::lines::{self, Line};
use crate::bus::Addr;
use crate::info::Block;
use crate::install::stages::apply::Apply;
use crate::install::stages::bonds::Settings;
use crate::install::stages::switches::Options;
use crate::probe::{Fault, Found, Rings};
use crate::resident::table::{BLOCKS, Region};

/// Bytes of the command line that are read.
pub const TAIL: usize = 128;

/// The plan of the installation.
#[repr(C)]
pub struct Plan {
    /// The words behind the driver's name. Each ends with a byte that is not above a blank.
    pub tail: [u8; TAIL],
    /// What they ask for.
    pub options: Options,
    /// The exit code when nothing stands: that of the first line that has one.
    pub exit: u8,
    /// The stage behind `verbose`; later the one behind `stand`.
    pub next: u8,
    /// What is said when nothing stands: the line's number in the file and one more, 0: nothing.
    pub failure: u16,
    /// And the number in it.
    pub number: u16,
    /// The card that was found.
    pub card: Card,
    /// It is to be tried with rings first, then without.
    pub two_ways: bool,
    /// Extended memory that was taken.
    pub memory: Memory,
    /// What the DMA services locked; size 0: nothing.
    pub region: Region,
    /// What holds of it all ([`super::features::needs`]).
    pub needs: u32,
    /// Memory for what stays.
    pub ground: Ground,
    /// What was placed there.
    pub placed: Placed,
    /// Where the start unit has written the device of a card that runs; 0: none runs.
    pub device: u16,
    /// `/REPLACE`: the copy that this one takes over from.
    pub old: Old,
    /// Several NICs.
    pub several: Several,
    /// They are a bond, if [`Begin::period`] is not 0.
    pub bond: Settings,
}

/// How far several NICs are gathered.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Several {
    /// How many; 0: one, which all stages but `gather` and `join` are for. [`COUNTED`]: `search` has to count them.
    pub count: u8,
    /// How many are started.
    pub done: u8,
    /// What is next: [`FIRST`] and the constants behind it.
    pub step: u8,
    /// How many vectors were given.
    pub vectors: u8,
    /// Address of the next name of the list; 0: any card.
    pub name: u16,
    /// Address of the next vector of the list; 0: no more.
    pub vector: u16,
    /// Where the NICs' records are,
    pub nics: u16,
    /// and the interfaces', or the bond's rows.
    pub interfaces: u16,
}

/// [`Several::count`]: not known.
pub const COUNTED: u8 = 0xFF;
/// [`Several::step`]: nothing was done.
pub const FIRST: u8 = 0;
/// A card was found.
pub const FOUND: u8 = 1;
/// It was started.
pub const STARTED: u8 = 2;
/// All that were started are to be stopped again.
pub const UNDO: u8 = 3;
/// The card that was found did not start.
pub const LOST: u8 = 4;

/// The copy that this one takes over from. From the moment at which its card is stopped until one of the two copies works,
/// nobody calls DOS: the driver's file, and the console, may be reached over the network that this card drives.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Old {
    /// How far it is: [`GOES`] and the constants behind it.
    pub state: u8,
    /// Its line was masked in the interrupt controller before the load.
    pub masked: bool,
    /// Its multiplex number; 0: it has no control interrupt.
    pub amis: u8,
    /// Where its control interrupt keeps the log, 0: it has none; and the parameter LOG.
    pub log: Addr,
    /// See `log`.
    pub level: Addr,
    /// Its card's medium in force (`Options::media`). Only the control interrupt knows it; without, 0: as its EEPROM says.
    pub media: u8,
    /// Offset of its handle table, which the new one's has, too: handles are near addresses.
    pub handles: u16,
    /// Its information block; 0: there is no such copy.
    pub info: Addr,
    /// Where the next character that the installer prints is kept; 0: it is printed.
    pub text: Addr,
    /// What `/APPLY` puts in force.
    pub apply: Apply,
    /// Parts of the file that are in memory.
    pub kept: [Kept; 2],
}

/// [`Old::state`]: it works, or there is none.
pub const GOES: u8 = 0;
/// Its card is stopped.
pub const SILENT: u8 = 1;
/// The new one cannot stand; the card is looked for as without switches, to start it for the old one.
pub const RETURNS: u8 = 2;

/// Bytes of [`Old::text`], and the boundary that the text begins on.
pub const TEXT: u32 = 1024;

/// A part of the file.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Kept {
    /// Its offset in the file,
    pub from: u32,
    /// that of its end,
    pub end: u32,
    /// and where it lies in memory.
    pub at: Addr,
}

/// A card that was found.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Card {
    /// The NIC's name.
    pub name: [u8; 12],
    /// Which one in the directory, counted from 0.
    pub nic: u8,
    /// It is on PCI.
    pub is_pci: bool,
    /// Then its command register as it was; above 16 bits: nothing is to be put back.
    pub command: u32,
    /// The card.
    pub found: Found,
}

/// Extended memory for the card's rings and for frames that wait.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Memory {
    /// The block.
    pub block: XmsBlock,
    /// Bytes for the card's rings, which come first.
    pub rings: u32,
    /// And room for frames that wait.
    pub pool: PoolFacts,
}

/// A locked block of extended memory.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct XmsBlock {
    /// The XMS driver's entry, segment in the high half.
    pub entry: u32,
    /// Its handle; 0: no block.
    pub handle: u16,
    /// Where it lies, linear and physical alike; 0: it is not locked.
    pub linear: u32,
}

impl XmsBlock {
    /// No block.
    pub const NONE: XmsBlock = XmsBlock { entry: 0, handle: 0, linear: 0 };
}

/// The ground on which the driver is built: memory from the core on, which the installer makes free by moving up.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Ground {
    /// Of all that is placed.
    pub segment: u16,
    /// Where the next block goes.
    pub next: u16,
    /// Where the part of the installer begins that is still needed.
    pub limit: u16,
    /// What was taken.
    pub blocks: [Block; BLOCKS],
    /// How many of them.
    pub count: u8,
    /// Blocks of the same kind are listed as one: there are several NICs.
    pub merges: bool,
}

/// What was placed in [`Ground::segment`].
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Placed {
    /// The instance.
    pub device: u16,
    /// Its bytes.
    pub device_size: u16,
    /// The handle table.
    pub handles: u16,
    /// Stack that receivers find, and the features below them.
    pub receivers: u16,
    /// The card's rings.
    pub rings: Rings,
    /// The driver, and the features in their order.
    pub features: [Feature; FEATURES],
    /// How many.
    pub count: u8,
    /// The card is asked at each tick and call: it has no interrupt, or its ROM drives it.
    pub polled: bool,
    /// The card's line at which it really interrupts; 0: none.
    pub irq: u8,
}

impl Placed {
    /// The feature that is for this.
    pub fn feature(&self, needs: u32) -> Option<&Feature> {
        self.features.iter().take(self.count as usize).find(|feature| feature.needs == needs)
    }
}

/// A feature that was placed.
#[derive(Clone, Copy)]
#[repr(C, packed(2))]
pub struct Feature {
    /// What it is for ([`super::header::Unit::needs`]).
    pub needs: u32,
    /// Where it lies.
    pub at: u16,
    /// Its table.
    pub table: Table,
    /// Its number in the directory.
    pub number: u8,
    /// How many hooks it has.
    pub hooks: u8,
}

impl Plan {
    /// Whether the card's own ROM drives it: that NIC is the last of the list.
    #[cfg(target_os = "none")]
    pub fn is_rom(&self) -> bool {
        self.card.nic == super::kernel::header().nics as u8 - 1
    }

    /// Notes what is said if nothing stands in the end.
    pub fn fail(&mut self, line: Line, number: u16) -> u8 {
        (self.failure, self.number) = (lines::FIRST + line as u16 + 1, number);
        FAILED
    }

    /// Notes what is wrong with the card.
    pub fn fault(&mut self, fault: Fault) -> u8 {
        self.failure = fault as u16;
        FAILED
    }
}

/// What a stage gives when nothing stands, and all is said ([`Plan::exit`]). Other values are the number of the next stage.
pub const QUIT: u8 = 0;
/// The driver stands; the resident paragraphs are [`Ground::next`]'s.
pub const DONE: u8 = 1;
/// This way did not work ([`Plan::failure`]).
pub const FAILED: u8 = 2;

