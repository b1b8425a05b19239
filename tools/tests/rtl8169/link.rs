//! The link: how an earlier driver left the PHY, negotiation, and a cable that is pulled.

use crate::rig::*;

/// The 8168C reports changes of its link without end: it does not interrupt for them.
#[test]
fn a_change_of_the_link_interrupts_but_on_the_8168c() {
    for (part, deep) in all() {
        let mut rig = rig(part, deep);
        for (plugged, link) in [(false, Link::Down), (true, Link::Up)] {
            rig.plugged.cable(plugged);
            rig.bus().sleep(3_000);
            assert_eq!(rig.device.link(), link, "{:X}h", part.xid);
            assert_eq!(rig.bus().take(IRQ), part.xid != 0x3C2, "{:X}h", part.xid);
            if part.xid != 0x3C2 {
                assert_eq!(rig.device.irq(), Events(Events::RX.0 | Events::LINK.0));
                assert_eq!(rig.device.peek(&mut [0; 24]), None);
                rig.device.unmask();
                assert!(!rig.bus().line(IRQ));
            }
        }
        rig.works();
    }
}

/// `start` does not wait for the link. Frames that fit into the ring wait there; more are refused without a reset of the card,
/// however long that takes. All come out in their order when the link is up.
#[test]
fn a_client_that_sends_while_the_link_negotiates_loses_nothing_that_was_taken() {
    for (part, deep) in all() {
        let mut rig = rig_of(Options { negotiation: 3_000_000_000, ..options(part, "") }, deep);
        assert!(rig.bus().now_ns() < 100_000_000, "{:X}h: ready after {} ns", part.xid, rig.bus().now_ns());
        assert_eq!(rig.device.link(), Link::Down);
        let frames = rig.fill();
        assert_eq!(frames.len(), if deep { 4 } else { 1 });
        for _ in 0..5 {
            rig.ticks(11);
            assert_eq!(rig.send(&frame(60, 99)), Err(SendError::Busy));
            assert!(!rig.bus().requested(IRQ), "{:X}h: no reset is asked for", part.xid);
        }
        let until = 3_010_000_000 + rig.bus().now_ns();
        // Nothing happens on the way: the model is asked when it wants to be.
        while rig.bus().now_ns() < until && rig.device.link() == Link::Down {
            rig.bus().sleep(1_000);
        }
        rig.bus().sleep(1_000);
        rig.serve();
        assert_eq!(rig.bus().sent(0), frames, "{:X}h", part.xid);
        rig.works();
    }
}

/// Frames for which there was room while the cable was out go out when it is in again.
#[test]
fn a_pulled_cable_does_not_count_as_a_transmitter_that_hangs() {
    for (part, deep) in all() {
        let mut rig = rig(part, deep);
        rig.plugged.cable(false);
        rig.serve();
        let frames = rig.fill();
        rig.ticks(30);
        assert_eq!(rig.send(&frame(60, 99)), Err(SendError::Busy));
        assert!(!rig.bus().requested(IRQ), "{:X}h: no reset is asked for", part.xid);
        rig.plugged.cable(true);
        rig.bus().sleep(3_000);
        assert_eq!(rig.bus().sent(0), frames, "{:X}h", part.xid);
        rig.serve();
        rig.works();
    }
}

/// The PHY's registers, by the way of this chip.
fn phy(plugged: &Plugged, register: u32, value: u32) {
    let by_ocp = plugged.part.generation >= Generation::Third;
    let (at, word) = if by_ocp { (0xB8, (0xA400 + 2 * register) << 15) } else { (0x60, register << 16) };
    plugged.out(at, 4, 1 << 31 | word | value);
    plugged.bus.sleep(200);
}

/// A PHY that is off, isolated, without negotiation, or that offers less than it can: it negotiates everything.
#[test]
fn a_phy_that_another_driver_has_restricted_negotiates_again() {
    for (_, part) in PARTS {
        for words in [&[(0, 0x1940)][..], &[(0, 0x1540)], &[(0, 0x2100)], &[(4, 0x0061), (0, 0x1200)], &[(9, 0), (0, 0x1200)]] {
            let plugged = plug(options(part, ""));
            words.iter().for_each(|(register, value)| phy(&plugged, *register, *value));
            if is_new(part) {
                plugged.out(0xB8, 4, 1 << 31 | 0xA5D4 << 15);
                plugged.bus.sleep(200);
            }
            let found = plugged.find().unwrap();
            let (mut device, _) = plugged.start(&found, true).unwrap();
            plugged.bus.sleep(3_000);
            assert_eq!(device.link(), Link::Up, "{:X}h {words:?}", part.xid);
            let speed = match part.speed {
                2500 => 0x400,
                1000 => 0x10,
                _ => 0x08,
            };
            assert_eq!(plugged.read(0x6C, 2) & 0x41C, speed, "{:X}h {words:?}", part.xid);
        }
    }
}

/// The PCI Express link's power saving, with which some chips lose transmissions.
#[test]
fn power_saving_of_the_bus_is_off() {
    for (_, part) in PARTS {
        let plugged = plug(options(part, ""));
        let found = plugged.find().unwrap();
        let before = plugged.power_saving();
        plugged.start(&found, true).unwrap();
        let express = part.generation != Generation::Pci;
        assert_eq!([before, plugged.power_saving()], if express { [Some(3), Some(0)] } else { [None; 2] }, "{:X}h", part.xid);
        if express {
            plugged.bus.with_env(0, |env| assert_eq!(plugged.card.borrow_mut().read(env, 0x56, 1) & 1, 0, "Config5"));
        }
    }
}

/// A link that is up stays up: no time is lost to a second negotiation.
#[test]
fn a_link_that_is_up_is_not_interrupted() {
    for (_, part) in PARTS.into_iter().filter(|(_, part)| !part.dozes) {
        let plugged = plug(options(part, ""));
        plugged.bus.sleep(3_000);
        let found = plugged.find().unwrap();
        let (mut device, _) = plugged.start(&found, true).unwrap();
        assert_eq!(device.link(), Link::Up, "{:X}h", part.xid);
    }
}
