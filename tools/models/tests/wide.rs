//! 3C515 and 3C59x/3C90x: EEPROMs, lists, fragments, rounding, MII, errors.

mod world;

use models::corkscrew::{self, Corkscrew};
use models::faults::Faults;
use models::isa::Card;
use models::vortex::{C590, C595, C900, C905, C905B, C905C, Options, Part, Vortex};
use models::Model;
use world::{MAC, Rig, frame};

const BROADCAST: [u8; 6] = [0xFF; 6];
/// Addresses of descriptors and buffers in the tests.
const RING: u32 = 0x1000;
const BUFFER: u32 = 0x2000;

/// Sets a wide card up as a driver does: address, media, filter, masks, both sides on.
fn set_up<M: Model>(mut rig: Rig<M>) -> Rig<M> {
    rig.window(2);
    for (at, byte) in MAC.into_iter().enumerate() {
        rig.out8(at as u16, byte);
    }
    rig.window(4);
    rig.out16(0xA, 0xC0);
    rig.window(7);
    rig.command(0xF, 0x7FF);
    rig.command(0xE, 0x7FF);
    rig.command(0x10, 5);
    rig.command(0x15, 0);
    rig.command(4, 0);
    rig.command(9, 0);
    rig
}

fn pci(part: Part, faults: &str) -> Rig<Vortex> {
    let options = Options { faults: Faults::parse(faults).unwrap(), ..Options::new(part, MAC) };
    set_up(Rig::new(Vortex::new(options)))
}

/// A download descriptor of one fragment at [`RING`], its frame at [`BUFFER`].
fn descriptor<M: Model>(rig: &mut Rig<M>, at: u32, next: u32, header: u32, data: &[u8]) {
    rig.world.memory[BUFFER as usize..][..data.len()].copy_from_slice(data);
    rig.put32(at, next);
    rig.put32(at + 4, header);
    rig.put32(at + 8, BUFFER);
    rig.put32(at + 12, data.len() as u32 | 1 << 31);
}

/// An upload descriptor of one fragment.
fn empty<M: Model>(rig: &mut Rig<M>, at: u32, next: u32, buffer: u32) {
    rig.put32(at, next);
    rig.put32(at + 4, 0);
    rig.put32(at + 8, buffer);
    rig.put32(at + 12, 1536 | 1 << 31);
}

fn eeprom(rig: &mut Rig<Vortex>) -> Vec<u16> {
    rig.window(0);
    let words = (0..0x40).map(|at| {
        rig.out16(0xA, 0x80 | at);
        while rig.in16(0xA) & 0x8000 != 0 {}
        rig.in16(0xC)
    });
    words.collect()
}

#[test]
fn eeproms_hold_address_and_checksum_and_can_be_spoilt() {
    for (part, sum) in [(C590, 0x17), (C595, 0x17), (C900, 0x17), (C905, 0x17), (C905B, 0x20), (C905C, 0x20)] {
        let fold = |words: &[u16]| words[..=sum].iter().fold(0u8, |sum, word| sum ^ *word as u8 ^ (word >> 8) as u8);
        let words = eeprom(&mut pci(part, ""));
        assert_eq!(words[0xA..0xD], [0x5254, 0x0012, 0x3456]);
        assert_eq!((words[3], words[7], fold(&words)), (part.device, 0x6D50, 0));
        assert_ne!(fold(&eeprom(&mut pci(part, "bad-checksum"))), 0);
        let lists = part.kind.lists();
        assert_eq!(words[0x10] & 0x20 != 0, lists, "the capability that drivers look at");
    }
}

#[test]
fn programmed_io_moves_frames_on_the_parts_that_have_it() {
    for part in [C590, C595, C900, C905] {
        let mut rig = pci(part, "");
        for len in [60, 61, 62, 1514] {
            let data = frame(BROADCAST, len);
            rig.write(0x10, 4, len as u32);
            for piece in data.chunks(4) {
                let mut word = [0; 4];
                word[..piece.len()].copy_from_slice(piece);
                rig.write(0x10, 4, u32::from_le_bytes(word));
            }
            rig.sleep(1_300);
            assert_eq!(rig.world.sent.pop(), Some(data));
            rig.arrive(&frame(MAC, len));
            let status = rig.in16(0x18);
            assert_eq!(status as usize, len);
            let got: Vec<u8> = (0..len.div_ceil(4)).flat_map(|_| rig.read(0x10, 4).to_le_bytes()).take(len).collect();
            assert_eq!(got, frame(MAC, len));
            rig.command(8, 0);
        }
    }
}

