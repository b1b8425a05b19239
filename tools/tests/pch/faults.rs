//! The parts' own faults, one at a time: the driver works afterwards, or says that it cannot.

use crate::rig::*;

/// The longest time until a part is ready, of the machine's own.
const READY_NS: u64 = 500_000_000;

#[test]
fn a_part_works_however_an_earlier_driver_left_it() {
    for (name, part, way) in all() {
        for left in [Left::Interrupting, Left::Slow, Left::Holding] {
            for engine in [Engine::On, Engine::Off] {
                let plugged = plug_as(Options { left, engine, ..options(part, "") }, way, 0);
                assert_eq!(plugged.holds(), left == Left::Holding && !has_ports(part), "{name}");
                let mut rig = rig_of(name, Options { left, engine, ..options(part, "") }, way);
                rig.bus().sleep(LINK_US);
                rig.serve();
                assert_eq!(rig.line, IRQ, "{name} {way:?} {left:?} {engine:?}");
                rig.works();
            }
        }
    }
}

/// An earlier driver's receiver holds descriptors, which go by other thresholds.
#[test]
fn descriptors_that_the_receiver_holds_are_released_before_the_reset() {
    for (name, part, way) in all().filter(|(_, part, _)| !has_ports(*part)) {
        let mut rig = rig(name, part, way);
        rig.plugged.fault("held-descriptors");
        rig.plugged.put(0x100, 0);
        assert!(rig.plugged.holds(), "{name}");
        let (device, _) = rig.plugged.start(&rig.plugged.found()).expect("it starts");
        rig.device = device;
        rig.device.unmask();
        rig.bus().sleep(LINK_US);
        rig.serve();
        rig.works();
    }
}

/// The engine has the bus after each frame: a write then does not reach its register. Frames in both directions at once.
#[test]
fn no_write_gets_lost_while_the_engine_has_the_bus() {
    for way in [Way::Deep, Way::Shallow] {
        let mut rig = rig("pch-82579lm", model::I82579LM, way);
        for seed in 0..200 {
            assert!(rig.bus().receive(0, &frame(60, seed)));
            rig.bus().sleep(2);
            assert_eq!(rig.send(&frame(60, !seed)), Ok(()), "{way:?} {seed}");
            rig.bus().sleep(2);
            let came = rig.serve();
            assert_eq!(came, [frame(60, seed)], "{way:?} {seed}");
            rig.bus().sleep(FRAME_US);
            assert_eq!(rig.bus().sent(0), [frame(60, !seed)], "{way:?} {seed}");
        }
    }
}

/// The arbiter loses a write though the bus was free: at load, of a frame to send, of the receive ring's last tails.
#[test]
fn writes_that_get_lost_do_not_stop_the_rings() {
    for way in [Way::Deep, Way::Shallow] {
        for at in 1..8 {
            let name = "pch-82579lm";
            let mut rig = rig_of(name, options(model::I82579LM, &format!("lost-write@{at}")), way);
            rig.bus().sleep(LINK_US);
            rig.serve();
            rig.plugged.fault("");
            rig.works();
        }
        let mut rig = rig("pch-82579lm", model::I82579LM, way);
        rig.plugged.fault("lost-write*0");
        for seed in 0..100 {
            rig.arrive(&frame(1514, seed));
            rig.serve();
        }
        rig.plugged.fault("");
        // The FIFO is full of what came without a descriptor; its overflow interrupts.
        let mut came = 0;
        for seed in 0..10 {
            rig.arrive(&frame(1514, seed));
            came += rig.serve().len();
        }
        assert!(came > 10, "{way:?}: {came} frames");
        rig.works();
    }
}

#[test]
fn a_frame_whose_doorbell_is_lost_goes_with_the_next_one() {
    for (name, part, way) in all() {
        let mut rig = rig(name, part, way);
        let frames = [frame(60, 1), frame(70, 2)];
        rig.plugged.fault("lost-doorbell");
        assert_eq!(rig.send(&frames[0]), Ok(()));
        rig.bus().sleep(FRAME_US);
        assert!(rig.bus().sent(0).is_empty());
        rig.ticks(10);
        // A transmitter with one buffer is restarted, and the first frame is lost.
        assert_eq!(rig.send(&frames[1]), Ok(()), "{name} {way:?}");
        rig.bus().sleep(FRAME_US);
        let sent = rig.bus().sent(0);
        assert_eq!(sent.last(), Some(&frames[1]), "{name} {way:?}");
        rig.works();
        rig.device.stop();
        assert!(!rig.plugged.holds(), "{name} {way:?}");
    }
}

