//! Mailboxes: the driver's ends of the rings, and the interrupt's.

use super::{Tg3, blocks, ring, status};
use crate::Env;
use crate::faults;

/// Low halves of the mailboxes.
const INTERRUPT: u16 = 0x0204;
const STD_PRODUCER: u16 = 0x026C;
const JUMBO_PRODUCER: u16 = 0x0274;
const MINI_PRODUCER: u16 = 0x027C;
const RETURN_CONSUMER: u16 = 0x0284;
const SEND_PRODUCER: u16 = 0x0304;

impl Tg3 {
    /// Writes a mailbox, by the offset that it has in memory on most chips.
    pub(super) fn store_mailbox(&mut self, env: &mut dyn Env, at: u16, value: u32) {
        let before = self.get(at);
        self.set(at, value);
        match at {
            INTERRUPT => self.acknowledge(env, value),
            STD_PRODUCER => self.post_buffers(env, value),
            RETURN_CONSUMER => self.return_read(env, value),
            SEND_PRODUCER => self.doorbell(env, before, value),
            // The high halves; other vectors and rings, which no driver of one ring uses.
            _ if at & 4 == 0 && value == 0 => {}
            0x020C | 0x0214 | 0x021C | 0x0224 | JUMBO_PRODUCER | MINI_PRODUCER if value <= 1 => {}
            0x028C..=0x02FC | 0x030C..=0x03FC if value == 0 => {}
            _ => env.complain(&format!("mailbox {at:04X}h is written with {value:08X}; it belongs to no ring in use")),
        }
    }

    /// New receive buffers.
    fn post_buffers(&mut self, env: &mut dyn Env, value: u32) {
        let size = self.std_ring().size;
        if value != 0 && size == 0 {
            env.complain("the standard ring's producer is written before its control block (2450h)");
        } else if value != 0 && value >= size {
            env.complain(&format!("the standard ring's producer is {value}, in a ring of {size}"));
        } else {
            self.rx.set_producer(value);
            self.fetch_buffers(env);
        }
    }

    /// The driver has read the return ring up to here.
    fn return_read(&mut self, env: &mut dyn Env, value: u32) {
        let size = self.sram_ring(ring::RETURN).size;
        if value != 0 && value >= size {
            env.complain(&format!("the return ring's consumer is {value}, in a ring of {size}"));
            return;
        }
        if !self.rx.set_consumer(value, size) {
            env.complain(&format!("the return ring's consumer is {value}, beyond what was returned"));
        }
        self.receive_due(env);
    }

    /// New frames to send.
    fn doorbell(&mut self, env: &mut dyn Env, before: u32, value: u32) {
        let size = self.sram_ring(ring::SEND).size;
        if value == before && value == self.tx.consumer() {
            return;
        }
        if let Some(off) = self.missing(&blocks::TO_SEND) {
            env.complain(&format!("frames to send, but these blocks are off: {off}"));
        } else if !self.sending() {
            env.complain("frames to send, but the transmitter is off (045Ch)");
        } else if value >= size {
            env.complain(&format!("the send ring's producer is {value}, in a ring of {size}"));
        } else if !self.faults.strikes(faults::Kind::LostDoorbell) {
            self.tx.set_producer(value);
            self.transmit_due(env);
        }
    }

    /// The interrupt's mailbox.
    fn acknowledge(&mut self, env: &mut dyn Env, value: u32) {
        self.status.asserted = false;
        self.status.in_service = value & 0x00FF_FFFF != 0;
        if !self.status.in_service && self.tagged() && self.status.tag != status::tag_of(value) {
            // The driver has not seen the last update.
            self.assert_line();
        }
        self.coalesce(env);
        self.drive(env);
    }
}
