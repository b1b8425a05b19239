//! The RTL8139's driver with frames that arrive while it is between two of its register accesses, unlike in QEMU.
//!
//! The model has only what this test needs: the receiver. Its numbers are the data sheet's (RTL8139D, 1.3).

use std::cell::RefCell;
use std::rc::Rc;

use compkt::bus::Addr;
use compkt::device::{Device, LOOKAHEAD};
use compkt::drivers::rtl8139::{Rtl8139, TX_FOUR};
use models::{Env, Model};
use tools::fake_bus::{FakeBus, Place};

const IO: u16 = 0xC000;
const RING: u32 = 0x10_0000 + TX_FOUR as u32;
/// Lengths in the ring: a runt's, which the driver counts as an error, and a short frame's, both with the check sequence.
const RUNT: u16 = 12;
const FRAME: u16 = 64;

#[derive(Default)]
struct Receiver {
    command: u8,
    status: u16,
    /// Offsets in the ring: of the next frame that arrives, and of the oldest.
    end: u16,
    start: u16,
    /// Frames that arrive just before the driver acknowledges.
    burst: Vec<u16>,
}

impl Model for Receiver {
    fn read(&mut self, _: &mut dyn Env, offset: u16, _: u8) -> u32 {
        match offset {
            0x30 => RING,
            0x37 => (self.command | (self.start == self.end) as u8) as u32,
            0x3E => self.status as u32,
            _ => 0,
        }
    }

    fn write(&mut self, env: &mut dyn Env, offset: u16, _: u8, value: u32) {
        match offset {
            // The reset bit clears itself. A receiver that is switched on begins with an empty ring.
            0x37 => {
                let on = value as u8 & 8;
                if on & !self.command != 0 {
                    (self.start, self.end) = (0, 0);
                }
                self.command = value as u8 & 0x0C;
            }
            0x38 => self.start = (value as u16).wrapping_add(16),
            0x3E => {
                for len in std::mem::take(&mut self.burst) {
                    env.dma_write(RING + self.end as u32, &(1u32 | (len as u32) << 16).to_le_bytes());
                    self.end += (4 + len).next_multiple_of(4);
                    self.status |= 1;
                }
                self.status &= !(value as u16);
            }
            _ => {}
        }
    }

    fn receive(&mut self, _: &mut dyn Env, _: &[u8]) -> bool {
        false
    }

    fn poll(&mut self, _: &mut dyn Env) {}

    fn set_link(&mut self, _: &mut dyn Env, _: bool) {}

    fn hard_reset(&mut self, _: &mut dyn Env) {
        *self = Receiver::default();
    }
}

/// `runts` runts and a frame arrive between the driver's look at an empty ring and its acknowledge. Returns whether the driver
/// finds the frame; if not, it must have emptied the ring, because no interrupt announces the frame.
fn burst(runts: usize) -> bool {
    let bus = FakeBus::new();
    let chip = Rc::new(RefCell::new(Receiver::default()));
    bus.plug(chip.clone(), &[Place::Ports(IO, 256)], 10);
    let mut card = Rtl8139::<_, true>::new(bus.clone(), IO, Addr(RING));
    assert!(card.open(RING, 0x9F0E), "the reset ends");
    let lengths = std::iter::repeat_n(RUNT, runts).chain([FRAME]);
    chip.borrow_mut().burst = lengths.collect();
    let found = card.peek(&mut [0; LOOKAHEAD]).is_some();
    let chip = chip.borrow();
    assert!(chip.burst.is_empty(), "the driver acknowledges");
    assert!(found || chip.status != 0 || chip.start == chip.end, "a frame lies in the ring that nothing announces");
    found
}

#[test]
fn a_frame_behind_runts_is_found() {
    assert!(burst(0));
    assert!(burst(15));
}

#[test]
fn a_frame_behind_more_runts_than_one_call_discards_is_not_stranded() {
    assert!(!burst(16), "16 runts are the limit of one call");
}
