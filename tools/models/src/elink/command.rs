//! The command register: five bits of command, eleven of argument.

use super::{Chip, Kind, cause};
use crate::Env;
use crate::faults;

impl Kind {
    /// Window 1 has ports of its own, thresholds count by four bytes, lengths have 13 bits.
    pub fn wide(self) -> bool {
        self != Kind::El3
    }

    /// The chip has lists of descriptors.
    pub fn lists(self) -> bool {
        matches!(self, Kind::Corkscrew | Kind::Boomerang | Kind::Cyclone)
    }

    /// The chip moves single fragments by bus mastering.
    pub fn fragments(self) -> bool {
        matches!(self, Kind::Corkscrew | Kind::Vortex)
    }

    /// The chip has programmed I/O to its FIFOs.
    pub fn programmed(self) -> bool {
        self != Kind::Cyclone
    }

    /// The threshold that is off, in bytes.
    pub fn threshold_off(self) -> u16 {
        if self.wide() { 0x1FFC } else { 0x7FC }
    }

    /// A threshold by a command's argument.
    fn threshold(self, argument: u16) -> u16 {
        let bytes = if self.wide() { argument << 2 } else { argument & 0x7FC };
        // For the 3C509B, values above 1792 mean off.
        if !self.wide() && bytes > 1792 { self.threshold_off() } else { bytes }
    }
}

/// What a command requires of the wrapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Nothing.
    Nothing,
    /// A global reset with this argument.
    GlobalReset(u16),
    /// Another window was selected.
    Window,
}

impl Chip {
    /// A write to the command register.
    pub(crate) fn command(&mut self, env: &mut dyn Env, word: u16) -> Ask {
        let (operation, argument) = (word >> 11, word & 0x7FF);
        if env.now_ns() < self.busy_until {
            env.complain(&format!("command {word:04X} while another is at work"));
        }
        match operation {
            0x00 => {
                self.take(env, self.times.global);
                return Ask::GlobalReset(argument);
            }
            0x01 => {
                if argument > 7 {
                    env.complain(&format!("window {argument} selected"));
                }
                self.window = (argument & 7) as u8;
                return Ask::Window;
            }
            0x02 | 0x17 => {}
            0x03 => self.rx.enabled = false,
            0x04 => self.rx.enabled = true,
            0x05 => {
                self.rx_reset(if self.kind.wide() { argument } else { 0 });
                self.reset_up();
                self.take(env, self.times.reset);
            }
            0x06 if self.kind.lists() => {
                self.stall(env, argument);
                if argument & 1 == 0 {
                    self.take(env, self.times.discard);
                }
            }
            0x08 if self.kind.programmed() => {
                self.rx_discard();
                self.take(env, self.times.discard);
            }
            0x09 => self.tx_enable(env),
            0x0A => self.tx.enabled = false,
            0x0B => {
                self.tx_reset(if self.kind.wide() { argument } else { 0 });
                // Bit 8 of the argument: the download engine is not reset.
                if argument & 0x100 == 0 {
                    self.reset_down();
                }
                self.take(env, self.times.reset);
            }
            0x0C => self.causes |= cause::REQUESTED,
            0x0D => self.acknowledge(env, argument),
            0x0E => self.int_mask = argument,
            0x0F => self.read_zero = argument,
            0x10 => {
                // The 3C90xB also filters groups by a hash.
                let known = if self.kind == Kind::Cyclone { 0x1F } else { 0xF };
                if argument & !known != 0 {
                    env.complain(&format!("receive filter {argument:03X} has undefined bits"));
                }
                self.rx.filter = (argument & known) as u8;
            }
            0x11 => self.rx.early_threshold = self.rx.threshold(self.kind.threshold(argument)),
            0x12 => self.tx.available_threshold = self.tx.threshold(self.kind.threshold(argument)),
            0x13 => {
                self.tx.start_threshold = self.tx.threshold(self.kind.threshold(argument));
                self.tx_start(env);
            }
            0x14 if self.kind.fragments() && argument < 2 => self.fragment(env, argument),
            0x15 => self.stats.enabled = true,
            0x16 => self.stats.enabled = false,
            0x18 if self.kind.lists() => self.wide.reclaim = argument as u8,
            0x19 if self.kind == Kind::Cyclone => {
                let bit = 1u64 << (argument & 0x3F);
                self.wide.hash = if argument & 0x400 != 0 { self.wide.hash | bit } else { self.wide.hash & !bit };
            }
            0x1B..=0x1D if self.kind == Kind::El3 => {}
            _ => env.complain(&format!("undefined command {word:04X}")),
        }
        Ask::Nothing
    }

    /// Makes the present command take this time.
    fn take(&mut self, env: &mut dyn Env, time: u64) {
        if self.busy_until == u64::MAX {
            return;
        }
        let stuck = self.faults.strikes(faults::Kind::StuckCommand);
        self.busy_until = if stuck { u64::MAX } else { env.now_ns() + time };
    }

    /// Acknowledge clears the latch, TX available with its threshold, RX early and interrupt requested. Other causes last as long
    /// as what has caused them.
    pub(crate) fn acknowledge(&mut self, env: &mut dyn Env, argument: u16) {
        if argument & cause::TX_AVAILABLE != 0 {
            self.tx.available_threshold = self.tx.threshold(u16::MAX);
        }
        let lists = if self.kind.lists() { cause::DOWN_COMPLETE | cause::UP_COMPLETE } else { 0 };
        let link = if self.kind == Kind::Cyclone { cause::LINK_EVENT } else { 0 };
        self.causes &= !(argument & (cause::TX_AVAILABLE | cause::RX_EARLY | cause::REQUESTED | lists | link));
        if argument & cause::LATCH != 0 {
            // The line falls even if a cause is pending, which then makes a new edge.
            self.latch = false;
            self.line_lost = false;
            self.drive(env);
        }
    }
}
