//! The chips' own faults, one at a time: the driver works afterwards, or says that it cannot.

use crate::rig::*;

/// Every chip begins with its causes pending; with firmware that has the FIFO and a closed gate; and in worse states.
#[test]
fn a_card_works_however_an_earlier_driver_left_it() {
    for (_, part) in PARTS {
        for left in [Left::Interrupting, Left::Redirected, Left::Asleep] {
            let mut rig = rig_of(Options { left, ..options(part, "") }, true);
            rig.bus().sleep(3_000);
            rig.serve();
            assert_eq!(rig.line, IRQ, "{:X}h {left:?}", part.xid);
            rig.works();
        }
    }
}

/// From the 8168G on firmware leaves the gate before the receiver closed, and the FIFO in its own hands. Without the driver
/// nothing comes in; the driver opens the gate, also when it was closed once more by another driver's stop.
#[test]
fn a_gate_that_firmware_or_another_driver_left_closed_is_opened() {
    let closed = |plugged: &Plugged| plugged.read(0xF0, 4) >> 19 & 1 != 0;
    for (part, deep) in all().filter(|(part, _)| part.generation >= Generation::Third) {
        let plugged = plug(options(part, ""));
        assert!(closed(&plugged) && plugged.read(0xD3, 1) & 0x80 != 0, "{:X}h: firmware has the FIFO", part.xid);
        let mut rig = rig(part, deep);
        assert!(!closed(&rig.plugged), "{:X}h", part.xid);
        rig.works();
        rig.device.stop();
        rig.plugged.out(0xF0, 4, rig.plugged.read(0xF0, 4) | 1 << 19);
        assert!(!rig.arrive(&frame(60, 1)), "{:X}h", part.xid);
        let found = rig.plugged.find().unwrap();
        let (device, _) = rig.plugged.start(&found, deep).unwrap();
        rig.device = device;
        rig.device.unmask();
        rig.bus().sleep(3_000);
        rig.serve();
        assert!(!closed(&rig.plugged), "{:X}h", part.xid);
        rig.works();
    }
}

#[test]
fn a_doorbell_that_was_lost_is_rung_again() {
    for (part, deep) in all() {
        let mut rig = rig(part, deep);
        let frames = [frame(60, 1), frame(70, 2)];
        rig.plugged.fault("lost-doorbell");
        assert_eq!(rig.send(&frames[0]), Ok(()));
        rig.bus().sleep(FRAME_US);
        assert!(rig.bus().sent(0).is_empty());
        // At the next interrupt.
        assert!(rig.arrive(&frame(60, 3)));
        assert_eq!(rig.serve().len(), 1);
        rig.bus().sleep(FRAME_US);
        assert_eq!(rig.bus().sent(0), frames[..1]);
        // And while there is no room.
        rig.plugged.fault("lost-doorbell*4");
        let filled = rig.fill();
        rig.plugged.fault("");
        assert_eq!(rig.send(&frames[0]), Err(SendError::Busy));
        rig.bus().sleep(FRAME_US);
        assert_eq!(rig.bus().sent(0), filled, "{:X}h", part.xid);
        rig.works();
    }
}

#[test]
fn a_transmitter_that_hangs_is_restarted() {
    for (part, deep) in all() {
        for fault in ["stays-owned", "dma-hang"] {
            let mut rig = rig(part, deep);
            rig.plugged.fault(fault);
            let frames = rig.fill();
            rig.bus().sleep(FRAME_US);
            rig.bus().sent(0);
            assert_eq!(rig.send(&frame(60, 99)), Err(SendError::Busy));
            assert!(rig.serve().is_empty() && rig.bus().sent(0).is_empty(), "half a second has not passed");
            rig.ticks(10);
            assert_eq!(rig.send(&frame(60, 99)), Err(SendError::Busy));
            assert!(rig.bus().line(IRQ), "it interrupts, for the reset");
            assert!(rig.serve().is_empty());
            rig.bus().sleep(5_000);
            rig.serve();
            assert_eq!(rig.bus().sent(0), frames, "{:X}h {fault}", part.xid);
            rig.works();
        }
    }
}

