//! Rings, filters, and the faults of frames.

use super::*;

#[test]
fn frames_go_out_and_come_in_by_legacy_descriptors() {
    for (name, part) in PARTS {
        let mut rig = running(part, "");
        put(&mut rig, IMS, 0x81);
        rig.put32(SENT, 0x1234_5678);
        send(&mut rig, 0, 100);
        rig.sleep(20);
        assert!(done(&rig, 0) && rig.world.sent.len() == 1 && rig.world.sent[0].len() == 100, "{name}");
        assert_eq!(get(&mut rig, TX + 0x10), 1, "{name}");
        assert!(get(&mut rig, ICR) & 3 == 3, "{name}");
        send(&mut rig, 1, 20);
        rig.sleep(20);
        assert_eq!(rig.world.sent[1].len(), 60, "{name}: it is padded");
        get(&mut rig, ICR);

        let good = frame(MAC, 77);
        assert!(rig.arrive(&good) && rig.world.line, "{name}");
        assert_eq!(rig.world.memory[CAME as usize..][..77], good, "{name}");
        assert_eq!((rig.get32(RX_AT), rig.get32(RX_AT + 8) & 0xFFFF, rig.get32(RX_AT + 12)), (CAME, 77, 7), "{name}");
        assert!(!rig.arrive(&frame([2, 0, 0, 0, 0, 1], 77)), "{name}");
        put(&mut rig, RAL0 + 4, 0x5634);
        assert!(!rig.arrive(&good), "{name}: the address is not valid");
        put(&mut rig, RAL0 + 4, 0x8000_5634);
        assert!(rig.arrive(&frame([0xFF; 6], 1514)), "{name}");
        assert_eq!(rig.get32(RX_AT + 16 + 8) & 0xFFFF, 1514, "{name}");
        assert_eq!(get(&mut rig, 0x4074), 2, "{name}: a counter");
        assert_eq!(get(&mut rig, 0x4074), 0, "{name}: a read clears it");
    }
}

#[test]
fn frames_come_in_by_extended_descriptors_and_over_several_buffers() {
    let mut rig = running(model::I219LM7, "");
    put(&mut rig, 0x5008, 1 << 15);
    put(&mut rig, RCTL, LISTEN | 3 << 16);
    assert!(rig.arrive(&frame(MAC, 300)));
    assert_eq!((rig.get32(RX_AT + 8) & 0xFF, rig.get32(RX_AT + 12) & 0xFFFF), (5, 256));
    assert_eq!((rig.get32(RX_AT + 24) & 0xFF, rig.get32(RX_AT + 28) & 0xFFFF), (7, 44));
    assert_eq!(get(&mut rig, RX + 0x10), 2);
}

#[test]
fn multicast_goes_by_ten_bits_of_the_last_two_bytes() {
    for (name, part) in PARTS {
        let mut rig = running(part, "");
        let group = [0x01, 0x00, 0x5E, 0x7F, 0x12, 0x34];
        assert!(!rig.arrive(&frame(group, 60)), "{name}");
        // (34h << 2 | 12h >> 6) = D0h: bit 16 of double word 6.
        put(&mut rig, 0x5200 + 4 * 6, 1 << 16);
        assert!(rig.arrive(&frame(group, 60)), "{name}");
        put(&mut rig, 0x5200 + 4 * 6, 0);
        put(&mut rig, RCTL, LISTEN | 1 << 4);
        assert!(rig.arrive(&frame([0x33, 0x33, 0, 0, 0, 1], 60)), "{name}");
    }
}

