//! The transmitter: descriptors of both kinds, and the I219's habit of keeping them.

use super::offload::{Context, checksums, cut, insert};
use super::ring::Ring;
use super::{Pch, cause, control};
use crate::Env;
use crate::faults::Kind;

/// Bytes of preamble, check sequence and gap.
const AROUND: u64 = 24;
/// The shortest and the longest frame, without the check sequence and with a VLAN tag.
const SHORTEST: usize = 60;
const LONGEST: usize = 1518;
/// Frames and descriptors that are looked at in one go.
const AT_ONCE: u32 = 256;

/// Bits of a descriptor's third double word.
mod word {
    pub const END: u32 = 1 << 24;
    pub const CHECK_SEQUENCE: u32 = 1 << 25;
    /// Of a legacy descriptor: a checksum. Of an extended one: segmentation.
    pub const OFFLOAD: u32 = 1 << 26;
    pub const REPORT: u32 = 1 << 27;
    pub const EXTENDED: u32 = 1 << 29;
    pub const VLAN: u32 = 1 << 30;
}

/// Bits of TCTL.
pub mod tctl {
    pub const ON: u32 = 1 << 1;
    pub const PAD: u32 = 1 << 3;
}

/// A frame, or the segments of one, on the wire.
#[derive(Clone, Debug)]
struct Flight {
    frames: Vec<Vec<u8>>,
    /// Its descriptors, and whether each wants a report.
    parts: Vec<(u32, bool)>,
    ends: u64,
    collided: bool,
}

/// A frame whose descriptors are not all there yet.
#[derive(Clone, Debug, Default)]
struct Partial {
    data: Vec<u8>,
    parts: Vec<(u32, bool)>,
    /// Its first data descriptor.
    first: Option<[u32; 4]>,
}

/// The transmitter.
#[derive(Clone, Debug, Default)]
pub struct Tx {
    /// Its ring.
    pub ring: Ring,
    /// TCTL.
    pub control: u32,
    context: Context,
    partial: Partial,
    flight: Option<Flight>,
    /// It gets the bus no more, until a reset.
    hung: bool,
}

impl Tx {
    /// When the frame on the wire ends.
    pub fn event_at(&self) -> Option<u64> {
        self.flight.as_ref().map(|flight| flight.ends)
    }

    /// It is on.
    pub fn on(&self) -> bool {
        self.control & tctl::ON != 0
    }

    /// It holds descriptors that it has not reported.
    pub fn holds(&self) -> bool {
        self.flight.is_some() || self.ring.owned() != 0
    }
}

impl Pch {
    /// The tail was written.
    pub(super) fn tx_doorbell(&mut self, env: &mut dyn Env) {
        if self.tx.on() && self.held.tx && self.drains() {
            // The unit lets go of what it kept, unsent.
            self.tx.ring.drain();
            (self.tx.flight, self.tx.partial) = (None, Partial::default());
            self.held.tx = false;
            self.show_held(env);
        }
        self.transmit_due(env);
    }

    /// Ends the frame on the wire if it is due, and fetches further ones.
    pub(super) fn transmit_due(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        let mut begin = now;
        for _ in 0..AT_ONCE {
            if let Some(flight) = self.tx.flight.take_if(|flight| flight.ends <= now) {
                begin = flight.ends;
                self.landed(env, flight);
            }
            if self.tx.flight.is_some() || !self.fetch(env, begin) {
                return;
            }
        }
    }

    /// Fetches the next frame. False: none, or not now.
    fn fetch(&mut self, env: &mut dyn Env, begin: u64) -> bool {
        if !self.tx.on() || self.tx.hung || self.tx.ring.owned() == 0 || !self.link_up() || !self.masters() {
            return false;
        }
        if self.faults.strikes(Kind::DmaHang) {
            self.tx.hung = true;
            return false;
        }
        let mut last = [0; 4];
        while last[2] & word::END == 0 {
            if self.tx.ring.owned() == 0 {
                // The rest of the frame comes with the next write of the tail. A context descriptor alone is done.
                if self.tx.partial.first.is_some() {
                    return false;
                }
                break;
            }
            let at = self.tx.ring.at(0);
            let words = descriptor(env, at);
            self.tx.ring.step(1);
            self.tx.partial.parts.push((at, words[2] & word::REPORT != 0));
            if words[2] & word::EXTENDED == 0 || words[2] >> 20 & 0xF != 0 {
                self.tx.partial.first.get_or_insert(words);
                self.gather(env, at, words);
                last = words;
            } else {
                if self.tx.partial.first.is_some() {
                    env.complain(&format!("a context descriptor in the middle of a frame, at {at:08X}"));
                }
                self.tx.context = Context::new(words);
            }
        }
        let Partial { data, parts, first } = std::mem::take(&mut self.tx.partial);
        let frames = match first {
            Some(first) => self.prepare(env, data, first, last),
            None => Vec::new(),
        };
        let collided = self.faults.strikes(Kind::MaxCollisions);
        let bytes: usize = frames.iter().map(Vec::len).sum();
        let ends = begin + self.byte_time() * (bytes as u64 + AROUND * frames.len() as u64);
        self.tx.flight = Some(Flight { frames, parts, ends, collided });
        true
    }