#[test]
fn the_cyclone_has_no_fifo_ports() {
    let mut rig = pci(C905B, "");
    rig.write(0x10, 4, 60);
    assert_eq!(rig.complaint(), "write of 3C to window 7 offset 10, width 4");
    rig.read(0x18, 2);
    assert_eq!(rig.complaint(), "read of window 7 offset 18, width 2");
}

#[test]
fn a_download_list_is_worked_off_and_tells() {
    for part in [C900, C905, C905B, C905C] {
        let mut rig = pci(part, "");
        let data = frame(BROADCAST, 60);
        descriptor(&mut rig, RING, 0, 60 | 1 << 31 | 1 << 15, &data);
        rig.write(0x24, 4, RING);
        rig.sleep(100);
        assert_eq!(rig.read(0x24, 4), 0);
        assert_eq!(rig.world.sent.pop(), Some(data.clone()));
        assert_eq!(rig.status() & 0x204, 0x204);
        assert_eq!(rig.in8(0x1B), 0xC0);
        rig.out8(0x1B, 0);
        rig.command(0xD, 0x201);
        assert_eq!((rig.status() & 0x205, rig.world.line), (0, false));
        // Appending while stalled.
        rig.command(6, 2);
        descriptor(&mut rig, RING, 0, 60, &data);
        rig.write(0x24, 4, RING);
        rig.sleep(100);
        assert!(rig.world.sent.is_empty());
        rig.out16(0xE, 0x3003);
        rig.sleep(100);
        assert_eq!(rig.world.sent.len(), 1);
    }
}

#[test]
fn the_cyclone_rounds_lengths_unless_told_not_to_and_marks_the_descriptor() {
    for (header, sent) in [(0, 64), (2, 62), (1, 61), (1 << 28, 61)] {
        let mut rig = pci(C905B, "");
        descriptor(&mut rig, RING, 0, header, &frame(BROADCAST, 61));
        rig.write(0x24, 4, RING);
        rig.sleep(100);
        assert_eq!(rig.world.sent[0].len(), sent, "header {header:08X}");
        assert_eq!(rig.get32(RING + 4), header | 1 << 16);
    }
}

#[test]
fn an_upload_list_fills_and_stalls_at_a_descriptor_not_yet_taken() {
    for part in [C905, C905B] {
        let mut rig = pci(part, "rx-crc@2");
        for (at, next, buffer) in [(0, 0x10, 0), (0x10, 0x20, 0x800), (0x20, 0, 0x1000)] {
            empty(&mut rig, RING + at, RING + next, BUFFER + buffer);
        }
        empty(&mut rig, RING + 0x20, RING, BUFFER + 0x1000);
        rig.write(0x38, 4, RING);
        for len in [60, 61, 62, 63] {
            rig.arrive(&frame(MAC, len));
        }
        assert_eq!(rig.get32(RING + 4) & 0xFFFF, 0x8000 | 60);
        assert_eq!(rig.get32(RING + 0x14) & 0x1F_FFFF, 0x8_C000 | 61, "the second had a bad check sequence");
        assert_eq!(rig.get32(RING + 0x24) & 0xFFFF, 0x8000 | 62);
        assert_eq!(rig.world.memory[BUFFER as usize..][..60], frame(MAC, 60)[..]);
        assert_eq!(rig.read(0x38, 4), RING);
        assert_eq!(rig.read(0x30, 4) & 0x2000, 0x2000, "stalled");
        assert_eq!(rig.status() & 0x410, 0x410);
        rig.command(0xD, 0x400);
        rig.put32(RING + 4, 0);
        rig.command(6, 1);
        assert_eq!(rig.get32(RING + 4) & 0xFFFF, 0x8000 | 63);
        assert_eq!(rig.status() & 0x410, 0x400);
    }
}

