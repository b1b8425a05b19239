//! The boot code that runs after a reset, and the core reset itself.

use super::{Address, RESET, Tg3, blocks, registers};
use crate::Env;
use crate::faults;

/// SRAM: the driver puts MAGIC there before a reset, the boot code its complement when it has ended.
pub const MAILBOX: u32 = 0x0B50;
const MAGIC: u32 = 0x4B65_7654;
/// SRAM: a signature, and configuration behind it: copper.
const CONFIGURED: u32 = 0x0B54;
const COPPER: u32 = 0x10;
const PHY_ID: u32 = 0x0B74;
/// SRAM: the address, with "HK" before it.
const ADDRESS: u32 = 0x0C14;
/// Nanoseconds of the boot code, and with the fault `slow-firmware`.
const BOOT: u64 = 12_000_000;
const SLOW: u64 = 900_000_000;
/// The 5906's status: the boot code has ended; the driver resets.
const ENDED: u32 = 1 << 26;

/// The boot code.
#[derive(Clone, Copy, Debug, Default)]
pub struct Firmware {
    /// When it ends.
    ends: Option<u64>,
}

impl Firmware {
    /// When it ends.
    pub fn wake_at(&self) -> Option<u64> {
        self.ends.filter(|at| *at != u64::MAX)
    }
}

impl Tg3 {
    /// Bit 0 of MISC_CFG.
    pub(super) fn core_reset(&mut self, env: &mut dyn Env, value: u32) {
        self.check_reset(env, value);
        let now = env.now_ns();
        let stuck = self.faults.strikes(faults::Kind::StuckCommand);
        let silent = self.faults.strikes(faults::Kind::SilentFirmware);
        let slow = self.faults.strikes(faults::Kind::SlowFirmware);
        if !self.part.cpmu && value & registers::KEEP_PHY == 0 {
            self.phy.power_down(now);
        }
        self.after_reset();
        if self.part.forgetful {
            env.set_command(0);
        }
        self.resetting = Some(if stuck { u64::MAX } else { now + RESET });
        self.firmware.ends = Some(now + RESET + if slow { SLOW } else { BOOT });
        if stuck || silent {
            self.firmware.ends = Some(u64::MAX);
        } else {
            // The boot code reads its configuration meanwhile.
            self.nvram.hold();
        }
        self.drive(env);
    }

    /// Ends the boot code if it is due.
    pub(super) fn firmware_due(&mut self, env: &mut dyn Env) {
        if self.firmware.ends.take_if(|at| *at <= env.now_ns()).is_some() {
            self.nvram.release();
            self.boot_code_ended();
        }
    }

    /// What the boot code leaves.
    pub(super) fn boot_code_ended(&mut self) {
        let magic = self.sram.get(&MAILBOX).copied().unwrap_or(MAGIC);
        if self.part.vcpu {
            let status = self.get(registers::VCPU);
            self.set(registers::VCPU, status | ENDED);
        } else {
            self.sram.insert(MAILBOX, if magic == MAGIC { !MAGIC } else { magic });
        }
        self.sram.insert(CONFIGURED, MAGIC);
        self.sram.insert(CONFIGURED + 4, COPPER);
        self.sram.insert(PHY_ID, self.part.phy);
        let [a, b, c, d, e, f] = self.options.mac;
        let (high, low) = (u32::from_be_bytes([0, 0, a, b]), u32::from_be_bytes([c, d, e, f]));
        let spoilt = self.faults.planned(faults::Kind::BadChecksum);
        if self.options.address == Address::Both && !spoilt && !self.part.vcpu {
            self.sram.insert(ADDRESS, 0x484B_0000 | high);
            self.sram.insert(ADDRESS + 4, low);
        }
        if self.options.address != Address::Nvram && !spoilt {
            self.set(registers::STATION, high);
            self.set(registers::STATION + 4, low);
        }
    }

    /// The driver has announced itself to the boot code.
    pub(super) fn announced(&self) -> bool {
        self.part.vcpu || self.sram.get(&MAILBOX) == Some(&MAGIC)
    }

    /// Reads a word of SRAM.
    pub(super) fn load_sram(&mut self, env: &mut dyn Env, at: u32) -> u32 {
        if !self.sram_answers(env, at) {
            return u32::MAX;
        }
        self.sram.get(&at).copied().unwrap_or(0)
    }

    /// Writes one.
    pub(super) fn store_sram(&mut self, env: &mut dyn Env, at: u32, value: u32) {
        if self.sram_answers(env, at) {
            for (ring, block) in [(super::ring::SEND, blocks::SBDI), (super::ring::RETURN, blocks::RDBDI)] {
                if (ring..ring + 16).contains(&at) && self.on(block) {
                    env.complain(&format!("a ring's control block in SRAM, {at:04X}h, is written while {} is on", blocks::name(block)));
                }
            }
            self.sram.insert(at, value);
        }
    }

    fn sram_answers(&mut self, env: &mut dyn Env, at: u32) -> bool {
        const BYTES: u32 = 0x6_0000;
        let on = self.on(blocks::MARB);
        if !on {
            env.complain(&format!("SRAM {at:04X}h is accessed while the memory arbiter is off"));
        }
        if at & 3 != 0 || at >= BYTES {
            env.complain(&format!("there is no word of SRAM at {at:X}h"));
            return false;
        }
        on
    }
}