    /// Reads a descriptor's buffer.
    fn gather(&mut self, env: &mut dyn Env, at: u32, words: [u32; 4]) {
        let extended = words[2] & word::EXTENDED != 0;
        if extended && words[2] >> 20 & 0xF != 1 {
            env.complain(&format!("a descriptor of an unknown kind at {at:08X}: {:08X}", words[2]));
        }
        if words[1] != 0 {
            env.complain(&format!("a buffer above 4 GB: descriptor at {at:08X}"));
        }
        let length = (words[2] & if extended { 0xF_FFFF } else { 0xFFFF }) as usize;
        if length == 0 {
            env.complain(&format!("an empty buffer to send: descriptor at {at:08X}"));
        }
        let mut bytes = vec![0; length];
        env.dma_read(words[0], &mut bytes);
        self.tx.partial.data.extend(bytes);
    }

    /// Checksums, segments, padding, and what is wrong with the frame.
    fn prepare(&mut self, env: &mut dyn Env, mut frame: Vec<u8>, first: [u32; 4], last: [u32; 4]) -> Vec<Vec<u8>> {
        let extended = first[2] & word::EXTENDED != 0;
        let options = (first[3] >> 8) as u8;
        let offload = first[2] & word::OFFLOAD != 0;
        let mut frames = Vec::new();
        let fine = if extended && offload {
            frames = cut(&frame, &self.tx.context, options).unwrap_or_default();
            !frames.is_empty()
        } else if extended {
            checksums(&mut frame, &self.tx.context, options)
        } else {
            let area = ((first[3] >> 8 & 0xFF) as usize, (first[2] >> 16 & 0xFF) as usize, 0);
            !offload || insert(&mut frame, area)
        };
        if !fine {
            env.complain(&format!("segments or a checksum that cannot be: {:08X} {:08X}, a frame of {} bytes", first[2], first[3], frame.len()));
        }
        if frames.is_empty() {
            frames.push(frame);
        }
        if last[2] & word::CHECK_SEQUENCE == 0 {
            env.complain(&format!("a frame whose check sequence shall not be inserted: {:08X}", last[2]));
        }
        for frame in &mut frames {
            if last[2] & word::VLAN != 0 && frame.len() >= 12 {
                let tag = [0x81, 0, (last[3] >> 24) as u8, (last[3] >> 16) as u8];
                frame.splice(12..12, tag);
            }
            if frame.len() > LONGEST || frame.len() < 14 {
                env.complain(&format!("a frame of {} bytes", frame.len()));
            }
            if frame.len() < SHORTEST {
                if self.tx.control & tctl::PAD == 0 {
                    env.complain(&format!("a frame of {} bytes, and no padding is asked for", frame.len()));
                }
                frame.resize(SHORTEST, 0);
            }
        }
        if self.faults.strikes(Kind::DmaCorrupt) {
            let middle = frames[0].len() / 2;
            frames[0][middle] ^= 0x10;
        }
        frames
    }

    /// A frame has left: its descriptors are the driver's again.
    fn landed(&mut self, env: &mut dyn Env, flight: Flight) {
        self.tx.hung |= !flight.frames.is_empty() && self.faults.strikes(Kind::StaysOwned);
        let mut causes = 0;
        for (at, _) in flight.parts.iter().filter(|(_, report)| *report && !self.tx.hung) {
            env.dma_write(at + 12, &[1 | (flight.collided as u8) << 1]);
            causes |= cause::TX_DONE;
        }
        if self.tx.ring.owned() == 0 {
            causes |= cause::TX_EMPTY;
        }
        for frame in flight.frames.iter().filter(|_| !flight.collided) {
            self.tally.sent(frame);
            env.transmit(frame);
        }
        self.me.look(env.now_ns());
        self.raise(env, causes);
    }

    /// TCTL is written.
    pub(super) fn write_tctl(&mut self, env: &mut dyn Env, value: u32) {
        let before = std::mem::replace(&mut self.tx.control, value);
        if value & tctl::ON != 0 && before & tctl::ON == 0 {
            if self.tx.ring.length() == 0 {
                env.complain("the transmitter is switched on without a ring");
            }
            if self.ctrl & control::MASTER_OFF != 0 {
                env.complain("the transmitter is switched on while bus mastering is disabled in CTRL");
            }
        }
        if value & tctl::ON == 0 && before & tctl::ON != 0 {
            if self.part.whole() && self.tx.holds() {
                self.held.tx = true;
                self.show_held(env);
            }
            self.tx.flight = None;
        }
        self.transmit_due(env);
    }
}

/// The four double words of a descriptor.
pub fn descriptor(env: &mut dyn Env, at: u32) -> [u32; 4] {
    let mut bytes = [0; 16];
    env.dma_read(at, &mut bytes);
    std::array::from_fn(|field| u32::from_le_bytes([bytes[4 * field], bytes[4 * field + 1], bytes[4 * field + 2], bytes[4 * field + 3]]))
}
