//! Frames, interrupts, the link, and faults.

use super::*;
use models::tg3::{BCM5720, BCM5751, BCM5787, BCM5906, PARTS};
use world::frame;

/// A frame that comes in is in buffer `index`, with the check sequence behind it.
fn arrives(rig: &mut Rig<Tg3>, index: u32, len: usize) {
    let data = frame(MAC, len);
    rig.card.receive(&mut rig.world, &data);
    rig.sleep(200);
    let at = RETURN + 32 * index;
    assert_eq!(rig.get32(at + 8), (index % ENTRIES) << 16 | (len as u32 + 4), "index and length");
    assert_eq!((rig.get32(at + 12) & 0x0404, rig.get32(at + 28)), (4, 0xABC0 + index));
    assert_eq!(rig.world.memory[(CAME + ROOM * (index % BUFFERS)) as usize..][..len], data);
}

#[test]
fn every_chip_sends_and_receives_and_says_so() {
    for (name, part) in PARTS {
        for tags in [0, TAGS] {
            let mut rig = ready_tagged(part, "", tags);
            assert!(!rig.world.line, "{name}");
            send(&mut rig, part, 0, &frame(MAC, 100));
            assert_eq!(rig.world.sent.pop(), Some(frame(MAC, 100)), "{name}");
            assert_eq!((indices(&rig.world), rig.get32(STATUS) & 1, rig.world.line), ([0, 1], 1, true), "{name}");
            take(&mut rig, part);
            assert!(!rig.world.line, "{name}");
            arrives(&mut rig, 0, 60);
            assert_eq!((indices(&rig.world), rig.get32(STATUS) & 7, rig.world.line), ([1, 1], 1, true), "{name}");
            take(&mut rig, part);
            assert!(!rig.world.line, "{name}");
        }
    }
}

#[test]
fn a_frame_of_several_parts_is_one_and_short_ones_are_padded() {
    let mut rig = ready(BCM5751, "");
    let data = frame(MAC, 40);
    rig.world.memory[SENT as usize..][..40].copy_from_slice(&data);
    for (index, from, len, flags) in [(0, 0, 14, 0), (1, 14, 26, 4)] {
        rig.put32(TX + 16 * index + 4, SENT + from);
        rig.put32(TX + 16 * index + 8, len << 16 | flags);
    }
    rig.write(0x0304, 4, 2);
    rig.sleep(100);
    let sent = rig.world.sent.pop().unwrap();
    assert_eq!((&sent[..40], &sent[40..]), (&data[..], &[0; 20][..]));
    assert_eq!(indices(&rig.world)[1], 2);
}

#[test]
fn wrong_send_descriptors_are_named() {
    for (words, text) in [
        ([1, SENT, 60 << 16 | 4], "a buffer above 4 GB"), ([0, SENT, 4], "an empty buffer to send"), ([0, SENT, 60 << 16 | 4 | 0x8000], "flags 8004h"),
        ([0, SENT, 60 << 16], "a frame without an end"), ([0, SENT, 1600 << 16 | 4], "a frame of 1600 bytes"),
    ] {
        let mut rig = ready(BCM5751, "");
        (0..3).zip(words).for_each(|(at, word)| rig.put32(TX + 4 * at, word));
        rig.write(0x0304, 4, 1);
        assert!(rig.world.complaints.remove(0).contains(text), "{text}");
        rig.world.complaints.clear();
    }
    let mut rig = ready(BCM5751, "");
    rig.write(0x0304, 4, 32);
    assert!(rig.complaint().contains("producer is 32, in a ring of 32"));
    rig.write(0x045C, 4, 0);
    rig.write(0x0304, 4, 1);
    assert!(rig.complaint().contains("the transmitter is off"));
    rig.write(0x1800, 4, 0);
    rig.write(0x0304, 4, 2);
    assert!(rig.complaint().contains("frames to send, but these blocks are off: SBDI"));
}

#[test]
fn wrong_receive_descriptors_are_named() {
    for (offset, word, text) in [(0, 1, "a receive buffer at 1:"), (8, 1000, "a receive buffer of 1000 bytes"), (12, 0, "lacks the flag 0004h")] {
        let mut rig = ready(BCM5751, "");
        rig.put32(STD + 32 * BUFFERS + offset, word);
        rig.write(0x026C, 4, BUFFERS + 8);
        assert!(rig.complaint().contains(text), "{text}");
    }
}

