//! 3C515-TX (Fast EtherLink, ISA): a wide EtherLink III with a FIFO each way.
//!
//! By programmed I/O: its EEPROM says that it has no list engines (capabilities 11C7h).

use super::el3::El3;

/// The card.
pub type Corkscrew<B> = El3<B, true>;
