//! Each fault alone: the card works afterwards, and the loss is counted.

use crate::rig::*;
use compkt::device::Link;

/// Sends three frames, the second of which has the fault; returns sent frames and counts.
fn send_three(fault: &str) -> (Rig, Vec<Vec<u8>>) {
    let mut rig = rig();
    rig.fault(fault);
    let mut left = Vec::new();
    for len in [100, 200, 300] {
        assert_eq!(rig.send(&frame(len)), Ok(()));
        rig.bus.sleep(1_000);
        rig.serve();
        left.extend(rig.bus.sent(rig.slot));
    }
    (rig, left)
}

#[test]
fn a_transmit_underrun() {
    let (mut rig, left) = send_three("tx-underrun@2");
    assert_eq!((left, rig.counts()), (vec![frame(100), frame(300)], [0, 1, 0]));
    rig.works();
}

#[test]
fn jabber() {
    let (mut rig, left) = send_three("jabber@2");
    assert_eq!((left.last(), rig.counts()), (Some(&frame(300)), [0, 1, 0]));
    rig.works();
}

#[test]
fn sixteen_collisions() {
    let (mut rig, left) = send_three("max-collisions@2");
    assert_eq!((left, rig.counts()), (vec![frame(100), frame(300)], [0, 1, 0]));
    rig.works();
}

#[test]
fn transmit_errors_while_the_core_waits_with_interrupts_off() {
    for fault in ["tx-underrun@3*2", "jabber@3", "max-collisions@3*2"] {
        let mut rig = rig();
        rig.fault(fault);
        let mut sent = 0;
        for _ in 0..100 {
            rig.bus.sleep(1_000);
            sent += rig.send(&frame(1000)).is_ok() as u32;
        }
        assert!(sent > 80, "{fault}: {sent} sent");
        assert!(rig.counts()[1] > 0, "{fault}");
        rig.bus.sleep(50_000);
        rig.serve();
        rig.bus.sent(rig.slot);
        rig.works();
    }
}

#[test]
fn errors_one_after_the_other() {
    let mut rig = rig();
    rig.fault("max-collisions*3+tx-underrun@4*2+jabber@6");
    for _ in 0..12 {
        let _ = rig.send(&frame(400));
        rig.bus.sleep(600);
        rig.serve();
    }
    assert_eq!(rig.counts(), [0, 6, 0]);
    rig.bus.sent(rig.slot);
    rig.works();
}

/// Receives three frames, the second of which has the fault.
fn receive_three(fault: &str) -> (Rig, Vec<Vec<u8>>) {
    let mut rig = rig();
    let came = rig.receive_three(fault);
    (rig, came)
}

#[test]
fn a_receive_overrun() {
    let (mut rig, came) = receive_three("rx-overrun@2");
    assert_eq!((came, rig.counts()), (vec![frame(100), frame(300)], [0, 0, 1]));
    rig.works();
}

#[test]
fn a_wrong_check_sequence() {
    let (mut rig, came) = receive_three("rx-crc@2");
    assert_eq!((came, rig.counts()), (vec![frame(100), frame(300)], [1, 0, 0]));
    rig.works();
}

#[test]
fn bad_frames_between_good_ones() {
    let mut rig = rig();
    rig.fault("rx-crc@2*2+rx-overrun@5");
    for len in [60, 61, 62, 63, 64, 65] {
        rig.bus.receive(rig.slot, &frame(len));
        rig.bus.sleep(100);
    }
    assert_eq!(rig.serve(), [frame(60), frame(63), frame(65)]);
    assert_eq!(rig.counts(), [2, 0, 1]);
}

#[test]
fn adapter_failure() {
    let (mut rig, came) = receive_three("adapter-failure@2");
    assert_eq!(came.last(), Some(&frame(300)));
    let [errors_in, errors_out, lost] = rig.counts();
    assert_eq!((errors_in, errors_out), (0, 0));
    assert!(lost > 0);
    rig.works();
}

#[test]
fn the_cable_pulled_and_plugged_in_again() {
    let mut rig = rig();
    rig.pull(false);
    assert_eq!(rig.device.link(), Link::Down);
    for _ in 0..10 {
        let _ = rig.send(&frame(1000));
        rig.bus.sleep(2_000);
        rig.serve();
    }
    rig.pull(true);
    rig.bus.sleep(100_000);
    rig.serve();
    assert_eq!(rig.device.link(), Link::Up);
    rig.bus.sent(rig.slot);
    rig.works();
}

#[test]
fn a_command_that_never_ends() {
    let mut rig = rig();
    rig.fault("stuck-command");
    rig.bus.receive(rig.slot, &frame(100));
    rig.bus.sleep(200);
    let from = rig.bus.now_ns();
    assert_eq!(rig.serve(), [frame(100)], "and not again and again");
    for _ in 0..20 {
        let _ = rig.send(&frame(100));
        rig.serve();
    }
    assert!(rig.bus.now_ns() - from < 100_000_000, "{} ns", rig.bus.now_ns() - from);
}

#[test]
fn a_command_that_never_ends_at_the_start() {
    let bus = FakeBus::new();
    let (_, card) = plug(&bus, Options::new(MAC));
    let found = El3Probe::find(&bus, &ask(0)).unwrap();
    card.borrow_mut().chip().faults = Faults::parse("stuck-command").unwrap();
    let from = bus.now_ns();
    assert_eq!(El3Probe::start(bus.clone(), &found, &NO_RINGS).err(), Some(Fault::Dead));
    assert!(bus.now_ns() - from < 100_000_000);
}

#[test]
fn an_interrupt_that_gets_lost() {
    let mut rig = rig();
    rig.fault("lost-interrupt");
    assert!(rig.bus.receive(rig.slot, &frame(100)));
    rig.bus.sleep(1_000);
    assert!(!rig.bus.requested(10), "lost");
    // A client repeats a request without an answer.
    assert_eq!(rig.send(&frame(60)), Ok(()));
    rig.bus.sleep(1_000);
    assert_eq!(rig.serve(), [frame(100)]);
    rig.bus.sent(rig.slot);
    rig.works();
}

#[test]
fn a_card_that_vanishes() {
    let mut rig = rig();
    rig.works();
    rig.fault("vanish*0");
    let from = rig.bus.now_ns();
    let mut head: Head = [0; LOOKAHEAD];
    assert_eq!(rig.device.irq(), Events::NONE, "another card's, on a shared line");
    assert_eq!(rig.device.peek(&mut head), None);
    assert_eq!(rig.send(&frame(100)), Err(SendError::Busy));
    rig.device.link();
    rig.device.set_rcv_mode(compkt::device::RcvMode::Promiscuous, &[]);
    rig.device.stop();
    assert!(rig.bus.now_ns() - from < 10_000_000);
}
