//! The reset of a card, and the handshake with its firmware.

use super::chips::*;
use super::registers::{CARD_MEMORY, EXPRESS_CONTROL, Registers};
use super::steps::*;
use crate::bus::Bus;
use crate::drivers::tg3::*;
use crate::probe::{Fault, pci};

/// Chip and revision, in the upper half of [`MISC_CTL`].
const CHIP_5750_A0: u32 = 0x4000;
/// PCI Express: relaxed order, no snoop; errors.
const EXPRESS_UNWANTED: u32 = 1 << 4 | 1 << 11;
const EXPRESS_ERRORS: u32 = 15 << 16;
/// Miscellaneous: reset of all but the configuration.
const   MISC_CFG_RESET: u32 = 1 << 0;
/// The PHY stays on during the reset.
const   MISC_CFG_PHY: u32 = 1 << 26;
/// PCI Express: a register of the link that a boot may leave at 60h.
const EXPRESS_LINK: u16 = 0x7E2C;

/// Limit in microseconds for the firmware after a reset, so many times: a second. A card without firmware works, too.
const FIRMWARE_LIMIT: u16 = 20_000;
const FIRMWARE_WAITS: u8 = 50;

/// Notes what depends on the card, and what its registers have that a reset changes.
#[inline(never)]
pub fn note<B: Bus>(registers: &Registers<B>, facts: &mut Facts) {
    let mut reset = MISC_CFG_RESET | MISC_CFG_PRESCALER;
    if let Some(at) = registers.express() {
        facts.flags |= EXPRESS;
        if registers.config(at + EXPRESS_CONTROL) & 7 << 5 != 0 {
            facts.flags |= LONG;
        }
        if registers.config(MISC_CTL) >> 16 != CHIP_5750_A0 {
            reset |= MISC_CFG_LINK;
        }
    }
    if facts.part < B5761 {
        reset |= MISC_CFG_PHY;
    }
    let [.., resets, commands, caches, _] = &mut facts.values;
    *resets = reset;
    // As `find` has left it, but for the bus master. Its upper half is the status, in which a 1 clears an error.
    *commands = registers.config(COMMAND) | COMMAND_MASTER;
    *caches = registers.config(CACHE);
}

/// Resets the card; interrupts are masked then.
#[inline(never)]
pub fn reset<B: Bus>(registers: &Registers<B>, facts: &Facts) -> Result<(), Fault> {
    // Without the lock the reset may come while the firmware reads the NVRAM; a dead firmware never gives it.
    registers.lock_nvram();
    if facts.flags & EXPRESS != 0 && registers.get(EXPRESS_LINK) == 0x60 {
        registers.put(EXPRESS_LINK, 0x20);
    }
    facts.run(registers, &RESETTING)?;
    if registers.get(MISC_CFG) & MISC_CFG_RESET != 0 {
        return Err(Fault::Dead);
    }
    if let Some(at) = registers.express() {
        let control = registers.config(at + EXPRESS_CONTROL) & 0xFFFF;
        registers.set_config(at + EXPRESS_CONTROL, control & !EXPRESS_UNWANTED | EXPRESS_ERRORS);
        pci::keep_link_on(registers.bus, registers.pci);
    }
    wait_for_firmware(registers, facts.part);
    registers.release_nvram();
    Ok(())
}

/// Waits until the boot code is done: it inverts the mailbox. That of the 5906 says so by its processor.
#[inline(never)]
fn wait_for_firmware<B: Bus>(registers: &Registers<B>, part: u8) {
    let (at, bits) = if part == B5906 { (VCPU, VCPU_READY) } else { (CARD_MEMORY | SRAM_MAILBOX, !MAGIC) };
    (0..FIRMWARE_WAITS).any(|_| registers.wait(FIRMWARE_LIMIT, at, bits, bits).is_ok());
}
