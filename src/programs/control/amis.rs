//! The functions of AMIS itself.

use crate::Machine;
use compkt::control;
use compkt::info::FLAG_DEVICE;
use compkt::programs::rt::check::Checks;
use compkt::programs::rt::{Far, Regs, int, vector};

const CHECK: u8 = 0;
const UNINSTALL: u8 = 2;
const LIST: u8 = 4;
const DEVICE: u8 = 6;
/// The longest description.
const DESCRIPTION: usize = 64;
/// The most interrupts that a driver hooks.
const HOOKS: u16 = 8;

pub fn run(checks: &mut Checks, machine: &Machine) {
    installed(checks, machine);
    others(checks, machine);
    hooked(checks, machine);
    device(checks, machine);
}

fn installed(checks: &mut Checks, machine: &Machine) {
    let regs = machine.call(CHECK, 0x1234, 0, Far(0));
    checks.equal(c"amis: number in use", 0xFF, regs.eax & 0xFF);
    checks.equal(c"amis: version", machine.block.info.version as u32, regs.ecx);
    checks.equal(c"amis: BX is kept", 0x1234, regs.ebx);
    let at = Far::new(regs.edx as u16, regs.edi as u16);
    let mut product = [0; 16];
    at.read(&mut product);
    checks.same(c"amis: signature", &control::PRODUCT, &product);
    let mut text = [1; DESCRIPTION];
    Far::new(at.segment(), at.offset() + 16).read(&mut text);
    checks.holds(c"amis: description ends", text.contains(&0), c"a NUL within 64 bytes");
}

/// Functions that are not implemented, and a number that nobody has.
fn others(checks: &mut Checks, machine: &Machine) {
    let mut good = true;
    for al in [1, 3, 5].into_iter().chain(7..control::GET).chain(control::LOG + 1..=0xFF) {
        let regs = machine.call(al, 0x1111, 0x2222, Far::new(0x3333, 0x4444));
        let kept = (regs.ebx, regs.ecx, regs.es, regs.edi) == (0x1111, 0x2222, 0x3333, 0x4444);
        if regs.eax as u8 != control::NOT_IMPLEMENTED || !kept {
            checks.equal(c"amis: a function that is not implemented", 0, (al as u32) << 8 | regs.eax & 0xFF);
            good = false;
        }
    }
    checks.holds(c"amis: functions that are not implemented", good, c"AL = 0 and all other registers kept");
    let mut regs = Regs::ax((machine.block.info.amis.wrapping_add(1) as u16) << 8);
    int(control::INTERRUPT, &mut regs);
    checks.equal(c"amis: another number is chained", 0, regs.eax & 0xFF);
}

/// The list of hooked interrupts: every vector leads to the handler, each with a header of the Interrupt Sharing Protocol but INT 60h.
fn hooked(checks: &mut Checks, machine: &Machine) {
    let regs = machine.call(LIST, 0, 0, Far(0));
    checks.equal(c"amis: hooked interrupts", LIST as u32, regs.eax & 0xFF);
    let (segment, start) = (regs.edx as u16, regs.ebx as u16);
    checks.equal(c"amis: the list is the driver's", machine.block.info.segment as u32, segment as u32);
    let (mut last, mut packet) = (0, false);
    let mut vectors = true;
    let mut headers = true;
    for index in 0..HOOKS {
        let mut entry = [0; 3];
        Far::new(segment, start + 3 * index).read(&mut entry);
        let [number, low, high] = entry;
        let handler = Far::new(segment, u16::from_le_bytes([low, high]));
        vectors &= vector(number) == handler;
        packet |= number == machine.driver.vector;
        headers &= number == machine.driver.vector || Far::new(segment, handler.offset() + 6).read16() == 0x424B;
        last = number;
        if last == control::INTERRUPT {
            break;
        }
    }
    checks.equal(c"amis: the list ends with INT 2Dh", control::INTERRUPT as u32, last as u32);
    checks.holds(c"amis: the list has the packet driver's vector", packet, c"it");
    checks.holds(c"amis: every vector in the list leads to its handler", vectors, c"each");
    checks.holds(c"amis: all but the packet driver's have a header to share", headers, c"each");
}

fn device(checks: &mut Checks, machine: &Machine) {
    let regs = machine.call(DEVICE, 0, 0, Far(0));
    if machine.block.info.flags & FLAG_DEVICE == 0 {
        checks.equal(c"amis: no device driver", 0, regs.eax & 0xFF);
        return;
    }
    checks.equal(c"amis: one device driver, from CONFIG.SYS", 0x0101, regs.eax & 0xFFFF);
    checks.equal(c"amis: its header", (machine.block.info.segment as u32) << 16, regs.edx << 16 | regs.ebx);
    let mut name = [0; 6];
    Far::new(regs.edx as u16, regs.ebx as u16 + 10).read(&mut name);
    checks.same(c"amis: its name", b"PKTDRV", &name);
}

/// Uninstall, refused and done.
pub fn end(checks: &mut Checks, machine: &Machine) {
    let handle = machine.driver.access(1, &[0x90, 0x33], Far(0));
    let refused = machine.call(UNINSTALL, 0, 0, Far(0)).eax & 0xFF;
    checks.equal(c"uninstall: not with a handle open", control::BUSY as u32, refused);
    let still = machine.call(CHECK, 0, 0, Far(0)).eax & 0xFF;
    checks.equal(c"uninstall: it is still there", 0xFF, still);
    if let Ok(handle) = handle {
        let _ = machine.driver.release(handle);
    }
    let gone = machine.call(UNINSTALL, 0, 0, Far(0)).eax & 0xFF;
    let expected = if machine.block.info.flags & FLAG_DEVICE == 0 { 0xFF } else { 6 };
    checks.equal(c"uninstall: done", expected, gone);
    checks.equal(c"uninstall: the number is free", 0, machine.call(CHECK, 0, 0, Far(0)).eax & 0xFF);
    checks.holds(c"uninstall: no packet driver", compkt::programs::rt::packet::Driver::on(machine.driver.vector).is_none(), c"none");
}
