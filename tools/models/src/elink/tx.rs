//! The transmitter: FIFO, start threshold, the stack of transmit status, errors.

use super::{Chip, Kind, cause};
use crate::Env;
use crate::faults;
use std::collections::VecDeque;

/// Bits of a transmit status byte.
pub mod status {
    /// Set in every status.
    pub const COMPLETE: u8 = 0x80;
    /// The driver requested the status.
    pub const REQUESTED: u8 = 0x40;
    /// The transmitter sent for too long.
    pub const JABBER: u8 = 0x20;
    /// Underrun of the FIFO.
    pub const UNDERRUN: u8 = 0x10;
    /// Sixteen collisions.
    pub const COLLISIONS: u8 = 0x08;
    /// The stack was full.
    pub const OVERFLOW: u8 = 0x04;
}

/// The most statuses in the stack.
const STACK: usize = 31;

/// A frame in the FIFO. It may be incomplete.
#[derive(Clone, Debug)]
struct Frame {
    len: usize,
    /// The driver requests a status.
    indicate: bool,
    data: Vec<u8>,
}

impl Frame {
    fn padded(&self) -> usize {
        self.len.div_ceil(4) * 4
    }
    fn whole(&self) -> bool {
        self.data.len() >= self.padded()
    }
}

/// The transmit half of a chip.
pub struct Tx {
    pub(crate) size: usize,
    pub(crate) enabled: bool,
    /// Jabber or underrun: nothing is sent before a reset.
    pub(crate) reset_required: bool,
    /// The full FIFO was written.
    pub(crate) overrun: bool,
    pub(crate) start_threshold: u16,
    pub(crate) available_threshold: u16,
    off: u16,
    header: Vec<u8>,
    queue: VecDeque<Frame>,
    stack: VecDeque<u8>,
    /// When transmission of the first frame began, and the fault that it will have.
    started: Option<(u64, Option<faults::Kind>)>,
    wide: bool,
}

impl Tx {
    pub(crate) fn new(kind: Kind) -> Tx {
        let off = kind.threshold_off();
        Tx {
            size: 0,
            enabled: false,
            reset_required: false,
            overrun: false,
            start_threshold: off,
            available_threshold: off,
            off,
            header: Vec::new(),
            queue: VecDeque::new(),
            stack: VecDeque::new(),
            started: None,
            wide: kind.wide(),
        }
    }

    fn used(&self) -> usize {
        self.header.len() + self.queue.iter().map(|frame| 4 + frame.data.len()).sum::<usize>()
    }

    /// Free bytes.
    pub(crate) fn free(&self) -> usize {
        self.size.saturating_sub(self.used() + 4)
    }

    /// The first status of the stack; 0: it is empty.
    pub(crate) fn status(&self) -> u8 {
        self.stack.front().copied().unwrap_or(0)
    }

    pub(crate) fn status_pending(&self) -> bool {
        !self.stack.is_empty()
    }

    pub(crate) fn pop_status(&mut self) {
        self.stack.pop_front();
    }

    /// Whether room was requested, and is there.
    pub(crate) fn room_wanted(&self) -> bool {
        self.available_threshold < self.off && self.free() >= self.available_threshold as usize
    }

    pub(crate) fn threshold(&self, value: u16) -> u16 {
        value.min(self.off)
    }

    /// Whether the FIFO is empty and nothing is being sent.
    pub(crate) fn idle(&self) -> bool {
        self.queue.is_empty() && self.header.is_empty()
    }

    fn push_status(&mut self, bits: u8) {
        if self.stack.len() == STACK {
            // The last entry shows that statuses were lost, and the transmitter stops.
            if let Some(last) = self.stack.back_mut() {
                *last |= status::OVERFLOW;
            }
            self.enabled = false;
        } else {
            self.stack.push_back(bits);
        }
    }

    /// When the frame on the wire ends, or has its underrun.
    pub(crate) fn event_at(&self, byte: u64) -> Option<u64> {
        let (at, _) = self.started?;
        let frame = self.queue.front()?;
        let bytes = if frame.whole() { frame.len.max(60) + 4 } else { frame.data.len() + 1 };
        Some(at + (8 + bytes as u64) * byte)
    }
}

impl Chip {
    /// Data for the transmit FIFO, as the driver writes it: header, frame, padding to a multiple of four.
    pub(crate) fn tx_write(&mut self, env: &mut dyn Env, bytes: &[u8]) {
        for byte in bytes {
            if self.tx.free() == 0 {
                if !self.tx.overrun {
                    env.complain("transmit FIFO written while full");
                }
                self.tx.overrun = true;
                self.fail();
                return;
            }
            if self.tx.queue.back().is_none_or(Frame::whole) {
                self.tx.header.push(*byte);
                if self.tx.header.len() == 4 {
                    self.tx_header(env);
                }
            } else if let Some(frame) = self.tx.queue.back_mut() {
                frame.data.push(*byte);
            }
        }
        self.tx_start(env);
    }

    fn tx_header(&mut self, env: &mut dyn Env) {
        let header = std::mem::take(&mut self.tx.header);
        let word = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        let (mask, known) = if self.tx.wide { (0x1FFF, 0xBFFF) } else { (0x7FF, 0xA7FF) };
        let len = (word & mask) as usize;
        if word & !known != 0 {
            env.complain(&format!("transmit header {word:08X} has undefined bits"));
        }
        if !(1..=1514).contains(&len) {
            env.complain(&format!("frame of {len} bytes to transmit"));
        }
        if word & 0x2000 != 0 {
            env.complain("frame without check sequence");
        }
        self.tx.queue.push_back(Frame { len, indicate: word & 0x8000 != 0, data: Vec::new() });
    }

