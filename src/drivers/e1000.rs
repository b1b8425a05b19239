//! 82540, 82544 and 82545: gigabit controllers on PCI.

use super::intel_rings::{Gigabit, Memory, PCI, Ports};

/// The card, with its registers in memory.
pub type E1000<B> = Gigabit<B, Memory, PCI>;
/// The card, with its registers reached by two ports, for V86 mode. In QEMU these ports do nothing.
pub type E1000Ports<B> = Gigabit<B, Ports, PCI>;
