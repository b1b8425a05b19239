//! 82575, 82576, 82580, I350, I354, I210, I211, I225 and I226: controllers with several queues, on PCI Express.

use super::intel_rings::{Gigabit, Memory, Ports, QUEUES};

/// The card, with its registers in memory.
pub type Igb<B> = Gigabit<B, Memory, QUEUES>;
/// The card, with its registers reached by two ports, for V86 mode.
pub type IgbPorts<B> = Gigabit<B, Ports, QUEUES>;
