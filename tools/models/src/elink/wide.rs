//! The registers of wide chips, 3C515 and 3C59x/3C90x: window 1 at ports of its own from 10h on, further registers in the
//! windows, and the list engines from 20h on.

use super::windows::Undefined;
use super::stats::Stats;
use super::{Chip, Kind};
use crate::Env;

/// The registers that only wide chips have.
#[derive(Clone, Debug, Default)]
pub struct Wide {
    /// Media or reset options by the board's wiring (window 3, offset 8).
    pub(crate) options: u16,
    /// MAC control: bit 5 full duplex, bit 6 long frames, bit 8 flow control.
    pub mac_control: u16,
    /// Longest frame (3C90xB).
    pub max_packet: u16,
    /// TX reclaim threshold.
    pub reclaim: u8,
    /// The group filter's hash bits.
    pub hash: u64,
    pub(crate) reset_options: u16,
    pub(crate) vlan: [u16; 2],
    pub(crate) power_event: u16,
}

impl Chip {
    /// Sets media or reset options, the board's wiring.
    pub fn set_options(&mut self, options: u16) {
        self.wide.options = options;
    }

    /// Reads a register at `offset` from the first port (for the 3C515, list engines at 20h).
    pub(crate) fn read_wide(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        let ones = u32::MAX >> (32 - 8 * width as u32);
        self.advance(env);
        if !self.present() {
            return ones;
        }
        let value = match offset {
            0..0xE => self.read_wide_window(env, offset, width),
            0xE..0x10 => self.read_status(env, offset, width),
            0x10..0x20 => self.read_permanent(env, offset - 0x10, width),
            _ => self.read_master(offset, width).ok_or(Undefined),
        };
        self.engines(env);
        self.update(env);
        value.unwrap_or_else(|Undefined| {
            env.complain(&format!("read of window {} offset {offset:X}, width {width}", self.window));
            ones
        })
    }

    /// Writes a register. Returns the argument of a global reset, if the write requests one.
    pub(crate) fn write_wide(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) -> Option<u16> {
        self.advance(env);
        if !self.present() {
            return None;
        }
        let window = self.window;
        let mut reset = None;
        let done = match offset {
            0..0xE => self.write_wide_window(env, offset, width, value),
            0xE if width == 2 => {
                if let super::command::Ask::GlobalReset(argument) = self.command(env, value as u16) {
                    reset = Some(argument);
                }
                Ok(())
            }
            0x10..0x20 if self.kind.programmed() => self.write_operating(env, offset - 0x10, width, value),
            0x1B if width == 1 => {
                self.tx.pop_status();
                Ok(())
            }
            0x20.. => self.write_master(env, offset, width, value).ok_or(Undefined),
            _ => Err(Undefined),
        };
        if done.is_err() {
            env.complain(&format!("write of {value:X} to window {window} offset {offset:X}, width {width}"));
        }
        self.engines(env);
        self.update(env);
        reset
    }

