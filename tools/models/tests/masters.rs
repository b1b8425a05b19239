//! The 3C515's list engines: when they get the bus, loopback, and faults of the data.

mod world;

use models::corkscrew::{self, Corkscrew};
use models::faults::Faults;
use world::{MAC, Rig, frame};

const DOWN: u32 = 0x1000;
const UP: u32 = 0x1100;
const SENT: u32 = 0x2000;
const CAME: u32 = 0x3000;

/// A card at 300h, line 10, with this channel, one descriptor in each list, and loopback in the controller.
fn looped(channel: u8, faults: &str) -> Rig<Corkscrew> {
    let faults = Faults::parse(faults).unwrap();
    let mut rig = Rig::new(Corkscrew::new(corkscrew::Options { lists: true, faults, ..corkscrew::Options::new(MAC) }));
    rig.activate(channel);
    rig.window(2);
    for (at, byte) in (0..).zip(MAC) {
        rig.out8(at, byte);
    }
    rig.window(4);
    rig.out16(0xA, 0x80);
    rig.out16(6, 0x2000);
    rig.command(0x0F, 0x7FF);
    rig.command(9, 0);
    rig.command(0x10, 1);
    rig.command(4, 0);
    for (at, words) in [(DOWN, [0, 100, SENT, 100 | 1 << 31]), (UP, [UP, 0, CAME, 1536 | 1 << 31])] {
        for (offset, word) in (0..).step_by(4).zip(words) {
            rig.put32(at + offset, word);
        }
    }
    rig.world.memory[SENT as usize..][..100].copy_from_slice(&frame(MAC, 100));
    rig
}

fn go(rig: &mut Rig<Corkscrew>) {
    rig.write(0x418, 4, UP);
    rig.write(0x404, 4, DOWN);
    rig.sleep(100);
}

fn came(rig: &Rig<Corkscrew>) -> Vec<u8> {
    assert_eq!(rig.get32(UP + 4), 0x8000 | 100);
    rig.world.memory[CAME as usize..][..100].to_vec()
}

#[test]
fn a_frame_comes_back_and_is_not_on_the_wire() {
    for channel in [3, 5, 6, 7] {
        let mut rig = looped(channel, "");
        go(&mut rig);
        assert_eq!(came(&rig), frame(MAC, 100));
        assert!(rig.world.sent.is_empty());
    }
}

#[test]
fn without_the_bus_nothing_moves() {
    for (channel, taken) in [(5, true), (4, false)] {
        let mut rig = looped(channel, "");
        rig.world.bus_is_taken = taken;
        go(&mut rig);
        assert_eq!((rig.read(0x404, 4), rig.get32(UP + 4)), (DOWN, 0));
        if taken {
            rig.world.bus_is_taken = false;
            rig.sleep(100);
            rig.status();
            rig.sleep(100);
            assert_eq!(came(&rig), frame(MAC, 100));
        }
    }
}

#[test]
fn a_byte_changes_or_lands_outside() {
    let mut rig = looped(5, "dma-corrupt");
    go(&mut rig);
    let mut wanted = frame(MAC, 100);
    wanted[50] ^= 0x10;
    assert_eq!(came(&rig), wanted);
    let mut rig = looped(5, "dma-stray");
    go(&mut rig);
    assert_eq!(came(&rig), frame(MAC, 100));
    let behind = &rig.world.memory[CAME as usize + 100..][..100];
    assert_eq!(behind.iter().filter(|byte| **byte != 0).count(), 1);
}

#[test]
fn a_card_that_never_gets_the_bus_says_so_until_it_is_reset() {
    let mut rig = looped(5, "dma-hang@2");
    go(&mut rig);
    assert_eq!((rig.read(0x404, 4), rig.get32(UP + 4), rig.status() & 0x800), (0, 0, 0x800), "the second look is the upload's");
    rig.command(5, 0);
    assert_eq!(rig.status() & 0x800, 0);
}
