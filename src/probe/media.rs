//! The transceivers of `/MEDIA=`: 0 for none given, otherwise 3Com's number plus one; and [`FULL`].

/// 10BASE-T.
pub const TP: u8 = 1;
/// A transceiver box at the AUI port.
pub const AUI: u8 = 2;
/// 10BASE2.
pub const BNC: u8 = 4;
/// 100BASE-TX.
pub const TX: u8 = 5;
/// 100BASE-FX.
pub const FX: u8 = 6;
/// A PHY on the MII, by negotiation.
pub const MII: u8 = 7;
/// The card selects the transceiver that has a link.
pub const AUTO: u8 = 9;
/// Full duplex, beside [`TP`], [`TX`] or [`FX`].
pub const FULL: u8 = 1 << 7;
