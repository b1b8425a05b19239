//! A virtio network card by its legacy registers (OASIS Virtual I/O Device 1.2, sections 2.7, 4.1.4.10 and 5.1).
//!
//! For host tests, which can do what QEMU cannot: let a frame come between two accesses of the driver. Queues have 256
//! entries, as in QEMU. Accepts every command, and filters nothing.

use crate::{Env, Model};

/// Entries of a queue.
const PLACES: u16 = 256;
/// Offsets in a queue's pages: descriptors (16 bytes each), available ring, used ring on the next page.
const AVAILABLE: u32 = 16 * PLACES as u32;
const USED: u32 = 0x2000;
/// Bytes before each frame.
const HEADER: usize = 10;

/// Flags of a descriptor.
mod flag {
    pub const NEXT: u16 = 1;
    pub const WRITE: u16 = 2;
}

/// Queues by number.
mod queue {
    pub const RECEIVE: usize = 0;
    pub const TRANSMIT: usize = 1;
    pub const CONTROL: usize = 2;
}

#[derive(Clone, Copy, Default)]
struct Queue {
    /// Its page number; 0: not set.
    page: u32,
    /// Buffers taken from the available ring, and returned in the used ring.
    taken: u16,
}

/// A descriptor.
#[derive(Clone, Copy)]
struct Part {
    at: u32,
    len: u32,
    flags: u16,
}

/// The card.
pub struct VirtioNet {
    mac: [u8; 6],
    features: u32,
    queues: [Queue; 3],
    selected: u16,
    status: u8,
    isr: u8,
    link: bool,
    /// Frames that found no buffer.
    pub missed: u32,
}

/// The device has an address, a link state, a control queue, and filter commands.
const FEATURES: u32 = 1 << 5 | 1 << 16 | 1 << 17 | 1 << 18;

impl VirtioNet {
    /// A card after power-on, with its cable plugged in.
    pub fn new(mac: [u8; 6]) -> VirtioNet {
        VirtioNet { mac, features: 0, queues: [Queue::default(); 3], selected: 0, status: 0, isr: 0, link: true, missed: 0 }
    }

    /// Frames received since the card was started.
    pub fn received(&self) -> u16 {
        self.queues[queue::RECEIVE].taken
    }

    fn ready(&self) -> bool {
        self.status & 4 != 0
    }

    fn raise(&mut self, env: &mut dyn Env, cause: u8) {
        self.isr |= cause;
        env.set_irq(true);
    }

    fn word(env: &mut dyn Env, at: u32) -> u16 {
        let mut bytes = [0; 2];
        env.dma_read(at, &mut bytes);
        u16::from_le_bytes(bytes)
    }

    /// The next chain of the available ring, and its number.
    fn next(&mut self, env: &mut dyn Env, number: usize) -> Option<(u16, Vec<Part>)> {
        let queue = &mut self.queues[number];
        if queue.page == 0 {
            return None;
        }
        let base = queue.page << 12;
        let offered = Self::word(env, base + AVAILABLE + 2).wrapping_sub(queue.taken);
        if offered > PLACES {
            env.complain("more buffers offered than the queue has places");
        }
        if offered == 0 {
            return None;
        }
        let first = Self::word(env, base + AVAILABLE + 4 + 2 * (queue.taken % PLACES) as u32);
        queue.taken = queue.taken.wrapping_add(1);
        let (mut index, mut parts) = (first, Vec::new());
        loop {
            if index >= PLACES || parts.len() > PLACES as usize {
                env.complain("a chain that leaves the queue or goes round");
                break;
            }
            let mut bytes = [0; 16];
            env.dma_read(base + 16 * index as u32, &mut bytes);
            let field = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
            if field(4) != 0 {
                env.complain("a buffer above 4 GB");
            }
            let part = Part { at: field(0), len: field(8), flags: field(12) as u16 };
            parts.push(part);
            if part.flags & flag::NEXT == 0 {
                break;
            }
            index = (field(12) >> 16) as u16;
        }
        Some((first, parts))
    }

    /// Returns a chain, with the number of bytes written to it; interrupts unless the driver does not want that.
    fn give_back(&mut self, env: &mut dyn Env, number: usize, chain: u16, len: u32) {
        let queue = self.queues[number];
        let base = queue.page << 12;
        let place = base + USED + 4 + 8 * (queue.taken.wrapping_sub(1) % PLACES) as u32;
        env.dma_write(place, &(chain as u32).to_le_bytes());
        env.dma_write(place + 4, &len.to_le_bytes());
        env.dma_write(base + USED + 2, &queue.taken.to_le_bytes());
        if Self::word(env, base + AVAILABLE) & 1 == 0 {
            self.raise(env, 1);
        }
    }

