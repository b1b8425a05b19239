//! Checks of driver_info, of the settings, and of the caller's registers that a call must keep.

use crate::Machine;
use compkt::programs::rt::check::Checks;
use crate::mailbox::{self, PLAIN};
use compkt::device::MacAddr;
use compkt::programs::rt::packet::{Driver, Handle, error, forget};
use compkt::programs::rt::{DF, Far, IF, Regs, Shared, int};
use compkt::say;
use core::ffi::CStr;

/// A type that no protocol uses.
pub const TYPE: [u8; 2] = [0x90, 0x01];

pub fn run(checks: &mut Checks, machine: &mut Machine) {
    let driver = machine.driver;
    about(checks, &driver);
    unknown(checks, &driver);
    let receiver = mailbox::receiver(&driver, PLAIN);
    let Some(handle) = checks.succeeds(c"access_type opens a handle", driver.access(1, &TYPE, receiver)) else { return };
    machine.mac = address(checks, &driver, handle);
    modes(checks, &driver, handle);
    multicast(checks, &driver);
    set_address(checks, &driver, handle, machine.mac);
    reset(checks, &driver, handle, machine.mac);
    registers(checks, &driver, handle);
    checks.succeeds(c"release_type closes a handle", driver.release(handle));
    stale(checks, &driver, handle);
}

fn about(checks: &mut Checks, driver: &Driver) {
    if let Some(info) = checks.succeeds(c"driver_info answers", driver.info()) {
        say!(c"   the driver calls itself {s}, version {d}\n", &info.name, info.version);
        checks.equal(c"driver_info class is DIX Ethernet", 1, info.class as u32);
        checks.equal(c"driver_info number is 0", 0, info.number as u32);
        checks.holds(c"driver_info functionality is known", matches!(info.functions, 1 | 2 | 5 | 6), c"1, 2, 5 or 6");
        checks.holds(c"driver_info name is a text", info.name.first().is_some_and(|byte| *byte > b' '), c"a name");
        let basic = matches!(info.functions, 1 | 2);
        let parameters = driver.parameters();
        if basic {
            checks.fails(c"get_parameters is absent, as driver_info says", error::BAD_COMMAND, parameters);
        } else if let Some(parameters) = checks.succeeds(c"get_parameters answers", parameters) {
            checks.equal(c"get_parameters length", 14, parameters.length as u32);
            checks.equal(c"get_parameters address length", 6, parameters.addr_len as u32);
            checks.equal(c"get_parameters longest frame", 1514, parameters.mtu as u32);
            checks.equal(c"get_parameters major revision", 1, parameters.major as u32);
            checks.holds(c"get_parameters minor revision", parameters.minor >= 9, c"9 or later");
            checks.equal(c"get_parameters multicast bytes are whole addresses", 0, parameters.multicast_aval as u32 % 6);
        }
    }
    let mut regs = Regs::ax(0x01FF);
    regs.ebx = 0x7777;
    checks.succeeds(c"driver_info ignores its handle", driver.call(&mut regs));
}

/// Calls with function numbers that do not exist: one check for each range.
fn unknown(checks: &mut Checks, driver: &Driver) {
    const RANGES: [(u8, u8, &CStr); 5] = [
        (8, 9, c"functions 8 and 9 are BAD_COMMAND"),
        (14, 19, c"functions 14 to 19 are BAD_COMMAND"),
        (26, 0x7F, c"functions 26 to 7Fh are BAD_COMMAND"),
        (0x81, 0xFF, c"functions 81h to FFh are BAD_COMMAND"),
        (0, 0, c"function 0 is BAD_COMMAND"),
    ];
    for (first, last, name) in RANGES {
        let mut bad = 0;
        for function in first..=last {
            let answer = driver.ask((function as u16) << 8, 0, 0, Far(0));
            if bad == 0 && answer.err() != Some(error::BAD_COMMAND) {
                bad = 0x100 | function as u32;
            }
        }
        checks.equal(name, 0, bad);
    }
}

