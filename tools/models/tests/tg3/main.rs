//! The tg3's family: how a chip begins, what it complains of, its rings and interrupts, and its faults, where Linux does not show
//! them. The driver in these tests follows the order of the facts.

#[path = "../world/mod.rs"]
mod world;

mod order;
mod start;
mod traffic;

use models::Model;
use models::faults::Faults;
use models::tg3::{Options, Part, Tg3};
use world::{MAC, Rig, World};

const STATUS: u32 = 0x1000;
const TX: u32 = 0x2000;
const STD: u32 = 0x3000;
const RETURN: u32 = 0x4000;
const SENT: u32 = 0x5000;
const CAME: u32 = 0x8000;
/// Bytes of a receive buffer, and their number.
const ROOM: u32 = 0x600;
const BUFFERS: u32 = 16;
/// Entries of every ring.
const ENTRIES: u32 = 32;
const MAGIC: u32 = 0x4B65_7654;

/// A step of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Writes a register in memory.
    Register(u16, u32),
    /// Writes a word of SRAM, by the window in the configuration space.
    Sram(u32, u32),
    /// Writes a register of the configuration space.
    Config(u8, u32),
    /// Lets microseconds pass.
    Sleep(u64),
    /// Puts the receive buffers into the standard ring.
    Fill,
}

use Step::{Config, Fill, Register, Sleep, Sram};

/// A card with these faults and a short negotiation.
fn card(part: Part, faults: &str) -> Rig<Tg3> {
    let faults = Faults::parse(faults).unwrap();
    Rig::new(Tg3::new(Options { faults, negotiation: 2_000_000, ..Options::new(part, MAC) }))
}

/// The mailboxes' distance from those of most chips.
fn distance(part: Part) -> u16 {
    if part.vcpu { 0x5600 } else { 0 }
}

/// 68h: mask, word swap, indirect, state writable, and tags.
const CONTROL: u32 = 0x9A;
const TAGS: u32 = 0x200;

/// The bits with which the core is reset.
fn reset_bits(part: Part) -> u32 {
    1 | 65 << 1 | if part.express.is_some() { 1 << 29 } else { 0 } | if part.cpmu { 0 } else { 1 << 26 }
}

/// Before the reset, and the reset.
fn reset(part: Part) -> Vec<Step> {
    let mut steps = vec![Config(0x68, CONTROL)];
    if !part.vcpu {
        steps.push(Sram(0x0B50, MAGIC));
    }
    if part.late {
        steps.push(Register(0x6894, 0));
    }
    if part.express.is_some() && !part.cpmu {
        steps.push(Register(0x7E2C, 0x20));
    }
    steps.extend([Register(0x6804, reset_bits(part)), Sleep(150), Config(0x68, CONTROL), Register(0x4000, 2), Register(0x6800, 0x34), Sleep(15_000)]);
    steps
}

/// Everything behind the reset up to rings that work; `tags`: of 68h.
fn setup(part: Part, tags: u32) -> Vec<Step> {
    let boxes = distance(part);
    let mut steps = vec![Config(0x68, CONTROL | tags), Config(0x6C, 0x7618_0000 | if part.tag_fix { 0x80 } else { 0 })];
    if part.express.is_some() && !part.large {
        steps.push(Register(0x7C00, 1 << 25));
    }
    let longest = if part.large { 1536 << 2 } else { 0 };
    let ring = ENTRIES << 16;
    steps.extend([
        Register(0x6800, 0x34 | 1 << 16 | 1 << 17 | 1 << 20 | 1 << 26),
        Register(0x6804, 65 << 1),
        Register(0x4410, 0), Register(0x4414, 0x10), Register(0x4418, 0x60), Register(0x4434, 5), Register(0x4438, 10),
        Register(0x4400, 6), Sleep(100),
        Register(0x5C00, u32::MAX), Register(0x5C00, 0),
        Register(0x2450, 0), Register(0x2454, STD), Register(0x2458, ring | longest), Register(0x245C, 0x6000),
        Register(0x2C18, 8), Register(0x2D00, 32),
        Sram(0x0100, 0), Sram(0x0104, TX), Sram(0x0108, ring), Sram(0x010C, 0x4000),
        Sram(0x0200, 0), Sram(0x0204, RETURN), Sram(0x0208, ring),
        Register(0x0464, 0x2620), Register(0x0500, 8), Register(0x2010, 0x181),
        Register(0x3C00, 0), Sleep(50),
        Register(0x3C08, 0), Register(0x3C0C, 0), Register(0x3C10, 1), Register(0x3C14, 1), Register(0x3C20, 1), Register(0x3C24, 1),
        Register(0x3C38, 0), Register(0x3C3C, STATUS), Register(0x3C00, 2 | 2 << 7),
        Register(0x3000, 6), Register(0x2000, 2),
        Register(0x0400, 7 << 21 | 2 << 2), Register(0x4C00, 0x3FE | 1 << 29), Register(0x4800, 0x3_03FE),
        Register(0x2800, 2), Register(0x2C00, 2), Register(0x2400, 2), Register(0x1C00, 2), Register(0x1000, 2), Register(0x0C00, 2),
        Register(0x1800, 2), Register(0x1400, 2),
        Register(0x0404, u32::MAX), Register(0x0408, 1 << 12),
        Register(0x043C, 1522), Fill,
        Register(0x026C + boxes, BUFFERS),
        Register(0x045C, 2 | 1 << 8), Sleep(100), Register(0x0468, 2), Sleep(10),
        Config(0x68, CONTROL & !2 | tags | 1), Register(0x0204 + boxes, 0),
    ]);
    steps
}

