//! Faults: overruns, damaged frames and rings, a card that fails or is removed.

use crate::rig::*;

#[test]
fn an_overrun_loses_what_had_no_room_and_no_more() {
    for options in kinds() {
        let mut rig = rig(options);
        let mut kept = Vec::new();
        let mut seed = 0;
        loop {
            seed += 1;
            let sent = frame(MAC, 60 + seed as usize * 37 % 1400, seed);
            if !rig.receive(&sent) {
                break;
            }
            kept.push(sent);
        }
        let (events, frames) = rig.serve();
        assert_eq!(events.0 & Events::RX.0, Events::RX.0);
        assert_eq!(frames, kept);
        assert_eq!(rig.device_counts(), [0, 0, 1]);
        let sent = frame(MAC, 321, 7);
        assert!(rig.receive(&sent), "it listens again");
        assert_eq!(rig.serve().1, [sent]);
    }
}

#[test]
fn a_transmission_that_an_overrun_cut_off_is_made_again() {
    for aborts in [true, false] {
        let mut rig = rig(Options::ne2000(MAC));
        rig.card.borrow_mut().faults.stop_aborts = aborts;
        let out = frame(PEER, 1514, 8);
        assert_eq!(rig.try_send(&out), Ok(()));
        overrun(&mut rig);
        rig.serve();
        rig.bus.sleep(1_500);
        assert_eq!(rig.bus.sent(0), [out], "sent once, whether or not the stop cut it off");
        let next = frame(PEER, 80, 9);
        assert_eq!(rig.send(&next), [next]);
    }
}

#[test]
fn sending_while_an_overrun_is_emptied_works() {
    let mut rig = rig(Options::ne2000(MAC));
    overrun(&mut rig);
    assert!(rig.bus.take(IRQ));
    assert_ne!(rig.device.irq(), Events::NONE);
    assert!(rig.take().is_some());
    let out = frame(PEER, 80, 9);
    assert_eq!(rig.send(&out), [out]);
    while rig.take().is_some() {}
    rig.device.unmask();
    let sent = frame(MAC, 99, 1);
    assert!(rig.receive(&sent));
    assert_eq!(rig.serve().1, [sent]);
}

#[test]
fn damaged_frames_are_counted() {
    let mut rig = rig(Options::ne2000(MAC));
    for _ in 0..3 {
        rig.bus.with_env(0, |env| rig.card.borrow_mut().receive_damaged(env, &frame(MAC, 60, 1)));
        assert_eq!(rig.serve(), (Events::RX, vec![]));
    }
    assert_eq!(rig.device_counts(), [3, 0, 0]);
}

#[test]
fn transmissions_that_fail_are_counted() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.card.borrow_mut().faults.tx = TxFault::Aborted;
    assert!(rig.send(&frame(PEER, 60, 1)).is_empty());
    assert_eq!(rig.serve().0, Events::RX);
    assert_eq!(rig.device_counts(), [0, 1, 0]);
    rig.card.borrow_mut().faults.tx = TxFault::None;
    let out = frame(PEER, 60, 2);
    assert_eq!(rig.send(&out), [out]);
}

#[test]
fn a_transmission_without_a_cause_does_not_block_the_next() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.card.borrow_mut().faults.tx = TxFault::Silent;
    for seed in 0..3 {
        assert_eq!(rig.send(&frame(PEER, 60, seed)).len(), 1);
    }
    rig.card.borrow_mut().faults.tx = TxFault::Stuck;
    assert_eq!(rig.try_send(&frame(PEER, 60, 9)), Ok(()));
    for _ in 0..3 {
        rig.bus.sleep(2_000);
        assert_eq!(rig.try_send(&frame(PEER, 60, 9)), Err(SendError::Busy));
    }
}

#[test]
fn remote_dma_that_never_completes_is_an_error_and_not_a_hang() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.card.borrow_mut().faults.dma_dead = true;
    assert_eq!(rig.try_send(&frame(PEER, 60, 1)), Err(SendError::Failed));
    rig.card.borrow_mut().faults.dma_dead = false;
    let out = frame(PEER, 60, 2);
    assert_eq!(rig.send(&out), [out]);
}

