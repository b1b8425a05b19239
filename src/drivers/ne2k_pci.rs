//! RTL8029 and other NE2000 compatibles on the PCI bus: an NE2000 whose ports and line PCI assigns.
//!
//! The line is level-triggered: it falls when all causes are acknowledged and rises with the next cause.

use super::ne2000::Ne2000;

/// The card.
pub type Ne2kPci<B> = Ne2000<B, true>;
