//! The 3C509B's driver and probe against its model.

#[path = "el3/chosen.rs"]
mod chosen;
#[path = "el3/edges.rs"]
mod edges;
mod elink;
#[path = "el3/faults.rs"]
mod faults;
#[path = "el3/line.rs"]
mod line;
#[path = "el3/on_dos.rs"]
mod on_dos;
#[path = "el3/overlap.rs"]
mod overlap;
#[path = "el3/probing.rs"]
mod probing;
#[path = "el3/rig.rs"]
mod rig;

use compkt::device::{Device, Link, RcvMode};
use rig::*;

#[test]
fn it_is_found_with_its_settings() {
    let rig = rig();
    assert_eq!((rig.found.mac, rig.found.io, rig.found.irq), (MAC, 0x300, 10));
    assert!(!rig.bus.line(10), "quiet once it stands");
    assert_eq!(El3Probe::find(&rig.bus, &ask(1)), Err(Fault::End));
}

#[test]
fn frames_of_every_length_arrive() {
    let mut rig = rig();
    for len in 60..=1514 {
        let sent = frame(len);
        assert!(rig.bus.receive(rig.slot, &sent));
        rig.bus.sleep(2_000);
        assert!(rig.bus.requested(10), "{len} bytes interrupt");
        assert_eq!(rig.serve(), [sent]);
        assert!(!rig.bus.line(10));
    }
}

#[test]
fn frames_of_every_length_leave() {
    let mut rig = rig();
    for len in 14..=1514 {
        let mut whole = frame(len);
        assert_eq!(rig.send(&whole), Ok(()));
        rig.bus.sleep(2_000);
        whole.resize(len.max(60), 0);
        assert_eq!(rig.bus.sent(rig.slot), [whole], "{len} bytes");
    }
    assert!(!rig.bus.line(10));
}

#[test]
fn a_part_of_a_frame_can_be_taken() {
    let mut rig = rig();
    let sent = frame(100);
    for part in [1, 23, 24, 25, 60, 99] {
        assert!(rig.bus.receive(rig.slot, &sent));
        rig.bus.sleep(200);
        assert!(rig.bus.take(10));
        rig.device.irq();
        let mut head = [0; 24];
        let rx = rig.device.peek(&mut head).unwrap();
        assert_eq!(head, sent[..24]);
        rig.bus.memory_mut()[ROOM - 1..ROOM + 200].fill(0xA5);
        rig.device.copy(&job(ROOM, part, &head));
        assert_eq!(rig.bus.memory()[ROOM..][..part], sent[..part]);
        assert!(rig.bus.memory()[ROOM + part..][..100].iter().all(|byte| *byte == 0xA5));
        rig.device.discard(rx);
        assert_eq!(rig.device.peek(&mut head), None);
        rig.device.unmask();
    }
}

#[test]
fn a_full_fifo_says_busy_and_loses_nothing() {
    let mut rig = rig();
    let (mut sent, mut refused) = (0, 0);
    for _ in 0..10 {
        match rig.send(&frame(1000)) {
            Ok(()) => sent += 1,
            Err(SendError::Busy) => refused += 1,
            Err(SendError::Failed) => panic!("failed"),
        }
    }
    assert!(sent > 1 && refused > 1);
    rig.bus.sleep(10_000);
    assert_eq!(rig.bus.sent(rig.slot), vec![frame(1000); sent]);
}

#[test]
fn each_mode_passes_what_it_names() {
    let mut rig = rig();
    const GROUP: [u8; 6] = [1, 0, 0x5E, 0, 0, 1];
    const OTHER_GROUP: [u8; 6] = [1, 0, 0x5E, 0, 0, 2];
    const LIST: &[[u8; 6]] = &[[1, 0, 0x5E, 0, 0, 9], GROUP];
    let targets = [MAC, [0xFF; 6], GROUP, OTHER_GROUP, [2, 0, 0, 0, 0, 7]];
    for (mode, list, passed) in [
        (RcvMode::Off, LIST, [false, false, false, false, false]),
        (RcvMode::Direct, LIST, [true, false, false, false, false]),
        (RcvMode::Broadcast, LIST, [true, true, false, false, false]),
        (RcvMode::Multicast, LIST, [true, true, true, false, false]),
        (RcvMode::Multicast, &[], [true, true, false, false, false]),
        (RcvMode::AllMulticast, LIST, [true, true, true, true, false]),
        (RcvMode::Promiscuous, LIST, [true, true, true, true, true]),
    ] {
        rig.device.set_rcv_mode(mode, list);
        for (target, passes) in targets.into_iter().zip(passed) {
            let mut sent = frame(64);
            sent[..6].copy_from_slice(&target);
            rig.bus.receive(rig.slot, &sent);
            rig.bus.sleep(200);
            assert_eq!(rig.serve(), vec![sent; passes as usize], "{mode:?} {target:02X?}");
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

#[test]
fn the_link_is_seen() {
    let mut rig = rig();
    assert_eq!(rig.device.link(), Link::Up);
    rig.pull(false);
    assert_eq!(rig.device.link(), Link::Down);
    rig.pull(true);
    assert_eq!(rig.device.link(), Link::Up);
}

#[test]
fn a_stopped_card_is_silent_and_can_be_started_again() {
    let mut rig = rig();
    rig.device.stop();
    rig.bus.receive(rig.slot, &frame(64));
    rig.bus.sleep(1_000);
    assert!(!rig.bus.line(10) && !rig.bus.requested(10));
    let found = El3Probe::find(&rig.bus, &ask(0)).expect("it is found again");
    assert_eq!(found, rig.found);
    rig.device = El3Probe::start(rig.bus.clone(), &found, &NO_RINGS).expect("it starts again");
    rig.device.unmask();
    assert!(rig.bus.receive(rig.slot, &frame(64)));
    rig.bus.sleep(1_000);
    assert_eq!(rig.serve(), [frame(64)]);
}