fn address(checks: &mut Checks, driver: &Driver, handle: Handle) -> MacAddr {
    let mac = checks.succeeds(c"get_address answers", driver.address(handle)).unwrap_or([0; 6]);
    checks.holds(c"get_address gives a station's address", mac != [0; 6] && mac[0] & 1 == 0, c"a unicast address");
    let room = Shared::new([0xA5u8; 10]);
    let answer = driver.ask(0x0600, handle, 10, Far::of(room.get()));
    if let Some(regs) = checks.succeeds(c"get_address with more room than needed", answer) {
        checks.equal(c"get_address says how long it is", 6, regs.ecx as u16 as u32);
    }
    let [bytes @ .., _, _, _, _] = room.read();
    checks.same(c"get_address writes the address", &mac, &bytes);
    let [.., a, b, c, d] = room.read();
    checks.same(c"get_address writes no byte behind it", &[0xA5; 4], &[a, b, c, d]);
    room.write([0xA5; 10]);
    for (size, name) in [(5, c"get_address with five bytes of room"), (0, c"get_address without room")] {
        checks.fails(name, error::NO_SPACE, driver.ask(0x0600, handle, size, Far::of(room.get())));
    }
    checks.same(c"get_address writes nothing without room", &[0xA5; 10], &room.read());
    mac
}

fn modes(checks: &mut Checks, driver: &Driver, handle: Handle) {
    checks.equal(c"receive mode is 3 with the first handle", 3, driver.rcv_mode(handle).unwrap_or(0xFF) as u32);
    const MODES: [(u16, &CStr); 6] = [
        (1, c"set_rcv_mode 1"),
        (2, c"set_rcv_mode 2"),
        (4, c"set_rcv_mode 4"),
        (5, c"set_rcv_mode 5"),
        (6, c"set_rcv_mode 6"),
        (3, c"set_rcv_mode 3"),
    ];
    for (mode, name) in MODES {
        let set = driver.set_rcv_mode(handle, mode).and_then(|_| driver.rcv_mode(handle));
        if let Some(got) = checks.succeeds(name, set) {
            checks.equal(c"  and get_rcv_mode says so", mode as u32, got as u32);
        }
    }
    for (mode, name) in [(0, c"set_rcv_mode 0"), (7, c"set_rcv_mode 7"), (0x103, c"set_rcv_mode 103h"), (0xFFFF, c"set_rcv_mode FFFFh")] {
        checks.fails(name, error::BAD_MODE, driver.set_rcv_mode(handle, mode));
    }
    checks.equal(c"a bad mode changes nothing", 3, driver.rcv_mode(handle).unwrap_or(0xFF) as u32);
}

/// The present multicast list, as one value to compare.
fn list(driver: &Driver) -> Result<(u16, [u8; 24]), u8> {
    let regs = driver.ask(0x1700, 0, 0, Far(0))?;
    let len = regs.ecx as u16;
    let mut bytes = [0; 24];
    let shown = bytes.get_mut(..len.min(24) as usize).unwrap_or(&mut []);
    Far::new(regs.es, regs.edi as u16).read(shown);
    Ok((len, bytes))
}

fn set_list(driver: &Driver, list: &[u8], len: u16) -> Result<(), u8> {
    driver.ask(0x1600, 0, len, Far::of(list)).map(|_| ())
}

