//! `PKTCTL unload`.

use crate::one;
use compkt::control::INTERRUPT;
use compkt::info::{FLAG_DEVICE, FLAG_MASKED};
use compkt::programs::commands::{Asked, DONE, NO_DRIVER};
use compkt::programs::rt::chain::Chains;
use compkt::programs::rt::control::Control;
use compkt::programs::rt::packet;
use compkt::programs::rt::{Far, uninterrupted};
use compkt::say;
use core::arch::asm;

const TIMER: u8 = 8;

#[inline(never)]
pub fn run(asked: &Asked) -> u8 {
    let Some((driver, block)) = one::find(asked) else { return NO_DRIVER };
    let nic = crate::nic(&driver, &block);
    let name = crate::name(&driver, Some(&block));
    let line = nic.as_ref().map_or(0, |nic| nic.irq);
    let card = match line {
        0 => driver.vector,
        1..8 => line + 8,
        _ => line - 8 + 0x70,
    };
    let chains = Chains::on_top(block.info.segment, [driver.vector, card, TIMER, INTERRUPT]);
    let gone = match Control::of(&driver, &block) {
        // AMIS: gone, or stopped with its memory left to DOS.
        Some(control) => matches!(control.uninstall(), 0xFF | 6),
        None => terminate(&driver),
    };
    chains.put_back(gone);
    if !gone {
        say!(c"INT {x}h: {s} stays: a program has it open or has hooked its interrupts.\n3COMPKT /U /INT={x} says which.\n",
            driver.vector, &name, driver.vector);
        return NO_DRIVER;
    }
    if let Some(nic) = nic.filter(|_| block.info.flags & FLAG_MASKED != 0) {
        mask(nic.irq);
    }
    let stays = if block.info.flags & FLAG_DEVICE != 0 { c"stopped; its memory stays with DOS" } else { c"unloaded" };
    say!(c"INT {x}h: {s} {s}.\n", driver.vector, &name, stays);
    DONE
}

/// The specification's terminate, which wants a handle.
fn terminate(driver: &packet::Driver) -> bool {
    let Ok(handle) = driver.access(1, &crate::status::OWN_TYPE, Far(0)) else { return false };
    if driver.ask(0x0500, handle, 0, Far(0)).is_ok() {
        packet::forget(driver, handle);
        return true;
    }
    let _ = driver.release(handle);
    false
}

/// Masks an interrupt line: it was masked before the driver was loaded.
fn mask(irq: u8) {
    let port: u16 = if irq < 8 { 0x21 } else { 0xA1 };
    uninterrupted(|| {
        // SAFETY: sets one bit of the controller's mask; nothing but the driver has used the line.
        unsafe {
            asm!("in al, dx", "or al, ah", "out dx, al", in("dx") port, inout("ax") (1u16 << (irq & 7)) << 8 => _, options(nomem, nostack));
        }
    });
}
