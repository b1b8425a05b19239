//! GET and SET of every parameter, APPLY and ROLLBACK, and what the log has of them.

use crate::Machine;
use compkt::control::{self, Class, PARAMETERS, Parameter};
use compkt::info::FLAG_V86;
use compkt::device::MacAddr;
use compkt::programs::rt::check::Checks;
use compkt::programs::rt::{CF, Far};
use compkt::say;

/// The form of the pool that the driver has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pool {
    None,
    /// In XMS alone.
    Flat,
    /// In a cache, and in XMS.
    Cache,
    /// In conventional memory alone.
    Arena,
}

fn pool(machine: &Machine) -> Pool {
    let info = &machine.block.info;
    match (info.pool != 0, machine.block.buffers(1).is_some(), info.flags & FLAG_V86 != 0) {
        (false, ..) => Pool::None,
        (_, true, false) => Pool::Flat,
        (_, true, true) => Pool::Cache,
        (_, false, _) => Pool::Arena,
    }
}

/// Whether this driver has the parameter.
fn has(machine: &Machine, parameter: u8) -> bool {
    let pool = pool(machine);
    match parameter {
        control::HOLD => pool != Pool::None,
        control::XMS => pool == Pool::Flat,
        control::MIGRATE => pool == Pool::Cache,
        _ => true,
    }
}

/// A parameter's greatest value: not more than the cache may be used before frames go to XMS.
fn high(machine: &Machine, parameter: &Parameter) -> u16 {
    match (parameter.number, machine.block.buffers(0)) {
        (control::MIGRATE, Some(cache)) => cache,
        _ => parameter.high,
    }
}

const OTHER: MacAddr = [0x02, 0x60, 0x8C, 1, 2, 3];
const GROUPS: [[u8; 6]; 2] = [[1, 0, 0x5E, 0, 0, 1], [1, 0, 0x5E, 7, 8, 9]];

pub fn run(checks: &mut Checks, machine: &Machine) {
    values(checks, machine);
    refused(checks, machine);
    mode(checks, machine);
    address(checks, machine);
    list(checks, machine);
    words(checks, machine);
    pending(checks, machine);
}

/// GET of all parameters, and of numbers that are none.
fn values(checks: &mut Checks, machine: &Machine) {
    let nic = machine.block.nic(0);
    checks.equal(c"get: MODE", nic.map_or(0, |nic| nic.rcv_mode) as u32, machine.get(control::MODE).unwrap_or(0xFFFF) as u32);
    checks.holds(c"get: BURST", machine.get(control::BURST).is_some_and(|value| (1..=64).contains(&value)), c"1 to 64");
    let polled = nic.is_some_and(|nic| nic.irq == 0);
    checks.equal(c"get: POLL", polled as u32, machine.get(control::POLL).unwrap_or(0xFFFF) as u32);
    checks.equal(c"get: LOG", control::SPURIOUS as u32, machine.get(control::LEVEL).unwrap_or(0xFFFF) as u32);
    let at = machine.call(control::GET, control::ADDRESS as u16, 0, Far(0));
    let mut mac = [0; 6];
    Far::new(at.es, at.edi as u16).read(&mut mac);
    checks.same(c"get: ADDRESS", &nic.map_or([0; 6], |nic| nic.mac), &mac);
    for parameter in &PARAMETERS {
        let result = machine.call(control::GET, parameter.number as u16, 0, Far(0)).eax as u8;
        let expected = match parameter.class {
            _ if !has(machine, parameter.number) => control::FIXED,
            Class::Fixed => control::FIXED,
            _ => control::DONE,
        };
        checks.equal(c"get: result", expected as u32, result as u32);
    }
    for bx in [0, PARAMETERS.len() as u16 + 1, 0x100, 0x101, 0x1001, 0x8004, 0xFFFF] {
        checks.equal(c"get: no parameter", control::UNKNOWN as u32, machine.call(control::GET, bx, 0, Far(0)).eax & 0xFF);
        checks.equal(c"set: no parameter", control::UNKNOWN as u32, machine.call(control::SET, bx, 1, Far(0)).eax & 0xFF);
    }
}

/// Values that are out of range change nothing.
fn refused(checks: &mut Checks, machine: &Machine) {
    let written = machine.written();
    for parameter in PARAMETERS.iter().filter(|parameter| parameter.class != Class::Fixed && has(machine, parameter.number)) {
        if matches!(parameter.number, control::ADDRESS | control::MULTICAST) {
            continue;
        }
        let before = machine.get(parameter.number);
        let high = high(machine, parameter);
        for value in [0, parameter.low.wrapping_sub(1), high.wrapping_add(1), high | 0x100, 0xFFFF] {
            if !(parameter.low..=high).contains(&value) {
                checks.equal(c"set: out of range", control::RANGE as u32, machine.set(parameter.number, value, Far(0)));
            }
        }
        checks.holds(c"set: it is unchanged", machine.get(parameter.number) == before, c"the value before");
    }
    for number in PARAMETERS.iter().filter(|parameter| parameter.class == Class::Fixed).map(|parameter| parameter.number) {
        checks.equal(c"set: fixed", control::FIXED as u32, machine.set(number, 8, Far(0)));
    }
    checks.equal(c"log: nothing was set", 0, machine.logged(written, &[control::CHANGED]).0);
}

