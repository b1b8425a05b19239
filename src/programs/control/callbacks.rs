//! Callbacks: called for what they are registered for, with what is promised, and never twice at a time; a callback that sets
//! parameters, one that never returns, and one whose code is overwritten.

use crate::Machine;
use compkt::control;
use compkt::programs::rt::check::Checks;
use compkt::programs::rt::{Far, IF};

unsafe extern "C" {
    // asm/control.asm
    fn plain_callback();
    fn again_callback();
    fn leap_callback();
    fn control_leap(ax: u32, bx: u32, cx: u32) -> u32;
    static mut plain_calls: u16;
    static mut again_calls: u16;
    static mut leap_calls: u16;
    static mut callback_parameter: u16;
    static mut callback_flags: u16;
    static mut callback_segment: u16;
    static mut control_number: u8;
    static mut control_vector: u8;
    static mut again_value: u16;
    static mut again_result: u8;
    static mut leaps: u8;
}

/// Reads what the callbacks write.
macro_rules! now {
    ($name:ident) => {
        // SAFETY: an aligned number, which callbacks write.
        unsafe { (&raw const $name).read_volatile() }
    };
}

/// Writes what the callbacks read.
macro_rules! put {
    ($name:ident, $value:expr) => {
        // SAFETY: an aligned number, which callbacks read.
        unsafe { (&raw mut $name).write_volatile($value) }
    };
}

fn register(machine: &Machine, parameter: u8, at: Far) -> u32 {
    machine.call(control::REGISTER, parameter as u16, 0, at).eax & 0xFF
}

fn remove(machine: &Machine, at: Far) -> u32 {
    machine.call(control::REMOVE, 0, 0, at).eax & 0xFF
}

const DONE: u32 = control::DONE as u32;
const UNKNOWN: u32 = control::UNKNOWN as u32;

pub fn run(checks: &mut Checks, machine: &Machine) {
    put!(control_number, machine.block.info.amis);
    put!(control_vector, machine.driver.vector);
    plain(checks, machine);
    room(checks, machine);
    again(checks, machine);
    leap(checks, machine);
    overwritten(checks, machine);
}

fn plain(checks: &mut Checks, machine: &Machine) {
    let at = Far::of_code(plain_callback);
    checks.equal(c"callback: registered for one", DONE, register(machine, control::INTERVAL, at));
    let _ = machine.set(control::LEVEL, 8, Far(0));
    checks.equal(c"callback: not for another parameter", 0, now!(plain_calls) as u32);
    let regs = machine.call(control::SET, control::INTERVAL as u16, 3, Far::new(0x1234, 0x5678));
    checks.equal(c"callback: SET gives", DONE, regs.eax & 0xFF);
    checks.equal(c"callback: called once", 1, now!(plain_calls) as u32);
    checks.equal(c"callback: BX", control::INTERVAL as u32, now!(callback_parameter) as u32);
    checks.equal(c"callback: DS", machine.block.info.segment as u32, now!(callback_segment) as u32);
    checks.equal(c"callback: interrupts are off", 0, (now!(callback_flags) & IF) as u32);
    let kept = (regs.ebx, regs.ecx, regs.es, regs.edi) == (control::INTERVAL as u32, 3, 0x1234, 0x5678);
    checks.holds(c"callback: the caller's registers are kept", kept && regs.flags & IF != 0, c"all");
    let _ = machine.set(control::INTERVAL, 0xFFFF, Far(0));
    checks.equal(c"callback: not for what is refused", 1, now!(plain_calls) as u32);
    checks.equal(c"callback: removed", DONE, remove(machine, at));
    let _ = machine.set(control::INTERVAL, 1, Far(0));
    checks.equal(c"callback: not after that", 1, now!(plain_calls) as u32);
    checks.equal(c"callback: is not there to be removed", UNKNOWN, remove(machine, at));
    checks.equal(c"callback: registered for all", DONE, register(machine, 0, at));
    let _ = machine.set(control::MODE, 6, Far(0));
    checks.equal(c"callback: MODE", control::MODE as u32, now!(callback_parameter) as u32);
    let _ = machine.set(control::MODE, 3, Far(0));
    let _ = machine.set(control::MULTICAST, 0, Far(0));
    checks.equal(c"callback: MULTICAST", control::MULTICAST as u32, now!(callback_parameter) as u32);
    checks.equal(c"callback: called for all", 4, now!(plain_calls) as u32);
    checks.equal(c"callback: removed again", DONE, remove(machine, at));
}

/// Four fit; what is no callback is refused.
fn room(checks: &mut Checks, machine: &Machine) {
    let at = Far::of_code(plain_callback);
    for _ in 0..control::CALLBACKS {
        checks.equal(c"callbacks: one more", DONE, register(machine, control::INTERVAL, at));
    }
    checks.equal(c"callbacks: no room", control::NO_ROOM as u32, register(machine, control::INTERVAL, at));
    for _ in 0..control::CALLBACKS {
        checks.equal(c"callbacks: one less", DONE, remove(machine, at));
    }
    checks.equal(c"callbacks: none is left", UNKNOWN, remove(machine, at));
    for wrong in [Far(0), Far::new(at.segment(), 0), Far::new(at.segment(), 1), Far::new(at.segment(), 3), Far::new(at.segment(), at.offset() + 1), Far::new(0xFFFF, 0xFFFF)] {
        checks.equal(c"callbacks: no signature", UNKNOWN, register(machine, 0, wrong));
        checks.equal(c"callbacks: is none", UNKNOWN, remove(machine, wrong));
    }
    checks.holds(c"callbacks: nothing of the driver looks like one", signature(machine).is_none(), c"no signature in its memory");
    let refused = machine.call(control::REGISTER, control::TX_RING as u16 + 1, 0, at).eax & 0xFF;
    checks.equal(c"callbacks: for no parameter", UNKNOWN, refused);
}