/// Does the steps.
fn go(rig: &mut Rig<Tg3>, steps: &[Step]) {
    for step in steps {
        match *step {
            Register(at, value) => rig.write(at, 4, value),
            Sram(at, value) => {
                configure(rig, 0x7C, at);
                configure(rig, 0x84, value);
            }
            Config(at, value) => configure(rig, at, value),
            Sleep(us) => rig.sleep(us),
            Fill => (0..ENTRIES).for_each(|entry| fill(rig, entry)),
        }
    }
}

/// A card that has carried out both lists, with its link up and the port set.
fn ready_tagged(part: Part, faults: &str, tags: u32) -> Rig<Tg3> {
    let mut rig = card(part, faults);
    go(&mut rig, &reset(part));
    go(&mut rig, &setup(part, tags));
    follow_link(&mut rig, part);
    rig
}

fn ready(part: Part, faults: &str) -> Rig<Tg3> {
    ready_tagged(part, faults, 0)
}

/// Waits for the link, clears its change, and sets the MAC's port by the PHY's speed.
fn follow_link(rig: &mut Rig<Tg3>, part: Part) {
    rig.sleep(3_000);
    let auxiliary = phy(rig, 0x19);
    let gigabit = !part.vcpu && auxiliary >> 8 & 7 >= 6;
    rig.write(0x0400, 4, 7 << 21 | if gigabit { 2 } else { 1 } << 2);
    rig.write(0x0404, 4, 1 << 12);
    take(rig, part);
}

/// As a driver takes an interrupt: mailbox 1, status word, mailbox 0 with the tag.
fn take(rig: &mut Rig<Tg3>, part: Part) {
    let boxes = distance(part);
    rig.write(0x0204 + boxes, 4, 1);
    rig.put32(STATUS, 0);
    let tag = rig.get32(STATUS + 4) & 0xFF;
    rig.write(0x0204 + boxes, 4, tag << 24);
}

/// Writes the configuration space.
fn configure(rig: &mut Rig<Tg3>, at: u8, value: u32) {
    rig.world.now += world::ACCESS;
    assert!(rig.card.write_config(&mut rig.world, at, 4, value), "{at:02X}h is not the card's");
}

/// Reads it.
fn configuration(rig: &mut Rig<Tg3>, at: u8) -> u32 {
    rig.world.now += world::ACCESS;
    rig.card.read_config(&mut rig.world, at, 4).unwrap_or_else(|| panic!("{at:02X}h is not the card's"))
}

/// Reads a word of SRAM.
fn sram(rig: &mut Rig<Tg3>, at: u32) -> u32 {
    configure(rig, 0x7C, at);
    configuration(rig, 0x84)
}

/// Reads a register of the PHY.
fn phy(rig: &mut Rig<Tg3>, register: u32) -> u16 {
    rig.write(0x044C, 4, 1 << 29 | 1 << 27 | 1 << 21 | register << 16);
    rig.sleep(40);
    let result = rig.read(0x044C, 4);
    assert_eq!(result >> 28 & 3, 0, "the access ends well");
    result as u16
}

/// Writes one.
fn set_phy(rig: &mut Rig<Tg3>, register: u32, value: u16) {
    rig.write(0x044C, 4, 1 << 29 | 1 << 26 | 1 << 21 | register << 16 | value as u32);
    rig.sleep(40);
}

/// An entry of the standard ring.
fn fill(rig: &mut Rig<Tg3>, entry: u32) {
    let at = STD + 32 * entry;
    let buffer = entry % BUFFERS;
    for (offset, word) in [(0, 0), (4, CAME + ROOM * buffer), (8, entry << 16 | ROOM), (12, 4), (28, 0xABC0 + entry)] {
        rig.put32(at + offset, word);
    }
}

/// Sends a frame of these bytes in one part; it has left when this returns.
fn send(rig: &mut Rig<Tg3>, part: Part, index: u32, frame: &[u8]) {
    rig.world.memory[SENT as usize..][..frame.len()].copy_from_slice(frame);
    for (offset, word) in [(0, 0), (4, SENT), (8, (frame.len() as u32) << 16 | 4), (12, 0)] {
        rig.put32(TX + 16 * index + offset, word);
    }
    rig.write(0x0304 + distance(part), 4, (index + 1) % ENTRIES);
    rig.sleep(200);
}

/// The index words of the status block: the return ring's producer and the send ring's consumer.
fn indices(world: &World) -> [u16; 2] {
    [0x10, 0x12].map(|at| u16::from_le_bytes(world.memory[(STATUS + at) as usize..][..2].try_into().unwrap()))
}