/// The receive mode is INT 60h's, and the change is in the log.
fn mode(checks: &mut Checks, machine: &Machine) {
    let handle = machine.driver.access(1, &[0x90, 0x34], Far(0)).unwrap_or(0);
    for mode in [6, 1, 2, 4, 5, 3] {
        let written = machine.written();
        checks.equal(c"MODE: set", control::DONE as u32, machine.set(control::MODE, mode, Far(0)));
        checks.equal(c"MODE: get_rcv_mode", mode as u32, machine.driver.rcv_mode(handle).unwrap_or(0xFF) as u32);
        checks.equal(c"MODE: get", mode as u32, machine.get(control::MODE).unwrap_or(0xFF) as u32);
        let (changes, entry) = machine.logged(written, &[control::CHANGED]);
        checks.equal(c"MODE: entries of the log", 1, changes);
        checks.equal(c"MODE: detail", control::MODE as u32, entry.detail as u32);
        let [low, middle, high] = entry.ticks;
        let now = Far::new(0x40, 0x6C).read32();
        let then = u32::from_le_bytes([low, middle, high, 0]);
        checks.holds(c"MODE: time", now.wrapping_sub(then) < 18 || now < 18, c"the BIOS's clock");
    }
    let _ = machine.driver.release(handle);
}

fn address(checks: &mut Checks, machine: &Machine) {
    let own = machine.block.nic(0).map_or([0; 6], |nic| nic.rom);
    let read = || {
        let at = machine.call(control::GET, control::ADDRESS as u16, 0, Far(0));
        let mut mac = [0; 6];
        Far::new(at.es, at.edi as u16).read(&mut mac);
        mac
    };
    checks.equal(c"ADDRESS: set", control::DONE as u32, machine.set(control::ADDRESS, 6, Far::of(&OTHER)));
    checks.same(c"ADDRESS: get", &OTHER, &read());
    for (bytes, address) in [(5, &OTHER), (7, &OTHER), (6, &GROUPS[0]), (6, &[0; 6])] {
        checks.equal(c"ADDRESS: none", control::BAD_ADDRESS as u32, machine.set(control::ADDRESS, bytes, Far::of(address)));
    }
    checks.same(c"ADDRESS: unchanged", &OTHER, &read());
    let handles = [0x35, 0x36].map(|low| machine.driver.access(1, &[0x90, low], Far(0)).unwrap_or(0));
    checks.equal(c"ADDRESS: two handles are open", control::SHARED as u32, machine.set(control::ADDRESS, 6, Far::of(&own)));
    for handle in handles {
        let _ = machine.driver.release(handle);
    }
    checks.equal(c"ADDRESS: set back", control::DONE as u32, machine.set(control::ADDRESS, 6, Far::of(&own)));
    checks.same(c"ADDRESS: the card's own", &own, &read());
}

fn list(checks: &mut Checks, machine: &Machine) {
    let read = || {
        let at = machine.call(control::GET, control::MULTICAST as u16, 0, Far(0));
        let mut all = [0; 14];
        Far::new(at.es, at.edi as u16).read(&mut all);
        (at.ecx, all)
    };
    checks.equal(c"MULTICAST: set", control::DONE as u32, machine.set(control::MULTICAST, 12, Far::of(&GROUPS)));
    let (count, bytes) = read();
    checks.equal(c"MULTICAST: number", 2, count);
    checks.same(c"MULTICAST: number, in memory", &[2, 0], bytes.get(..2).unwrap_or(&[]));
    checks.same(c"MULTICAST: get", GROUPS.as_flattened(), bytes.get(2..).unwrap_or(&[]));
    checks.equal(c"MULTICAST: too long", control::NO_ROOM as u32, machine.set(control::MULTICAST, 54, Far::of(&GROUPS)));
    checks.equal(c"MULTICAST: half an address", control::BAD_ADDRESS as u32, machine.set(control::MULTICAST, 7, Far::of(&GROUPS)));
    checks.equal(c"MULTICAST: no group", control::BAD_ADDRESS as u32, machine.set(control::MULTICAST, 6, Far::of(&OTHER)));
    checks.equal(c"MULTICAST: unchanged", 2, read().0);
    checks.equal(c"MULTICAST: none", control::DONE as u32, machine.set(control::MULTICAST, 0, Far(0)));
    checks.equal(c"MULTICAST: is empty", 0, read().0);
}

