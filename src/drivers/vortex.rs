//! 3C590 and 3C595 (Fast EtherLink III, PCI): a wide EtherLink III with a FIFO for each direction.
//!
//! The line is level-triggered: it falls when the latch is acknowledged and all causes are masked, and rises when they are
//! unmasked.

use super::el3::El3;

/// The card.
pub type Vortex<B> = El3<B, true>;
