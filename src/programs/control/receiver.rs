//! Calls from inside a receiver, where what changes something is refused; and frames that a station answers.

use crate::Machine;
use compkt::control;
use compkt::programs::net::{self, Arp};
use compkt::programs::rt::check::Checks;
use compkt::programs::rt::clock::wait;
use compkt::programs::rt::{Far, Regs, Shared, inbox, int};

/// Ticks for an answer, and the number of questions.
const PATIENCE: u16 = 18 * 2;
/// The same where a second answer would be taken for the first one.
const LONG: u16 = 18 * 30;
const QUESTIONS: usize = 5;

static MACHINE: Shared<Option<Machine>> = Shared::new(None);
static UPCALLS: Shared<u16> = Shared::new(0);
/// What GET and SET and uninstall gave in a receiver.
static RESULTS: Shared<[u8; 4]> = Shared::new([0; 4]);
static ASK: Shared<bool> = Shared::new(false);

/// The BIOS's tick of the first upcall since this was cleared, and that of the last one.
static FIRST: Shared<Option<u16>> = Shared::new(None);
static LAST: Shared<u16> = Shared::new(0);

/// The BIOS's count of ticks.
fn tick() -> u16 {
    Far::new(0x40, 0x6C).read16()
}

extern "C" fn receive(regs: &mut Regs) {
    LAST.write(tick());
    if FIRST.read().is_none() {
        FIRST.write(Some(tick()));
    }
    UPCALLS.write(UPCALLS.read().wrapping_add(1));
    if let (true, Some(machine)) = (ASK.read(), MACHINE.read()) {
        let call = |al: u8, bx: u8| {
            let mut regs = Regs::ax((machine.block.info.amis as u16) << 8 | al as u16);
            regs.ebx = bx as u32;
            regs.ecx = 5;
            regs.flags = 0;
            int(control::INTERRUPT, &mut regs);
            regs.eax as u8
        };
        RESULTS.write([call(control::GET, control::BURST), call(control::SET, control::BURST), call(control::SET, control::MODE), call(2, 0)]);
    }
    regs.es = 0;
    regs.edi = 0;
}

/// Whether the station answers an ARP request; with `ask` its receiver calls the control interrupt.
pub fn answered(machine: &Machine, ask: bool) -> bool {
    ask_station(machine, ask, PATIENCE, &|| ())
}

/// For how many ticks a frame is offered that its receiver refuses. `meanwhile` runs behind the first offer, and `ticks` are more
/// than the frame waits. None: no frame came.
pub fn refused_for(machine: &Machine, ticks: u16, meanwhile: &dyn Fn()) -> Option<u16> {
    FIRST.write(None);
    let came = ask_station(machine, false, LONG, &|| {
        meanwhile();
        wait(ticks, || false);
    });
    came.then(|| FIRST.read().map(|first| LAST.read().wrapping_sub(first))).flatten()
}

/// Asks the station by ARP until it answers; `then` runs before the handle is released.
fn ask_station(machine: &Machine, ask: bool, patience: u16, then: &dyn Fn()) -> bool {
    MACHINE.write(Some(*machine));
    ASK.write(ask);
    let mac = machine.block.nic(0).map_or([0; 6], |nic| nic.mac);
    let mut frame = [0; compkt::device::MAX_FRAME as usize];
    net::arp(&mut frame, &Arp { operation: net::ARP_REQUEST, mac, ip: [10, 0, 2, 15], to_mac: [0; 6], to_ip: [10, 0, 2, 2] });
    let Ok(handle) = machine.driver.access(1, &[8, 6], inbox::receiver_with(receive)) else { return false };
    let mut done = false;
    for _ in 0..QUESTIONS {
        let before = UPCALLS.read();
        let _ = machine.driver.send(frame.get(..60).unwrap_or(&[]));
        done = wait(patience, || UPCALLS.read() != before);
        if done {
            then();
            break;
        }
    }
    let _ = machine.driver.release(handle);
    done
}

pub fn run(checks: &mut Checks, machine: &Machine) {
    let before = machine.get(control::BURST);
    checks.holds(c"receiver: a frame comes", answered(machine, true), c"one");
    let [get, set, mode, uninstall] = RESULTS.read();
    checks.equal(c"receiver: GET", control::DONE as u32, get as u32);
    checks.equal(c"receiver: SET of BURST", control::BUSY as u32, set as u32);
    checks.equal(c"receiver: SET of MODE", control::BUSY as u32, mode as u32);
    checks.equal(c"receiver: uninstall", control::BUSY as u32, uninstall as u32);
    checks.holds(c"receiver: nothing has changed", machine.get(control::BURST) == before, c"the value before");
    checks.holds(c"receiver: another frame comes", answered(machine, false), c"one");
    let _ = Far(0);
}