    fn read_permanent(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> Result<u32, Undefined> {
        match (offset, width) {
            (4, 1) if self.kind.programmed() => Ok(self.rx.error() as u32),
            _ if self.kind.programmed() => self.read_operating(env, offset, width),
            // The 3C90xB has no FIFO ports.
            (0xA, 1 | 2) | (0xB, 1) => self.read_operating(env, offset, width),
            (0xE, 2) => Ok(self.read_auto(env) as u32),
            _ => Err(Undefined),
        }
    }

    /// 3C90xB: reads the status, acknowledges it, and masks all interrupts.
    fn read_auto(&mut self, env: &mut dyn Env) -> u16 {
        let status = self.status(env.now_ns());
        self.int_mask = 0;
        self.acknowledge(env, status & 0x7FF);
        status
    }

    fn read_wide_window(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> Result<u32, Undefined> {
        let cyclone = self.kind == Kind::Cyclone;
        Ok(match (self.window, offset, width) {
            (0, 0xA, 2) if self.kind != Kind::Corkscrew => (self.eeprom.busy(env.now_ns()) as u32) << 15,
            (0, 0xC, 2) if self.kind != Kind::Corkscrew => self.eeprom.data(env) as u32,
            (2, 0xC, 2) if cyclone => self.wide.reset_options as u32,
            (3, 4, 2) if cyclone => self.wide.max_packet as u32,
            (3, 6, 2) => self.wide.mac_control as u32,
            (3, 6, 1) => self.wide.mac_control as u32 & 0xFF,
            (3, 8, 2) => self.wide.options as u32,
            (4, 8, 2) => self.read_phy() as u32,
            // Linux reads four bytes here, for a delay.
            (4, 8, 4) => self.read_phy() as u32 | (self.read_media() as u32) << 16,
            // Bad starts of stream: none.
            (4, 0xC, 1) => 0,
            (4, 0xD, 1) => self.stats.read_upper_bytes() as u32,
            (5, 9, 1) if self.kind.lists() => self.wide.reclaim as u32,
            (6, 9, 1) => self.stats.read_upper_frames() as u32,
            (7, 0 | 4, 2) if cyclone => self.wide.vlan[offset as usize / 4] as u32,
            (7, 0xC, 2) if cyclone => self.wide.power_event as u32,
            (7, 4, 1) if self.kind.fragments() => self.rx.error() as u32,
            (7, 8..=0xB, _) if self.kind.fragments() => self.read_operating(env, offset, width)?,
            (7, _, _) if self.kind.fragments() => self.read_fragment(offset, width).ok_or(Undefined)?,
            (2..=6, _, _) => self.read_window(env, offset, width)?,
            _ => return Err(Undefined),
        })
    }

    fn write_wide_window(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) -> Result<(), Undefined> {
        let cyclone = self.kind == Kind::Cyclone;
        let word = value as u16;
        match (self.window, offset, width) {
            // Bits 7:6 are the command, 5:0 the word.
            (0, 0xA, 2) if self.kind != Kind::Corkscrew => self.eeprom.command(env, word >> 6, word & 0x3F),
            (0, 0xC, 2) if self.kind != Kind::Corkscrew => self.eeprom.set_data(word),
            (2, 0xC, 2) if cyclone => self.wide.reset_options = word,
            (3, 4, 2) if cyclone => self.wide.max_packet = word,
            (3, 6, 2) => self.wide.mac_control = word & 0x01FF,
            (3, 6, 1) => self.wide.mac_control = self.wide.mac_control & 0xFF00 | word & 0xFF,
            (4, 8, 2) => {
                if let Some(phy) = &mut self.phy {
                    phy.set_port(word);
                }
            }
            (7, 0 | 4, 2) if cyclone => self.wide.vlan[offset as usize / 4] = word,
            (7, 0xC, 2) if cyclone => self.wide.power_event = word & 7,
            (7, 0xB, 1) if self.kind.fragments() => self.write_operating(env, offset, width, value)?,
            (7, _, _) if self.kind.fragments() => self.write_fragment(offset, width, value).ok_or(Undefined)?,
            (2..=6, _, _) => self.write_window(env, offset, width, value)?,
            _ => return Err(Undefined),
        }
        Ok(())
    }

    fn read_phy(&self) -> u16 {
        // Without a PHY the data line is high.
        self.phy.as_ref().map_or(2, |phy| phy.port())
    }

    /// Global reset of a wide chip. Bits of the argument exclude parts from it: 2 the network side, 3 the FIFOs, 4 what the
    /// EEPROM sets, 5 the host side; the others are for transceivers.
    pub(crate) fn global_reset(&mut self, env: &mut dyn Env, spared: u16, config: u32) {
        self.tx_reset(spared);
        self.rx_reset(spared);
        self.reset_down();
        self.reset_up();
        if spared & 4 == 0 {
            self.wide = Wide { options: self.wide.options, ..Wide::default() };
            self.media = 0;
            self.net_diagnostic = 0;
            self.stats = Stats::default();
            self.station = [0; 12];
        }
        if spared & 0x10 == 0 {
            self.config = config;
            self.configure();
        }
        if spared & 0x20 == 0 {
            self.causes = 0;
            self.latch = false;
            self.int_mask = 0;
            self.read_zero = 0;
            self.window = 0;
        }
        self.update(env);
    }
}
