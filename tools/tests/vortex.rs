//! The drivers of the 3C59x (vortex) and 3C90x (boomerang) against their models.

#[path = "vortex/chosen.rs"]
mod chosen;
mod elink;
#[path = "vortex/faults.rs"]
mod faults;
#[path = "vortex/on_dos.rs"]
mod on_dos;
#[path = "vortex/rig.rs"]
mod rig;

use compkt::device::{LINK_ACCESSES, Link, RcvMode};
use rig::*;

#[test]
fn each_is_found_with_its_settings() {
    for part in PARTS {
        let (bus, ..) = plug(part, "");
        let found = find(&bus, part).expect("the card is there");
        assert_eq!((found.mac, found.io, found.irq), (MAC, IO, IRQ));
    }
}

#[test]
fn another_vendors_card_is_not_touched() {
    let (bus, ..) = plug_as(PARTS[5], "", 0x8139_10EC);
    assert_eq!(find(&bus, PARTS[5]), Err(Fault::Nothing));
    assert!(bus.writes().iter().all(|port| *port == 0xCF8), "only configuration is read");
}

#[test]
fn ports_that_another_copy_of_the_driver_uses_are_not_touched() {
    for part in PARTS {
        let (bus, ..) = plug(part, "");
        let beside = Ask { taken: taken(&[IO]), ..ask() };
        assert_eq!(find_as(&bus, part, &beside), Err(Fault::Nothing), "{part:?}");
        assert!(bus.writes().iter().all(|port| !(IO..IO + part.ports).contains(port)), "{part:?}");
    }
}

#[test]
fn frames_of_every_length_go_both_ways() {
    for part in PARTS {
        let mut rig = rig(part);
        for len in 14..=1514 {
            let mut whole = frame(len);
            assert_eq!(rig.send(&whole), Ok(()), "{part:?}");
            rig.bus.sleep(1_500);
            whole.resize(len.max(60), 0);
            assert_eq!(rig.bus.sent(rig.slot), [whole.clone()], "{part:?} {len} bytes");
            assert!(rig.bus.receive(rig.slot, &whole));
            rig.bus.sleep(1_500);
            assert_eq!(rig.serve(), [whole], "{part:?} {len} bytes");
        }
        assert!(!rig.bus.line(IRQ));
        assert_eq!(rig.counts(), [0; 3]);
    }
}

#[test]
fn a_burst_goes_out_in_order_and_what_found_no_room_was_refused() {
    for part in PARTS {
        let mut rig = rig(part);
        let mut accepted = Vec::new();
        let mut left = Vec::new();
        for round in 0..60 {
            let sent = frame(60 + round * 17);
            if rig.send(&sent).is_ok() {
                accepted.push(sent);
            }
            rig.bus.sleep(round as u64 * 7);
            left.extend(rig.bus.sent(rig.slot));
        }
        rig.bus.sleep(50_000);
        left.extend(rig.bus.sent(rig.slot));
        assert!(accepted.len() > 5, "{part:?}");
        assert!(left == accepted, "{part:?}: {} of {}", left.len(), accepted.len());
        rig.works();
    }
}

#[test]
fn more_frames_than_there_is_room_for_are_received_as_far_as_there_is() {
    for part in PARTS {
        let mut rig = rig(part);
        let mut came = 0;
        for _ in 0..3 {
            let sent: Vec<Vec<u8>> = (0..100).map(|index| frame(100 + index)).collect();
            for frame in &sent {
                rig.bus.receive(rig.slot, frame);
                rig.bus.sleep(200);
            }
            let got = rig.serve();
            assert!(got.len() > 1 && sent.starts_with(&got[..2]), "{part:?}: {}", got.len());
            came += got.len();
            rig.bus.sleep(10_000);
            rig.serve();
        }
        assert!(came >= 6);
        rig.works();
    }
}