/// The 8168B's receiver stops. Frames that came before are not lost, and no other chip is reset.
#[test]
fn a_receiver_that_stops_behind_an_overflow_of_its_fifo_is_restarted() {
    for (part, deep) in all() {
        let mut rig = rig(part, deep);
        let frames = [frame(60, 1), frame(1514, 2)];
        assert!(rig.arrive(&frames[0]) && rig.arrive(&frames[1]));
        rig.plugged.fault("rx-overrun");
        assert!(!rig.arrive(&frame(77, 3)));
        // A reset would forget it; nothing else does.
        rig.plugged.out(0x44, 4, rig.plugged.read(0x44, 4) | 1);
        assert_eq!(rig.serve(), frames, "{:X}h", part.xid);
        assert_eq!(rig.counts(), [0, 0, 1]);
        let promiscuous = rig.plugged.read(0x44, 4) & 1;
        rig.device.set_rcv_mode(RcvMode::Broadcast, &[]);
        assert_eq!(promiscuous, 1, "a restart keeps the filter");
        rig.works();
    }
}

#[test]
fn frames_with_errors_are_counted_and_others_come() {
    for (part, deep) in all() {
        let mut rig = rig(part, deep);
        rig.plugged.fault("rx-crc@2");
        for seed in 1..4 {
            rig.arrive(&frame(100, seed));
        }
        assert_eq!(rig.serve(), [frame(100, 1), frame(100, 3)], "{:X}h", part.xid);
        assert_eq!(rig.counts(), [1, 0, 0], "{:X}h", part.xid);
        rig.plugged.fault("max-collisions");
        assert_eq!(rig.send(&frame(100, 1)), Ok(()));
        rig.bus().sleep(FRAME_US);
        rig.works();
        assert_eq!(rig.counts()[1], 1, "{:X}h", part.xid);
    }
}

/// Other faults of the chip at load: the reset does not end, or PHY or firmware do not answer. `start` ends in each case.
#[test]
fn start_ends_whatever_does_not_answer() {
    for (part, deep) in all() {
        let plugged = plug(options(part, "stuck-command*0"));
        let found = plugged.find().unwrap();
        assert_eq!(plugged.start(&found, deep).err(), Some(Fault::Dead), "{:X}h", part.xid);
        assert!(plugged.bus.now_ns() < 500_000_000, "{:X}h", part.xid);
        for fault in ["stuck-phy*0", "stuck-fifo*0"] {
            let plugged = plug(options(part, fault));
            // The PHY negotiates by itself.
            let found = plugged.find().unwrap();
            assert!(plugged.start(&found, deep).is_ok(), "{:X}h {fault}", part.xid);
            assert!(plugged.bus.now_ns() < 500_000_000, "{:X}h {fault}", part.xid);
        }
    }
}

/// The card is pulled at any access of the probe: it says so or starts, and never waits for long.
#[test]
fn a_card_that_vanishes_at_load_is_dead_at_once() {
    for part in [model::RTL8169SC, model::RTL8168F, model::RTL8168H, model::RTL8125B] {
        let mut dead = 0;
        for access in (1..).step_by(3) {
            let plugged = plug(options(part, &format!("vanish@{access}")));
            let started = plugged.find().and_then(|found| plugged.start(&found, true));
            assert!(plugged.bus.now_ns() < 500_000_000, "{:X}h, at access {access}", part.xid);
            match started {
                Err(_) => dead += 1,
                Ok(_) if plugged.card.borrow().faults.planned(models::faults::Kind::Vanish) => break,
                Ok(_) => {}
            }
        }
        assert!(dead > 10, "{:X}h: {dead}", part.xid);
    }
}

/// The card is gone: no interrupt is its, nothing comes, nothing goes, and it can be stopped.
#[test]
fn a_card_that_vanishes_gives_nothing() {
    for (part, deep) in all() {
        let mut rig = rig(part, deep);
        assert!(rig.arrive(&frame(60, 1)));
        rig.plugged.fault("vanish");
        assert_eq!(rig.device.irq(), Events::NONE, "{:X}h", part.xid);
        rig.fill();
        for _ in 0..5 {
            rig.ticks(10);
            assert_eq!(rig.send(&frame(60, 99)), Err(SendError::Busy));
            assert!(rig.serve().is_empty());
        }
        assert!(rig.bus().sent(0).is_empty());
        rig.device.stop();
        assert!(!rig.bus().line(IRQ));
    }
}

/// An interrupt that does not arrive: the next poll by the timer finds the frame, and later frames interrupt again.
#[test]
fn a_lost_interrupt_is_made_good_by_a_poll() {
    for (part, deep) in all() {
        let mut rig = rig(part, deep);
        rig.plugged.fault("lost-interrupt");
        assert!(rig.arrive(&frame(60, 1)));
        assert!(!rig.bus().requested(IRQ));
        assert_ne!(rig.device.irq(), Events::NONE);
        let mut head = [0; 24];
        let rx = rig.device.peek(&mut head).expect("the frame");
        rig.device.discard(rx);
        rig.device.unmask();
        rig.works();
    }
}
