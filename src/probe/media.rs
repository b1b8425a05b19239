//! Transceivers as `/MEDIA=` names them: 0 nothing, else one more than 3Com's number, and [`FULL`].

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
/// Whatever hangs on the MII, by negotiation.
pub const MII: u8 = 7;
/// The card is to find the one with a link.
pub const AUTO: u8 = 9;
/// Full duplex, beside [`TP`], [`TX`] or [`FX`].
pub const FULL: u8 = 1 << 7;
