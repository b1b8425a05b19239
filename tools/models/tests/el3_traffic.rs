//! The 3C509B in use: transmit, receive, thresholds, interrupts, counters, and recovery from every fault.

mod world;

use models::el3::{El3, Options};
use models::faults::Faults;
use models::isa::Card;
use world::{MAC, Rig, frame};

const BROADCAST: [u8; 6] = [0xFF; 6];

/// A card that is activated and set up as by a driver.
fn rig(faults: &str) -> Rig<El3> {
    let mut rig = Rig::new(El3::new(Options { faults: Faults::parse(faults).unwrap(), ..Options::new(MAC) }));
    rig.card.hear(&mut rig.world, 0x110, 0);
    let mut byte = 0xFFu16;
    for _ in 0..255 {
        rig.card.hear(&mut rig.world, 0x110, byte as u8);
        byte = byte << 1 ^ if byte & 0x80 != 0 { 0x1CF } else { 0 };
    }
    rig.card.hear(&mut rig.world, 0x110, 0xFF);
    assert_eq!(rig.card.base(), Some(0x300));
    rig.out16(4, 1);
    rig.window(2);
    for (at, byte) in MAC.into_iter().enumerate() {
        rig.out8(at as u16, byte);
    }
    rig.window(4);
    rig.out16(0xA, 0xC0);
    rig.window(1);
    rig.command(0xF, 0xFF);
    rig.command(0xE, 0xFF);
    rig.command(0x10, 5);
    rig.command(0x15, 0);
    rig.command(4, 0);
    rig.command(9, 0);
    rig
}

/// Writes a frame to the FIFO; `indicate` requests a status.
fn send(rig: &mut Rig<El3>, data: &[u8], indicate: bool) {
    rig.out16(0, data.len() as u16 | (indicate as u16) << 15);
    rig.out16(0, 0);
    for piece in data.chunks(4) {
        let mut word = [0; 4];
        word[..piece.len()].copy_from_slice(piece);
        rig.write(0, 4, u32::from_le_bytes(word));
    }
}

fn fetch(rig: &mut Rig<El3>) -> Vec<u8> {
    let status = rig.in16(8);
    assert_eq!(status & 0xC000, 0, "{status:04X}");
    let data = (0..status.div_ceil(4)).flat_map(|_| rig.read(0, 4).to_le_bytes()).take(status as usize).collect();
    rig.command(8, 0);
    data
}

#[test]
fn frames_of_every_length_go_out_and_come_in_intact() {
    let mut rig = rig("");
    for len in [14, 59, 60, 61, 62, 63, 64, 1000, 1513, 1514] {
        send(&mut rig, &frame(BROADCAST, len), false);
        rig.sleep(1_300);
        let sent = rig.world.sent.pop().expect("a frame");
        assert_eq!((sent.len(), &sent[..len]), (len.max(60), &frame(BROADCAST, len)[..]));
        assert_eq!(rig.in8(0xB), 0, "a status that nobody asked for");
    }
    for len in [60, 61, 62, 63, 1514] {
        assert!(rig.arrive(&frame(MAC, len)));
        assert_eq!(fetch(&mut rig), frame(MAC, len));
    }
}

#[test]
fn the_filter_takes_what_it_says() {
    let mut rig = rig("");
    let group = [1, 0, 0x5E, 0, 0, 1];
    let other = [0x52, 0, 0, 0, 0, 0];
    for (filter, wanted) in [(0, [false; 4]), (1, [true, false, false, false]), (4, [false, true, false, false]), (2, [false, true, true, false]), (8, [true; 4])] {
        rig.command(0x10, filter);
        for (to, wanted) in [MAC, BROADCAST, group, other].into_iter().zip(wanted) {
            rig.arrive(&frame(to, 60));
            assert_eq!(rig.in16(8) & 0x8000 == 0, wanted, "filter {filter}, to {to:?}");
            rig.command(8, 0);
        }
    }
}

#[test]
fn a_status_comes_when_asked_for_and_any_write_pops_it() {
    let mut rig = rig("");
    send(&mut rig, &frame(BROADCAST, 60), true);
    rig.sleep(100);
    assert_eq!((rig.status() & 4, rig.in8(0xB), rig.in8(0xB)), (4, 0xC0, 0xC0));
    rig.out8(0xB, 0x55);
    assert_eq!((rig.status() & 4, rig.in8(0xB)), (0, 0));
}

