//! Checks of access_type and release_type: which types may be open together, and how many handles.

use crate::Machine;
use compkt::programs::rt::check::Checks;
use crate::mailbox::{self, PLAIN};
use compkt::programs::rt::packet::{Driver, Handle, error, release_all};
use compkt::programs::rt::{Far, Regs};
use compkt::say;
use core::ffi::CStr;

const DIX: u8 = 1;
const IEEE: u8 = 11;

/// A call of access_type that must fail: class, type, length given, error, name of the check.
type Refusal = (u8, [u8; 8], u16, u8, &'static CStr);

pub fn run(checks: &mut Checks, machine: &Machine) {
    let driver = machine.driver;
    let receiver = mailbox::receiver(&driver, PLAIN);
    refusals(checks, &driver, receiver);
    beside(checks, &driver, receiver);
    fill(checks, machine, receiver);
}

/// access_type, with all its registers.
fn access(driver: &Driver, class: u8, kind: &[u8], len: u16, bx: u16, dl: u8, receiver: Far) -> Result<Handle, u8> {
    let mut regs = Regs::ax(0x0200 | class as u16);
    regs.ebx = bx as u32;
    regs.ecx = len as u32;
    regs.edx = dl as u32;
    regs.esi = Far::of(kind).offset() as u32;
    regs.es = receiver.segment();
    regs.edi = receiver.offset() as u32;
    driver.call(&mut regs).map(|_| regs.eax as u16)
}

fn refusals(checks: &mut Checks, driver: &Driver, receiver: Far) {
    const ODD: [Refusal; 6] = [
        (DIX, [0x90; 8], 3, error::BAD_TYPE, c"access_type with a type of 3 bytes"),
        (DIX, [0x90; 8], 9, error::BAD_TYPE, c"access_type with a type of 9 bytes"),
        (DIX, [0x90; 8], 0xFFFF, error::BAD_TYPE, c"access_type with a type of 65,535 bytes"),
        (IEEE, [0xAA; 8], 9, error::BAD_TYPE, c"access_type of class 11 with a type of 9 bytes"),
        (IEEE, [0xAA; 8], 0xFFFF, error::BAD_TYPE, c"access_type of class 11 with a type of 65,535 bytes"),
        (2, [0x90; 8], 2, error::NO_CLASS, c"access_type of class 2"),
    ];
    for (class, kind, len, error, name) in ODD {
        checks.fails(name, error, access(driver, class, &kind, len, 0xFFFF, 0, receiver));
    }
    let kind = [0x90, 0x10];
    checks.fails(c"access_type of class 0", error::NO_CLASS, access(driver, 0, &kind, 2, 0xFFFF, 0, receiver));
    checks.fails(c"access_type of class 255", error::NO_CLASS, access(driver, 255, &kind, 2, 0xFFFF, 0, receiver));
    checks.fails(c"access_type of another interface type", error::NO_TYPE, access(driver, DIX, &kind, 2, 0x7FFE, 0, receiver));
    checks.fails(c"access_type of interface number 1", error::NO_NUMBER, access(driver, DIX, &kind, 2, 0xFFFF, 1, receiver));
    if let Ok(info) = driver.info() {
        let own = access(driver, DIX, &kind, 2, info.kind, info.number, receiver);
        if let Some(handle) = checks.succeeds(c"access_type by the type that driver_info gave", own) {
            let _ = driver.release(handle);
        }
    }
    // The failed calls have left no handle.
    let handle = driver.access(DIX, &kind, receiver);
    if let Some(handle) = checks.succeeds(c"access_type after refusals", handle) {
        checks.fails(c"access_type of an open type", error::TYPE_INUSE, driver.access(DIX, &kind, receiver));
        checks.succeeds(c"release_type of it", driver.release(handle));
        if let Some(again) = checks.succeeds(c"access_type of the released type", driver.access(DIX, &kind, receiver)) {
            let _ = driver.release(again);
        }
    }
}

/// Checks which types may be open at the same time.
fn beside(checks: &mut Checks, driver: &Driver, receiver: Far) {
    const SNAP: [u8; 8] = [0xAA, 0xAA, 3, 0, 0, 0, 0x90, 0x20];
    let all = driver.access(DIX, &[], receiver);
    checks.succeeds(c"access_type of every frame", all);
    checks.succeeds(c"a type opens beside every frame", driver.access(DIX, &[0x90, 0x20], receiver));
    checks.succeeds(c"another type opens beside the first", driver.access(DIX, &[0x90, 0x21], receiver));
    checks.fails(c"a type's first byte is in use by it", error::TYPE_INUSE, driver.access(DIX, &[0x90], receiver));
    checks.succeeds(c"another first byte opens", driver.access(DIX, &[0x91], receiver));
    checks.fails(c"a type behind a first byte is in use by it", error::TYPE_INUSE, driver.access(DIX, &[0x91, 0], receiver));
    release_all();
    checks.succeeds(c"access_type of class 11 by LSAPs", driver.access(IEEE, &[0xE0, 0xE0], receiver));
    checks.succeeds(c"access_type of class 11 by SNAP", driver.access(IEEE, &SNAP, receiver));
    checks.fails(c"access_type of class 11 by the same SNAP", error::TYPE_INUSE, driver.access(IEEE, &SNAP, receiver));
    checks.fails(c"the LSAPs of an open SNAP type are in use", error::TYPE_INUSE, driver.access(IEEE, &[0xAA, 0xAA], receiver));
    let mut other = SNAP;
    other[7] = 0x21;
    checks.succeeds(c"another SNAP type opens beside it", driver.access(IEEE, &other, receiver));
    checks.succeeds(c"class 1 does not meet class 11", driver.access(DIX, &[0xE0, 0xE0], receiver));
    release_all();
}

/// Opens handles until there is no slot.
fn fill(checks: &mut Checks, machine: &Machine, receiver: Far) {
    let driver = machine.driver;
    let mut open = 0;
    let mut end = error::BAD_COMMAND;
    let mut twice = false;
    let mut last = 0;
    while open < 200 {
        match driver.access(DIX, &[0xA0, open as u8], receiver) {
            Ok(handle) => {
                twice |= handle == last;
                last = handle;
                open += 1;
            }
            Err(error) => {
                end = error;
                break;
            }
        }
    }
    say!(c"   {d} handles open at once\n", open as u32);
    checks.holds(c"there is room for eight handles", open >= 8, c"eight or more");
    if let Some(block) = driver.block().filter(|_| machine.ours) {
        checks.equal(c"as many handles as function 80h says", block.info.handle_count as u32, open as u32);
    }
    checks.equal(c"access_type without room is NO_SPACE", error::NO_SPACE as u32, end as u32);
    checks.holds(c"no two handles have one number", !twice, c"different numbers");
    release_all();
    let mut again = 0;
    while again < open && driver.access(DIX, &[0xA0, again as u8], receiver).is_ok() {
        again += 1;
    }
    checks.equal(c"as many open again after their release", open as u32, again as u32);
    release_all();
}