#[test]
fn buffers_are_fetched_in_groups_and_frames_wait_for_them() {
    let mut rig = ready(BCM5751, "");
    for index in 0..BUFFERS {
        arrives(&mut rig, index, 60);
    }
    rig.write(0x0284, 4, BUFFERS);
    // Seven more are less than the threshold.
    rig.write(0x026C, 4, BUFFERS + 7);
    rig.arrive(&frame(MAC, 60));
    assert_eq!(indices(&rig.world)[0] as u32, BUFFERS);
    assert_eq!(rig.read(0x224C, 4), 1);
    assert_eq!(rig.read(0x224C, 4), 0);
    rig.write(0x026C, 4, BUFFERS + 8);
    rig.sleep(10);
    assert_eq!(indices(&rig.world)[0] as u32, BUFFERS + 1);
    // What was fetched is not fetched again: a change in the ring has no effect.
    rig.put32(STD + 32 * (BUFFERS + 1) + 28, 0x99);
    rig.arrive(&frame(MAC, 60));
    assert_eq!(rig.get32(RETURN + 32 * (BUFFERS + 1) + 28), 0xABC0 + BUFFERS + 1);
}

#[test]
fn a_return_ring_that_is_not_read_fills_up() {
    let mut rig = ready(BCM5751, "");
    for round in 0..5 {
        rig.write(0x026C, 4, (BUFFERS + 8 * round) % ENTRIES);
        for _ in 0..8 {
            rig.arrive(&frame(MAC, 60));
        }
    }
    assert_eq!(indices(&rig.world)[0] as u32, ENTRIES - 1);
    rig.write(0x0284, 4, 4);
    assert_eq!(indices(&rig.world)[0] as u32, 3);
    let mut rig = ready(BCM5751, "");
    rig.write(0x0284, 4, 1);
    assert!(rig.complaint().contains("consumer is 1, beyond what was returned"));
    rig.write(0x0284, 4, 32);
    assert!(rig.complaint().contains("consumer is 32, in a ring of 32"));
}

#[test]
fn only_frames_that_pass_the_filter_come_in() {
    let mut rig = ready(BCM5751, "");
    let group = [0x33, 0x33, 0, 0, 0, 1];
    let other = [0x52, 0x54, 0, 0x12, 0x34, 0x57];
    let came = |rig: &mut Rig<Tg3>, to| {
        let before = indices(&rig.world)[0];
        rig.card.receive(&mut rig.world, &frame(to, 60));
        rig.sleep(100);
        indices(&rig.world)[0] != before
    };
    assert_eq!([MAC, [0xFF; 6], other, group].map(|to| came(&mut rig, to)), [true, true, false, false]);
    // The reflected sum of 33:33:00:00:00:01 without its last inversion.
    let step = |crc: u32, _| crc >> 1 ^ if crc & 1 != 0 { 0xEDB8_8320 } else { 0 };
    let hash = group.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ *byte as u32, step)) & 0x7F;
    rig.write(0x0470 + 4 * (hash >> 5) as u16, 4, 1 << (hash & 31));
    assert_eq!([group, [0x33, 0x33, 0, 0, 0, 2]].map(|to| came(&mut rig, to)), [true, false]);
    rig.write(0x0410 + 8, 4, 0x5254);
    rig.write(0x0414 + 8, 4, 0x0012_3457);
    assert!(came(&mut rig, other));
    rig.write(0x0468, 4, 2 | 1 << 8);
    assert!(came(&mut rig, [0x52, 0x54, 0, 0, 0, 9]));
}

#[test]
fn the_mailbox_masks_and_tags_say_what_was_seen() {
    let part = BCM5787;
    // Without tags an update at work makes no interrupt, not even when the mailbox is 0 again.
    let mut rig = ready(part, "");
    rig.write(0x0204, 4, 1);
    arrives(&mut rig, 0, 60);
    assert_eq!((rig.get32(STATUS) & 1, rig.world.line), (1, false));
    rig.write(0x0204, 4, 0);
    assert!(!rig.world.line);
    rig.write(0x3C00, 4, 2 | 2 << 7 | 1 << 3);
    assert!(rig.world.line);
    // With them it does, unless the driver has seen it.
    let mut rig = ready_tagged(part, "", TAGS);
    let seen = rig.get32(STATUS + 4);
    rig.write(0x0204, 4, 1);
    arrives(&mut rig, 0, 60);
    let now = rig.get32(STATUS + 4);
    assert_eq!(now, seen + 1);
    rig.write(0x0204, 4, seen << 24);
    assert!(rig.world.line);
    rig.write(0x0204, 4, now << 24);
    assert!(!rig.world.line);
}

