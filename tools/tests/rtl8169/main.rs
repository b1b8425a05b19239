//! The drivers of RTL8169, 8168 and 8125 with our model, on every chip that it knows, with rings in XMS and below 1 MB.

mod faults;
mod found;
mod link;
mod rig;

use rig::*;

#[test]
fn frames_of_every_length_come_and_go() {
    for (part, deep) in all() {
        let mut rig = rig(part, deep);
        assert_eq!((rig.line, rig.device.link()), (IRQ, Link::Up), "{:X}h", part.xid);
        for len in (60..=1514).step_by(97).chain([61, 62, 63, 1513, 1514]) {
            let came = frame(len, len as u32);
            assert!(rig.arrive(&came), "{len}");
            assert_eq!(rig.serve(), [came], "{len}");
            let out = frame(len, !(len as u32));
            assert_eq!(rig.send(&out), Ok(()));
            rig.bus().sleep(FRAME_US);
            assert_eq!(rig.bus().sent(0), [out], "{len}");
        }
        assert!(!rig.bus().requested(IRQ), "a frame that was sent does not interrupt");
        assert!(rig.arrive(&frame_to([0xFF; 6], 60, 1)));
        assert!(!rig.arrive(&frame_to(PEER, 60, 1)));
        assert_eq!(rig.counts(), [0; 3]);
    }
}

#[test]
fn short_frames_are_padded() {
    for (part, deep) in all() {
        let mut rig = rig(part, deep);
        assert_eq!(rig.send(&frame(14, 1)), Ok(()));
        rig.bus().sleep(FRAME_US);
        let mut padded = frame(14, 1);
        padded.resize(60, 0);
        assert_eq!(rig.bus().sent(0), [padded]);
    }
}

/// A frame after each access of an interrupt's service, with a receiver that enables interrupts.
#[test]
fn a_frame_that_comes_at_any_moment_is_taken_or_announced() {
    let parts = [model::RTL8169SB, model::RTL8168H, model::RTL8125B];
    for (part, nested) in parts.into_iter().flat_map(|part| [(part, false), (part, true)]) {
        let mut accesses = 0;
        loop {
            accesses += 1;
            let mut rig = rig(part, true);
            let frames = [frame(60, 1), frame(99, 2)];
            let late = frames[1].clone();
            assert!(rig.arrive(&frames[0]));
            rig.bus().after(accesses, move |bus| {
                assert!(bus.receive(0, &late));
                bus.sleep(2);
            });
            let mut came = rig.served(nested);
            if rig.bus().awaits() {
                break;
            }
            rig.bus().sleep(FRAME_US);
            came.extend(rig.served(nested));
            assert_eq!(came, frames, "behind access {accesses}, nested {nested}");
        }
        assert!(accesses > 10);
    }
}

/// More frames than the ring and the FIFO hold: those in the ring and in the FIFO are received, the loss is counted, and the
/// receiver goes on.
#[test]
fn the_receiver_goes_on_after_more_frames_than_there_is_room_for() {
    for (part, deep) in all() {
        let mut rig = rig(part, deep);
        let took: Vec<u8> = (0..200).filter(|seed| rig.arrive(&frame(1514, *seed as u32))).collect();
        assert!(took.len() < 200, "{:X}h", part.xid);
        let mut came = Vec::new();
        for _ in 0..50 {
            came.extend(rig.serve().iter().map(|frame| frame[14]));
            rig.bus().sleep(FRAME_US);
        }
        let kept = if part.wedges { came.len() } else { took.len() };
        assert_eq!(came, took[..kept], "{:X}h", part.xid);
        assert!(came.len() >= if deep { 64 } else { 3 }, "{:X}h: {}", part.xid, came.len());
        assert!(rig.counts()[2] > 0, "{:X}h: the loss is counted", part.xid);
        rig.works();
    }
}

#[test]
fn multicasts_pass_by_their_hash() {
    const GROUPS: [MacAddr; 3] = [[1, 0, 0x5E, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 0xFB], [1, 0x80, 0xC2, 0, 0, 0x0E]];
    const OTHERS: [MacAddr; 2] = [[1, 0, 0x5E, 0, 0, 2], [1, 0, 0x5E, 0x7F, 0xFF, 0xFA]];
    // The hash filter of this 8168F does not work: all multicasts have to pass.
    let mut broken = model::RTL8168F;
    broken.xid = 0x480;
    for part in PARTS.into_iter().map(|(_, part)| part).chain([broken]) {
        let mut rig = rig(part, false);
        let mut passes = |mode, list: &[MacAddr], to| {
            rig.device.set_rcv_mode(mode, list);
            let came = rig.arrive(&frame_to(to, 60, 1));
            assert_eq!(rig.serve().len(), came as usize);
            came
        };
        for to in GROUPS {
            assert!(passes(RcvMode::Multicast, &GROUPS, to), "{:X}h", part.xid);
            assert!(passes(RcvMode::AllMulticast, &[], to) && !passes(RcvMode::Broadcast, &[], to));
        }
        for to in OTHERS {
            assert_eq!(passes(RcvMode::Multicast, &GROUPS, to), part.xid == 0x480, "{:X}h", part.xid);
        }
        assert!(passes(RcvMode::Promiscuous, &[], PEER) && !passes(RcvMode::AllMulticast, &[], PEER));
        assert!(!passes(RcvMode::Off, &[], MAC) && passes(RcvMode::Direct, &[], MAC));
        assert!(!passes(RcvMode::Direct, &[], [0xFF; 6]));
    }
}

#[test]
fn a_new_address_is_used() {
    for (part, deep) in all() {
        let mut rig = rig(part, deep);
        rig.device.set_address(&PEER);
        rig.device.set_rcv_mode(RcvMode::Direct, &[]);
        assert!(rig.arrive(&frame_to(PEER, 60, 1)) && !rig.arrive(&frame(60, 1)));
    }
}

#[test]
fn nothing_comes_after_a_stop_and_the_gate_is_open() {
    for (part, deep) in all() {
        let mut rig = rig(part, deep);
        assert!(rig.arrive(&frame(60, 1)));
        rig.device.stop();
        assert!(!rig.bus().line(IRQ));
        assert!(!rig.arrive(&frame(60, 2)));
        assert_eq!(rig.plugged.read(0xF0, 4) >> 19 & 1, 0, "a driver that comes next may not know of the gate");
    }
}
