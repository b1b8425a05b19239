//! 3C515-TX (Fast EtherLink, ISA): a wide EtherLink III with a FIFO for each direction, and descriptor lists like those of
//! `boomerang`.
//!
//! It is driven by programmed I/O if its EEPROM does not offer the lists (capabilities 11C7h), or if data did not arrive as
//! sent in the trial of the lists at load.

use super::boomerang::Boomerang;
use super::el3::El3;

/// Offset of the lists' registers.
pub const ISA_LISTS: u16 = 0x400;

/// The card by programmed I/O.
pub type Corkscrew<B> = El3<B, true>;
/// The card with rings.
pub type CorkscrewLists<B> = Boomerang<B, ISA_LISTS>;
