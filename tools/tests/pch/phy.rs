//! Firmware and PHY: ultra low power, slow links, K1, and what goes by the link's speed.

use crate::rig::*;

/// Ultra low power ends by the engine, without it, and the driver starts if the engine forbids all that would help.
#[test]
fn ultra_low_power_ends_with_the_engine_and_without() {
    for (name, part, way) in all().filter(|(_, part, _)| part.ulp) {
        for engine in [Engine::On, Engine::Off] {
            let mut rig = rig_of(name, Options { engine, ..options(part, "") }, way);
            rig.bus().sleep(LINK_US);
            rig.serve();
            assert_eq!(rig.device.link(), Link::Up, "{name} {way:?} {engine:?}");
            rig.works();
        }
    }
}

/// The engine is given back the PHY's wires, and its semaphore.
#[test]
fn the_semaphore_is_free_after_the_start() {
    for (name, part, way) in all() {
        for engine in [Engine::On, Engine::Off, Engine::Blocking] {
            let rig = rig_of(name, Options { engine, ..options(part, "") }, way);
            assert_eq!(rig.plugged.get(0xF00) & 0x20, 0, "{name} {way:?} {engine:?}");
            assert_eq!(rig.plugged.get(0x18) & 1 << 11, 0, "{name} {way:?} {engine:?}: SMBus");
        }
    }
}

/// An operating system that shut down has limited the PHY to 10 Mb/s; without that the link is not interrupted.
#[test]
fn a_slow_link_gets_fast_and_a_fast_one_is_left_alone() {
    for (name, part, way) in all() {
        let rig = rig_of(name, Options { left: Left::Slow, asleep: false, ..options(part, "") }, way);
        rig.bus().sleep(LINK_US);
        assert_eq!(rig.plugged.get(8) & 0xC2, 0x82, "{name} {way:?}: a gigabit");
        let plugged = plug_as(Options { asleep: false, ..options(part, "") }, way, 0);
        plugged.bus.sleep(LINK_US);
        plugged.start(&plugged.found()).expect("it starts");
        assert_eq!(plugged.phy(None, 1, None) & 4, 0, "{name} {way:?}: a bit that latches has not been read yet");
        assert_eq!(plugged.phy(None, 1, None) & 4, 4, "{name} {way:?}");
        let lost = rig_after(&plugged);
        assert!(!lost, "{name} {way:?}: the link was interrupted");
    }
}

/// Whether the link is down.
fn rig_after(plugged: &Plugged) -> bool {
    plugged.get(8) & 2 == 0
}

/// K1 is a power saving of the wires to the PHY. With it a model of the 82577 loses each 16th frame.
#[test]
fn k1_is_off_on_the_82577_and_the_82579() {
    for way in [Way::Deep, Way::Confined] {
        let options = Options { k1_loses: true, ..options(model::I82577LM, "") };
        let mut rig = rig_of("pch-82577lm", options, way);
        rig.bus().sleep(LINK_US);
        rig.serve();
        for seed in 0..40 {
            assert!(rig.arrive(&frame(60, seed)), "{way:?}: frame {seed}");
            assert_eq!(rig.serve(), [frame(60, seed)]);
        }
        assert_eq!(rig.plugged.phy(Some(770), 19, None), 0x100);
        let rig = crate::rig::rig("pch-82579lm", model::I82579LM, way);
        assert_eq!(rig.plugged.phy(Some(770), 17, None) & 0x4000, 0);
    }
}

/// What is between frames goes by the speed at load.
#[test]
fn gaps_go_by_the_speed() {
    for (name, part) in PARTS {
        let new = !has_ports(part);
        for (advertise, usual) in [(0x200, true), (0, false)] {
            let plugged = plug_as(Options { asleep: false, ..options(part, "") }, Way::Deep, 0);
            plugged.phy(None, 9, Some(advertise));
            plugged.phy(None, 0, Some(0x1340));
            plugged.bus.sleep(LINK_US);
            plugged.start(&plugged.found()).expect("it starts");
            assert_eq!(plugged.get(8) & 0xC2, if usual { 0x82 } else { 0x42 }, "{name}");
            assert_eq!(plugged.get(0x410) & 0x3FF, if new && !usual { 0x0C } else { 0x08 }, "{name}");
            if new {
                let gap = plugged.phy(Some(776), 20, None);
                assert_eq!(gap, if usual { 0x18 << 2 } else { 0xC023 }, "{name}");
            }
        }
    }
}