#[test]
fn writes_get_lost_in_the_arbiter_of_the_82579() {
    let mut rig = running(model::I82579LM, "");
    send(&mut rig, 0, 60);
    rig.sleep(1);
    put(&mut rig, TX + TAIL, 3);
    assert_eq!(get(&mut rig, TX + TAIL), 1, "lost");
    put(&mut rig, 0x410, 5);
    assert!(rig.complaint().contains("it is lost"));
    assert!(get(&mut rig, FWSM) & 1 << 24 != 0);
    rig.sleep(30);
    assert_eq!(get(&mut rig, FWSM) & 1 << 24, 0);
    put(&mut rig, TX + TAIL, 1);
    for (part, engine) in [(model::I82579LM, Engine::Off), (model::I217LM, Engine::On)] {
        let mut rig = Rig::new(Pch::new(Options { engine, ..options(part, "") }));
        start(&mut rig);
        send(&mut rig, 0, 60);
        rig.sleep(1);
        put(&mut rig, 0x410, 5);
        assert_eq!(get(&mut rig, 0x410), 5);
    }
}

#[test]
fn an_i219_that_is_reset_while_it_holds_descriptors_hangs() {
    for part in [model::I219LM2, model::I219LM7] {
        for flush in [false, true] {
            let mut rig = running(part, "");
            rig.card_link(false);
            send(&mut rig, 0, 60);
            put(&mut rig, RCTL, 0);
            put(&mut rig, TCTL, 0);
            assert_eq!(rig.world.config, Some((0xE4, 0x100)));
            if flush {
                put(&mut rig, 0x5BBC, 1 << 13);
                put(&mut rig, TCTL, 1 << 1);
                rig.put32(TX_AT + 16, SENT);
                rig.put32(TX_AT + 24, 2 << 24 | 512);
                put(&mut rig, TX + TAIL, 2);
                assert_eq!(rig.world.config, Some((0xE4, 0)));
                put(&mut rig, TCTL, 0);
            }
            put(&mut rig, CTRL, RST);
            if !flush {
                assert!(rig.complaint().contains("hangs"));
            }
            rig.sleep(20_000);
            rig.card_link(true);
            start(&mut rig);
            send(&mut rig, 0, 60);
            rig.sleep(100);
            assert_eq!(rig.world.sent.len(), flush as usize);
        }
    }
    let mut rig = running(model::I217LM, "");
    rig.card_link(false);
    send(&mut rig, 0, 60);
    put(&mut rig, RCTL, 0);
    put(&mut rig, TCTL, 0);
    put(&mut rig, CTRL, RST);
}

#[test]
fn descriptors_that_the_receiver_holds_go_by_other_thresholds() {
    let mut rig = running(model::I219LM7, "held-descriptors");
    put(&mut rig, RCTL, 0);
    assert_eq!(rig.world.config, Some((0xE4, 0x100)));
    put(&mut rig, 0x5BBC, 1 << 13);
    put(&mut rig, RX + 0x28, 0x1F | 1 << 8 | 1 << 24);
    put(&mut rig, RCTL, 2);
    put(&mut rig, RCTL, 0);
    assert_eq!(rig.world.config, Some((0xE4, 0)));
}

#[test]
fn an_earlier_owner_may_have_left_descriptors_in_an_i219() {
    let mut rig = Rig::new(Pch::new(Options { left: Left::Holding, ..options(model::I219LM7, "") }));
    assert_ne!(get(&mut rig, TX + 8), 0);
    put(&mut rig, CTRL, RST);
    assert!(rig.complaint().contains("hangs"));
}

#[test]
fn wrong_descriptors_are_reported() {
    for (field, value, what) in [(4, 1, "above 4 GB"), (8, WHOLE, "empty buffer"), (8, WHOLE | 1600, "1600 bytes"), (8, 0x0900_0040, "check sequence"), (8, WHOLE | 1 << 29 | 5 << 20 | 64, "unknown kind")] {
        let mut rig = running(model::I217LM, "");
        for (at, word) in [(0, SENT), (8, WHOLE | 64)] {
            rig.put32(TX_AT + at, word);
        }
        rig.put32(TX_AT + field, value);
        put(&mut rig, TX + TAIL, 1);
        rig.sleep(20);
        assert!(rig.world.complaints.remove(0).contains(what), "{what}");
        rig.world.complaints.clear();
    }
}

