//! What the rigs of the 3Com cards share: the test does what the core does.

use std::cell::RefMut;

use compkt::bus::Bus;
use compkt::device::{Counters, Device, Events, Head, LOOKAHEAD, Rx, SendError};
use compkt::drivers::boomerang::Boomerang;
use compkt::drivers::el3::El3;
use compkt::probe::Found;
use models::Model;
use models::faults::Faults;
use tools::fake_bus::{FakeBus, job};

pub const MAC: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
/// Addresses of a client's buffer and of a frame to send.
pub const ROOM: usize = 0x2000;
const FRAME: usize = 0x4000;

/// A frame to [`MAC`].
pub fn frame(len: usize) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..len).map(|at| (at * 7 + len) as u8).collect();
    frame[..6].copy_from_slice(&MAC);
    frame
}

/// A driver that counts.
pub trait Driver: Device {
    fn counters(&self) -> Counters;
}
impl<B: Bus, const WIDE: bool> Driver for El3<B, WIDE> {
    fn counters(&self) -> Counters {
        El3::counters(self)
    }
}
impl<B: Bus, const LISTS: u16> Driver for Boomerang<B, LISTS> {
    fn counters(&self) -> Counters {
        Boomerang::counters(self)
    }
}

/// A machine with a card and its driver.
pub trait Machine {
    fn bus(&self) -> &FakeBus;
    fn slot(&self) -> usize;
    fn found(&self) -> &Found;
    fn device(&mut self) -> &mut dyn Driver;
    fn model(&self) -> RefMut<'_, dyn Model>;
    fn set_faults(&self, faults: Faults);

    /// Sets a fault from now on.
    fn fault(&self, text: &str) {
        self.set_faults(Faults::parse(text).expect("a fault"));
    }

    fn pull(&self, up: bool) {
        self.bus().with_env(self.slot(), |env| self.model().set_link(env, up));
    }

    fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        self.bus().memory_mut()[FRAME..FRAME + frame.len()].copy_from_slice(frame);
        // The bytes behind the frame must not be sent.
        self.bus().memory_mut()[FRAME + frame.len()..FRAME + frame.len() + 64].fill(0xEE);
        self.device().send(&job(FRAME, frame.len(), &[0; LOOKAHEAD]))
    }

    /// Acknowledges an interrupt; whether it was the card's.
    fn acknowledge(&mut self) -> bool {
        let irq = self.found().irq;
        self.bus().take(irq) && self.device().irq() != Events::NONE
    }

    /// Serves interrupts as the core does: acknowledge, take every frame, unmask.
    fn serve(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for _ in 0..200 {
            if !self.acknowledge() {
                break;
            }
            self.take_frames(&mut frames);
            self.device().unmask();
        }
        frames
    }

    /// Takes the frames that the card has, each to a buffer between canaries.
    fn take_frames(&mut self, frames: &mut Vec<Vec<u8>>) {
        let mut head: Head = [0; LOOKAHEAD];
        for _ in 0..64 {
            let Some(rx) = self.device().peek(&mut head) else { break };
            if rx == Rx::USELESS {
                self.device().discard(rx);
                continue;
            }
            self.bus().memory_mut()[ROOM - 1..ROOM + 1600].fill(0xA5);
            self.device().copy(&job(ROOM, rx.len().into(), &head));
            let memory = self.bus().memory();
            let len = rx.len() as usize;
            assert_eq!((memory[ROOM - 1], memory[ROOM + len]), (0xA5, 0xA5));
            frames.push(memory[ROOM..][..len].to_vec());
            drop(memory);
            self.device().discard(rx);
        }
    }

    /// Receives three frames, the second of which has the fault; those that arrived.
    fn receive_three(&mut self, fault: &str) -> Vec<Vec<u8>> {
        self.fault(fault);
        let mut came = Vec::new();
        for len in [100, 200, 300] {
            self.bus().receive(self.slot(), &frame(len));
            self.bus().sleep(1_000);
            came.extend(self.serve());
        }
        came
    }

    /// Errors in, errors out, lost.
    fn counts(&mut self) -> [u32; 3] {
        let Counters { errors_in, errors_out, lost, .. } = self.device().counters();
        [errors_in, errors_out, lost]
    }

    /// Checks that frames of these lengths pass in both directions.
    fn works_at(&mut self, lengths: impl Iterator<Item = usize>) {
        for len in lengths {
            let mut sent = frame(len);
            sent[..6].copy_from_slice(&self.found().mac);
            assert!(self.bus().receive(self.slot(), &sent), "{len} bytes");
            self.bus().sleep(2_000);
            assert_eq!(self.serve(), std::slice::from_ref(&sent), "{len} bytes");
            assert_eq!(self.send(&sent), Ok(()));
            self.bus().sleep(2_000);
            self.serve();
            assert_eq!(self.bus().sent(self.slot()), [sent], "{len} bytes");
        }
    }

    /// Checks that frames pass in both directions.
    fn works(&mut self) {
        self.works_at([60, 1514, 333].into_iter());
    }
}

/// [`Machine`] but for `device`, for a rig with the fields `bus`, `slot`, `found` and `card`.
#[macro_export]
macro_rules! machine {
    () => {
        fn bus(&self) -> &FakeBus {
            &self.bus
        }
        fn slot(&self) -> usize {
            self.slot
        }
        fn found(&self) -> &Found {
            &self.found
        }
        fn model(&self) -> std::cell::RefMut<'_, dyn models::Model> {
            self.card.borrow_mut()
        }
        fn set_faults(&self, faults: Faults) {
            self.card.borrow_mut().chip().faults = faults;
        }
    };
}
