//! Identities, names, addresses, and what each generation must have set.

use crate::rig::*;
use tools::fake_bus::FakeBus;

/// Device numbers by generation (Intel's lists), with the chip's name and the model that stands for it.
const CHIPS: [(&[u16], &str, Part); 15] = [
    (&[0x10EA], "82577LM", model::I82577LM),
    (&[0x10EB], "82577LC", model::I82577LM),
    (&[0x10EF], "82578DM", model::I82577LM),
    (&[0x10F0], "82578DC", model::I82577LM),
    (&[0x1502], "82579LM", model::I82579LM),
    (&[0x1503], "82579V", model::I82579LM),
    (&[0x153A], "I217-LM", model::I217LM),
    (&[0x153B], "I217-V", model::I217LM),
    (&[0x155A, 0x15A0, 0x15A2], "I218-LM", model::I218LM),
    (&[0x1559, 0x15A1, 0x15A3], "I218-V", model::I218LM),
    (&[0x156F, 0x15B7, 0x15B9, 0x15D7, 0x15E3], "I219-LM", model::I219LM2),
    (&[0x1570, 0x15B8, 0x15D8, 0x15D6], "I219-V", model::I219LM2),
    (&[0x15BD, 0x15BB, 0x15DF, 0x15E1, 0x0D4E, 0x0D4C, 0x0D53], "I219-LM", model::I219LM7),
    (&[0x15BE, 0x15BC, 0x15E0, 0x15E2, 0x0D4F, 0x0D4D, 0x0D55], "I219-V", model::I219LM7),
    (&[0x15FB, 0x15F9, 0x15F4, 0x1A1E, 0x1A1C, 0x0DC7, 0x0DC5], "I219-LM", model::I219LM7),
];

#[test]
fn each_number_starts_and_is_called_by_its_chip_s_name() {
    for (numbers, name, part) in CHIPS {
        for number in numbers {
            assert!(<PchProbe as Probe<FakeBus>>::IDS.contains(&((*number as u32) << 16 | 0x8086)), "{number:X}h");
            let plugged = plug_as(options(part, ""), Way::Deep, *number);
            let found = plugged.find().expect("it is found");
            assert_eq!(String::from_utf8_lossy(&found.chip).trim_end_matches('\0'), format!(": {name}"), "{number:X}h");
            assert_eq!(found.mac, MAC);
            plugged.start(&found).expect("it starts");
        }
    }
    let mut ids = <PchProbe as Probe<FakeBus>>::IDS.to_vec();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), <PchProbe as Probe<FakeBus>>::IDS.len(), "no identity is there twice");
}

#[test]
fn a_part_without_an_address_is_told() {
    for (name, part) in PARTS {
        let plugged = plug_as(Options { blank: true, ..options(part, "") }, Way::Deep, 0);
        assert_eq!(plugged.find().err(), Some(Fault::Eeprom), "{name}");
    }
}

/// Register, bits, their value, the first and the last generation that needs them.
type Need = (u16, u32, u32, Generation, Generation);

/// Without these bits parts lose frames, corrupt data or hang; the model does not show it.
#[test]
fn each_generation_has_the_bits_that_it_needs() {
    use Generation::{Cnp, Lpt, Pch as First, Pch2, Spt};
    const NEEDS: [Need; 14] = [
        (0x3828, 1 << 22, 1 << 22, First, Cnp),
        (0x3928, 1 << 22, 1 << 22, First, Cnp),
        (0x0018, 1 << 22, 1 << 22, First, Cnp),
        (0x3840, 0x0D80_0000, 0x0D80_0000, First, Cnp),
        (0x3940, 0x5500_0000, 0x5500_0000, First, Cnp),
        (0x5008, 0xC0, 0xC0, First, Cnp),
        (0x5F50, u32::MAX, 0x6565_6565, First, Cnp),
        (0x3004, 0x0005_0000, 0x0005_0000, First, Cnp),
        (0x003C, 3 << 26, 2 << 26, Pch2, Pch2),
        (0x100C, 1 << 16, 1 << 16, Lpt, Cnp),
        (0x0024, 7, 7, Lpt, Cnp),
        (0x5BBC, 1 << 13, 1 << 13, Spt, Cnp),
        (0x3840, 3 << 28, 2 << 28, Spt, Cnp),
        (0x0F28, 1 << 16, 1 << 16, Spt, Cnp),
    ];
    for (name, part) in PARTS {
        let rig = rig(name, part, Way::Deep);
        for (register, bits, value, first, last) in NEEDS {
            if (first..=last).contains(&part.generation) && (register, part.generation) != (0x003C, Pch2) {
                assert_eq!(rig.plugged.get(register) & bits, value, "{name}: {register:04X}h");
            }
        }
        assert_eq!(rig.plugged.get(0) & (1 << 19) != 0, part.generation >= Lpt, "{name}: errors in the memory stop it");
        assert_eq!(rig.plugged.get(0) & (1 << 5 | 1 << 11 | 1 << 12), 0, "{name}: no forced speed");
    }
}
