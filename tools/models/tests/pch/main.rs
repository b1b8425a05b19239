//! The PCH LAN: how it begins, its semaphore, PHY and flash, what it complains of, its rings, and its faults, where Linux does not
//! show them.

mod start;
mod traffic;
#[path = "../world/mod.rs"]
mod world;

use models::faults::Faults;
use models::pch::{self as model, Engine, Left, Options, PARTS, Part, Pch};
use world::{MAC, Rig, frame};

const CTRL: u16 = 0x00;
const STATUS: u16 = 0x08;
const CTRL_EXT: u16 = 0x18;
const MDIC: u16 = 0x20;
const ICR: u16 = 0xC0;
const IMS: u16 = 0xD0;
const IAM: u16 = 0xE0;
const RCTL: u16 = 0x100;
const TCTL: u16 = 0x400;
const EXTCNF: u16 = 0xF00;
const RX: u16 = 0x2800;
const TX: u16 = 0x3800;
const RAL0: u16 = 0x5400;
const FWSM: u16 = 0x5B54;
const H2ME: u16 = 0x5B50;
/// Both rings have 8 descriptors; their tails are behind.
const RING: u32 = 0x80;
const TAIL: u16 = 0x18;
/// Places in memory.
const TX_AT: u32 = 0x1000;
const RX_AT: u32 = 0x1100;
const SENT: u32 = 0x2000;
const CAME: u32 = 0x4000;
/// Link on, reset, reset of the PHY.
const SLU: u32 = 1 << 6;
const RST: u32 = 1 << 26;
const PHY_RST: u32 = 1 << 31;
/// End, check sequence, report.
const WHOLE: u32 = 0x0B << 24;
/// Receiver on, for the station, broadcasts, without the check sequence.
const LISTEN: u32 = 1 << 1 | 1 << 15 | 1 << 26;

fn options(part: Part, faults: &str) -> Options {
    Options { faults: Faults::parse(faults).unwrap(), negotiation: 2_000_000, asleep: false, ..Options::new(part, MAC) }
}

fn card(part: Part, faults: &str) -> Rig<Pch> {
    Rig::new(Pch::new(options(part, faults)))
}

fn get(rig: &mut Rig<Pch>, at: u16) -> u32 {
    rig.read(at, 4)
}

fn put(rig: &mut Rig<Pch>, at: u16, value: u32) {
    rig.write(at, 4, value);
}

trait Cable {
    /// Plugs the cable in or out.
    fn card_link(&mut self, up: bool);
}

impl Cable for Rig<Pch> {
    fn card_link(&mut self, up: bool) {
        use models::Model;
        self.card.set_link(&mut self.world, up);
    }
}

/// Waits for the semaphore, at most 40 ms.
fn own(rig: &mut Rig<Pch>) -> bool {
    put(rig, EXTCNF, 0x20);
    (0..40).any(|_| {
        rig.sleep(1_000);
        get(rig, EXTCNF) & 0x20 != 0
    })
}

/// An access to the PHY; None: no answer.
fn mdio(rig: &mut Rig<Pch>, address: u32, register: u32, write: Option<u16>) -> Option<u16> {
    let word = address << 21 | register << 16;
    put(rig, MDIC, word | write.map_or(2 << 26, |value| 1 << 26 | value as u32));
    rig.sleep(150);
    let word = get(rig, MDIC);
    assert!(word & 1 << 28 != 0, "MDIC {word:08X}");
    (word & 1 << 30 == 0).then_some(word as u16)
}

/// A register of a page of the PHY.
fn paged(rig: &mut Rig<Pch>, page: u16, register: u32, write: Option<u16>) -> Option<u16> {
    mdio(rig, 1, 31, Some(page << 5))?;
    mdio(rig, 1, register, write)
}

/// Both rings, and the link.
fn running(part: Part, faults: &str) -> Rig<Pch> {
    let mut rig = card(part, faults);
    start(&mut rig);
    rig
}

fn start(rig: &mut Rig<Pch>) {
    put(rig, CTRL, SLU);
    rig.sleep(3_000);
    for at in (0x5200..0x5280).step_by(4) {
        put(rig, at, 0);
    }
    for number in 0..8 {
        rig.put32(RX_AT + 16 * number, CAME + 0x800 * number);
    }
    for (ring, at) in [(RX, RX_AT), (TX, TX_AT)] {
        put(rig, ring, at);
        put(rig, ring + 4, 0);
        put(rig, ring + 8, RING);
    }
    put(rig, TCTL, 1 << 1 | 1 << 3);
    put(rig, RCTL, LISTEN);
    put(rig, RX + TAIL, 7);
    get(rig, ICR);
}

/// Queues a frame in descriptor `number`.
fn send(rig: &mut Rig<Pch>, number: u32, bytes: u32) {
    rig.put32(TX_AT + 16 * number, SENT);
    rig.put32(TX_AT + 16 * number + 8, WHOLE | bytes);
    rig.put32(TX_AT + 16 * number + 12, 0);
    put(rig, TX + TAIL, number + 1);
}

fn done(rig: &Rig<Pch>, number: u32) -> bool {
    rig.get32(TX_AT + 16 * number + 12) & 1 != 0
}