fn multicast(checks: &mut Checks, driver: &Driver) {
    const GROUPS: [u8; 24] =
        [1, 0, 0x5E, 0, 0, 1, 1, 0, 0x5E, 0x7F, 0xFF, 0xFA, 0x33, 0x33, 0, 0, 0, 1, 3, 0, 0, 0, 0, 9];
    if driver.ask(0x1600, 0, 0, Far::of(&GROUPS)).err() == Some(error::NO_MULTICAST) {
        checks.fails(c"get_multicast_list agrees that there is no multicast", error::NO_MULTICAST, list(driver));
        return;
    }
    let start = list(driver);
    if let Some((len, _)) = checks.succeeds(c"get_multicast_list answers", start) {
        checks.equal(c"the multicast list is empty at first", 0, len as u32);
    }
    for count in 1..=4u16 {
        checks.succeeds(c"set_multicast_list takes a list", set_list(driver, &GROUPS, count * 6));
        let (len, bytes) = list(driver).unwrap_or((0xFFFF, [0; 24]));
        checks.equal(c"  and get_multicast_list its length", count as u32 * 6, len as u32);
        let wanted = GROUPS.get(..count as usize * 6).unwrap_or(&[]);
        checks.same(c"  and its addresses", wanted, bytes.get(..wanted.len()).unwrap_or(&[]));
    }
    const BAD: [(u16, &CStr); 4] = [
        (1, c"set_multicast_list of 1 byte"),
        (7, c"set_multicast_list of 7 bytes"),
        (11, c"set_multicast_list of 11 bytes"),
        (23, c"set_multicast_list of 23 bytes"),
    ];
    for (len, name) in BAD {
        checks.fails(name, error::BAD_ADDRESS, set_list(driver, &GROUPS, len));
    }
    checks.fails(c"set_multicast_list with a station's address", error::BAD_ADDRESS, set_list(driver, &[2, 0, 0, 0, 0, 1], 6));
    checks.fails(c"set_multicast_list of 65,532 bytes", error::NO_SPACE, set_list(driver, &GROUPS, 65532));
    checks.equal(c"a bad list changes nothing", 24, list(driver).map_or(0, |(len, _)| len as u32));
    checks.succeeds(c"set_multicast_list takes the empty list", set_list(driver, &GROUPS, 0));
    checks.equal(c"  and it is empty", 0, list(driver).map_or(0xFFFF, |(len, _)| len as u32));
}

/// A locally administered address, which differs from every ROM's in its first byte.
pub const OTHER_MAC: MacAddr = [2, 0x3C, 0x50, 0x9B, 0, 7];

fn put_address(driver: &Driver, mac: &[u8], len: u16) -> Result<u16, u8> {
    driver.ask(0x1900, 0, len, Far::of(mac)).map(|regs| regs.ecx as u16)
}

fn set_address(checks: &mut Checks, driver: &Driver, handle: Handle, mac: MacAddr) {
    for (len, name) in [(5, c"set_address of 5 bytes"), (7, c"set_address of 7 bytes"), (0, c"set_address of no bytes"), (0xFFFF, c"set_address of 65,535 bytes")] {
        checks.fails(name, error::BAD_ADDRESS, put_address(driver, &OTHER_MAC, len));
    }
    checks.fails(c"set_address to a multicast address", error::BAD_ADDRESS, put_address(driver, &[3, 0, 0, 0, 0, 1], 6));
    checks.equal(c"a bad address changes nothing", 1, (driver.address(handle) == Ok(mac)) as u32);
    if let Some(len) = checks.succeeds(c"set_address", put_address(driver, &OTHER_MAC, 6)) {
        checks.equal(c"  says how long an address is", 6, len as u32);
        checks.same(c"  and get_address gives it", &OTHER_MAC, &driver.address(handle).unwrap_or([0; 6]));
    }
    let second = driver.access(1, &[0x90, 0x02], mailbox::receiver(driver, PLAIN));
    checks.fails(c"set_address with two handles open", error::CANT_SET, put_address(driver, &mac, 6));
    checks.fails(c"reset_interface with two handles open", error::CANT_RESET, driver.ask(0x0700, handle, 0, Far(0)));
    checks.fails(c"terminate with two handles open", error::CANT_TERMINATE, driver.ask(0x0500, handle, 0, Far(0)));
    let _ = driver.release(second.unwrap_or(0));
}

