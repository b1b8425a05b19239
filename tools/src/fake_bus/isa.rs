//! ISA cards that listen where they are told to, and the ports that all of them hear.

use super::{FakeBus, Machine, Slot};
use models::isa::{self, Card, ID_PORTS, PNP_ADDRESS, PNP_WRITE};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

impl FakeBus {
    /// Plugs an ISA card in and gives its number. Its ports and its interrupt line are where it was activated.
    pub fn plug_isa(&self, card: Rc<RefCell<dyn Card>>) -> usize {
        let mut machine = self.0.borrow_mut();
        machine.slots.push(Slot { model: card.clone(), card: Some(card), places: Vec::new(), irq: 0, sent: VecDeque::new() });
        machine.slots.len() - 1
    }
}

impl Machine {
    fn cards(&self) -> Vec<(usize, Rc<RefCell<dyn Card>>)> {
        self.slots.iter().enumerate().filter_map(|(slot, entry)| Some((slot, entry.card.clone()?))).collect()
    }

    /// The ISA card that has activated itself at a port, and the offset from its base.
    pub(super) fn find_isa(&self, port: u16) -> Option<(usize, u16)> {
        self.cards().into_iter().find_map(|(slot, card)| {
            let offset = port.checked_sub(card.borrow().base()?)?;
            let hit = card.borrow().blocks().iter().any(|(first, len)| (*first..first + len).contains(&offset));
            hit.then_some((slot, offset))
        })
    }

    /// A read of a port that cards share: all lines together. None: no such port.
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

    /// A write to a port that cards share. False: it is none.
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
