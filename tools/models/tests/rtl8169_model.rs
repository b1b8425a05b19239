//! The rtl8169: how it begins, what it complains of, its rings, and its faults, where Linux does not show them.

mod world;

use models::faults::Faults;
use models::rtl8169::{self as model, Generation, Left, Options, PARTS, Part, Rtl8169};
use world::{MAC, Rig, frame};

const TX: u32 = 0x1000;
const RX: u32 = 0x1100;
const SENT: u32 = 0x2000;
const CAME: u32 = 0x3000;
/// Distance of two receive buffers, and their size.
const ROOM: u32 = 0x800;
const OWN: u32 = 1 << 31;
const LAST: u32 = 1 << 30;
const WHOLE: u32 = 3 << 28;

fn card_left(part: Part, faults: &str, left: Left) -> Rig<Rtl8169> {
    let faults = Faults::parse(faults).unwrap();
    Rig::new(Rtl8169::new(Options { faults, left, negotiation: 2_000_000, ..Options::new(part, MAC) }))
}

fn card(part: Part, faults: &str) -> Rig<Rtl8169> {
    card_left(part, faults, Left::Quiet)
}

fn fourth(part: Part) -> bool {
    part.generation == Generation::Fourth
}

fn set_mask(rig: &mut Rig<Rtl8169>, part: Part, causes: u32) {
    if fourth(part) { rig.write(0x38, 4, causes) } else { rig.out16(0x3C, causes as u16) }
}

fn causes(rig: &mut Rig<Rtl8169>, part: Part) -> u32 {
    if fourth(part) { rig.read(0x3C, 4) } else { rig.in16(0x3E) as u32 }
}

fn acknowledge(rig: &mut Rig<Rtl8169>, part: Part) {
    if fourth(part) { rig.write(0x3C, 4, u32::MAX) } else { rig.out16(0x3E, u16::MAX) }
}

fn doorbell(rig: &mut Rig<Rtl8169>, part: Part) {
    if fourth(part) { rig.out16(0x90, 1) } else { rig.out8(0x38, 0x40) }
}

fn mac_ocp(rig: &mut Rig<Rtl8169>, at: u32, value: u32) {
    rig.write(0xB0, 4, 1 << 31 | at << 15 | value);
}

/// A register of the PHY.
fn phy(rig: &mut Rig<Rtl8169>, part: Part, register: u32) -> u16 {
    let (at, value) = if part.generation >= Generation::Third { (0xB8, (0xA400 + 2 * register) << 15) } else { (0x60, register << 16) };
    rig.write(at, 4, value);
    rig.sleep(200);
    rig.read(at, 4) as u16
}

/// Takes the FIFO over from the firmware; the gate stays closed.
fn take_over(rig: &mut Rig<Rtl8169>) {
    let mcu = rig.in8(0xD3);
    rig.out8(0xD3, mcu & 0x7F);
    mac_ocp(rig, 0xE8DE, 0);
    rig.sleep(2_000);
}

fn open_gate(rig: &mut Rig<Rtl8169>) {
    let gate = rig.read(0xF0, 4);
    rig.write(0xF0, 4, gate & !(1 << 19));
}

fn reset(rig: &mut Rig<Rtl8169>) -> bool {
    rig.out8(0x37, 0x10);
    rig.sleep(500);
    rig.in8(0x37) & 0x10 == 0
}

/// Rings with `buffers` receive buffers and one to send; both engines on.
fn rings(rig: &mut Rig<Rtl8169>, buffers: u32) {
    rig.out16(0xDA, 0x600);
    for (at, ring) in [(0x24, TX), (0xE8, RX)] {
        rig.write(at, 4, 0);
        rig.write(if at == 0x24 { 0x20 } else { 0xE4 }, 4, ring);
    }
    for at in 0..buffers {
        refill(rig, at, at + 1 == buffers);
    }
    rig.out8(0x37, 0x0C);
    rig.write(0x40, 4, 0x0300_0700);
    rig.write(0x44, 4, 0xE70A);
}

fn refill(rig: &mut Rig<Rtl8169>, at: u32, last: bool) {
    rig.put32(RX + 16 * at + 8, CAME + ROOM * at);
    rig.put32(RX + 16 * at, OWN | if last { LAST } else { 0 } | ROOM);
}

/// A card that works, with its line enabled.
fn ready(part: Part, faults: &str) -> Rig<Rtl8169> {
    let mut rig = card(part, faults);
    bring_up(&mut rig, part);
    rig
}