#[test]
fn a_card_that_is_gone_is_silent() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.card.borrow_mut().faults.absent = true;
    assert_eq!(rig.device.irq(), Events::NONE);
    assert_eq!(rig.take(), None);
    for _ in 0..3 {
        let _ = rig.try_send(&frame(PEER, 60, 1));
    }
    rig.device.set_rcv_mode(RcvMode::Promiscuous, &[]);
    rig.device.stop();
    assert_eq!(find(&rig.bus, &ask(0)), Err(Fault::Nothing));
}

/// Two frames of 60 bytes, in pages 47h and 48h; the first has this header.
fn with_header(header: [u8; 4], second_survives: bool) {
    let mut rig = rig(Options::ne2000(MAC));
    rig.card.borrow_mut().faults.header = Some(header);
    let second = frame(MAC, 60, 2);
    rig.receive(&frame(MAC, 60, 1));
    rig.receive(&second);
    let expected = if second_survives { vec![second] } else { vec![] };
    assert_eq!(rig.serve(), (Events::OPEN, expected), "{header:02X?}");
    assert_eq!(rig.device_counts(), [1, 0, 0], "{header:02X?}");
    for seed in 0..200 {
        let sent = frame(MAC, 1000, seed);
        assert!(rig.receive(&sent));
        assert_eq!(rig.serve().1, [sent], "after {header:02X?}");
    }
}

#[test]
fn a_header_that_contradicts_itself_empties_the_ring() {
    with_header([0x01, 0x45, 64, 0], false); // before the ring
    with_header([0x01, 0x80, 64, 0], false); // behind the ring
    with_header([0x01, 0x47, 64, 0], false); // to itself
    with_header([0x01, 0x4A, 64, 0], false); // too far for its length
    with_header([0x01, 0x48, 0, 9], false); // longer than its pages
    with_header([0x01, 0x48, 0, 1], false); // the same, by one byte
    with_header([0x03, 0x48, 64, 0], false); // wrong check sequence
    with_header([0xFF; 4], false);
}

#[test]
fn a_frame_that_is_not_good_costs_no_others() {
    with_header([0x01, 0x48, 4, 0], true); // no data
    with_header([0x01, 0x48, 0, 0], true); // shorter than a check sequence
}

#[test]
fn frames_that_are_too_long_are_counted_and_cost_no_others() {
    for options in kinds() {
        let mut rig = rig(options);
        for len in [1515, 1516, 1600, 2000, 4000] {
            let good = [frame(MAC, 100, 1), frame(MAC, 1514, 2)];
            for sent in [&good[0], &frame(MAC, len, 3), &good[1]] {
                assert!(rig.receive(sent));
            }
            assert_eq!(rig.serve().1, good, "{len}");
        }
        assert_eq!(rig.device_counts(), [5, 0, 0]);
    }
}

/// Whatever the ring contains, nothing is written outside of buffers, every call ends, and the card recovers.
#[test]
fn rings_full_of_noise_are_survived() {
    for options in kinds() {
        let mut random = Random::new(0xC0FFEE);
        let mut rig = rig(options.clone());
        let pages = (options.ram / 256) as u32 - 6;
        for round in 0..2_000 {
            match random.word() % 4 {
                0 => rig.card.borrow_mut().ram_mut()[0x600..].fill_with(|| random.word() as u8),
                1 => {
                    // Headers that are almost right.
                    let first = (options.ram_at / 256) as u32 + 6;
                    for page in 0..pages {
                        let next = first + (page + 1 + random.word() % 8) % pages;
                        let at = 0x600 + page as usize * 256;
                        let len = random.word() % 2000;
                        let header = [1, next as u8, len as u8, (len >> 8) as u8];
                        rig.card.borrow_mut().ram_mut()[at..at + 4].copy_from_slice(&header);
                    }
                }
                2 => rig.card.borrow_mut().faults.header = Some(random.word().to_le_bytes()),
                _ => {}
            }
            for _ in 0..random.word() % 20 {
                rig.receive(&frame(MAC, 60 + random.word() as usize % 1455, round));
            }
            if random.word().is_multiple_of(3) {
                let _ = rig.try_send(&frame(PEER, 14 + random.word() as usize % 1501, round));
            }
            rig.serve();
        }
        while rig.serve().0 != Events::NONE {}
        let _ = rig.serve();
        let sent = frame(MAC, 700, 1);
        let mut arrived = false;
        for _ in 0..3 {
            rig.receive(&sent);
            arrived |= rig.serve().1.contains(&sent);
        }
        assert!(arrived, "{options:?}");
    }
}
