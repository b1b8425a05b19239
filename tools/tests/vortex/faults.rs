//! Each fault alone, on every card: it works afterwards, and the loss is counted.

use crate::rig::*;
use compkt::device::Link;

/// Sends three frames, the second of which has the fault; returns sent frames.
fn send_three(part: Part, fault: &str) -> (Rig, Vec<Vec<u8>>) {
    let mut rig = rig(part);
    rig.fault(fault);
    let mut left = Vec::new();
    for len in [100, 200, 300] {
        assert_eq!(rig.send(&frame(len)), Ok(()));
        rig.bus.sleep(1_000);
        rig.serve();
        rig.bus.sleep(1_000);
        left.extend(rig.bus.sent(rig.slot));
    }
    (rig, left)
}

#[test]
fn transmit_errors() {
    for part in PARTS {
        for fault in ["tx-underrun@2", "jabber@2", "max-collisions@2"] {
            let (mut rig, left) = send_three(part, fault);
            assert_eq!((left.last(), rig.counts()), (Some(&frame(300)), [0, 1, 0]), "{part:?} {fault}");
            rig.works();
        }
    }
}

#[test]
fn transmit_errors_under_load() {
    for part in PARTS {
        let mut rig = rig(part);
        rig.fault("max-collisions@2*3+tx-underrun@7*2+jabber@11");
        for _ in 0..60 {
            let _ = rig.send(&frame(400));
            rig.bus.sleep(150);
            rig.serve();
        }
        rig.bus.sleep(50_000);
        rig.serve();
        assert_eq!(rig.counts(), [0, 6, 0], "{part:?}");
        rig.bus.sent(rig.slot);
        rig.works();
    }
}

#[test]
fn transmit_errors_while_the_core_waits_with_interrupts_off() {
    for part in PARTS {
        for fault in ["tx-underrun@3*2", "jabber@3", "max-collisions@3*2"] {
            let mut rig = rig(part);
            rig.fault(fault);
            let sent = (0..400).filter(|_| {
                rig.bus.sleep(200);
                rig.send(&frame(1000)).is_ok()
            });
            assert!(sent.count() > 80, "{part:?} {fault}");
            assert!(rig.counts()[1] > 0, "{part:?} {fault}");
            rig.bus.sleep(50_000);
            rig.serve();
            rig.bus.sent(rig.slot);
            rig.works();
        }
    }
}

/// Receives three frames, the second of which has the fault.
fn receive_three(part: Part, fault: &str) -> (Rig, Vec<Vec<u8>>) {
    let mut rig = rig(part);
    let came = rig.receive_three(fault);
    (rig, came)
}

#[test]
fn receive_errors() {
    for part in PARTS {
        for (fault, counts) in [("rx-overrun@2", [0, 0, 1]), ("rx-crc@2", [1, 0, 0])] {
            let (mut rig, came) = receive_three(part, fault);
            assert_eq!((came, rig.counts()), (vec![frame(100), frame(300)], counts), "{part:?} {fault}");
            rig.works();
        }
    }
}

#[test]
fn adapter_failure() {
    for part in PARTS {
        let (mut rig, came) = receive_three(part, "adapter-failure@2");
        assert_eq!(came.last(), Some(&frame(300)), "{part:?}");
        assert!(rig.counts()[2] > 0, "{part:?}");
        rig.works();
    }
}

#[test]
fn the_cable_pulled_and_plugged_in_again() {
    for part in PARTS {
        let mut rig = rig(part);
        rig.pull(false);
        assert_eq!(rig.device.link(), Link::Down);
        for _ in 0..20 {
            let _ = rig.send(&frame(1000));
            rig.bus.sleep(2_000);
            rig.serve();
        }
        rig.pull(true);
        rig.bus.sleep(3_000_000);
        rig.serve();
        rig.bus.sent(rig.slot);
        rig.works();
    }
}