#[test]
fn a_pointer_written_under_a_running_engine_is_complained_of() {
    let mut rig = pci(C905, "");
    rig.command(0xA, 0);
    descriptor(&mut rig, RING, RING, 1514, &frame(BROADCAST, 1514));
    rig.write(0x24, 4, RING);
    assert_eq!(rig.read(0x24, 4), RING, "the FIFO is full");
    rig.write(0x24, 4, RING);
    assert_eq!(rig.complaint(), "download list pointer written while the engine runs");
    rig.write(0x38, 4, RING + 4);
    assert_eq!(rig.complaint(), "upload list at 00001004, not a multiple of 8");
}

#[test]
fn fragments_move_by_bus_mastering_on_the_vortex() {
    let mut rig = pci(C595, "");
    let data = frame(BROADCAST, 100);
    rig.world.memory[BUFFER as usize..][..100].copy_from_slice(&data);
    rig.write(0x10, 4, 100);
    rig.write(0, 4, BUFFER);
    rig.out16(6, 100);
    rig.out16(0xE, 0xA001);
    rig.sleep(100);
    assert_eq!(rig.world.sent.pop(), Some(data));
    assert_eq!((rig.status() & 0x100, rig.in16(0xC)), (0x100, 0x1000));
    rig.out16(0xC, 0x1000);
    assert_eq!(rig.status() & 0x100, 0);
    rig.arrive(&frame(MAC, 64));
    rig.write(0, 4, BUFFER);
    rig.out16(6, 64);
    rig.out16(0xE, 0xA000);
    assert_eq!(rig.world.memory[BUFFER as usize..][..64], frame(MAC, 64)[..]);
    assert_eq!(rig.in16(0xC), 0x4000);
    rig.out16(0xC, 0x4000);
    rig.command(8, 0);
}

#[test]
fn fatal_transmit_errors_recover_on_every_part() {
    for part in [C905, C905B] {
        for (fault, bits) in [("tx-underrun", 0x90), ("jabber", 0xA0)] {
            let mut rig = pci(part, fault);
            descriptor(&mut rig, RING, 0, 60, &frame(BROADCAST, 60));
            rig.write(0x24, 4, RING);
            rig.sleep(100);
            assert_eq!((rig.status() & 4, rig.in8(0x1B)), (4, bits));
            rig.command(0xB, 0);
            rig.command(9, 0);
            rig.write(0x24, 4, RING);
            rig.sleep(100);
            assert_eq!(rig.world.sent.len(), 1);
        }
    }
}

#[test]
fn sixteen_collisions_leave_the_rest_of_the_list_for_enable() {
    let mut rig = pci(C905, "max-collisions");
    descriptor(&mut rig, RING, RING + 0x10, 60, &frame(BROADCAST, 60));
    descriptor(&mut rig, RING + 0x10, 0, 60, &frame(BROADCAST, 60));
    rig.write(0x24, 4, RING);
    rig.sleep(100);
    assert_eq!((rig.in8(0x1B), rig.world.sent.len()), (0x88, 0));
    rig.out8(0x1B, 0);
    rig.command(9, 0);
    rig.sleep(100);
    assert_eq!(rig.world.sent.len(), 1);
}

#[test]
fn host_error_goes_with_rx_reset() {
    let mut rig = pci(C905B, "adapter-failure");
    rig.arrive(&frame(MAC, 60));
    assert_eq!(rig.status() & 2, 2);
    rig.command(5, 0);
    assert_eq!(rig.status() & 2, 0);
}

#[test]
fn automatic_status_acknowledges_and_masks() {
    let mut rig = pci(C905B, "");
    empty(&mut rig, RING, 0, BUFFER);
    rig.write(0x38, 4, RING);
    rig.arrive(&frame(MAC, 60));
    assert!(rig.world.line);
    assert_eq!(rig.in16(0x1E) & 0x401, 0x401);
    assert!(!rig.world.line);
    assert_eq!(rig.status() & 0x401, 0);
    rig.window(5);
    assert_eq!(rig.in16(0xA), 0);
}

