//! How the parts begin: firmware, semaphore, PHY, resets, flash, registers.

use super::*;

#[test]
fn it_begins_as_firmware_leaves_it() {
    for (name, part) in PARTS {
        let mut rig = Rig::new(Pch::new(Options { left: Left::Interrupting, asleep: true, ..options(part, "") }));
        rig.sleep(3_000);
        assert!(rig.world.line, "{name}");
        assert!(get(&mut rig, ICR) & 1 << 31 != 0, "{name}");
        assert!(!rig.world.line, "{name}: a read clears the causes");
        put(&mut rig, CTRL, SLU);
        assert_eq!(get(&mut rig, STATUS) & 2 != 0, !part.ulp, "{name}: link");
        assert_eq!((get(&mut rig, RAL0), get(&mut rig, RAL0 + 4)), (0x1200_5452, 0x8000_5634), "{name}");
        assert_ne!(get(&mut rig, 0x5200), 0, "{name}: the multicast table is undefined");
        put(&mut rig, EXTCNF, 0x20);
        assert_eq!(get(&mut rig, EXTCNF) & 0x20, 0, "{name}: the firmware has the semaphore");
        assert!(own(&mut rig), "{name}");
    }
}

#[test]
fn the_semaphore_may_never_come() {
    let mut rig = card(model::I217LM, "stuck-semaphore*0");
    assert!(!own(&mut rig));
    put(&mut rig, EXTCNF, 0);
    assert!(!own(&mut rig));
}

#[test]
fn the_phy_is_reached_with_the_semaphore_by_two_addresses() {
    for (name, part) in PARTS {
        let mut rig = card(part, "");
        assert!(own(&mut rig));
        assert_eq!(mdio(&mut rig, 2, 2, None), Some(0x0154), "{name}");
        assert_eq!(mdio(&mut rig, 2, 3, None), Some(part.phy as u16), "{name}");
        paged(&mut rig, 769, 27, Some(0x1234));
        assert_eq!(paged(&mut rig, 770, 27, None), Some(0), "{name}");
        assert_eq!(paged(&mut rig, 769, 27, None), Some(0x1234), "{name}");
        assert_eq!(mdio(&mut rig, 3, 2, None), None, "{name}");
        assert!(rig.complaint().contains("page or address"), "{name}");
        put(&mut rig, EXTCNF, 0);
        mdio(&mut rig, 2, 2, None);
        assert!(rig.complaint().contains("without the semaphore"), "{name}");
    }
}

#[test]
fn the_82579_needs_a_pause_between_two_accesses_to_the_phy() {
    for (part, needs) in [(model::I82579LM, true), (model::I217LM, false)] {
        let mut rig = card(part, "");
        own(&mut rig);
        for _ in 0..2 {
            put(&mut rig, MDIC, 2 << 21 | 2 << 16 | 2 << 26);
            rig.sleep(40);
        }
        if needs {
            assert!(rig.complaint().contains("less than 100 us"));
        }
    }
}

#[test]
fn the_engine_lets_the_phy_out_of_low_power() {
    for part in [model::I218LM, model::I219LM2, model::I219LM7] {
        let mut rig = Rig::new(Pch::new(Options { asleep: true, ..options(part, "") }));
        own(&mut rig);
        assert_eq!(mdio(&mut rig, 2, 2, None), None);
        assert!(get(&mut rig, FWSM) & 1 << 10 != 0);
        put(&mut rig, H2ME, 1 << 12);
        rig.sleep(30_000);
        assert!(get(&mut rig, FWSM) & 1 << 10 != 0, "it takes a while");
        rig.sleep(40_000);
        assert_eq!(get(&mut rig, FWSM) & 1 << 10, 0);
        assert_eq!(mdio(&mut rig, 2, 2, None), Some(0x0154));
        put(&mut rig, CTRL, SLU);
        rig.sleep(3_000);
        assert!(get(&mut rig, STATUS) & 2 != 0);
    }
}

#[test]
fn without_the_engine_the_phy_leaves_low_power_step_by_step() {
    let mut rig = Rig::new(Pch::new(Options { asleep: true, engine: Engine::Off, ..options(model::I219LM7, "") }));
    own(&mut rig);
    put(&mut rig, CTRL, SLU | 1 << 16);
    put(&mut rig, CTRL, SLU);
    assert_eq!(get(&mut rig, CTRL_EXT) & 4, 0, "its power is not stable yet");
    rig.sleep(10_000);
    assert!(get(&mut rig, CTRL_EXT) & 4 != 0);
    assert_eq!(paged(&mut rig, 769, 23, None), None, "it listens to SMBus");
    put(&mut rig, CTRL_EXT, 1 << 11);
    assert_eq!(paged(&mut rig, 769, 23, None), Some(1));
    paged(&mut rig, 769, 23, Some(0));
    put(&mut rig, CTRL_EXT, 0);
    let settings = paged(&mut rig, 779, 16, None).unwrap();
    assert!(settings & 0x10 != 0);
    mdio(&mut rig, 2, 0, Some(0x1340));
    rig.sleep(3_000);
    assert_eq!(get(&mut rig, STATUS) & 2, 0, "low power is to last");
    paged(&mut rig, 779, 16, Some(0));
    paged(&mut rig, 779, 16, Some(1));
    rig.sleep(3_000);
    assert!(get(&mut rig, STATUS) & 2 != 0);
}