#[test]
fn frames_with_errors_are_counted_and_others_come() {
    for (name, part, way) in all() {
        let mut rig = rig(name, part, way);
        rig.plugged.fault("rx-crc@2");
        for seed in 1..4 {
            rig.arrive(&frame(100, seed));
            let right = if seed == 2 { Vec::new() } else { vec![frame(100, seed)] };
            assert_eq!(rig.serve(), right, "{name} {way:?}");
        }
        rig.device.link();
        assert_eq!(rig.counts(), [1, 0, 0], "{name} {way:?}");
        rig.plugged.fault("max-collisions");
        assert_eq!(rig.send(&frame(100, 1)), Ok(()));
        rig.bus().sleep(FRAME_US);
        (0..4).for_each(|_| rig.works());
        assert_eq!(rig.counts()[1], 1, "{name} {way:?}");
    }
}

/// The interrupt never comes: polling empties the ring.
#[test]
fn a_lost_interrupt_is_made_good_by_a_poll() {
    for (name, part, way) in all() {
        let mut rig = rig(name, part, way);
        rig.plugged.fault("lost-interrupt");
        assert!(rig.arrive(&frame(60, 1)));
        assert!(rig.serve().is_empty(), "{name} {way:?}");
        assert_ne!(rig.device.irq(), Events::NONE, "{name} {way:?}");
        assert_eq!(rig.take(), Some(frame(60, 1)), "{name} {way:?}");
        rig.device.unmask();
        rig.works();
    }
}

/// The reset does not end, PHY or firmware do not answer, no write of a tail arrives. `start` ends in each case, in time.
#[test]
fn start_ends_in_time_whatever_does_not_answer() {
    for (name, part, way) in all() {
        for (faults, dead) in [("", false), ("stuck-command*0", true), ("stuck-semaphore*0", false), ("stuck-phy*0", false), ("lost-write*0", true)] {
            for engine in [Engine::On, Engine::Off, Engine::Blocking] {
                let plugged = plug_as(Options { engine, negotiation: 5_000_000_000, ..options(part, faults) }, way, 0);
                let found = plugged.found();
                let begun = plugged.bus.now_ns();
                let fault = plugged.start(&found).err();
                let ns = plugged.bus.now_ns() - begun;
                assert_eq!(fault, dead.then_some(Fault::Dead), "{name} {way:?} {faults} {engine:?}");
                assert!(ns < READY_NS, "{name} {way:?} {faults} {engine:?}: {} ms", ns / 1_000_000);
            }
        }
    }
}

#[test]
fn a_part_that_vanishes_gives_nothing() {
    for (name, part, way) in all() {
        let mut rig = rig(name, part, way);
        rig.arrive(&frame(60, 1));
        rig.plugged.fault("vanish");
        assert_eq!(rig.device.irq(), Events::NONE, "{name} {way:?}");
        rig.fill();
        rig.device.set_rcv_mode(RcvMode::Promiscuous, &[]);
        rig.device.stop();
        let plugged = plug_as(options(part, "vanish"), Way::Deep, 0);
        assert_eq!(plugged.find().err(), Some(Fault::Dead), "{name}");
    }
}

/// The transmitter is restarted after writes of its tail were lost, and the restart's own write may get lost, too: no old
/// descriptor is sent with a new frame's bytes.
#[test]
fn a_restart_whose_tail_is_lost_sends_no_old_descriptors() {
    for way in [Way::Deep, Way::Shallow] {
        let mut rig = rig("pch-82579lm", model::I82579LM, way);
        let mut given = Vec::new();
        for seed in 0..3 {
            given.push(frame(200 + seed as usize, seed));
            assert_eq!(rig.send(&given[seed as usize]), Ok(()));
            rig.bus().sleep(FRAME_US);
        }
        rig.plugged.fault("lost-write*0");
        given.extend(rig.fill());
        rig.ticks(10);
        given.push(frame(1000, 99));
        assert_eq!(rig.send(&given[given.len() - 1]), Ok(()), "{way:?}: it was restarted");
        rig.bus().sleep(FRAME_US);
        rig.plugged.fault("");
        rig.ticks(10);
        given.push(frame(700, 100));
        assert_eq!(rig.send(&given[given.len() - 1]), Ok(()), "{way:?}");
        rig.bus().sleep(FRAME_US);
        let sent = rig.bus().sent(0);
        assert!(sent.iter().all(|frame| given.contains(frame)), "{way:?}: a frame that nobody has sent");
        assert_eq!(sent.last(), given.last(), "{way:?}");
        rig.works();
    }
}
