//! The registers: what they read as, and what a write does.

use super::{Generation, Rtl8169, cause, command};
use crate::Env;

/// Nanoseconds for the counters to be written to memory.
const DUMP: u64 = 40_000;
/// Nanoseconds of a step of the timer.
pub const TICK: u64 = 8;

/// Bits of the 9346CR.
mod mode {
    pub const UNLOCK: u8 = 0xC0;
    pub const PROGRAM: u8 = 0x80;
}

impl Rtl8169 {
    /// A byte of the registers. Reads have no side effects.
    pub(super) fn byte(&self, at: u16, now: u64) -> u8 {
        let of = |word: u32, base: u16| (word >> (8 * (at - base))) as u8;
        if at > 0xFF {
            return self.high.get(&at).copied().unwrap_or(0);
        }
        if let Some(word) = self.windows.read(at & 0xFC, now) {
            return of(word, at & 0xFC);
        }
        let fourth = self.part.fourth();
        match at {
            0..6 => self.station[at as usize],
            0x10..0x14 => of(self.dump_low & !0x3F | if self.dump_at.is_some() { self.dump_low & 9 } else { 0 }, 0x10),
            0x20..0x24 => of(self.tx.ring.low(), 0x20),
            0x24..0x28 => of(self.tx.ring.high(), 0x24),
            0x37 => self.command | (self.rx.empty() as u8) | if self.resetting.is_some() { command::RESET } else { 0 },
            0x38 if !fourth => (self.tx.rung as u8) << 6,
            0x38..0x3C if fourth => of(self.imr, 0x38),
            0x3C..0x40 if fourth => of(self.isr, 0x3C),
            0x3C..0x3E => of(self.imr, 0x3C),
            0x3E..0x40 => of(self.isr, 0x3E),
            0x40..0x44 => {
                let xid = (self.part.xid as u32) << 20 & 0xFCF0_0000;
                of(self.tx_config & 0x030F_F7FF | xid | (self.tx.empty() as u32) << 11, 0x40)
            }
            0x44..0x48 => of(self.rx_config, 0x44),
            0x48..0x4C => of(((now - self.timer_since) / TICK) as u32, 0x48),
            0x4C..0x50 if self.part.generation == Generation::Pci => of(self.tally.missed & 0xFF_FFFF, 0x4C),
            0x50 if self.file[0x50] & mode::UNLOCK == mode::PROGRAM => self.file[0x50] & 0xFE | self.eeprom.output(),
            0x6D if self.asleep => 0x80,
            0x6C..0x6E => of(self.link_status(), 0x6C),
            0x90 if fourth => self.tx.rung as u8,
            0xD3 if self.part.managed() => self.mcu(now),
            // The 8125B tells here that a stop has come to its end; Linux waits for these bits.
            0xE2..0xE4 if fourth && self.stopped && self.tx.empty() && self.rx.empty() => self.file[at as usize] | of(0x0103, 0xE2),
            0xE4..0xE8 => of(self.rx.ring.low(), 0xE4),
            0xE8..0xEC => of(self.rx.ring.high(), 0xE8),
            _ => self.file[at as usize],
        }
    }

    /// The link, its speed, and its duplex.
    fn link_status(&self) -> u32 {
        if !self.phy.link() {
            return 0;
        }
        3 | match self.phy.speed() {
            2500 => 0x400,
            1000 => 0x10,
            100 => 0x08,
            _ => 0x04,
        }
    }

    fn unlocked(&self) -> bool {
        self.file[0x50] & mode::UNLOCK == mode::UNLOCK
    }