/// Parameters that are numbers.
fn words(checks: &mut Checks, machine: &Machine) {
    for (number, values) in [(control::BURST, [1, 64, 8]), (control::INTERVAL, [0, 255, 1]), (control::LEVEL, [4, 0, 8])] {
        for value in values {
            checks.equal(c"number: set", control::DONE as u32, machine.set(number, value, Far(0)));
            checks.equal(c"number: get", value as u32, machine.get(number).unwrap_or(0xFFFF) as u32);
        }
    }
    for number in [control::HOLD, control::MIGRATE] {
        let Some(before) = machine.get(number) else { continue };
        for value in [1, 250, 1536, 2000, 2048, before] {
            if machine.set(number, value, Far(0)) == control::DONE as u32 {
                checks.equal(c"of the pool: get", value as u32, machine.get(number).unwrap_or(0xFFFF) as u32);
            }
        }
        checks.equal(c"of the pool: set back", before as u32, machine.get(number).unwrap_or(0xFFFF) as u32);
    }
    if let Some(before) = machine.get(control::HOLD) {
        hold(checks, machine);
        let _ = machine.set(control::HOLD, before, Far(0));
    }
    let _ = machine.set(control::LEVEL, 4, Far(0));
    let written = machine.written();
    let _ = machine.set(control::INTERVAL, 2, Far(0));
    checks.equal(c"LOG: an event above it is not logged", 0, machine.logged(written, &[control::CHANGED]).0);
    let _ = machine.set(control::LEVEL, 8, Far(0));
    let polled = machine.get(control::POLL);
    let lone = machine.set(control::POLL, 1, Far(0));
    if polled == Some(1) {
        checks.equal(c"POLL: there is no line", control::REFUSED as u32, lone);
    } else if lone != control::REFUSED as u32 {
        checks.equal(c"POLL: set", control::DONE as u32, lone);
        checks.equal(c"POLL: get", 1, machine.get(control::POLL).unwrap_or(0xFF) as u32);
        checks.equal(c"POLL: twice", control::DONE as u32, machine.set(control::POLL, 1, Far(0)));
        checks.holds(c"POLL: an answer comes", crate::receiver::answered(machine, false), c"one");
        checks.equal(c"POLL: set back", control::DONE as u32, machine.set(control::POLL, 0, Far(0)));
        checks.holds(c"POLL: an answer comes by interrupt", crate::receiver::answered(machine, false), c"one");
    }
}

/// A frame that is refused is offered for HOLD ticks, also if HOLD is set while it waits. (In V86 mode and without XMS the time is
/// fixed when a frame begins to wait.)
fn hold(checks: &mut Checks, machine: &Machine) {
    let mut lasts = |before: u16, later: u16, what| {
        let set = |ticks| machine.set(control::HOLD, ticks, Far(0)) == control::DONE as u32;
        let good = set(before);
        let ticks = crate::receiver::refused_for(machine, before.max(later) + 6, &|| _ = set(later));
        let near = ticks.is_some_and(|ticks| ticks + 1 >= later && ticks <= later + 1);
        if !near {
            say!(c"HOLD {d}: {d} ticks\n", later, ticks.unwrap_or(0xFFFF));
        }
        checks.holds(what, good && near, c"so many ticks");
    };
    lasts(6, 6, c"HOLD: 6 ticks");
    lasts(30, 30, c"HOLD: 30 ticks");
    if pool(machine) == Pool::Flat {
        lasts(60, 12, c"HOLD: 60 ticks, then 12");
        lasts(4, 20, c"HOLD: 4 ticks, then 20");
    }
}

fn pending(checks: &mut Checks, machine: &Machine) {
    if has(machine, control::XMS) {
        wanted(checks, machine, control::XMS, 64);
    }
    wanted(checks, machine, control::MEDIA, 1);
}

/// A pending parameter's wanted value and the one in force, which differ in the bits `more`; then ROLLBACK.
fn wanted(checks: &mut Checks, machine: &Machine, number: u8, more: u16) {
    let force = machine.call(control::GET, number as u16, 0, Far(0)).edx as u16;
    checks.equal(c"pending: set", control::DONE as u32, machine.set(number, force ^ more, Far(0)));
    let got = machine.call(control::GET, number as u16, 0, Far(0));
    checks.equal(c"pending: wanted", (force ^ more) as u32, got.ecx & 0xFFFF);
    checks.equal(c"pending: in force", force as u32, got.edx & 0xFFFF);
    let apply = machine.call(control::APPLY, 0, 0, Far(0));
    checks.equal(c"APPLY: by the file", control::FILE as u32, apply.eax & 0xFF);
    checks.equal(c"APPLY: no error", 0, (apply.flags & CF) as u32);
    checks.equal(c"ROLLBACK: done", control::DONE as u32, machine.call(control::ROLLBACK, 0, 0, Far(0)).eax & 0xFF);
    checks.equal(c"ROLLBACK: wanted", force as u32, machine.get(number).unwrap_or(0xFFFF) as u32);
}