fn bring_up(rig: &mut Rig<Rtl8169>, part: Part) {
    set_mask(rig, part, 0);
    if part.generation >= Generation::Third {
        take_over(rig);
    }
    assert!(reset(rig));
    if part.dozes {
        rig.write(0x60, 4, 0x8000_1200);
        rig.sleep(200);
    }
    rings(rig, 2);
    if part.generation >= Generation::Third {
        open_gate(rig);
    }
    rig.sleep(3_000);
    acknowledge(rig, part);
    set_mask(rig, part, 0x3F);
}

/// Sends a frame; it has left when this returns.
fn send(rig: &mut Rig<Rtl8169>, part: Part, len: u32) {
    rig.world.memory[SENT as usize..][..len as usize].copy_from_slice(&frame(MAC, len as usize));
    rig.put32(TX + 8, SENT);
    rig.put32(TX, OWN | LAST | WHOLE | len);
    doorbell(rig, part);
    rig.sleep(1_500);
}

/// A frame went out and one came in, each told by the line.
fn works(rig: &mut Rig<Rtl8169>, part: Part) {
    send(rig, part, 100);
    assert!(rig.world.line);
    assert_eq!(causes(rig, part) & 4, 4);
    assert_eq!((rig.world.sent.pop(), rig.get32(TX)), (Some(frame(MAC, 100)), LAST | WHOLE | 100));
    acknowledge(rig, part);
    assert!(!rig.world.line);
    assert!(rig.arrive(&frame(MAC, 60)));
    assert!(rig.world.line);
    assert_eq!(causes(rig, part), 1);
    assert_eq!(rig.get32(RX), WHOLE | 1 << 26 | 64);
    assert_eq!(rig.world.memory[CAME as usize..][..60], frame(MAC, 60));
    acknowledge(rig, part);
}

#[test]
fn every_chip_begins_with_causes_pending_and_no_link() {
    for (name, part) in PARTS {
        let mut rig = card(part, "");
        assert_eq!(rig.read(0x40, 4) >> 20 & 0xFCF, part.xid as u32 & 0xFCF, "{name}");
        assert_ne!(causes(&mut rig, part), 0, "{name}");
        assert_eq!((rig.world.line, rig.in8(0x6C) & 2), (false, 0), "{name}");
        let managed = part.generation >= Generation::Third;
        assert_eq!((rig.in8(0xD3) >> 7 == 1, rig.read(0xF0, 4) >> 19 & 1 == 1), (managed, managed), "{name}");
        rig.sleep(2_500);
        assert_eq!(rig.in8(0x6C) >> 1 & 1 == 1, !part.dozes, "{name}");
    }
}

#[test]
fn every_chip_sends_and_receives() {
    for (name, part) in PARTS {
        println!("{name}");
        works(&mut ready(part, ""), part);
    }
}

#[test]
fn an_earlier_driver_has_left_the_line_high_or_unused() {
    for (_, part) in PARTS {
        let mut rig = card_left(part, "", Left::Interrupting);
        rig.sleep(1);
        assert!(rig.world.line);
        set_mask(&mut rig, part, 0);
        assert!(!rig.world.line);
    }
    let part = model::RTL8125B;
    let mut rig = card_left(part, "", Left::Redirected);
    set_mask(&mut rig, part, 0x3F);
    assert!(rig.complaint().contains("the new kind of interrupts"));
    assert!(!rig.world.line);
    rig.out8(0x34, 0);
    assert!(rig.world.line);
}

#[test]
fn a_closed_gate_lets_nothing_in() {
    for part in [model::RTL8168H, model::RTL8125B] {
        let mut rig = ready(part, "");
        let gate = rig.read(0xF0, 4);
        rig.write(0xF0, 4, gate | 1 << 19);
        assert!(!rig.arrive(&frame(MAC, 60)));
        open_gate(&mut rig);
        assert!(rig.arrive(&frame(MAC, 60)));
    }
}

#[test]
fn firmware_that_owns_the_fifo_keeps_the_frames() {
    let mut rig = card(model::RTL8168G, "");
    assert!(reset(&mut rig));
    rings(&mut rig, 1);
    assert!(rig.complaint().contains("while the firmware owns the FIFO"));
    open_gate(&mut rig);
    rig.sleep(3_000);
    assert!(!rig.arrive(&frame(MAC, 60)));
}

/// What a driver does wrong.
type Wrong = fn(&mut Rig<Rtl8169>);

