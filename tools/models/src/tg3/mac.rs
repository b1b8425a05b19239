//! The MAC: its mode, the filter, the way to the PHY, the link's change.

use super::{Tg3, registers};
use crate::Env;
use crate::faults;

/// Mode, and its bits.
pub const MODE: u16 = 0x0400;
const RESET: u32 = 1;
const PORT: u32 = 3 << 2;
const PORT_MII: u32 = 1 << 2;
const PORT_GMII: u32 = 2 << 2;
/// DMA of frames to send, of received ones, of their headers.
pub const DMA: u32 = 7 << 21;
/// Status and enabled events.
pub const STATUS: u16 = 0x0404;
pub const EVENTS: u16 = 0x0408;
pub const LINK_CHANGED: u32 = 1 << 12;
/// The longest frame with its check sequence.
pub const LONGEST: u16 = 0x043C;
/// The PHY: command, status, mode.
const MI_COMMAND: u16 = 0x044C;
const MI_STATUS: u16 = 0x0450;
const MI_MODE: u16 = 0x0454;
const AUTO_POLL: u32 = 1 << 4;
const MI_WRITE: u32 = 1 << 26;
const MI_READ: u32 = 1 << 27;
const MI_FAILED: u32 = 1 << 28;
const MI_BUSY: u32 = 1 << 29;
/// Nanoseconds of an access to the PHY.
const MI_TIME: u64 = 26_000;
/// Transmitter: mode, status, lengths.
pub const TX_MODE: u16 = 0x045C;
pub const TX_STATUS: u16 = 0x0460;
pub const TX_LENGTHS: u16 = 0x0464;
/// Receiver: mode, and its bits.
pub const RX_MODE: u16 = 0x0468;
pub const PROMISCUOUS: u32 = 1 << 8;
/// The multicast table.
const HASH: u16 = 0x0470;
pub const HASH_END: u16 = 0x047C;
/// Transmitter and receiver: reset, enable.
const SIDE_RESET: u32 = 1;
pub const ENABLE: u32 = 1 << 1;

/// The access to the PHY that is under way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mdio {
    ends: Option<u64>,
}

impl Mdio {
    /// When it ends.
    pub fn wake_at(&self) -> Option<u64> {
        self.ends.filter(|at| *at != u64::MAX)
    }
}

/// The check sequence of Ethernet without its last inversion, by which the multicast table is indexed.
pub fn crc(data: &[u8]) -> u32 {
    let step = |crc: u32, _| crc >> 1 ^ if crc & 1 != 0 { 0xEDB8_8320 } else { 0 };
    data.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ *byte as u32, step))
}

impl Tg3 {
    /// Reads one of the MAC's registers.
    pub(super) fn load_mac(&mut self, at: u16) -> u32 {
        match at {
            MI_STATUS => self.get(at) & !1 | self.phy.link() as u32,
            TX_STATUS => (self.phy.link() as u32) << 3,
            _ => self.get(at),
        }
    }

    /// Writes one.
    pub(super) fn store_mac(&mut self, env: &mut dyn Env, at: u16, value: u32) {
        match at {
            MODE => self.set(at, value & !RESET),
            STATUS => self.set(at, self.get(at) & !value),
            MI_COMMAND => self.mdio_command(env, value),
            TX_MODE => {
                let begins = value & ENABLE != 0 && !self.sending();
                self.set(at, value & !SIDE_RESET);
                if begins {
                    self.check_transmitter(env);
                }
            }
            RX_MODE => {
                let begins = value & ENABLE != 0 && !self.receiving();
                self.set(at, value & !SIDE_RESET);
                if begins {
                    self.check_receiver(env);
                }
            }
            TX_STATUS => {}
            _ => self.set(at, value),
        }
    }

    /// The transmitter is on.
    pub(super) fn sending(&self) -> bool {
        self.get(TX_MODE) & ENABLE != 0
    }

    /// The receiver is on.
    pub(super) fn receiving(&self) -> bool {
        self.get(RX_MODE) & ENABLE != 0
    }

    /// The MAC's port is that of the link's speed; otherwise no frame passes.
    pub(super) fn port_fits(&self) -> bool {
        let port = self.get(MODE) & PORT;
        port == if self.phy.speed() == 1000 { PORT_GMII } else { PORT_MII }
    }

    /// A command to the PHY.
    fn mdio_command(&mut self, env: &mut dyn Env, value: u32) {
        if self.mdio.ends.is_some() {
            env.complain("MI_COMM is written while an access to the PHY is under way");
            return;
        }
        self.set(MI_COMMAND, value);
        if value & MI_BUSY == 0 {
            return;
        }
        if self.get(MI_MODE) & AUTO_POLL != 0 {
            env.complain("an access to the PHY while the chip polls it by itself (0454h bit 4)");
        }
        let stuck = self.faults.strikes(faults::Kind::StuckPhy);
        self.mdio.ends = Some(if stuck { u64::MAX } else { env.now_ns() + MI_TIME });
    }

    /// Ends an access to the PHY if it is due.
    pub(super) fn mdio_due(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        if self.mdio.ends.take_if(|at| *at <= now).is_none() {
            return;
        }
        let command = self.get(MI_COMMAND);
        let (phy, register) = (command >> 21 & 0x1F, (command >> 16 & 0x1F) as u8);
        let mut result = command & !MI_BUSY;
        if phy != self.part.phy_address() {
            result = result & !0xFFFF | 0xFFFF | MI_FAILED;
        } else if command & MI_WRITE != 0 {
            if self.phy.write(register, command as u16, now) {
                self.link_changed(env);
            }
        } else if command & MI_READ != 0 {
            result = result & !0xFFFF | self.phy.read(register) as u32;
        }
        self.set(MI_COMMAND, result);
    }

    /// The frame's destination passes the filter.
    pub(super) fn wanted(&self, frame: &[u8]) -> bool {
        let Some(to) = frame.get(..6) else { return false };
        if self.get(RX_MODE) & PROMISCUOUS != 0 || to == [0xFF; 6] {
            return true;
        }
        if to[0] & 1 != 0 {
            let hash = crc(to) & 0x7F;
            return self.get(HASH + 4 * (hash >> 5) as u16) >> (hash & 0x1F) & 1 != 0;
        }
        (0..4).any(|entry| {
            let at = registers::STATION + 8 * entry;
            let (high, low) = (self.get(at).to_be_bytes(), self.get(at + 4).to_be_bytes());
            to == [high[2], high[3], low[0], low[1], low[2], low[3]]
        })
    }
}