/// Checks reset_interface. Another address than the ROM's is set before.
fn reset(checks: &mut Checks, driver: &Driver, handle: Handle, mac: MacAddr) {
    let _ = driver.set_rcv_mode(handle, 6);
    let _ = set_list(driver, &[1, 0, 0x5E, 0, 0, 1], 6);
    checks.succeeds(c"reset_interface", driver.ask(0x0700, handle, 0, Far(0)));
    checks.same(c"  puts the address back", &mac, &driver.address(handle).unwrap_or([0; 6]));
    checks.equal(c"  and mode 3", 3, driver.rcv_mode(handle).unwrap_or(0xFF) as u32);
    checks.equal(c"  and the empty multicast list", 0, list(driver).map_or(0xFFFF, |(len, _)| len as u32));
}

const AL: u16 = 1;
const AX: u16 = 2;
const BX: u16 = 4;
const CX: u16 = 8;
const DX: u16 = 0x10;
const SI: u16 = 0x20;
const DI: u16 = 0x40;
const DS: u16 = 0x80;
const ES: u16 = 0x100;

/// The registers that a call changed and that are not among its results, one bit each; bit 15 is for all other state.
fn changed(before: &Regs, after: &Regs, results: u16) -> u16 {
    let mut bits = 0;
    let mut compare = |old: u32, new: u32, whole: u32, bit: u16| {
        let mask = if results & bit != 0 { !whole } else { !0 };
        if (old ^ new) & mask != 0 {
            bits |= bit;
        }
    };
    let al = if results & AX != 0 { 0xFFFF } else { 0xFF };
    compare(before.eax, after.eax, al, if results & AX != 0 { AX } else { AL });
    compare(before.ebx, after.ebx, 0xFFFF, BX);
    compare(before.ecx, after.ecx, 0xFFFF, CX);
    compare(before.edx, after.edx, if after.carry() { 0xFF00 } else { 0xFFFF }, DX);
    compare(before.esi, after.esi, 0xFFFF, SI);
    compare(before.edi, after.edi, 0xFFFF, DI);
    compare(before.ds as u32, after.ds as u32, 0xFFFF, DS);
    compare(before.es as u32, after.es as u32, 0xFFFF, ES);
    let rest = before.ebp == after.ebp
        && before.fs == after.fs
        && before.gs == after.gs
        && (before.flags ^ after.flags) & (DF | IF) == 0
        && after.esp >> 16 == 0;
    if !rest {
        bits |= 0x8000;
    }
    bits
}

/// Room for a frame longer than the longest.
type Bytes = Shared<[u8; 1600]>;

/// The registers of a call, each with a value of its own in the high half, and what `bytes` has to hold. Bit 6 of the
/// function: arguments that are refused.
fn arranged(driver: &Driver, handle: Handle, function: u8, bytes: &Bytes) -> Regs {
    bytes.write([0xFF; 1600]);
    let failing = function & 0x40 != 0;
    let function = function & !0x40;
    let mut regs = Regs::ax((function as u16) << 8);
    let near = Far::of(bytes.get()).offset() as u32;
    let mut count = 6;
    match function {
        2 => {
            let class = if failing { 9 } else { 1 };
            regs.eax |= class;
            regs.edx = 0x4400;
            bytes.write([0x91; 1600]);
            count = 2;
        }
        3 => regs.ebx = driver.access(1, &[0x92, 0], Far(0)).unwrap_or(0) as u32,
        4 => count = if failing { 1515 } else { 60 },
        6 if failing => count = 3,
        20 => count = if failing { 9 } else { 3 },
        22 => count = 0,
        25 => {
            let mut station = [0; 1600];
            station.iter_mut().zip(OTHER_MAC).for_each(|(to, byte)| *to = byte);
            bytes.write(station);
        }
        _ => {}
    }
    if function != 3 {
        regs.ebx = handle as u32;
    }
    regs.eax |= 0xA1A2_0000;
    regs.ebx |= 0xB1B2_0000;
    regs.ecx = 0xC1C2_0000 | count;
    regs.edx |= 0xD1D2_0000;
    regs.esi = 0xE1E2_0000 | near;
    regs.edi = 0xF1F2_0000 | near;
    regs.ebp = 0x1234_5678;
    if function == 2 {
        regs.ebx |= 0xFFFF;
        // Receiver 0:0, so that no upcall comes while this handle is open.
        regs.edi &= 0xFFFF_0000;
        regs.es = 0;
    }
    Regs { fs: 0x1111, gs: 0x2222, ..regs }
}