/// The text is part of the complaint.
#[test]
fn what_no_chip_takes() {
    let wrong: [(Part, Wrong, &str); 14] = [
        (model::RTL8168B, |rig| rig.out8(0x56, 0), "locked"),
        (model::RTL8168B, |rig| rig.write(0, 4, 0x1234_5602), "locked"),
        (model::RTL8169SB, |rig| rig.write(0x40, 4, 0x0300_0700), "transmitter is off"),
        (model::RTL8169SB, |rig| rig.write(0x44, 4, 0xE70A), "receiver is off"),
        (model::RTL8168H, |rig| rig.out8(0x38, 0x40), "the doorbell was rung while"),
        (model::RTL8125A, |rig| rig.out16(0x90, 1), "the doorbell was rung while"),
        (model::RTL8168H, |rig| rig.write(0xE8, 4, 1), "above 4 GB"),
        (model::RTL8168H, |rig| { rig.write(0xE8, 4, 0); rig.write(0xE4, 4, RX + 0x80) }, "not a multiple of 256"),
        (model::RTL8168C, |rig| { rig.out16(0xDA, 0x600); rig.out8(0x37, 8) }, "without a ring"),
        (model::RTL8168C, |rig| { rig.write(0xE8, 4, 0); rig.write(0xE4, 4, RX); rig.out8(0x37, 8) }, "a largest frame of 0 bytes"),
        (model::RTL8101E, |rig| { rig.write(0x60, 4, 0); rig.write(0x60, 4, 1 << 16) }, "in progress"),
        (model::RTL8101E, |rig| { rig.write(0x60, 4, 0); rig.sleep(61); rig.write(0x60, 4, 1 << 16) }, "less than 20 us"),
        (model::RTL8168H, |rig| { rig.out8(0x37, 0x10); rig.out16(0x3C, 0) }, "before the reset has ended"),
        (model::RTL8168H, |rig| rig.write(0x10, 4, 0x1230), "not a multiple of 64"),
    ];
    for (part, act, text) in wrong {
        let mut rig = card(part, "");
        act(&mut rig);
        let complaint = rig.complaint();
        assert!(complaint.contains(text), "{complaint}, not {text}");
    }
}

#[test]
fn what_no_chip_takes_in_a_ring() {
    let part = model::RTL8168H;
    let mut rig = ready(part, "");
    rig.put32(RX + 8, CAME + 4);
    rig.arrive(&frame(MAC, 60));
    assert!(rig.complaint().contains("not a multiple of 8"));
    let mut rig = ready(part, "");
    rig.put32(TX, OWN | LAST | 1 << 28 | 60);
    doorbell(&mut rig, part);
    assert!(rig.complaint().contains("without its beginning"));
    let mut rig = ready(model::RTL8125B, "");
    send(&mut rig, model::RTL8125B, 42);
    assert!(rig.complaint().contains("a chip that does not pad"));
    let mut rig = ready(part, "");
    send(&mut rig, part, 42);
    assert_eq!(rig.world.sent[0].len(), 60);
}

#[test]
fn a_frame_waits_for_a_buffer_and_one_buffer_too_small_is_not_the_end() {
    let part = model::RTL8168F;
    let mut rig = ready(part, "");
    for _ in 0..3 {
        assert!(rig.arrive(&frame(MAC, 300)));
    }
    assert_eq!(causes(&mut rig, part) & 0x10, 0x10);
    rig.put32(RX, OWN | 128);
    rig.sleep(200);
    assert_eq!(rig.get32(RX), OWN | 128, "the second half has no place yet");
    rig.put32(RX + 16, OWN | LAST | ROOM);
    rig.sleep(200);
    assert_eq!([rig.get32(RX), rig.get32(RX + 16)], [1 << 29 | 128, LAST | 1 << 28 | 1 << 26 | 304]);
    assert_eq!(rig.world.memory[(CAME + ROOM) as usize..][..172], frame(MAC, 300)[128..]);
}

#[test]
fn a_full_fifo_stops_the_8168b_until_a_reset_and_others_not() {
    for (part, stops) in [(model::RTL8168B, true), (model::RTL8168H, false)] {
        let mut rig = ready(part, "rx-overrun@2");
        assert!(rig.arrive(&frame(MAC, 60)));
        assert!(!rig.arrive(&frame(MAC, 60)));
        assert_eq!(causes(&mut rig, part) & 0x40, 0x40);
        rig.out8(0x37, 4);
        rig.out8(0x37, 0xC);
        refill(&mut rig, 0, false);
        assert_eq!(rig.arrive(&frame(MAC, 60)), !stops);
        acknowledge(&mut rig, part);
        rig.out8(0x37, 0);
        bring_up(&mut rig, part);
        works(&mut rig, part);
    }
}

#[test]
fn an_interrupt_is_lost_until_its_cause_is_acknowledged() {
    let part = model::RTL8168H;
    let mut rig = ready(part, "lost-interrupt");
    rig.arrive(&frame(MAC, 60));
    assert_eq!((rig.world.line, causes(&mut rig, part)), (false, 1));
    acknowledge(&mut rig, part);
    rig.arrive(&frame(MAC, 60));
    assert!(rig.world.line);
}

