//! Faults while the card is in use, for each way to drive it.

use crate::*;
use compkt::device::Link;

#[test]
fn one_fault_each_is_counted_and_outlived() {
    for (fault, counts) in [
        ("tx-underrun@2", [0, 1, 0]),
        ("jabber@2", [0, 1, 0]),
        ("max-collisions@2", [0, 1, 0]),
        ("rx-overrun@2", [0, 0, 1]),
        ("rx-crc@2", [1, 0, 0]),
    ] {
        for way in WAYS {
            let mut rig = rig_in(way);
            rig.card.borrow_mut().chip().faults = Faults::parse(fault).unwrap();
            for len in [100, 200, 300] {
                rig.bus.receive(rig.slot, &frame(len));
                rig.bus.sleep(1_000);
                rig.serve();
                assert_eq!(rig.send(&frame(len)), Ok(()));
                rig.bus.sleep(1_000);
                rig.serve();
            }
            assert_eq!(rig.counts(), counts, "{fault} {way:?}");
            rig.bus.sent(rig.slot);
            rig.works_at(60..70);
        }
    }
}

#[test]
fn adapter_failure_and_a_lost_interrupt() {
    for way in WAYS {
        let mut rig = rig_in(way);
        rig.card.borrow_mut().chip().faults = Faults::parse("adapter-failure").unwrap();
        rig.bus.receive(rig.slot, &frame(100));
        rig.bus.sleep(1_000);
        rig.serve();
        assert!(rig.counts()[2] > 0, "{way:?}");
        rig.works_at(60..64);
        rig.card.borrow_mut().chip().faults = Faults::parse("lost-interrupt").unwrap();
        assert!(rig.bus.receive(rig.slot, &frame(100)));
        rig.bus.sleep(1_000);
        assert_eq!(rig.serve(), Vec::<Vec<u8>>::new());
        assert_eq!(rig.send(&frame(60)), Ok(()));
        rig.bus.sleep(1_000);
        assert_eq!(rig.serve(), [frame(100)], "{way:?}");
        rig.bus.sent(rig.slot);
        rig.works_at(60..64);
    }
}

#[test]
fn a_stuck_command_and_a_card_that_vanishes_end_in_bounded_time() {
    for (fault, way) in WAYS.into_iter().flat_map(|way| [("stuck-command", way), ("vanish*0", way)]) {
        let mut rig = rig_in(way);
        rig.bus.receive(rig.slot, &frame(100));
        rig.bus.sleep(200);
        rig.card.borrow_mut().chip().faults = Faults::parse(fault).unwrap();
        let from = rig.bus.now_ns();
        for _ in 0..20 {
            assert!(rig.serve().len() <= 1);
            let _ = rig.send(&frame(100));
        }
        assert!(rig.send(&frame(100)).is_err(), "{fault} {way:?}");
        assert_ne!(rig.device.link(), Link::Up);
        rig.device.stop();
        assert!(rig.bus.now_ns() - from < 100_000_000, "{fault} {way:?}");
    }
}

#[test]
fn the_link_is_seen() {
    for way in WAYS {
        let mut rig = rig_in(way);
        assert_eq!(rig.device.link(), Link::Up);
        rig.pull(false);
        assert_eq!(rig.device.link(), Link::Down);
        rig.pull(true);
        assert_eq!(rig.device.link(), Link::Up);
        rig.works_at(60..64);
    }
}

#[test]
fn a_stopped_or_forgotten_card_is_found_and_started_again() {
    for (stopped, way) in WAYS.into_iter().flat_map(|way| [(true, way), (false, way)]) {
        let mut rig = rig_in(way);
        rig.bus.receive(rig.slot, &frame(100));
        rig.bus.sleep(1_000);
        if stopped {
            rig.device.stop();
            let before = rig.bus.memory().to_vec();
            rig.bus.receive(rig.slot, &frame(64));
            rig.bus.sleep(2_000);
            assert!(!rig.bus.line(5));
            assert!(before == *rig.bus.memory(), "{way:?}: DMA after the stop");
        }
        for next in if way == Way::Plain { &WAYS[..1] } else { &WAYS[..] } {
            let mut again = start_in(&rig.bus, rig.slot, rig.card.clone(), &ask(0), *next);
            assert_eq!(again.found, rig.found);
            again.works_at(60..64);
        }
    }
}

#[test]
fn more_frames_than_there_is_room_for() {
    for way in WAYS {
        let mut rig = rig_in(way);
        let frames: Vec<Vec<u8>> = (0..100).map(|at| frame(1000 + at)).collect();
        for frame in &frames {
            rig.bus.receive(rig.slot, frame);
            rig.bus.sleep(200);
        }
        let came = rig.serve();
        assert!(came.len() > 2 && frames.starts_with(&came[..2]), "{way:?}: {}", came.len());
        rig.bus.sleep(10_000);
        rig.serve();
        let sent = frames.iter().filter(|frame| rig.send(frame).is_ok()).count();
        assert!(sent > 1);
        rig.bus.sleep(50_000);
        rig.serve();
        assert_eq!(rig.bus.sent(rig.slot).len(), sent, "{way:?}");
        rig.works_at(60..64);
    }
}