#[test]
fn the_thirty_second_status_stops_the_transmitter() {
    let mut rig = rig("");
    for _ in 0..32 {
        send(&mut rig, &frame(BROADCAST, 60), true);
        rig.sleep(100);
    }
    for _ in 0..30 {
        assert_eq!(rig.in8(0xB), 0xC0);
        rig.out8(0xB, 0);
    }
    assert_eq!(rig.in8(0xB), 0xC4);
    rig.out8(0xB, 0);
    send(&mut rig, &frame(BROADCAST, 60), false);
    rig.sleep(100);
    assert_eq!(rig.world.sent.len(), 32);
    rig.command(9, 0);
    rig.sleep(100);
    assert_eq!(rig.world.sent.len(), 33);
}

/// After a fatal error nothing is sent before TX reset and TX enable.
fn recovers_by_reset(fault: &str, bits: u8) {
    let mut rig = rig(fault);
    send(&mut rig, &frame(BROADCAST, 60), false);
    rig.sleep(100);
    assert_eq!((rig.status() & 4, rig.in8(0xB)), (4, bits));
    assert!(rig.world.sent.is_empty());
    rig.command(9, 0);
    assert_eq!(rig.complaint(), "TX enable while the transmitter needs a reset");
    rig.command(0xB, 0);
    rig.command(9, 0);
    send(&mut rig, &frame(BROADCAST, 60), false);
    rig.sleep(100);
    assert_eq!(rig.world.sent.len(), 1);
}

#[test]
fn underrun_is_recovered_by_reset() {
    recovers_by_reset("tx-underrun", 0x90);
}

#[test]
fn jabber_is_recovered_by_reset() {
    recovers_by_reset("jabber", 0xA0);
}

#[test]
fn sixteen_collisions_are_recovered_by_enable() {
    let mut rig = rig("max-collisions");
    send(&mut rig, &frame(BROADCAST, 60), false);
    rig.sleep(100);
    assert_eq!(rig.in8(0xB), 0x88);
    rig.out8(0xB, 0);
    send(&mut rig, &frame(BROADCAST, 64), false);
    rig.sleep(100);
    assert!(rig.world.sent.is_empty());
    rig.command(9, 0);
    rig.sleep(100);
    assert_eq!(rig.world.sent, [frame(BROADCAST, 64)]);
}

#[test]
fn a_start_threshold_lets_a_late_host_run_dry_and_a_quick_one_not() {
    let mut rig = rig("");
    rig.command(0x13, 64);
    let data = frame(BROADCAST, 1000);
    send(&mut rig, &data, false);
    let early = rig.world.now;
    rig.sleep(900);
    assert_eq!(rig.world.sent.pop(), Some(data.clone()), "250 accesses of a microsecond outrun 10 Mb/s");
    assert!(rig.world.now - early < 1_000_000);
    rig.out16(0, 1000);
    rig.out16(0, 0);
    for _ in 0..20 {
        rig.write(0, 4, 0);
    }
    rig.sleep(200);
    assert_eq!(rig.in8(0xB), 0x90);
    rig.command(0xB, 0);
    assert_eq!(rig.in8(0xB), 0);
}

#[test]
fn available_tells_of_room_once() {
    let mut rig = rig("");
    let free = rig.in16(0xC);
    assert_eq!(free, 3072 - 4);
    send(&mut rig, &frame(BROADCAST, 1514), false);
    send(&mut rig, &frame(BROADCAST, 1514), false);
    rig.command(0x12, 1536);
    assert_eq!(rig.status() & 8, 0);
    rig.sleep(1_300);
    assert_eq!(rig.status() & 8, 8);
    rig.command(0xD, 8);
    assert_eq!(rig.status() & 8, 0);
    rig.window(5);
    assert_eq!(rig.in16(2), 0x7FC, "acknowledging turns the threshold off");
}

#[test]
fn writing_a_full_fifo_is_a_failure_until_tx_reset() {
    let mut rig = rig("");
    rig.command(0xA, 0);
    for _ in 0..3 {
        send(&mut rig, &frame(BROADCAST, 1514), false);
    }
    assert_eq!(rig.complaint(), "transmit FIFO written while full");
    assert_eq!(rig.status() & 2, 2);
    rig.window(4);
    assert_eq!(rig.in16(4) & 0x0400, 0x0400);
    rig.command(5, 0);
    assert_eq!(rig.status() & 2, 2, "the receiver's reset does not help");
    rig.command(0xB, 0);
    assert_eq!(rig.status() & 2, 0);
}