#[test]
fn a_doorbell_is_lost_once() {
    for part in [model::RTL8110S, model::RTL8125B] {
        let mut rig = ready(part, "lost-doorbell");
        send(&mut rig, part, 60);
        assert_eq!((rig.world.sent.len(), rig.get32(TX) >> 31), (0, 1));
        doorbell(&mut rig, part);
        rig.sleep(100);
        assert_eq!((rig.world.sent.len(), rig.get32(TX) >> 31), (1, 0));
    }
}

#[test]
fn a_descriptor_stays_owned_with_or_without_its_frame_sent() {
    for (faults, sent) in [("stays-owned", 1), ("dma-hang", 0)] {
        let part = model::RTL8168H;
        let mut rig = ready(part, faults);
        send(&mut rig, part, 60);
        assert_eq!((rig.world.sent.len(), rig.get32(TX) >> 31), (sent, 1));
        rig.world.sent.clear();
        bring_up(&mut rig, part);
        works(&mut rig, part);
    }
}

#[test]
fn a_reset_an_access_to_the_phy_or_the_handover_never_ends() {
    assert!(!reset(&mut card(model::RTL8168H, "stuck-command")));
    for part in [model::RTL8168H, model::RTL8169SC] {
        let mut rig = card(part, "stuck-phy");
        let at = if part.generation == Generation::Pci { 0x60 } else { 0xB8 };
        rig.write(at, 4, 0);
        rig.sleep(5_000);
        assert_eq!(rig.read(at, 4) >> 31, 0, "a read that is not done");
    }
    let part = model::RTL8168H;
    let mut rig = card(part, "stuck-fifo");
    take_over(&mut rig);
    assert_eq!(rig.in8(0xD3) & 2, 0);
    bring_up(&mut rig, part);
    works(&mut rig, part);
}

#[test]
fn a_card_that_has_vanished_reads_as_ones_and_its_line_is_low() {
    let mut rig = card_left(model::RTL8168H, "vanish@3", Left::Interrupting);
    rig.in8(0);
    rig.in8(0);
    assert!(rig.world.line);
    assert_eq!((rig.in16(0x3E), rig.read(0x40, 4), rig.in8(0x37)), (0xFFFF, u32::MAX, 0xFF));
    assert!(!rig.world.line);
}

#[test]
fn the_address_is_in_registers_and_eeprom_and_a_wrong_checksum_spoils_it() {
    for (faults, address) in [("", MAC), ("bad-checksum", [0; 6])] {
        let mut rig = card(model::RTL8169SB, faults);
        let bytes = [0, 1, 2, 3, 4, 5].map(|at| rig.in8(at));
        assert_eq!(bytes, address);
    }
}

#[test]
fn the_line_can_be_asked_for_by_software_and_by_the_timer() {
    for (_, part) in PARTS {
        let mut rig = ready(part, "");
        set_mask(&mut rig, part, 0x4100);
        if !fourth(part) {
            rig.out8(0x38, 1);
            assert!(rig.world.line);
            acknowledge(&mut rig, part);
        }
        assert!(!rig.world.line);
        rig.write(0x48, 4, 0);
        rig.write(0x58, 4, 12_500);
        rig.sleep(50);
        assert!(!rig.world.line);
        rig.sleep(60);
        assert_eq!((rig.world.line, causes(&mut rig, part)), (true, 0x4000));
    }
}

#[test]
fn the_link_goes_with_the_cable_and_comes_back_by_itself() {
    for (_, part) in PARTS {
        let mut rig = ready(part, "");
        assert_eq!([(); 2].map(|()| phy(&mut rig, part, 1) & 4), [0, 4]);
        models::Model::set_link(&mut rig.card, &mut rig.world, false);
        assert_eq!((causes(&mut rig, part), rig.in8(0x6C), rig.world.line), (0x20, 0, true));
        acknowledge(&mut rig, part);
        send(&mut rig, part, 60);
        assert!(!rig.arrive(&frame(MAC, 60)));
        assert!(rig.world.sent.is_empty());
        models::Model::set_link(&mut rig.card, &mut rig.world, true);
        rig.sleep(2_500);
        // The PHY's status tells once more that the link was lost.
        assert_eq!([(); 2].map(|()| phy(&mut rig, part, 1) & 4), [0, 4]);
        assert_eq!(rig.in8(0x6C) & 2, 2);
        assert_eq!(rig.world.sent.pop(), Some(frame(MAC, 60)), "the frame has waited");
    }
}