    fn gather(&self, env: &mut dyn Env, parts: &[Part]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in parts.iter().filter(|part| part.flags & flag::WRITE == 0) {
            let from = bytes.len();
            bytes.resize(from + part.len as usize, 0);
            env.dma_read(part.at, &mut bytes[from..]);
        }
        bytes
    }

    fn notified(&mut self, env: &mut dyn Env, number: usize) {
        if !self.ready() {
            return env.complain("notified before the driver is ready");
        }
        match number {
            queue::RECEIVE => {}
            queue::TRANSMIT => {
                while let Some((chain, parts)) = self.next(env, number) {
                    let bytes = self.gather(env, &parts);
                    if parts[0].len as usize != HEADER || !(HEADER + 60..=HEADER + 1514).contains(&bytes.len()) {
                        env.complain(&format!("a frame of {} bytes, header and all", bytes.len()));
                    }
                    if let Some(frame) = bytes.get(HEADER..) {
                        env.transmit(frame);
                    }
                    self.give_back(env, number, chain, 0);
                }
            }
            queue::CONTROL => {
                while let Some((chain, parts)) = self.next(env, number) {
                    let command = self.gather(env, &parts);
                    if !matches!(command.get(..2), Some([0, 0] | [1, 0])) {
                        env.complain(&format!("command {command:02X?}"));
                    }
                    match parts.last() {
                        Some(part) if part.flags & flag::WRITE != 0 && part.len == 1 => env.dma_write(part.at, &[0]),
                        _ => env.complain("a command without room for the answer"),
                    }
                    self.give_back(env, number, chain, 1);
                }
            }
            _ => env.complain(&format!("notified of queue {number}")),
        }
    }

    fn reset(&mut self, env: &mut dyn Env) {
        *self = VirtioNet { link: self.link, missed: self.missed, ..VirtioNet::new(self.mac) };
        env.set_irq(false);
    }
}

impl Model for VirtioNet {
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        let selected = self.queues.get(self.selected as usize);
        match (offset, width) {
            (0x00, 4) => FEATURES,
            (0x04, 4) => self.features,
            (0x08, 4) => selected.map_or(0, |queue| queue.page),
            (0x0C, 2) => selected.map_or(0, |_| PLACES as u32),
            (0x0E, 2) => self.selected as u32,
            (0x12, 1) => self.status as u32,
            (0x13, 1) => {
                env.set_irq(false);
                std::mem::take(&mut self.isr) as u32
            }
            (0x14..0x1A, 1) => self.mac[offset as usize - 0x14] as u32,
            (0x1A, 2) => self.link as u32,
            _ => {
                env.complain(&format!("{width} bytes read at {offset:X}h"));
                u32::MAX
            }
        }
    }

    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        match (offset, width) {
            (0x04, 4) if value & !FEATURES == 0 => self.features = value,
            (0x08, 4) => match self.queues.get_mut(self.selected as usize) {
                Some(queue) => *queue = Queue { page: value, taken: 0 },
                None => env.complain("a page for a queue that does not exist"),
            },
            (0x0E, 2) => self.selected = value as u16,
            (0x10, 2) => self.notified(env, value as usize),
            (0x12, 1) if value == 0 => self.reset(env),
            (0x12, 1) => self.status = value as u8,
            _ => env.complain(&format!("{value:X}h ({width} bytes) written at {offset:X}h")),
        }
    }

    fn receive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        if !self.ready() || !self.link {
            return false;
        }
        let Some((chain, parts)) = self.next(env, queue::RECEIVE) else {
            self.missed += 1;
            return false;
        };
        let mut bytes = vec![0; HEADER];
        bytes.extend(frame);
        let (mut rest, mut room) = (&bytes[..], 0);
        for part in &parts {
            if part.flags & flag::WRITE == 0 {
                env.complain("a buffer that is not to be written");
            }
            room += part.len as usize;
            let (now, later) = rest.split_at(rest.len().min(part.len as usize));
            env.dma_write(part.at, now);
            rest = later;
        }
        if parts[0].len as usize != HEADER {
            env.complain("a header of another length");
        }
        self.give_back(env, queue::RECEIVE, chain, bytes.len().min(room) as u32);
        true
    }

    fn set_link(&mut self, env: &mut dyn Env, up: bool) {
        self.link = up;
        if self.ready() {
            self.raise(env, 2);
        }
    }

    fn hard_reset(&mut self, env: &mut dyn Env) {
        self.reset(env);
    }
}