#[test]
fn doorbells_and_descriptors_can_fail() {
    let mut rig = running(model::I217LM, "lost-doorbell@2");
    send(&mut rig, 0, 60);
    rig.sleep(100);
    assert_eq!((rig.world.sent.len(), get(&mut rig, TX + TAIL)), (0, 1), "the first was the receiver's");
    send(&mut rig, 1, 60);
    rig.sleep(100);
    assert_eq!(rig.world.sent.len(), 2);

    let mut rig = running(model::I217LM, "lost-write@2");
    send(&mut rig, 0, 60);
    assert_eq!(get(&mut rig, TX + TAIL), 0);
    send(&mut rig, 0, 60);
    rig.sleep(100);
    assert_eq!(rig.world.sent.len(), 1);

    for fault in ["stays-owned", "dma-hang"] {
        let mut rig = running(model::I217LM, fault);
        for number in 0..3 {
            send(&mut rig, number, 60);
            rig.sleep(100);
        }
        assert!(!done(&rig, 0) && !done(&rig, 2) && rig.world.sent.len() < 2, "{fault}");
        put(&mut rig, RCTL, 0);
        put(&mut rig, TCTL, 0);
        put(&mut rig, CTRL, RST);
        rig.sleep(20_000);
        start(&mut rig);
        send(&mut rig, 0, 60);
        rig.sleep(100);
        assert!(done(&rig, 0), "{fault}: a reset helps");
    }
}

#[test]
fn frames_are_missed_or_damaged_on_demand() {
    let mut rig = running(model::I217LM, "rx-crc@2+rx-overrun@3");
    let results = [(); 4].map(|()| rig.arrive(&frame(MAC, 60)));
    // The second fault counts frames that the first one lets through.
    assert_eq!(results, [true, false, true, false]);
    assert_eq!((get(&mut rig, 0x4000), get(&mut rig, 0x4010)), (1, 1));
    assert!(get(&mut rig, ICR) & 0x40 != 0);
}

#[test]
fn frames_wait_for_descriptors_until_the_fifo_is_full() {
    let mut rig = running(model::I217LM, "");
    let taken = (0..40).filter(|_| rig.arrive(&frame(MAC, 1514))).count();
    // Seven descriptors, and 26 KB.
    assert_eq!(taken, 7 + 26 * 1024 / (1520 + 16));
    put(&mut rig, RX + TAIL, 3);
    assert_eq!(get(&mut rig, RX + 0x10), 3);
    assert!(get(&mut rig, ICR) & 0xC0 == 0xC0);
}

#[test]
fn a_lost_interrupt_leaves_its_cause() {
    let mut rig = running(model::I217LM, "lost-interrupt");
    put(&mut rig, IMS, 0x80);
    rig.arrive(&frame(MAC, 60));
    assert!(!rig.world.line);
    assert!(get(&mut rig, ICR) & 0x80 != 0);
    rig.arrive(&frame(MAC, 60));
    assert!(rig.world.line);
}

#[test]
fn the_cable_raises_an_interrupt() {
    let mut rig = running(model::I217LM, "");
    put(&mut rig, IMS, 4);
    rig.card_link(false);
    assert!(rig.world.line && get(&mut rig, ICR) & 4 != 0);
    assert_eq!(get(&mut rig, STATUS) & 2, 0);
    assert!(!rig.arrive(&frame(MAC, 60)));
    rig.card_link(true);
    rig.sleep(3_000);
    assert!(rig.world.line && get(&mut rig, STATUS) & 2 != 0);
}

#[test]
fn k1_loses_frames_of_an_82577_if_asked_to() {
    let mut rig = Rig::new(Pch::new(Options { k1_loses: true, ..options(model::I82577LM, "") }));
    start(&mut rig);
    let mut taken = || {
        let taken = (0..16).filter(|_| rig.arrive(&frame(MAC, 60))).count();
        let head = get(&mut rig, RX + 0x10);
        put(&mut rig, RX + TAIL, (head + 7) % 8);
        rig.sleep(100);
        taken
    };
    assert_eq!(taken(), 15);
    own(&mut rig);
    put(&mut rig, 0x34, 7 << 16);
    let taken = (0..16).filter(|_| rig.arrive(&frame(MAC, 60))).count();
    assert_eq!(taken, 16);
}