#[test]
fn receive_errors_carry_their_code_and_go_by_discard() {
    for (fault, code) in [("rx-crc", 5), ("rx-overrun", 0)] {
        let mut rig = rig(fault);
        rig.arrive(&frame(MAC, 60));
        assert_eq!(rig.in16(8) & 0xF800, 0x4000 | code << 11);
        rig.command(8, 0);
        rig.arrive(&frame(MAC, 61));
        assert_eq!(fetch(&mut rig), frame(MAC, 61));
    }
    let mut rig = rig("");
    rig.arrive(&frame(MAC, 1515));
    assert_eq!(rig.in16(8) & 0x7800, 0x4800);
}

#[test]
fn a_full_fifo_loses_frames_counts_them_and_goes_on() {
    let mut rig = rig("");
    let taken = (0..6).filter(|_| rig.arrive(&frame(MAC, 1514))).count();
    assert_eq!(taken, 4, "three frames and the beginning of a fourth in 5 KB");
    for _ in 0..3 {
        assert_eq!(fetch(&mut rig), frame(MAC, 1514));
    }
    assert_eq!(rig.in16(8) & 0xF800, 0x4000, "the fourth is marked as overrun");
    rig.command(8, 0);
    rig.command(0x16, 0);
    rig.window(6);
    assert_eq!(rig.in8(5), 3);
    rig.window(1);
    rig.arrive(&frame(MAC, 60));
    assert_eq!(fetch(&mut rig), frame(MAC, 60));
}

#[test]
fn adapter_failure_needs_rx_reset_and_the_filter_again() {
    let mut rig = rig("adapter-failure");
    rig.arrive(&frame(MAC, 60));
    assert_eq!((rig.status() & 2, rig.world.line), (2, true));
    rig.command(5, 0);
    assert_eq!(rig.status() & 2, 0);
    rig.command(4, 0);
    rig.arrive(&frame(MAC, 60));
    assert_eq!(rig.in16(8), 0x8000, "the reset has cleared the filter");
    rig.command(0x10, 5);
    rig.arrive(&frame(MAC, 60));
    assert_eq!(fetch(&mut rig), frame(MAC, 60));
}

#[test]
fn reading_past_the_frame_is_a_failure() {
    let mut rig = rig("");
    rig.arrive(&frame(MAC, 61));
    for _ in 0..16 {
        rig.read(0, 4);
    }
    assert_eq!(rig.status() & 2, 0);
    rig.read(0, 4);
    assert_eq!(rig.complaint(), "receive FIFO read past the frame");
    assert_eq!(rig.status() & 2, 2);
}

#[test]
fn the_early_threshold_tells_of_a_frame_on_its_way() {
    let mut rig = rig("");
    rig.command(0x11, 200);
    assert!(models::Model::receive(&mut rig.card, &mut rig.world, &frame(MAC, 1514)));
    rig.sleep(150);
    assert_eq!(rig.status() & 0x30, 0);
    rig.sleep(20);
    assert_eq!(rig.status() & 0x30, 0x20);
    let status = rig.in16(8);
    assert!(status & 0x8000 != 0 && (200..240).contains(&(status & 0x7FF)), "{status:04X}");
    rig.command(0xD, 0x20);
    rig.sleep(1_100);
    assert_eq!(rig.status() & 0x30, 0x10);
    assert_eq!(fetch(&mut rig), frame(MAC, 1514));
}

#[test]
fn a_cause_left_behind_raises_a_new_edge_after_the_acknowledge() {
    let mut rig = rig("");
    rig.arrive(&frame(MAC, 60));
    rig.arrive(&frame(MAC, 62));
    assert_eq!((rig.world.edges, rig.world.line), (1, true));
    rig.command(8, 0);
    rig.command(0xD, 1);
    assert_eq!((rig.world.edges, rig.world.line), (2, true));
    rig.command(8, 0);
    rig.command(0xD, 1);
    assert_eq!((rig.world.edges, rig.world.line), (2, false));
}

#[test]
fn masks_hide_causes_and_window_0_holds_the_line() {
    let mut rig = rig("");
    rig.command(0xE, 0);
    rig.arrive(&frame(MAC, 60));
    assert_eq!((rig.status() & 0x11, rig.world.line), (0x10, false));
    rig.command(0xF, 0);
    assert_eq!(rig.status() & 0x11, 0);
    rig.command(0xF, 0xFF);
    rig.command(0xE, 0xFF);
    assert!(rig.world.line);
    rig.window(0);
    assert!(!rig.world.line);
    rig.window(1);
    assert!(rig.world.line);
}

