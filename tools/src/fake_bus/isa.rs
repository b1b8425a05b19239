//! ISA cards whose ports are configured, the ports that all of them listen to, and the DMA controllers.

use super::{FakeBus, Machine, Slot};
use models::isa::{self, Card, ID_PORTS, PNP_ADDRESS, PNP_WRITE};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Both 8237s: masked channels, and channels in cascade mode, a bit each.
pub(super) struct Dma {
    masks: u8,
    cascades: u8,
}

impl Dma {
    /// As a BIOS sets them: all channels masked but the one for the cascade.
    pub(super) fn new() -> Dma {
        Dma { masks: 0xEF, cascades: 0x10 }
    }

    /// Channels in cascade mode and not masked.
    pub(super) fn free(&self) -> u8 {
        self.cascades & !self.masks
    }

    /// A write to the mask (0Ah, D4h) or mode (0Bh, D6h) register of one.
    pub(super) fn write(&mut self, port: u16, value: u8) {
        let (shift, value) = (if port > 0x0F { 4 } else { 0 }, value as u32);
        let bit = 1 << (shift + (value & 3));
        let (register, on) = match port {
            0x0A | 0xD4 => (&mut self.masks, value & 4 != 0),
            _ => (&mut self.cascades, value >> 6 == 3),
        };
        *register = *register & !bit | if on { bit } else { 0 };
    }
}

impl FakeBus {
    /// Plugs an ISA card in; returns its number. It answers at the ports and the line with which it is activated.
    pub fn plug_isa(&self, card: Rc<RefCell<dyn Card>>) -> usize {
        let mut machine = self.0.borrow_mut();
        machine.slots.push(Slot { model: card.clone(), card: Some(card), places: Vec::new(), irq: 0, sent: VecDeque::new() });
        machine.slots.len() - 1
    }

    /// The DMA channels by which a card can get the bus: in cascade mode and not masked, a bit each.
    pub fn cascades(&self) -> u8 {
        self.0.borrow().dma.free()
    }
}

impl Machine {
    fn cards(&self) -> Vec<(usize, Rc<RefCell<dyn Card>>)> {
        self.slots.iter().enumerate().filter_map(|(slot, entry)| Some((slot, entry.card.clone()?))).collect()
    }

    /// The ISA card that answers at a port, and the offset from its first port.
    pub(super) fn find_isa(&self, port: u16) -> Option<(usize, u16)> {
        self.cards().into_iter().find_map(|(slot, card)| {
            let offset = port.checked_sub(card.borrow().base()?)?;
            let hit = card.borrow().blocks().iter().any(|(first, len)| (*first..first + len).contains(&offset));
            hit.then_some((slot, offset))
        })
    }

    /// Reads a port that cards share: the AND of their answers. None: it is no such port.
    pub(super) fn read_shared(&mut self, port: u16) -> Option<u8> {
        let cards = self.cards();
        let read_port = cards.iter().any(|(_, card)| card.borrow().pnp_read_port() == Some(port));
        if cards.is_empty() || !read_port && !id_port(port) {
            return None;
        }
        let offers = cards.iter().map(|(slot, card)| self.with_env(*slot, |env| card.borrow_mut().offer(env, port)));
        let line = isa::together(offers.collect::<Vec<_>>());
        for (slot, card) in &cards {
            self.with_env(*slot, |env| card.borrow_mut().settle(env, port, line));
        }
        Some(line)
    }

    /// Writes a port that cards share. False: it is no such port.
    pub(super) fn write_shared(&mut self, port: u16, value: u8) -> bool {
        let cards = self.cards();
        if cards.is_empty() || !id_port(port) && !matches!(port, PNP_ADDRESS | PNP_WRITE) {
            return false;
        }
        for (slot, card) in cards {
            self.with_env(slot, |env| card.borrow_mut().hear(env, port, value));
        }
        true
    }
}

fn id_port(port: u16) -> bool {
    ID_PORTS.contains(&port) && port & 0xF == 0
}
