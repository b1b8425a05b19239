//! 82574 and 82583: gigabit controllers on PCI Express.

use super::intel_rings::{EXPRESS, Gigabit, Memory, Ports};

/// The card, with its registers in memory.
pub type E1000e<B> = Gigabit<B, Memory, EXPRESS>;
/// The card, with its registers reached by two ports, for V86 mode.
pub type E1000ePorts<B> = Gigabit<B, Ports, EXPRESS>;