/// Checks that every function keeps all but its results: high halves, FS and GS, DF and IF as well.
fn registers(checks: &mut Checks, driver: &Driver, handle: Handle) {
    const CALLS: [(u8, u16, &CStr); 20] = [
        (1, AL | BX | CX | DX | DS | SI, c"driver_info keeps the other registers"),
        (2, AX, c"access_type keeps the other registers"),
        (3, 0, c"release_type keeps the other registers"),
        (4, 0, c"send_pkt keeps the other registers"),
        (6, CX, c"get_address keeps the other registers"),
        (7, 0, c"reset_interface keeps the other registers"),
        (10, ES | DI, c"get_parameters keeps the other registers"),
        (13, 0, c"drop_pkt keeps the other registers"),
        (20, 0, c"set_rcv_mode keeps the other registers"),
        (21, AX, c"get_rcv_mode keeps the other registers"),
        (22, 0, c"set_multicast_list keeps the other registers"),
        (23, ES | DI | CX, c"get_multicast_list keeps the other registers"),
        (24, DS | SI, c"get_statistics keeps the other registers"),
        (25, CX, c"set_address keeps the other registers"),
        (9, 0, c"an unknown function keeps the other registers"),
        (0x80, ES | DI, c"function 80h keeps the other registers"),
        // Calls that fail.
        (0x42, 0, c"access_type that fails keeps the other registers"),
        (0x44, 0, c"send_pkt that fails keeps the other registers"),
        (0x46, 0, c"get_address that fails keeps the other registers"),
        (0x54, 0, c"set_rcv_mode that fails keeps the other registers"),
    ];
    let bytes: Bytes = Shared::new([0; 1600]);
    for (function, results, name) in CALLS {
        let mut bits = 0;
        for flags in [IF, 0, IF | DF, DF] {
            let mut regs = Regs { flags, ..arranged(driver, handle, function, &bytes) };
            let before = regs;
            int(driver.vector, &mut regs);
            bits |= changed(&before, &regs, if regs.carry() { DX } else { results });
            if function == 2 && !regs.carry() {
                let _ = driver.release(regs.eax as u16);
            }
        }
        checks.equal(name, 0, bits as u32);
    }
    let _ = driver.ask(0x0700, handle, 0, Far(0));
}

/// Calls with a handle that was released, and with numbers that never were handles.
fn stale(checks: &mut Checks, driver: &Driver, handle: Handle) {
    const CALLS: [(u8, &CStr); 6] = [
        (3, c"release_type of no handle"),
        (5, c"terminate with no handle"),
        (6, c"get_address with no handle"),
        (7, c"reset_interface with no handle"),
        (20, c"set_rcv_mode with no handle"),
        (3, c"release_type once more"),
    ];
    let room = [0u8; 8];
    for (function, name) in CALLS {
        let mut wrong = 0;
        for number in [handle, 0, 1, 0xFFFF, 0x8000, handle ^ 0x0100, handle ^ 0xFF00, handle.wrapping_add(200)] {
            let answer = driver.ask((function as u16) << 8, number, 6, Far::of(&room));
            if answer.err() != Some(error::BAD_HANDLE) {
                wrong = 0x1_0000 | number as u32;
            }
        }
        checks.equal(name, 0, wrong);
    }
}

/// Unloads the driver.
pub fn end(checks: &mut Checks, driver: &Driver) {
    let Some(handle) = checks.succeeds(c"access_type before the end", driver.access(1, &TYPE, Far(0))) else { return };
    if checks.succeeds(c"terminate with one handle open", driver.ask(0x0500, handle, 0, Far(0))).is_some() {
        checks.holds(c"  no packet driver is left", Driver::on(driver.vector).is_none(), c"none on the interrupt");
        forget(driver, handle);
    }
}
