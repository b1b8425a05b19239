//! The transmitter: a doorbell, a ring, and one frame at a time on the wire.

use super::ring::{Descriptor, Ring, word};
use super::{Rtl8169, cause, command, offload};
use crate::Env;
use crate::faults;

/// The longest frame without a VLAN tag; Linux sends such tags in the frame.
const LONGEST: usize = 1518;
/// The shortest frame.
const SHORTEST: usize = 60;
/// Bytes of preamble, check sequence and gap.
const AROUND: u64 = 24;
/// Descriptors that are fetched in one call, at the most.
const AT_ONCE: usize = 1024;

/// A frame on the wire.
#[derive(Clone, Debug)]
struct Flight {
    frame: Vec<u8>,
    parts: Vec<Descriptor>,
    ends: u64,
    /// It does not reach the other end.
    failed: bool,
}

/// The transmitter.
#[derive(Clone, Debug, Default)]
pub struct Tx {
    /// Its ring.
    pub ring: Ring,
    /// The doorbell was rung, and no descriptor without the own bit was found since.
    pub rung: bool,
    flight: Option<Flight>,
    /// It gets the bus no more, until a reset.
    hung: bool,
}

impl Tx {
    /// When the frame on the wire ends.
    pub fn event_at(&self) -> Option<u64> {
        self.flight.as_ref().map(|flight| flight.ends)
    }

    /// Nothing is under way.
    pub fn empty(&self) -> bool {
        self.flight.is_none()
    }
}

impl Rtl8169 {
    /// The doorbell.
    pub(super) fn ring_doorbell(&mut self, env: &mut dyn Env) {
        if self.command & command::TX == 0 {
            env.complain("the doorbell was rung while the transmitter is off");
            return;
        }
        if self.faults.strikes(faults::Kind::LostDoorbell) {
            return;
        }
        self.tx.rung = true;
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
        let idle = self.command & command::TX == 0 || self.stopped || self.tx.hung;
        if idle || !self.tx.rung || !self.phy.link() {
            return false;
        }
        if self.faults.strikes(faults::Kind::DmaHang) {
            self.tx.hung = true;
            return false;
        }
        let place = self.tx.ring.place();
        let (mut frame, mut parts) = (Vec::new(), Vec::new());
        loop {
            let part = self.tx.ring.head(env);
            if part.status & word::OWN == 0 {
                self.tx.rung = false;
                if !parts.is_empty() {
                    env.complain("a frame whose last descriptor is not the NIC's yet");
                    self.tx.ring.go_back(place);
                }
                self.raise(env, cause::TX_IDLE);
                return false;
            }
            let begins = part.status & word::FIRST_PART != 0;
            if begins != parts.is_empty() {
                env.complain(&format!("descriptor {:08X} at {:08X}: a frame begins in the middle of another, or without its beginning", part.status, part.at));
            }
            let length = (part.status & 0xFFFF) as usize;
            if length == 0 {
                env.complain(&format!("an empty buffer to send: descriptor at {:08X}", part.at));
            }
            let from = frame.len();
            frame.resize(from + length, 0);
            env.dma_read(part.buffer, &mut frame[from..]);
            self.tx.ring.step(env, part.status);
            parts.push(part);
            if part.status & word::LAST_PART != 0 || parts.len() == AT_ONCE {
                break;
            }
        }
        self.prepare(env, &mut frame, parts[0]);
        let failed = [faults::Kind::TxUnderrun, faults::Kind::MaxCollisions].map(|kind| self.faults.strikes(kind)).contains(&true);
        let ends = begin + self.byte_time() * (frame.len() as u64 + AROUND);
        self.tx.flight = Some(Flight { frame, parts, ends, failed });
        true
    }

    /// Checksums, padding, and what is wrong with the frame.
    fn prepare(&mut self, env: &mut dyn Env, frame: &mut Vec<u8>, first: Descriptor) {
        match offload::wanted(self.part.generation, first.status, first.options) {
            Some(wanted) => offload::insert(frame, wanted),
            None => env.complain(&format!("segmentation, or bits that are not known: {:08X} {:08X}", first.status, first.options)),
        }
        if frame.len() > LONGEST || frame.len() < 14 {
            env.complain(&format!("a frame of {} bytes", frame.len()));
        }
        if frame.len() < SHORTEST {
            if self.part.unpadded {
                env.complain(&format!("a frame of {} bytes on a chip that does not pad", frame.len()));
            } else {
                frame.resize(SHORTEST, 0);
            }
        }
        if self.faults.strikes(faults::Kind::DmaCorrupt)
            && let middle = frame.len() / 2
            && let Some(byte) = frame.get_mut(middle)
        {
            *byte ^= 0x10;
        }
    }

    /// A frame has left: its descriptors are the driver's again.
    fn landed(&mut self, env: &mut dyn Env, flight: Flight) {
        self.tx.hung |= self.faults.strikes(faults::Kind::StaysOwned);
        for part in flight.parts.iter().filter(|_| !self.tx.hung) {
            env.dma_write(part.at, &(part.status & !word::OWN).to_le_bytes());
        }
        if flight.failed {
            self.tally.tx_errors += 1;
            self.raise(env, cause::TX_ERROR);
            return;
        }
        self.tally.tx += 1;
        env.transmit(&flight.frame);
        self.raise(env, cause::TX_OK);
    }
}