#[test]
fn a_slow_link_is_fast_when_the_oem_bits_are_cleared() {
    let mut rig = Rig::new(Pch::new(Options { left: Left::Slow, ..options(model::I217LM, "") }));
    put(&mut rig, CTRL, SLU);
    rig.sleep(3_000);
    assert_eq!(get(&mut rig, STATUS) & 0xC2, 0x02);
    own(&mut rig);
    assert_eq!(paged(&mut rig, 0, 25, None), Some(0x44));
    paged(&mut rig, 0, 25, Some(0));
    assert_eq!(get(&mut rig, STATUS) & 0xC2, 0xC2 & 0x82, "the link did not begin again");
    paged(&mut rig, 0, 25, Some(0x400));
    assert_eq!(get(&mut rig, STATUS) & 2, 0);
    rig.sleep(3_000);
    assert_eq!(get(&mut rig, STATUS) & 0xC2, 0x82);
}

#[test]
fn a_reset_is_silent_for_a_while_and_loads_the_address() {
    for (name, part) in PARTS {
        let mut rig = card(part, "");
        rig.sleep(3_000);
        put(&mut rig, RAL0, 0x1234);
        put(&mut rig, IMS, 4);
        put(&mut rig, CTRL, RST);
        rig.sleep(1_000);
        assert_eq!(get(&mut rig, STATUS), u32::MAX, "{name}");
        assert!(rig.complaint().contains("20 ms"), "{name}");
        rig.sleep(20_000);
        assert!(get(&mut rig, STATUS) & 1 << 9 != 0, "{name}: not initialised");
        assert_eq!((get(&mut rig, RAL0), get(&mut rig, IMS), get(&mut rig, CTRL) & RST), (0x1200_5452, 0, 0), "{name}");
        assert_ne!(get(&mut rig, 0x5200), 0, "{name}: the multicast table stays undefined");
    }
}

#[test]
fn resets_that_no_part_takes_are_reported() {
    let mut rig = running(model::I217LM, "");
    put(&mut rig, CTRL, RST | SLU);
    assert!(rig.complaint().contains("is on"));
    rig.sleep(20_000);
    put(&mut rig, CTRL, PHY_RST);
    assert!(rig.complaint().contains("without the semaphore"));
    let mut rig = Rig::new(Pch::new(Options { engine: Engine::Blocking, ..options(model::I217LM, "") }));
    own(&mut rig);
    assert_eq!(get(&mut rig, FWSM) & 0x40, 0);
    put(&mut rig, CTRL, PHY_RST);
    assert!(rig.complaint().contains("forbids"));
}

#[test]
fn a_reset_of_the_phy_takes_its_speeds_from_the_mac() {
    let mut rig = card(model::I217LM, "");
    own(&mut rig);
    put(&mut rig, 0xF10, 1 << 6);
    put(&mut rig, CTRL, SLU | PHY_RST);
    put(&mut rig, CTRL, SLU);
    mdio(&mut rig, 2, 2, None);
    assert!(rig.complaint().contains("while the PHY resets"));
    rig.sleep(15_000);
    assert!(get(&mut rig, STATUS) & 0x600 == 0x600);
    assert_eq!(get(&mut rig, STATUS) & 0xC2, 0x42, "100 Mb/s");
    put(&mut rig, STATUS, 0);
    assert_eq!(get(&mut rig, STATUS) & 0x600, 0);
}

#[test]
fn a_reset_may_never_end() {
    let mut rig = card(model::I82577LM, "stuck-command");
    put(&mut rig, CTRL, RST);
    rig.sleep(200_000);
    assert!(get(&mut rig, CTRL) & RST != 0);
    assert_eq!(get(&mut rig, STATUS) & 1 << 9, 0);
    start(&mut rig);
    send(&mut rig, 0, 60);
    rig.sleep(1_000);
    assert!(rig.world.sent.is_empty());
}

#[test]
fn causes_are_read_masked_and_cleared() {
    let mut rig = card(model::I217LM, "");
    get(&mut rig, ICR);
    put(&mut rig, IMS, 0x80);
    put(&mut rig, 0xC8, 4);
    assert_eq!(get(&mut rig, ICR), 4, "no interrupt is asserted");
    assert_eq!(get(&mut rig, ICR), 4, "so it stays");
    put(&mut rig, ICR, 4);
    put(&mut rig, IAM, u32::MAX);
    put(&mut rig, CTRL_EXT, 1 << 27);
    put(&mut rig, 0xC8, 0x80);
    assert!(rig.world.line);
    assert_eq!(get(&mut rig, ICR), 1 << 31 | 0x80);
    assert_eq!((get(&mut rig, IMS), get(&mut rig, ICR)), (0, 0), "masked by the read");
}