#[test]
fn the_hash_filter_takes_a_group_that_was_set() {
    let group = [1, 0, 0x5E, 0, 0, 1];
    // The low six bits of the CRC of the group's address, bit by bit.
    let mut crc = u32::MAX;
    for byte in group {
        for bit in 0..8 {
            let feed = (crc >> 31) ^ (byte >> bit & 1) as u32;
            crc = crc << 1 ^ if feed == 1 { 0x04C1_1DB7 } else { 0 };
        }
    }
    let mut rig = pci(C905B, "");
    empty(&mut rig, RING, 0, BUFFER);
    rig.write(0x38, 4, RING);
    rig.command(0x10, 0x11);
    rig.arrive(&frame(group, 60));
    assert_eq!(rig.get32(RING + 4), 0);
    rig.command(0x19, 0x400 | (crc & 0x3F) as u16);
    rig.arrive(&frame(group, 60));
    assert_eq!(rig.get32(RING + 4) & 0xFFFF, 0x803C);
}

#[test]
fn media_follow_the_cable() {
    let mut rig = pci(C595, "");
    rig.window(4);
    assert_eq!(rig.in16(0xA) & 0x800, 0x800);
    rig.card.set_link(&mut rig.world, false);
    assert_eq!(rig.in16(0xA) & 0x800, 0);
    let mut rig = pci(C905B, "");
    rig.card.set_link(&mut rig.world, false);
    assert_eq!(rig.status() & 0x100, 0x100, "link event");
    rig.command(0xD, 0x100);
    assert_eq!(rig.status() & 0x100, 0);
    rig.window(4);
    assert_eq!(rig.in16(0xA) & 0x800, 0);
    rig.arrive(&frame(MAC, 60));
    assert_eq!(rig.status() & 0x10, 0);
}

#[test]
fn a_global_reset_spares_what_its_argument_says() {
    let mut rig = pci(C905B, "");
    rig.command(0, 0x3F);
    rig.window(2);
    assert_eq!(rig.in8(0), MAC[0]);
    rig.command(0, 0);
    assert_eq!(rig.status() >> 13, 0);
    rig.window(2);
    assert_eq!(rig.in8(0), 0);
    rig.window(3);
    assert_eq!(rig.read(0, 4), 0x0180_0000);
}

/// A 3C515 that PnP has activated at 300h, line 10, channel 5.
fn corkscrew(lists: bool) -> Rig<Corkscrew> {
    let mut rig = Rig::new(Corkscrew::new(corkscrew::Options { lists, ..corkscrew::Options::new(MAC) }));
    rig.activate(5);
    assert_eq!((rig.card.base(), rig.card.line()), (Some(0x300), 10));
    set_up(rig)
}

#[test]
fn the_3c515_bridge_echoes_what_pnp_gave_it() {
    let mut rig = corkscrew(false);
    assert_eq!((rig.in16(0x2000) & 7, rig.in16(0x2002)), (5, 0x010A));
    let words: Vec<u16> = (0..0x18)
        .map(|at| {
            rig.out16(0x200A, 0x80 | at);
            while rig.in16(0x200A) & 0x200 != 0 {}
            rig.in16(0x200C)
        })
        .collect();
    assert_eq!((words[0], words[7], words[0x10]), (0x5254, 0x6D50, 0x11C7));
    assert_eq!(words.iter().fold(0u8, |sum, word| sum ^ *word as u8 ^ (word >> 8) as u8), 0);
    rig.in8(0x2001);
    assert_eq!(rig.complaint(), "read of the bridge at 1, width 1");
}

#[test]
fn the_3c515_lists_stay_below_16_mb() {
    let mut rig = corkscrew(true);
    descriptor(&mut rig, RING, 0, 60 | 1 << 31, &frame(BROADCAST, 60));
    rig.write(0x404, 4, RING);
    rig.sleep(100);
    assert_eq!(rig.world.sent.len(), 1);
    assert_eq!(rig.status() & 0x200, 0x200);
    rig.world.memory.resize(0x100_1000, 0);
    let high = 0x100_0000 - 8;
    rig.put32(RING + 8, high);
    rig.write(0x404, 4, RING);
    assert_eq!(rig.complaint(), "bus mastering at 00FFFFF8, beyond the ISA bus");
}
