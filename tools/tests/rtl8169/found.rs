//! What the probe finds: the chip's name, its address, and cards that are none of these.

use crate::rig::*;
use tools::fake_bus::FakeBus;

fn chip(device: u16, xid: u16) -> Part {
    let mut part = match xid {
        0x600.. if xid < 0x900 => model::RTL8125D,
        0x4C0..0x600 => model::RTL8168H,
        0x200..0x4C0 => model::RTL8168C,
        _ => model::RTL8169SB,
    };
    (part.device, part.xid) = (device, xid);
    part
}

/// PCI device, chip, and the name behind the driver's.
const CHIPS: [(u16, u16, &str); 43] = [
    (0x8169, 0x008, "RTL8169S"),
    (0x8169, 0x040, "RTL8110S"),
    (0x8169, 0x100, "RTL8169SB"),
    (0x8167, 0x180, "RTL8169SC"),
    (0x8167, 0x980, "RTL8169SC"),
    (0x8136, 0x240, "RTL8401"),
    (0x8136, 0x249, "RTL8102E"),
    (0x8168, 0x281, "RTL8168D"),
    (0x8168, 0x28B, "RTL8168DP"),
    (0x8168, 0x2C1, "RTL8168E"),
    (0x8168, 0x2C8, "RTL8168E-VL"),
    (0x8168, 0x300, "RTL8168B"),
    (0x8161, 0x380, "RTL8168B"),
    (0x8136, 0x341, "RTL8101E"),
    (0x8136, 0x34A, "RTL8102E"),
    (0x8168, 0x3C2, "RTL8168C"),
    (0x8168, 0x3C9, "RTL8168CP"),
    (0x8136, 0x409, "RTL8105E"),
    (0x8136, 0x440, "RTL8402"),
    (0x8136, 0x448, "RTL8106E"),
    (0x8168, 0x480, "RTL8168F"),
    (0x8168, 0x481, "RTL8168F"),
    (0x8168, 0x488, "RTL8411"),
    (0x8168, 0x4C0, "RTL8168G"),
    (0x8168, 0x502, "RTL8168EP"),
    (0x8168, 0x509, "RTL8168GU"),
    (0x8136, 0x509, "RTL8106E"),
    (0x8168, 0x541, "RTL8168H"),
    // Killer E2500, E2600.
    (0x2502, 0x541, "RTL8168H"),
    (0x2600, 0x541, "RTL8168H"),
    (0x8136, 0x541, "RTL8107E"),
    (0x8168, 0x54A, "RTL8117"),
    (0x8168, 0x5C8, "RTL8411B"),
    (0x8125, 0x609, "RTL8125A"),
    // Killer E3000.
    (0x3000, 0x641, "RTL8125B"),
    (0x8162, 0x641, "RTL8125B"),
    (0x8125, 0x641, "RTL8125B"),
    (0x8125, 0x681, "RTL8125BP"),
    (0x8125, 0x688, "RTL8125D"),
    (0x8125, 0x708, "RTL8125CP"),
    // Unknown ones.
    (0x8168, 0x5C1, "XID 5C1"),
    (0x8125, 0x6C9, "XID 6C9"),
    (0x8136, 0x4C9, "XID 4C9"),
];

#[test]
fn each_chip_is_known_by_its_name() {
    for (device, xid, name) in CHIPS {
        let found = plug(options(chip(device, xid), "")).find().unwrap();
        assert_eq!(String::from_utf8_lossy(&found.chip).trim_end_matches('\0'), format!(": {name}"));
        assert_eq!((found.mac, found.irq, found.io), (MAC, IRQ, BASE));
    }
}

/// Chips that no emulator's Linux knows start and work, too, by what they share with others.
#[test]
fn each_number_starts_and_works() {
    for (device, xid, _) in CHIPS {
        for deep in [false, true] {
            rig(chip(device, xid), deep).works();
        }
    }
}

/// Realtek's and the Killers' PCI identities are all among them.
#[test]
fn each_identity_of_the_maker_s_is_tried() {
    let known = <Rtl8169Probe as Probe<FakeBus>>::IDS.iter().chain(<Rtl8125Probe as Probe<FakeBus>>::IDS);
    for id in known.filter(|id| **id as u16 == 0x10EC) {
        assert!(CHIPS.iter().any(|(device, ..)| *device as u32 == id >> 16), "{id:08X}h");
    }
}

#[test]
fn a_card_of_another_maker_s_with_the_same_identity_is_left_alone() {
    let find = |id, subsystem| plug_as(options(model::RTL8169SB, ""), id, subsystem).find();
    assert_eq!(find(0x1032_1737, 0x0015), Err(Fault::Nothing));
    assert!(find(0x1032_1737, 0x0024).is_ok());
    assert_eq!(find(0x8168_0001, 0x0001), Err(Fault::Nothing));
    assert!(find(0x8168_0001, 0x2410).is_ok());
    assert_eq!(find(0x8139_10EC, 0), Err(Fault::Nothing));
}

/// An earlier driver has changed the address in the registers.
#[test]
fn the_address_is_the_card_s_own_where_another_place_keeps_it() {
    let pci = model::RTL8169SB;
    for (part, other) in [(model::RTL8168H, PEER), (model::RTL8168F, PEER), (pci, [0; 6]), (pci, [0xFF; 6])] {
        let plugged = plug(options(part, ""));
        let mut words = other.chunks(4).map(|part| part.iter().rev().fold(0u32, |word, byte| word << 8 | *byte as u32));
        plugged.out(0x50, 1, 0xC0);
        let low = words.next().unwrap();
        plugged.out(4, 4, words.next().unwrap());
        plugged.out(0, 4, low);
        plugged.out(0x50, 1, 0);
        assert_eq!(plugged.find().unwrap().mac, MAC, "{:X}h", part.xid);
    }
}

/// The installer refuses a card with such an address.
#[test]
fn a_wrong_checksum_in_the_eeprom_gives_no_address() {
    for (_, part) in PARTS {
        let found = plug(options(part, "bad-checksum")).find().unwrap();
        let kept = part.xid >= 0x480 && part.generation != Generation::Pci && !is_new(part);
        assert_eq!(found.mac, if kept { MAC } else { [0; 6] }, "{:X}h", part.xid);
    }
}
