//! The driver of PCH LAN with our model, on every part that it knows, with rings in XMS, below 1 MB, and behind ports.

mod faults;
mod found;
mod phy;
mod rig;

use rig::*;

#[test]
fn frames_of_every_length_come_and_go() {
    for (name, part, way) in all() {
        let mut rig = rig(name, part, way);
        assert_eq!((rig.line, rig.device.link()), (IRQ, Link::Up), "{name} {way:?}");
        for len in (60..=1514).step_by(97).chain([61, 62, 63, 1513, 1514]) {
            let came = frame(len, len as u32);
            assert!(rig.arrive(&came), "{name} {way:?}: {len}");
            assert_eq!(rig.serve(), [came], "{name} {way:?}: {len}");
            let out = frame(len, !(len as u32));
            assert_eq!(rig.send(&out), Ok(()), "{name} {way:?}: {len}");
            rig.bus().sleep(FRAME_US);
            assert_eq!(rig.bus().sent(0), [out], "{name} {way:?}: {len}");
        }
        assert!(!rig.bus().requested(IRQ), "a frame that was sent does not interrupt");
        assert!(rig.arrive(&frame_to([0xFF; 6], 60, 1)));
        assert!(!rig.arrive(&frame_to(PEER, 60, 1)));
        assert_eq!(rig.counts(), [0; 3]);
    }
}

#[test]
fn short_frames_are_padded() {
    for (name, part, way) in all() {
        let mut rig = rig(name, part, way);
        assert_eq!(rig.send(&frame(14, 1)), Ok(()));
        rig.bus().sleep(FRAME_US);
        let mut padded = frame(14, 1);
        padded.resize(60, 0);
        assert_eq!(rig.bus().sent(0), [padded], "{name} {way:?}");
    }
}

/// More frames than ring and FIFO hold: those are received, the loss is counted, and the receiver goes on.
#[test]
fn the_receiver_goes_on_after_more_frames_than_there_is_room_for() {
    for (name, part, way) in all() {
        let mut rig = rig(name, part, way);
        let took: Vec<u8> = (0..200).filter(|seed| rig.arrive(&frame(1514, *seed as u32))).collect();
        assert!(took.len() < 200, "{name} {way:?}");
        let mut came = Vec::new();
        for _ in 0..50 {
            came.extend(rig.serve().iter().map(|frame| frame[14]));
            rig.bus().sleep(FRAME_US);
        }
        assert_eq!(came, took, "{name} {way:?}");
        assert!(rig.counts()[2] > 0, "{name} {way:?}: the loss is counted");
        rig.works();
    }
}

/// The table has 32 groups of addresses, by the upper five bits of the last byte.
#[test]
fn multicasts_pass_by_their_last_byte() {
    const GROUPS: [MacAddr; 3] = [[1, 0, 0x5E, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 0xFB], [1, 0x80, 0xC2, 0, 0, 0x0E]];
    const OTHERS: [MacAddr; 2] = [[1, 0, 0x5E, 0, 0, 0x12], [1, 0, 0x5E, 0x7F, 0xFF, 0xE0]];
    for (name, part, way) in all() {
        let mut rig = rig(name, part, way);
        let mut passes = |mode, list: &[MacAddr], to| {
            rig.device.set_rcv_mode(mode, list);
            let came = rig.arrive(&frame_to(to, 60, 1));
            assert_eq!(rig.serve().len(), came as usize);
            came
        };
        for to in GROUPS {
            assert!(passes(RcvMode::Multicast, &GROUPS, to), "{name} {way:?}");
            assert!(passes(RcvMode::AllMulticast, &[], to) && !passes(RcvMode::Broadcast, &[], to));
        }
        for to in OTHERS {
            assert!(!passes(RcvMode::Multicast, &GROUPS, to), "{name} {way:?}");
        }
        assert!(passes(RcvMode::Promiscuous, &[], PEER) && !passes(RcvMode::AllMulticast, &[], PEER));
        assert!(!passes(RcvMode::Off, &[], MAC) && passes(RcvMode::Direct, &[], MAC));
        assert!(!passes(RcvMode::Direct, &[], [0xFF; 6]));
    }
}

#[test]
fn a_new_address_is_used_and_the_old_one_is_back_after_the_end() {
    for (name, part, way) in all() {
        let mut rig = rig(name, part, way);
        rig.device.set_address(&PEER);
        rig.device.set_rcv_mode(RcvMode::Direct, &[]);
        assert!(rig.arrive(&frame_to(PEER, 60, 1)) && !rig.arrive(&frame(60, 1)), "{name} {way:?}");
        rig.device.stop();
        assert_eq!(rig.plugged.get(0x5400), u32::from_le_bytes([MAC[0], MAC[1], MAC[2], MAC[3]]), "{name} {way:?}");
    }
}

/// Nothing comes after a stop. The engine is told that no driver is there, and an I219 holds no descriptors: the model hangs it
/// otherwise. Frames that wait for a link make it hold some.
#[test]
fn a_stop_leaves_a_quiet_part_that_starts_again() {
    for (name, part, way) in all() {
        for cable in [true, false] {
            let mut rig = rig(name, part, way);
            assert!(rig.plugged.get(0x18) & 1 << 28 != 0, "{name} {way:?}: a driver is loaded");
            assert!(rig.arrive(&frame(60, 1)));
            rig.plugged.cable(cable);
            if !cable {
                rig.serve();
                rig.fill();
            }
            rig.device.stop();
            assert!(!rig.bus().line(IRQ) && !rig.plugged.holds(), "{name} {way:?}");
            assert!(!rig.arrive(&frame(60, 2)));
            assert!(rig.plugged.get(0x18) & 1 << 28 == 0, "{name} {way:?}: no driver is loaded");
            rig.plugged.cable(true);
            rig.bus().sent(0);
            let (device, line) = rig.plugged.start(&rig.plugged.found()).expect("it starts again");
            (rig.device, rig.line) = (device, line);
            rig.device.unmask();
            rig.bus().sleep(LINK_US);
            rig.serve();
            rig.works();
        }
    }
}
