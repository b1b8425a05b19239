//! 82540, 82544 and 82545: gigabit controllers on PCI. Their ports are not used: QEMU's are dead.

use super::intel_rings::{Gigabit, Memory};

/// The card.
pub type E1000<B> = Gigabit<B, Memory, false>;