#[test]
fn a_command_that_never_ends() {
    for part in PARTS {
        let mut rig = rig(part);
        rig.fault("stuck-command");
        rig.bus.receive(rig.slot, &frame(100));
        rig.bus.sleep(200);
        let from = rig.bus.now_ns();
        for _ in 0..20 {
            let came = rig.serve();
            assert!(came.is_empty() || came == [frame(100)]);
            let _ = rig.send(&frame(100));
        }
        assert!(rig.bus.now_ns() - from < 100_000_000, "{part:?}: {} ns", rig.bus.now_ns() - from);
        assert!(rig.send(&frame(100)).is_err() && rig.counts()[2] > 0, "{part:?}");
        let (bus, _, card) = plug(part, "");
        let found = find(&bus, part).unwrap();
        card.borrow_mut().chip().faults = Faults::parse("stuck-command").unwrap();
        let from = bus.now_ns();
        assert_eq!(start(&bus, part, &found, true).err(), Some(Fault::Dead), "{part:?}");
        assert!(bus.now_ns() - from < 100_000_000);
    }
}

#[test]
fn an_interrupt_that_gets_lost() {
    for part in PARTS {
        let mut rig = rig(part);
        rig.fault("lost-interrupt");
        assert!(rig.bus.receive(rig.slot, &frame(100)));
        rig.bus.sleep(1_000);
        assert!(!rig.bus.line(IRQ), "lost");
        // A client repeats a request without an answer.
        assert_eq!(rig.send(&frame(60)), Ok(()));
        rig.bus.sleep(1_000);
        assert_eq!(rig.serve(), [frame(100)], "{part:?}");
        rig.bus.sent(rig.slot);
        rig.works();
    }
}

#[test]
fn a_card_that_vanishes() {
    for part in PARTS {
        let mut rig = rig(part);
        rig.works();
        rig.fault("vanish*0");
        let from = rig.bus.now_ns();
        let mut head: Head = [0; LOOKAHEAD];
        assert_eq!(rig.device.irq(), Events::NONE, "another card's, on a shared line");
        assert_eq!(rig.device.peek(&mut head), None);
        assert_eq!(rig.send(&frame(100)), Err(SendError::Busy));
        assert_ne!(rig.device.link(), Link::Up);
        rig.device.stop();
        assert!(rig.bus.now_ns() - from < 50_000_000);
        assert_eq!(find(&rig.bus, part), Err(Fault::Dead));
    }
}

#[test]
fn an_eeprom_with_a_wrong_checksum() {
    for part in PARTS {
        let (bus, ..) = plug(part, "bad-checksum");
        // The place of the C's checksum is not known.
        let wanted = if part.device >= 0x9200 { None } else { Some(Fault::Eeprom) };
        assert_eq!(find(&bus, part).err(), wanted, "{part:?}");
    }
}

#[test]
fn two_buffers_each_way_do_in_v86_mode() {
    for part in &PARTS[2..] {
        let mut rig = rig_of(*part, false);
        assert_eq!(rig.found.rings_low as u32, shallow());
        for _ in 0..5 {
            rig.works();
        }
        rig.fault("tx-underrun@2+rx-overrun@3+rx-crc@5");
        for _ in 0..9 {
            let _ = rig.send(&frame(100));
            rig.bus.receive(rig.slot, &frame(200));
            rig.bus.sleep(1_000);
            rig.serve();
        }
        assert_eq!(rig.counts(), [1, 1, 1]);
        rig.bus.sent(rig.slot);
        rig.works();
    }
}

#[test]
fn a_line_that_is_dead_or_another_one() {
    for part in PARTS {
        for (named, fault, line) in [(IRQ, "", IRQ), (5, "", IRQ), (IRQ, "lost-interrupt*0", 0), (IRQ, "lost-interrupt", IRQ)] {
            let (bus, _, _) = plug(part, fault);
            let found = Found { irq: named, ..find(&bus, part).expect("the card is there") };
            assert_eq!(crate::rig::line(&bus, part, &found), line, "{part:?}: {named} {fault}");
            assert!(!bus.line(IRQ) && bus.masks() == 0xFFF8, "nothing of the test is left");
        }
    }
}
