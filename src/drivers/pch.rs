//! 82577 to I219: the gigabit controllers in Intel's chipsets (PCH LAN).

use super::intel_rings::{Gigabit, Memory, PCH, Ports};

/// The card, with its registers in memory.
pub type Pch<B> = Gigabit<B, Memory, PCH>;
/// The card, with its registers reached by two ports, for V86 mode; the I219 has no ports.
pub type PchPorts<B> = Gigabit<B, Ports, PCH>;