#[test]
fn a_lost_interrupt_shows_in_the_status_alone() {
    let mut rig = rig("lost-interrupt");
    rig.arrive(&frame(MAC, 60));
    assert_eq!((rig.status() & 0x11, rig.world.line), (0x11, false));
    rig.command(0xD, 1);
    assert!(rig.world.line, "the next edge comes");
}

#[test]
fn counters_ask_to_be_read_and_reading_clears() {
    let mut rig = rig("");
    for _ in 0..0x7F {
        send(&mut rig, &frame(BROADCAST, 100), false);
        rig.sleep(200);
    }
    assert_eq!(rig.status() & 0x80, 0);
    send(&mut rig, &frame(BROADCAST, 100), false);
    rig.sleep(200);
    assert_eq!(rig.status() & 0x80, 0x80);
    rig.window(6);
    rig.in8(6);
    assert_eq!(rig.complaint(), "statistics read while they count");
    assert_eq!(rig.status() & 0x80, 0);
    rig.command(0x16, 0);
    assert_eq!(rig.in16(0xC), 0x80 * 100);
}

#[test]
fn a_stuck_command_never_ends() {
    let mut rig = rig("stuck-command");
    rig.out16(0xE, 0x0B << 11);
    rig.sleep(50_000);
    assert_eq!(rig.status() & 0x1000, 0x1000);
    models::Model::hard_reset(&mut rig.card, &mut rig.world);
    assert_eq!(rig.status() & 0x1000, 0);
}

#[test]
fn a_card_that_vanishes_reads_as_ones_and_lets_go_of_the_line() {
    let mut rig = rig("vanish@40");
    rig.arrive(&frame(MAC, 60));
    for _ in 0..40 {
        rig.status();
    }
    assert_eq!((rig.status(), rig.in8(0xB), rig.world.line), (0xFFFF, 0xFF, false));
    rig.out16(0xE, 0x0B << 11);
    assert_eq!(rig.status(), 0xFFFF);
}

#[test]
fn a_pulled_cable_loses_frames_and_shows() {
    let mut rig = rig("");
    models::Model::set_link(&mut rig.card, &mut rig.world, false);
    send(&mut rig, &frame(BROADCAST, 60), false);
    rig.sleep(100);
    rig.arrive(&frame(MAC, 60));
    assert!(rig.world.sent.is_empty());
    assert_eq!(rig.in16(8), 0x8000);
    rig.window(4);
    assert_eq!(rig.in16(0xA) & 0x800, 0);
    models::Model::set_link(&mut rig.card, &mut rig.world, true);
    assert_eq!(rig.in16(0xA) & 0x800, 0x800);
    rig.command(0x16, 0);
    rig.window(6);
    assert_eq!(rig.in8(0), 1, "carrier lost");
}

#[test]
fn what_no_card_would_accept_is_complained_of() {
    for (write, offset, width, window, text) in [
        (false, 4, 2, 1, "read of window 1 offset 4, width 2"),
        (false, 6, 4, 6, "read of window 6 offset 6, width 4"),
        (true, 0, 2, 7, "write of 0 to window 7 offset 0, width 2"),
        (true, 0xE, 1, 1, "write of 0 to window 1 offset E, width 1"),
    ] {
        let mut rig = rig("");
        rig.command(0x16, 0);
        rig.window(window);
        if write {
            rig.write(offset, width, 0);
        } else {
            rig.read(offset, width);
        }
        assert_eq!(rig.complaint(), text);
    }
    let mut rig = rig("");
    rig.command(0x1F, 0);
    assert_eq!(rig.complaint(), "undefined command F800");
    rig.window(4);
    rig.out16(0xA, 0);
    rig.command(9, 0);
    assert_eq!(rig.complaint(), "TX enable with media 0000, which needs 00C0");
}

#[test]
fn a_command_while_another_is_at_work_is_complained_of() {
    let mut rig = rig("");
    rig.card.chip().times.reset = 20_000;
    rig.out16(0xE, 0x0B << 11);
    assert_eq!(rig.status() & 0x1000, 0x1000);
    rig.out16(0xE, 9 << 11);
    assert_eq!(rig.complaint(), "command 4800 while another is at work");
    rig.sleep(20);
    assert_eq!(rig.status() & 0x1000, 0);
}

#[test]
fn loopback_keeps_frames_off_the_wire() {
    let mut rig = rig("");
    rig.window(4);
    rig.out16(6, 0x1000);
    rig.window(1);
    send(&mut rig, &frame(MAC, 100), false);
    rig.sleep(300);
    assert!(rig.world.sent.is_empty());
    assert_eq!(fetch(&mut rig), frame(MAC, 100));
}