#[test]
fn shared_receive_addresses_take_the_semaphore_and_the_engine_locks_some() {
    for (part, at) in [(model::I82579LM, 0x5438), (model::I217LM, 0x5408)] {
        let mut rig = Rig::new(Pch::new(Options { engine: Engine::Blocking, ..options(part, "") }));
        own(&mut rig);
        put(&mut rig, at, 7);
        assert_eq!(get(&mut rig, at), 7);
        put(&mut rig, at + 24, 7);
        assert_eq!(get(&mut rig, at + 24), 0, "locked");
        put(&mut rig, EXTCNF, 0);
        put(&mut rig, at, 8);
        assert!(rig.complaint().contains("without the semaphore"));
    }
    let mut rig = card(model::I82579LM, "");
    put(&mut rig, 0x5408, 7);
    assert!(rig.complaint().contains("of the management engine"));
    put(&mut rig, 0x5408, 0);
    let mut rig = card(model::I82577LM, "");
    put(&mut rig, 0x5408, 7);
    assert_eq!(get(&mut rig, 0x5408), 7, "they are the driver's");
}

/// Reads a word of the flash's part for the LAN.
fn word(rig: &mut Rig<Pch>, base: u16, region: u32, number: u32) -> u32 {
    put(rig, base + 4, 7);
    put(rig, base + 4, 1 << 24);
    put(rig, base + 8, region + 2 * number);
    put(rig, base + 4, 1 << 24 | 1 << 16);
    rig.sleep(20);
    assert_eq!(get(rig, base + 4) & 3, 1);
    get(rig, base + 0x10)
}

#[test]
fn the_flash_has_the_address_and_a_checksum() {
    for (name, part) in PARTS {
        let whole = part.device == 0x15B7 || part.device == 0x15BB;
        let base = if whole { 0xE000 } else { 0xF000 };
        for (faults, right) in [("", true), ("bad-checksum", false)] {
            let mut rig = card(part, faults);
            let region = if whole { 0 } else { get(&mut rig, base) << 12 & 0x1FFF_F000 };
            assert_eq!(word(&mut rig, base, region, 0), 0x5452, "{name}");
            let sum = (0..0x40).fold(0, |sum, number| sum + word(&mut rig, base, region, number));
            assert_eq!(sum & 0xFFFF == 0xBABA, right, "{name}");
        }
        let mut rig = Rig::new(Pch::new(Options { blank: true, ..options(part, "") }));
        assert_eq!((get(&mut rig, RAL0), get(&mut rig, RAL0 + 4)), (0, 0), "{name}");
    }
}

#[test]
fn older_parts_have_a_window_of_ports() {
    let mut rig = running(model::I217LM, "");
    put(&mut rig, 0xFF00, STATUS.into());
    let status = get(&mut rig, STATUS);
    assert_eq!(get(&mut rig, 0xFF04), status);
    put(&mut rig, 0xFF00, 0x410);
    put(&mut rig, 0xFF04, 9);
    assert_eq!(get(&mut rig, 0x410), 9);
    put(&mut rig, 0xFF00, 0xE000);
    assert!(rig.complaint().contains("IOADDR"));
    assert_eq!(model::I217LM.identity().bars.iter().flatten().count(), 3);
    assert_eq!(model::I219LM2.identity().bars.iter().flatten().count(), 1);
}

#[test]
fn what_no_part_takes_is_reported() {
    let mut rig = running(model::I82577LM, "");
    let mut wrong = |at, width, value, what: &str| {
        rig.write(at, width, value);
        assert!(rig.complaint().contains(what), "{what}");
    };
    wrong(0x6000, 4, 0, "no register");
    wrong(FWSM, 4, 0, "read only");
    wrong(CTRL, 2, 0, "2 bytes");
    wrong(0x5BBC, 4, 0, "does not have it");
    wrong(RX, 4, RX_AT, "while its engine is on");
    wrong(TX + TAIL, 4, 8, "a tail of 8h");
    wrong(RCTL, 4, 1 << 31, "reserved");
    put(&mut rig, TCTL, 0);
    put(&mut rig, TX + TAIL, 0);
    put(&mut rig, TX, 0x1008);
    assert!(rig.complaint().contains("multiple of 16"));
    put(&mut rig, TX + 8, 0x40);
    assert!(rig.complaint().contains("multiple of 128"));
}

#[test]
fn a_stuck_phy_never_gets_ready_and_a_part_that_vanishes_reads_as_ones() {
    let mut rig = card(model::I217LM, "stuck-phy+vanish@50");
    own(&mut rig);
    put(&mut rig, MDIC, 2 << 21 | 2 << 16 | 2 << 26);
    rig.sleep(10_000);
    assert_eq!(get(&mut rig, MDIC) & 1 << 28, 0);
    for _ in 0..50 {
        get(&mut rig, CTRL);
    }
    assert_eq!(get(&mut rig, STATUS), u32::MAX);
}
