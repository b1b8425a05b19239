//! The ISA bus as cards share it: ports that all cards listen to, and data lines that several drive.

use crate::{Env, Model};

/// Writes select this ID port of the EtherLink III: 0x100 to 0x1F0 in steps of 0x10.
pub const ID_PORTS: std::ops::RangeInclusive<u16> = 0x100..=0x1F0;
/// ISA PnP: address port, write only.
pub const PNP_ADDRESS: u16 = 0x279;
/// ISA PnP: write data port.
pub const PNP_WRITE: u16 = 0xA79;

/// A card on the ISA bus.
pub trait Card: Model {
    /// A write to a port that all cards listen to: ID ports, [`PNP_ADDRESS`], [`PNP_WRITE`].
    fn hear(&mut self, env: &mut dyn Env, port: u16, value: u8);
    /// A read of such a port, or of the card's PnP read port: the byte that the card drives, None if none.
    fn offer(&mut self, env: &mut dyn Env, port: u16) -> Option<u8>;
    /// The value on the data lines, from all offers; called on every card after [`Card::offer`].
    fn settle(&mut self, env: &mut dyn Env, port: u16, line: u8);
    /// The read data port that PnP software has set.
    fn pnp_read_port(&self) -> Option<u16>;
    /// The first port of the card's own registers; None while it is not activated.
    fn base(&self) -> Option<u16>;
    /// The interrupt line that it drives now; 0: none.
    fn line(&self) -> u8;
    /// Its blocks of ports: offset from the base, and length.
    fn blocks(&self) -> &'static [(u16, u16)];
}

/// The value on data lines that several cards drive. Drivers are open-collector: a zero from any of them wins; with none, all
/// bits are ones.
pub fn together(offers: impl IntoIterator<Item = Option<u8>>) -> u8 {
    offers.into_iter().flatten().fold(0xFF, |line, byte| line & byte)
}