#[test]
fn each_mode_passes_what_it_names() {
    const GROUP: [u8; 6] = [1, 0, 0x5E, 0, 0, 1];
    const LIST: &[[u8; 6]] = &[[1, 0, 0x5E, 0, 0, 9], GROUP];
    let targets = [MAC, [0xFF; 6], GROUP, [1, 0, 0x5E, 0, 0, 2], [2, 0, 0, 0, 0, 7]];
    for part in PARTS {
        let mut rig = rig(part);
        for (mode, list, passed) in [
            (RcvMode::Off, LIST, [false, false, false, false, false]),
            (RcvMode::Direct, LIST, [true, false, false, false, false]),
            (RcvMode::Broadcast, LIST, [true, true, false, false, false]),
            (RcvMode::Multicast, LIST, [true, true, true, false, false]),
            (RcvMode::AllMulticast, LIST, [true, true, true, true, false]),
            (RcvMode::Promiscuous, LIST, [true, true, true, true, true]),
        ] {
            rig.device.set_rcv_mode(mode, list);
            for (target, passes) in targets.into_iter().zip(passed) {
                let mut sent = frame(64);
                sent[..6].copy_from_slice(&target);
                rig.bus.receive(rig.slot, &sent);
                rig.bus.sleep(200);
                assert_eq!(rig.serve(), vec![sent; passes as usize], "{part:?} {mode:?} {target:02X?}");
            }
        }
        rig.device.set_rcv_mode(RcvMode::Direct, &[]);
        rig.device.set_address(&[2, 0, 0, 0, 0, 7]);
        let mut sent = frame(64);
        sent[..6].copy_from_slice(&[2, 0, 0, 0, 0, 7]);
        assert!(rig.bus.receive(rig.slot, &sent));
        rig.bus.sleep(200);
        assert_eq!(rig.serve(), [sent]);
    }
}

#[test]
fn the_link_is_seen() {
    for part in PARTS {
        let mut rig = rig(part);
        assert_eq!(rig.device.link(), Link::Up, "{part:?}");
        rig.pull(false);
        assert_eq!(rig.device.link(), Link::Down, "{part:?}");
        rig.pull(true);
        rig.bus.sleep(3_000_000);
        // A PHY tells of the loss once more.
        rig.device.link();
        assert_eq!(rig.device.link(), Link::Up, "{part:?}");
    }
}

#[test]
fn the_speed_of_the_link_is_told() {
    for (part, speed) in PARTS.into_iter().zip([10, 100, 10, 100, 100, 100]) {
        let mut rig = rig(part);
        assert_eq!((rig.device.link(), rig.device.speed()), (Link::Up, speed), "{part:?}");
        assert!(rig.bus.receive(rig.slot, &frame(64)));
        rig.bus.sleep(1_500);
        assert_eq!(rig.serve(), [frame(64)], "{part:?}: the window is as it was");
    }
}

#[test]
fn a_look_at_the_link_takes_no_more_than_one_register_of_a_phy() {
    for part in PARTS {
        let mut rig = rig(part);
        rig.bus.after(u32::from(LINK_ACCESSES) + 1, |_| ());
        rig.device.link();
        assert!(rig.bus.awaits(), "{part:?}: more than {LINK_ACCESSES} accesses");
    }
}

#[test]
fn a_card_that_another_driver_left_running_is_taken_over() {
    for part in PARTS {
        let mut left = rig(part);
        for _ in 0..5 {
            left.bus.receive(left.slot, &frame(700));
            let _ = left.send(&frame(900));
        }
        let found = find(&left.bus, part).expect("it is found");
        left.restart(&found);
        left.bus.sleep(10_000);
        left.bus.sent(left.slot);
        left.serve();
        left.works();
    }
}

#[test]
fn a_stopped_card_is_silent() {
    for part in PARTS {
        let mut rig = rig(part);
        let _ = rig.send(&frame(1000));
        rig.device.stop();
        let before = rig.bus.memory().to_vec();
        rig.bus.receive(rig.slot, &frame(64));
        rig.bus.sleep(3_000);
        assert!(!rig.bus.line(IRQ) && !rig.bus.requested(IRQ));
        assert!(before == *rig.bus.memory(), "{part:?}: DMA after the stop");
        let found = find(&rig.bus, part).expect("it is found again");
        rig.restart(&found);
        rig.bus.sent(rig.slot);
        rig.works();
    }
}
