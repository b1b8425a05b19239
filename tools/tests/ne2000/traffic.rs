//! Frames in and out, receive modes.

use compkt::drivers::dp8390::hash;

use crate::rig::*;

#[test]
fn receives_every_length() {
    for options in kinds() {
        let mut rig = rig(options);
        for len in 60..=1514 {
            let sent = frame(MAC, len, len as u32);
            assert!(rig.receive(&sent), "{len} bytes");
            let (events, frames) = rig.serve();
            assert_eq!(events, Events::OPEN);
            assert_eq!(frames, [sent], "{len} bytes");
        }
        assert!(!rig.bus.requested(IRQ));
    }
}

#[test]
fn sends_every_length() {
    for options in kinds() {
        let mut rig = rig(options);
        for len in 14..=1514 {
            let out = frame(PEER, len, len as u32);
            assert_eq!(rig.send(&out), [padded(&out)], "{len} bytes");
        }
    }
}

#[test]
fn a_part_of_a_frame_is_copied() {
    let mut rig = rig(Options::ne2000(MAC));
    let sent = frame(MAC, 777, 1);
    rig.receive(&sent);
    let mut head = [0; 24];
    rig.device.peek(&mut head).expect("a frame");
    for len in [1, 2, 13, 60, 255, 256, 777] {
        rig.bus.memory_mut()[CLIENT as usize..][..1024].fill(CANARY);
        rig.device.copy(&job(CLIENT as usize, len, &head));
        let memory = rig.bus.memory();
        assert_eq!(memory[CLIENT as usize..][..len], sent[..len]);
        assert_eq!(memory[CLIENT as usize + len], CANARY);
    }
}

#[test]
fn a_second_frame_waits_for_the_first() {
    let mut rig = rig(Options::ne2000(MAC));
    let (first, second) = (frame(PEER, 1514, 1), frame(PEER, 61, 2));
    assert_eq!(rig.try_send(&first), Ok(()));
    rig.bus.writes();
    assert_eq!(rig.try_send(&second), Err(SendError::Busy));
    assert_eq!(rig.bus.writes(), [], "the card is not touched");
    rig.bus.sleep(1_500);
    assert_eq!(rig.try_send(&second), Ok(()));
    rig.bus.sleep(1_500);
    assert_eq!(rig.bus.sent(0), [padded(&first), padded(&second)]);
    assert!(!rig.bus.requested(IRQ), "a frame that was sent does not interrupt");
}

#[test]
fn a_transmit_command_that_reads_as_done_is_not_believed() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.card.borrow_mut().faults.txp_hidden = true;
    for seed in 0..4 {
        assert_eq!(rig.try_send(&frame(PEER, 1514, seed)), Ok(()));
    }
    rig.bus.sleep(1_500);
    assert_eq!(rig.bus.sent(0).len(), 4);
}

#[test]
fn receive_modes_pass_what_they_should() {
    let group = [0x01, 0, 0x5E, 0, 0, 1];
    let groups = [group, [0x01, 0, 0x5E, 1, 2, 3]];
    let stranger = [0x02, 1, 1, 1, 1, 1];
    let other = [0x01, 0, 0x5E, 0x7F, 0x12, 0x34];
    assert!(groups.iter().all(|listed| model::filter_bit(listed) != model::filter_bit(&other)));
    let frames = [MAC, BROADCAST, group, other, stranger];
    let passes = [
        (RcvMode::Off, [false; 5]),
        (RcvMode::Direct, [true, false, false, false, false]),
        (RcvMode::Broadcast, [true, true, false, false, false]),
        (RcvMode::Multicast, [true, true, true, false, false]),
        (RcvMode::AllMulticast, [true, true, true, true, false]),
        (RcvMode::Promiscuous, [true; 5]),
    ];
    for options in kinds() {
        let mut rig = rig(options);
        for (mode, expected) in passes.into_iter().chain(passes.into_iter().rev()) {
            rig.device.set_rcv_mode(mode, &groups);
            for (to, pass) in frames.into_iter().zip(expected) {
                let sent = frame(to, 99, 5);
                rig.receive(&sent);
                let wanted: &[Vec<u8>] = if pass { &[sent] } else { &[] };
                assert_eq!(rig.serve().1, wanted, "{mode:?} {to:02X?}");
            }
        }
        assert_eq!(rig.device_counts(), [0; 3]);
    }
}

#[test]
fn the_hash_is_ethernets() {
    let mut random = Random::new(1);
    for _ in 0..1000 {
        let address: MacAddr = std::array::from_fn(|_| random.word() as u8);
        assert_eq!(hash(&address), model::filter_bit(&address), "{address:02X?}");
    }
}

#[test]
fn a_new_address_is_received_for() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.device.set_address(&[0x02, 9, 8, 7, 6, 5]);
    assert!(!rig.receive(&frame(MAC, 60, 1)));
    let sent = frame([0x02, 9, 8, 7, 6, 5], 60, 1);
    assert!(rig.receive(&sent));
    assert_eq!(rig.serve().1, [sent]);
}

#[test]
fn nothing_comes_after_a_stop() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.receive(&frame(MAC, 60, 1));
    rig.device.stop();
    rig.bus.take(IRQ);
    assert!(!rig.bus.line(IRQ));
    assert!(!rig.receive(&frame(MAC, 60, 2)));
    rig.bus.sleep(3_000);
    assert!(!rig.bus.requested(IRQ));
    rig.device = start(&rig.bus);
    let sent = frame(MAC, 60, 3);
    assert!(rig.receive(&sent));
    assert_eq!(rig.serve().1, [sent]);
}

#[test]
fn traffic_both_ways_loses_nothing() {
    for options in kinds() {
        let mut rig = rig(options);
        let mut random = Random::new(77);
        let (mut expected, mut got, mut out, mut wire) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 0..3_000 {
            if random.word().is_multiple_of(2) {
                let sent = frame(MAC, 60 + random.word() as usize % 1455, round);
                if rig.receive(&sent) {
                    expected.push(sent);
                }
            }
            if random.word().is_multiple_of(2) {
                let sent = frame(PEER, 14 + random.word() as usize % 1501, round);
                match rig.try_send(&sent) {
                    Ok(()) => out.push(padded(&sent)),
                    Err(error) => assert_eq!(error, SendError::Busy),
                }
            }
            if random.word().is_multiple_of(3) {
                got.extend(rig.serve().1);
            }
            rig.bus.sleep(random.word() as u64 % 400);
        }
        rig.bus.sleep(1_500);
        got.extend(rig.serve().1);
        wire.extend(rig.bus.sent(0));
        assert!(expected.len() > 1_000 && out.len() > 300);
        assert_eq!(got, expected);
        assert_eq!(wire, out);
    }
}
