//! The command register: five bits of operation, eleven of argument.

use super::{Chip, Kind, cause};
use crate::Env;
use crate::faults;

impl Kind {
    /// Window 1 lies at ports of its own, thresholds count in four bytes, lengths have 13 bits.
    pub fn wide(self) -> bool {
        match self {
            Kind::El3 => false,
        }
    }

    /// The threshold that is never reached, in bytes.
    pub fn threshold_off(self) -> u16 {
        if self.wide() { 0x1FFC } else { 0x7FC }
    }

    /// Threshold values that turn a threshold off.
    fn threshold(self, argument: u16) -> u16 {
        let bytes = if self.wide() { argument << 2 } else { argument & 0x7FC };
        // The 3C509B takes what is above 1792 for off.
        if !self.wide() && bytes > 1792 { self.threshold_off() } else { bytes }
    }
}

/// What a command asks of the wrapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Nothing.
    Nothing,
    /// Global reset with this argument.
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
                self.rx_reset();
                self.take(env, self.times.reset);
            }
            0x08 => {
                self.rx_discard();
                self.take(env, self.times.discard);
            }
            0x09 => self.tx_enable(env),
            0x0A => self.tx.enabled = false,
            0x0B => {
                self.tx_reset();
                self.take(env, self.times.reset);
            }
            0x0C => self.causes |= cause::REQUESTED,
            0x0D => self.acknowledge(env, argument),
            0x0E => self.int_mask = argument,
            0x0F => self.read_zero = argument,
            0x10 => {
                if argument & !0xF != 0 {
                    env.complain(&format!("receive filter {argument:03X} has undefined bits"));
                }
                self.rx.filter = argument as u8 & 0xF;
            }
            0x11 => self.rx.early_threshold = self.rx.threshold(self.kind.threshold(argument)),
            0x12 => self.tx.available_threshold = self.tx.threshold(self.kind.threshold(argument)),
            0x13 => {
                self.tx.start_threshold = self.tx.threshold(self.kind.threshold(argument));
                self.tx_start(env);
            }
            0x15 => self.stats.enabled = true,
            0x16 => self.stats.enabled = false,
            0x1B..=0x1D if self.kind == Kind::El3 => {}
            _ => env.complain(&format!("undefined command {word:04X}")),
        }
        Ask::Nothing
    }

    /// The command that was just given takes so long.
    fn take(&mut self, env: &mut dyn Env, time: u64) {
        if self.busy_until == u64::MAX {
            return;
        }
        let stuck = self.faults.strikes(faults::Kind::StuckCommand);
        self.busy_until = if stuck { u64::MAX } else { env.now_ns() + time };
    }

    /// Acknowledge clears the latch, TX available with its threshold, RX early and interrupt requested. The other
    /// causes go only with what caused them.
    fn acknowledge(&mut self, env: &mut dyn Env, argument: u16) {
        if argument & cause::TX_AVAILABLE != 0 {
            self.tx.available_threshold = self.tx.threshold(u16::MAX);
        }
        self.causes &= !(argument & (cause::TX_AVAILABLE | cause::RX_EARLY | cause::REQUESTED));
        if argument & cause::LATCH != 0 {
            // The line falls even when a cause is pending: the next edge tells of that.
            self.latch = false;
            self.line_lost = false;
            self.drive(env);
        }
    }
}
