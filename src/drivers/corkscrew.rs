//! 3C515-TX (Fast EtherLink, ISA): a wide EtherLink III with a FIFO each way, and lists of descriptors like a
//! `boomerang`'s.
//!
//! By programmed I/O where the EEPROM does not offer the lists (capabilities 11C7h), or where they were tried at load and
//! data did not arrive as they were sent.

use super::boomerang::Boomerang;
use super::el3::El3;

/// Where the lists' registers are.
pub const ISA_LISTS: u16 = 0x400;

/// The card by programmed I/O.
pub type Corkscrew<B> = El3<B, true>;
/// The card with rings.
pub type CorkscrewLists<B> = Boomerang<B, ISA_LISTS>;
