//! 82540, 82544 and 82545: gigabit controllers on PCI. Their I/O ports are not used: in QEMU they do nothing.

use super::intel_rings::{Gigabit, Memory, PCI};

/// The card, with its registers in memory.
pub type E1000<B> = Gigabit<B, Memory, PCI>;