    /// A write to the registers.
    pub(super) fn store(&mut self, env: &mut dyn Env, at: u16, width: u8, value: u32) {
        if !at.is_multiple_of(width.into()) {
            env.complain(&format!("{width} bytes written at {at:02X}h"));
        }
        if let Some(end) = self.resetting {
            // For a reset that never ends a driver can only give up, at any time.
            if end != u64::MAX {
                env.complain(&format!("{value:X}h written at {at:02X}h before the reset has ended"));
            }
            return;
        }
        if at > 0xFF || width == 4 && self.write_window(env, at, value) {
            return self.plain(at, width, value);
        }
        let now = env.now_ns();
        let fourth = self.part.fourth();
        match (at, width) {
            (0 | 4, 4) | (0x51..=0x56, _) if !self.unlocked() => env.complain(&format!("{value:X}h written at {at:02X}h, which is locked")),
            (0, 4) => self.station[..4].copy_from_slice(&value.to_le_bytes()),
            (4, 4) => self.station[4..].copy_from_slice(&value.to_le_bytes()[..2]),
            (0x10, 4) => self.dump(env, value),
            (0x20, 4) => {
                self.alive(env, command::TX);
                self.tx.ring.set_low(env, value);
            }
            (0x24, 4) => self.tx.ring.set_high(env, value),
            (0x37, 1) => self.command(env, value as u8),
            (0x38, 1) if !fourth => {
                if value & 0x40 != 0 {
                    self.ring_doorbell(env);
                }
                if value & 0x80 != 0 {
                    env.complain("the doorbell of the high-priority ring, which nobody set up");
                }
                if value & 1 != 0 {
                    self.raise(env, cause::SOFTWARE);
                }
            }
            (0x90, 2) if fourth => {
                if value & 1 != 0 {
                    self.ring_doorbell(env);
                }
            }
            (0x38, 4) if fourth => {
                if value != 0 && self.file[0x34] & 1 != 0 {
                    env.complain("the interrupt mask written while 34h chooses the new kind of interrupts");
                }
                self.imr = value;
            }
            (0x3C, 4) if fourth => self.isr &= !value,
            (0x3C, 4) if !fourth => {
                self.imr = value & 0xFFFF;
                self.isr &= !(value >> 16);
            }
            (0x3C, 2) if !fourth => self.imr = value,
            (0x3E, 2) if !fourth => self.isr &= !value,
            (0x40, 4) => {
                if self.part.generation == Generation::Pci && self.command & command::TX == 0 {
                    return env.complain("the transmit configuration written while the transmitter is off");
                }
                self.tx_config = value;
            }
            (0x44, 4) => self.configure_receiver(env, value),
            (0x48, 4) => self.timer_since = now,
            (0x4C, 4) => self.tally.missed = 0,
            (0x50, 1) => {
                self.file[0x50] = value as u8 & 0xCF;
                if value as u8 & mode::UNLOCK == mode::PROGRAM {
                    self.eeprom.set(value as u8);
                }
            }
            (0x58, 4) => {
                self.plain(at, width, value);
                self.timer_at = (value != 0).then_some(self.timer_since + u64::from(value) * TICK);
            }
            (0xE4, 4) => {
                self.alive(env, command::RX);
                self.rx.ring.set_low(env, value);
            }
            (0xE8, 4) => self.rx.ring.set_high(env, value),
            (0x6E, 1) => {
                self.asleep &= value & 1 == 0;
                self.plain(at, width, value);
            }
            (0x08 | 0x0C | 0x14 | 0x28 | 0x2C | 0x7C | 0xF0, 4) | (0x5C | 0xDA | 0xE0 | 0xE2, 2) => self.plain(at, width, value),
            (0..0x18 | 0x20..0x30 | 0x37..0x50 | 0x58..=0x6E | 0x70..0x82 | 0xB0..0xBC | 0xE0..0xEC, _) => {
                env.complain(&format!("{value:X}h ({width} bytes) written at {at:02X}h: no such register, read only, or of another width"));
            }
            _ => self.plain(at, width, value),
        }
    }

    /// Registers that only keep what is written.
    fn plain(&mut self, at: u16, width: u8, value: u32) {
        for (at, byte) in (at..).zip(value.to_le_bytes()).take(width.into()) {
            match self.file.get_mut(at as usize) {
                Some(place) => *place = byte,
                None => drop(self.high.insert(at, byte)),
            }
        }
    }

    /// Complains when a ring is moved under an engine that runs.
    fn alive(&self, env: &mut dyn Env, side: u8) {
        if self.command & side != 0 {
            env.complain("a ring's address written while its engine is on");
        }
    }

    /// ChipCmd.
    fn command(&mut self, env: &mut dyn Env, value: u8) {
        if value & command::RESET != 0 {
            return self.reset(env);
        }
        if value & command::STOP != 0 {
            self.stopped = true;
            self.rx.flush();
        }
        let on = value & !self.command;
        self.command = value & (command::TX | command::RX);
        if on & command::TX != 0 {
            self.tx.ring.rewind();
            if !self.tx.ring.set() {
                env.complain("the transmitter was turned on without a ring");
            }
            if self.windows.long_descriptors() {
                env.complain("the transmitter was turned on for descriptors of 32 bytes, which the model has not");
            }
        }
        if on & command::RX != 0 {
            self.rx.ring.rewind();
            let largest = u16::from_le_bytes([self.file[0xDA], self.file[0xDB]]);
            let firmware = self.managed();
            let unordered = self.part.managed() && self.windows.list_missing(env.now_ns());
            for (wrong, what) in [
                (!self.rx.ring.set(), "without a ring"),
                (largest == 0, "with a largest frame of 0 bytes"),
                (firmware, "while the firmware owns the FIFO"),
                (!firmware && unordered, "before the FIFO's list is in order"),
            ] {
                if wrong {
                    env.complain(&format!("the receiver was turned on {what}"));
                }
            }
        }
        if self.command & command::RX == 0 {
            self.rx.flush();
        }
        self.transmit_due(env);
    }

    /// RxConfig.
    fn configure_receiver(&mut self, env: &mut dyn Env, value: u32) {
        // The first chips take it only when the receiver is on. Linux writes it before, too, without a bit of the filter.
        if self.part.generation == Generation::Pci && self.command & command::RX == 0 {
            if value & 0x3F != 0 {
                env.complain("the receive configuration written while the receiver is off");
            }
            self.rx_config &= value | !0x3F;
            return;
        }
        if self.part.fourth() && value & 1 << 24 != 0 {
            env.complain("receive descriptors of 32 bytes, which the model has not");
        }
        self.rx_config = value;
    }

    /// The counters' address, with a command in its low bits.
    fn dump(&mut self, env: &mut dyn Env, value: u32) {
        if value & 0x36 != 0 {
            env.complain(&format!("counters to {value:08X}, not a multiple of 64"));
        }
        if value & 9 != 0 && self.dump_at.is_some() {
            env.complain("the counters were asked for again before they were written");
        }
        self.dump_low = value;
        self.dump_at = (value & 9 != 0).then_some(env.now_ns() + DUMP);
    }
}