#[test]
fn the_line_can_be_forced_masked_and_lost() {
    let mut rig = ready(BCM5751, "");
    rig.write(0x6808, 4, 1 << 2);
    assert_eq!((rig.world.line, configuration(&mut rig, 0x70) & 2, rig.read(0x6808, 4) & 1), (true, 0, 1));
    configure(&mut rig, 0x68, CONTROL);
    assert!(!rig.world.line);
    configure(&mut rig, 0x68, CONTROL & !2);
    assert!(rig.world.line);
    configure(&mut rig, 0x68, CONTROL & !2 | 1);
    assert_eq!((rig.world.line, configuration(&mut rig, 0x70) & 2), (false, 2));
    let mut rig = ready(BCM5751, "lost-interrupt");
    arrives(&mut rig, 0, 60);
    assert_eq!((rig.get32(STATUS) & 1, rig.world.line), (1, false));
    take(&mut rig, BCM5751);
    arrives(&mut rig, 1, 60);
    assert!(rig.world.line);
}

#[test]
fn ticks_and_frames_delay_the_status_block() {
    let mut rig = card(BCM5751, "");
    let steps: Vec<Step> = [reset(BCM5751), setup(BCM5751, 0)].concat();
    let steps: Vec<Step> = steps
        .into_iter()
        .map(|step| match step {
            Step::Register(0x3C08, _) => Step::Register(0x3C08, 500),
            Step::Register(0x3C10, _) => Step::Register(0x3C10, 3),
            other => other,
        })
        .collect();
    go(&mut rig, &steps);
    follow_link(&mut rig, BCM5751);
    let come = |rig: &mut Rig<Tg3>| {
        rig.card.receive(&mut rig.world, &frame(MAC, 60));
        rig.sleep(5);
    };
    come(&mut rig);
    assert_eq!(indices(&rig.world)[0], 0);
    rig.sleep(500);
    assert_eq!(indices(&rig.world)[0], 1);
    (0..2).for_each(|_| come(&mut rig));
    assert_eq!(indices(&rig.world)[0], 1);
    come(&mut rig);
    assert_eq!(indices(&rig.world)[0], 4);
}

#[test]
fn the_links_change_is_told_and_the_port_has_to_follow() {
    let mut rig = ready(BCM5720, "");
    rig.card.set_link(&mut rig.world, false);
    assert_eq!((rig.get32(STATUS) & 3, rig.world.line, rig.read(0x0404, 4) >> 12 & 1), (3, true, 1));
    rig.write(0x0404, 4, 1 << 12);
    take(&mut rig, BCM5720);
    assert_eq!((rig.world.line, rig.read(0x0404, 4) >> 12 & 1), (false, 0));
    send(&mut rig, BCM5720, 0, &frame(MAC, 60));
    assert_eq!((rig.world.sent.len(), indices(&rig.world)[1]), (0, 1));
    rig.card.set_link(&mut rig.world, true);
    rig.sleep(3_000);
    assert_eq!(rig.get32(STATUS) & 3, 3);
    // With the port of 100 Mb/s no frame passes; three seconds later it is a mistake.
    rig.write(0x0400, 4, 7 << 21 | 1 << 2);
    assert!(!rig.card.receive(&mut rig.world, &frame(MAC, 60)));
    send(&mut rig, BCM5720, 1, &frame(MAC, 60));
    assert!(rig.world.sent.is_empty());
    rig.sleep(3_100_000);
    send(&mut rig, BCM5720, 2, &frame(MAC, 60));
    assert!(rig.complaint().contains("MAC_MODE's port is not that of 1000 Mb/s"));
}

#[test]
fn without_its_event_a_change_of_the_link_is_not_told() {
    let mut rig = ready(BCM5751, "");
    rig.write(0x0408, 4, 0);
    rig.card.set_link(&mut rig.world, false);
    assert!(!rig.world.line);
    arrives_not(&mut rig);
}

fn arrives_not(rig: &mut Rig<Tg3>) {
    assert!(!rig.card.receive(&mut rig.world, &frame(MAC, 60)));
    assert_eq!(indices(&rig.world)[0], 0);
}