/// Where the driver's memory has the signature of a callback: a wrong address would have it call itself. Its stack, at the end,
/// has registers of this program, which may be the signature.
fn signature(machine: &Machine) -> Option<u16> {
    let info = &machine.block.info;
    (0..info.stack_low).find(|&at| Far::new(info.segment, at).read32() == u32::from_le_bytes(control::CALLBACK))
}

/// A callback that sets a parameter and calls INT 60h. It is not called for that; another one is.
fn again(checks: &mut Checks, machine: &Machine) {
    let (at, other) = (Far::of_code(again_callback), Far::of_code(plain_callback));
    let before = now!(plain_calls);
    put!(again_value, 17);
    checks.equal(c"again: registered", DONE, register(machine, 0, at));
    checks.equal(c"again: another one", DONE, register(machine, control::BURST, other));
    checks.equal(c"again: set", DONE, machine.set(control::INTERVAL, 5, Far(0)));
    checks.equal(c"again: called once", 1, now!(again_calls) as u32);
    checks.equal(c"again: its SET gives", DONE, now!(again_result) as u32);
    checks.equal(c"again: BURST", 17, machine.get(control::BURST).unwrap_or(0) as u32);
    checks.equal(c"again: the other one was called", before as u32 + 1, now!(plain_calls) as u32);
    checks.equal(c"again: set another one", DONE, machine.set(control::INTERVAL, 6, Far(0)));
    checks.equal(c"again: called twice", 2, now!(again_calls) as u32);
    checks.equal(c"again: removed", DONE, remove(machine, at));
    checks.equal(c"again: the other one is removed", DONE, remove(machine, other));
    let _ = machine.set(control::BURST, 8, Far(0));
}

/// A callback that never returns is not called again; the driver goes on, and so do the other callbacks.
fn leap(checks: &mut Checks, machine: &Machine) {
    let (at, other) = (Far::of_code(leap_callback), Far::of_code(plain_callback));
    let ax = (machine.block.info.amis as u32) << 8 | control::SET as u32;
    // SAFETY: INT 2Dh with these registers; the routine keeps what C keeps, and restores SP if the callback abandons the call.
    let set = |value| unsafe { control_leap(ax, control::INTERVAL as u32, value) };
    put!(leaps, 1);
    checks.equal(c"leap: registered", DONE, register(machine, 0, at));
    checks.equal(c"leap: it abandons the call", 0x1000, set(7));
    checks.equal(c"leap: the value is set", 7, machine.get(control::INTERVAL).unwrap_or(0) as u32);
    checks.equal(c"leap: it is not called again", DONE, set(8));
    checks.equal(c"leap: called once", 1, now!(leap_calls) as u32);
    let before = now!(plain_calls);
    checks.equal(c"leap: another one is registered", DONE, register(machine, 0, other));
    checks.equal(c"leap: MODE is set", DONE, machine.set(control::MODE, 6, Far(0)));
    checks.equal(c"leap: MODE is set back", DONE, machine.set(control::MODE, 3, Far(0)));
    checks.equal(c"leap: the other one is called", before as u32 + 2, now!(plain_calls) as u32);
    checks.holds(c"leap: the driver works", crate::receiver::answered(machine, false), c"an answer");
    checks.equal(c"leap: removed", DONE, remove(machine, at));
    checks.equal(c"leap: registered again", DONE, register(machine, 0, at));
    put!(leaps, 0);
    checks.equal(c"leap: it returns now", DONE, set(9));
    checks.equal(c"leap: and is called", 2, now!(leap_calls) as u32);
    checks.equal(c"leap: the end", DONE, remove(machine, at));
    checks.equal(c"leap: the other one's end", DONE, remove(machine, other));
}

/// A callback whose signature is gone is dropped, and that is logged.
fn overwritten(checks: &mut Checks, machine: &Machine) {
    let at = Far::of_code(plain_callback);
    let before = now!(plain_calls);
    checks.equal(c"overwritten: registered", DONE, register(machine, 0, at));
    let front = Far::new(at.segment(), at.offset() - 4);
    // SAFETY: the signature, which is data in the program's code.
    unsafe { front.write(b"3CPX") };
    let written = machine.written();
    checks.equal(c"overwritten: SET gives", DONE, machine.set(control::INTERVAL, 1, Far(0)));
    checks.equal(c"overwritten: not called", before as u32, now!(plain_calls) as u32);
    let (entries, last) = machine.logged(written, &[control::CHANGED, control::DROPPED]);
    checks.equal(c"overwritten: two entries in the log", 2, entries);
    checks.equal(c"overwritten: event", control::DROPPED as u32, last.event as u32);
    // SAFETY: as above.
    unsafe { front.write(&control::CALLBACK) };
    checks.equal(c"overwritten: it is gone", UNKNOWN, remove(machine, at));
    let _ = machine.set(control::INTERVAL, 1, Far(0));
    checks.equal(c"overwritten: never called again", before as u32, now!(plain_calls) as u32);
}