    /// A complete frame from the download engine.
    pub(crate) fn tx_push(&mut self, env: &mut dyn Env, mut data: Vec<u8>, indicate: bool) {
        let len = data.len();
        if !(1..=1514).contains(&len) && self.wide.mac_control & 0x40 == 0 {
            env.complain(&format!("frame of {len} bytes to transmit"));
        }
        data.resize(len.next_multiple_of(4), 0);
        self.tx.queue.push_back(Frame { len, indicate, data });
        self.tx_start(env);
    }

    /// Begins to send the first frame, if it may be sent.
    pub(crate) fn tx_start(&mut self, env: &mut dyn Env) {
        let tx = &mut self.tx;
        if !tx.enabled || tx.reset_required || tx.overrun || tx.started.is_some() {
            return;
        }
        let Some(head) = tx.queue.front() else { return };
        // Without time on the wire every frame would have an underrun.
        let early = self.times.byte > 0 && tx.start_threshold < tx.off && head.data.len() >= tx.start_threshold.max(4) as usize;
        if !head.whole() && !early {
            return;
        }
        let plans = [faults::Kind::TxUnderrun, faults::Kind::Jabber, faults::Kind::MaxCollisions];
        let fault = plans.into_iter().filter(|kind| self.faults.strikes(*kind)).last();
        let now = env.now_ns();
        tx.started = Some((now, fault));
        if self.times.byte == 0 {
            self.tx_event(env, now);
        }
    }

    /// Whether the frame on the wire is not written completely yet.
    pub(crate) fn racing(&self) -> bool {
        self.tx.started.is_some() && self.tx.queue.front().is_some_and(|head| !head.whole())
    }

    /// The frame on the wire ends, or has its underrun, at `now`.
    pub(crate) fn tx_event(&mut self, env: &mut dyn Env, now: u64) {
        if self.tx.event_at(self.times.byte).is_none_or(|at| at > now) {
            return;
        }
        let Some((_, fault)) = self.tx.started else { return };
        let Some(frame) = self.tx.queue.front() else { return };
        let mut bits = status::COMPLETE | if frame.indicate { status::REQUESTED } else { 0 };
        if !frame.whole() || fault == Some(faults::Kind::TxUnderrun) {
            bits |= status::UNDERRUN;
        } else if fault == Some(faults::Kind::Jabber) {
            bits |= status::JABBER;
        } else if fault == Some(faults::Kind::MaxCollisions) {
            bits |= status::COLLISIONS;
        }
        self.tx.started = None;
        if bits & (status::UNDERRUN | status::JABBER) != 0 {
            // The rest of the frame stays in the FIFO until the reset.
            self.tx.enabled = false;
            self.tx.reset_required = true;
            self.tx.push_status(bits);
            return;
        }
        let frame = self.tx.queue.pop_front().expect("the head was just looked at");
        if bits & status::COLLISIONS != 0 {
            self.tx.enabled = false;
            self.tx.push_status(bits);
            return;
        }
        if frame.indicate {
            self.tx.push_status(bits);
        }
        self.tx_sent(env, frame);
        self.tx_start(env);
    }

    fn tx_sent(&mut self, env: &mut dyn Env, frame: Frame) {
        let mut data = frame.data;
        data.truncate(frame.len);
        data.resize(frame.len.max(60), 0);
        self.stats.sent(frame.len);
        if self.net_diagnostic & 0x7000 != 0 {
            // Loopback: the frame is received, not sent.
            self.accept(env, &data);
        } else if self.link_up() {
            env.transmit(&data);
        } else {
            self.stats.carrier_lost(self.kind);
        }
    }

    /// TX enable.
    pub(crate) fn tx_enable(&mut self, env: &mut dyn Env) {
        if self.tx.reset_required || self.tx.overrun {
            env.complain("TX enable while the transmitter needs a reset");
            return;
        }
        if self.media & self.media_needed != self.media_needed {
            env.complain(&format!("TX enable with media {:04X}, which needs {:04X}", self.media, self.media_needed));
        }
        self.tx.enabled = true;
        self.tx_start(env);
    }

    /// TX reset. The wide parts spare what the argument's bits say: 2 the network side with the status stack, 3 the
    /// FIFO with its thresholds.
    pub(crate) fn tx_reset(&mut self, spared: u16) {
        let fresh = Tx { size: self.tx.size, ..Tx::new(self.kind) };
        let old = std::mem::replace(&mut self.tx, fresh);
        if spared & 4 != 0 {
            self.tx.enabled = old.enabled;
            self.tx.reset_required = old.reset_required;
            self.tx.stack = old.stack;
        }
        if spared & 8 != 0 {
            self.tx.start_threshold = old.start_threshold;
            self.tx.available_threshold = old.available_threshold;
            self.tx.overrun = old.overrun;
            self.tx.header = old.header;
            self.tx.queue = old.queue;
        } else {
            self.causes &= !cause::TX_AVAILABLE;
        }
        self.recover();
    }

    /// Adapter failure lasts until the side that failed is reset.
    pub(crate) fn recover(&mut self) {
        if !self.tx.overrun && !self.rx.underrun {
            self.causes &= !cause::FAILURE;
        }
    }
}