#[test]
fn the_window_alone_drives_a_card() {
    for part in [BCM5751, BCM5720, BCM5906] {
        let mut rig = card(part, "");
        for step in [reset(part), setup(part, 0)].concat() {
            match step {
                Step::Register(at, value) => {
                    // Mailboxes of low priority; two have a place in the configuration space.
                    let boxes = distance(part);
                    match at.wrapping_sub(boxes) {
                        0x026C => configure(&mut rig, 0x9C, value),
                        mailbox @ 0x0200..0x0400 => {
                            configure(&mut rig, 0x78, mailbox as u32 + 0x5600);
                            configure(&mut rig, 0x80, value);
                        }
                        _ => {
                            configure(&mut rig, 0x78, at as u32);
                            configure(&mut rig, 0x80, value);
                        }
                    }
                }
                other => go(&mut rig, &[other]),
            }
        }
        follow_link(&mut rig, part);
        let data = frame(MAC, 70);
        rig.world.memory[SENT as usize..][..70].copy_from_slice(&data);
        rig.put32(TX + 4, SENT);
        rig.put32(TX + 8, 70 << 16 | 4);
        if part.large {
            assert!(!rig.card.write_config(&mut rig.world, 0xAC, 4, 1), "a capability is there");
            go(&mut rig, &[Step::Config(0x78, 0x5904), Step::Config(0x80, 1)]);
        } else {
            configure(&mut rig, 0xAC, 1);
        }
        rig.sleep(100);
        assert_eq!(rig.world.sent.pop(), Some(data));
        arrives(&mut rig, 0, 60);
        configure(&mut rig, 0xA4, 1);
    }
}

#[test]
fn statistics_count_until_they_are_read() {
    let mut rig = ready(BCM5751, "rx-crc@2+rx-overrun@2+max-collisions@2+tx-underrun@3");
    arrives(&mut rig, 0, 60);
    for _ in 0..2 {
        rig.arrive(&frame(MAC, 60));
    }
    for index in 0..4 {
        send(&mut rig, BCM5751, index, &frame([0xFF; 6], 60));
    }
    let counts = [0x088C, 0x0898, 0x2250, 0x082C, 0x0818, 0x0874].map(|at| rig.read(at, 4));
    // The second frame is damaged and finds no room.
    assert_eq!(counts, [2, 1, 1, 1, 1, 2]);
    assert_eq!(rig.read(0x088C, 4), 0);
    assert_eq!(rig.world.sent.len(), 2);
}

#[test]
fn a_damaged_frame_is_returned_as_one() {
    let mut rig = ready(BCM5751, "rx-crc");
    rig.arrive(&frame(MAC, 60));
    assert_eq!((rig.get32(RETURN + 12) & 0x0400, rig.get32(RETURN + 20) >> 16), (0x0400, 1));
}

#[test]
fn a_failure_of_the_bus_is_told_and_stops_the_receiver() {
    let mut rig = ready(BCM5751, "adapter-failure");
    rig.arrive(&frame(MAC, 60));
    assert_eq!((rig.get32(STATUS) & 4, rig.read(0x4C04, 4)), (4, 4));
    rig.arrive(&frame(MAC, 60));
    assert_eq!(indices(&rig.world)[0], 0);
}

#[test]
fn the_transmitter_can_hang_and_lose_its_doorbell() {
    let mut rig = ready(BCM5751, "lost-doorbell+stays-owned@3");
    send(&mut rig, BCM5751, 0, &frame(MAC, 60));
    assert_eq!((rig.world.sent.len(), indices(&rig.world)[1]), (0, 0));
    send(&mut rig, BCM5751, 1, &frame(MAC, 60));
    assert_eq!((rig.world.sent.len(), indices(&rig.world)[1]), (2, 2));
    send(&mut rig, BCM5751, 2, &frame(MAC, 60));
    send(&mut rig, BCM5751, 3, &frame(MAC, 60));
    assert_eq!((rig.world.sent.len(), indices(&rig.world)[1]), (3, 2));
}

#[test]
fn a_card_that_is_pulled_reads_ones() {
    let mut rig = ready(BCM5751, "vanish@200");
    for _ in 0..200 {
        rig.read(0x0410, 4);
    }
    assert_eq!((rig.read(0x0410, 4), configuration(&mut rig, 0x70)), (u32::MAX, u32::MAX));
    assert!(!rig.card.receive(&mut rig.world, &frame(MAC, 60)));
    // Accesses through the window count, too.
    let mut rig = ready(BCM5751, "vanish@400");
    configure(&mut rig, 0x78, 0x0410);
    let read: Vec<u32> = (0..400).map(|_| configuration(&mut rig, 0x80)).collect();
    assert_eq!((read[0], read[399]), (0x5254, u32::MAX));
}
