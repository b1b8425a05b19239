//! Each thing that a driver must not do or leave out is a complaint, and nothing else is one.

use super::*;
use models::tg3::{BCM5720, BCM5751, BCM57765, BCM57780, BCM5787, PARTS};

/// The complaints about these steps.
fn complaints(part: Part, steps: &[Step]) -> Vec<String> {
    let mut rig = card(part, "");
    go(&mut rig, steps);
    std::mem::take(&mut rig.world.complaints)
}

/// Both lists of steps.
fn whole(part: Part, tags: u32) -> Vec<Step> {
    [reset(part), setup(part, tags)].concat()
}

/// The steps without those that write this register or word of SRAM.
fn without(steps: &[Step], step: fn(Step) -> bool) -> Vec<Step> {
    steps.iter().copied().filter(|own| !step(*own)).collect()
}

/// The steps with other values for a register.
fn with(steps: &[Step], at: u16, change: fn(u32) -> u32) -> Vec<Step> {
    let of = |step: &Step| match *step {
        Step::Register(own, value) if own == at => Step::Register(own, change(value)),
        other => other,
    };
    steps.iter().map(of).collect()
}

/// The same for a word of SRAM.
fn with_sram(steps: &[Step], at: u32, value: u32) -> Vec<Step> {
    let of = |step: &Step| match *step {
        Step::Sram(own, _) if own == at => Step::Sram(own, value),
        other => other,
    };
    steps.iter().map(of).collect()
}

#[test]
fn the_order_of_the_facts_is_accepted_by_every_chip() {
    for (name, part) in PARTS {
        for tags in [0, TAGS] {
            assert_eq!(complaints(part, &whole(part, tags)), Vec::<String>::new(), "{name} {tags:X}");
            // Again, as a driver that is loaded a second time.
            let mut rig = ready_tagged(part, "", tags);
            stop(&mut rig);
            go(&mut rig, &whole(part, tags));
        }
    }
}

/// Receiver, transmitter and their blocks off.
fn stop(rig: &mut Rig<Tg3>) {
    for at in [0x0468, 0x2C00, 0x2000, 0x2400, 0x3000, 0x1400, 0x1800, 0x0C00, 0x4800, 0x1000, 0x1C00, 0x045C, 0x3C00, 0x4C00] {
        rig.write(at, 4, 0);
    }
}

#[test]
fn a_register_that_is_left_out_or_wrong_is_named() {
    type Change = fn(u32) -> u32;
    let zero: Change = |_| 0;
    let wrong: [(Part, u16, Change, &str); 33] = [
        (BCM5751, 0x6800, |value| value & !0x20, "swaps are 14h"),
        (BCM5751, 0x6800, |value| value & !(1 << 16), "the host's stack is up (bit 16)"),
        (BCM5751, 0x6800, |value| value & !(1 << 17), "has the send descriptors (bit 17)"),
        (BCM5751, 0x7C00, zero, "bit 25 of 7C00h is clear"),
        (BCM57780, 0x7C00, zero, "bit 25 of 7C00h is clear"),
        (BCM5751, 0x4414, zero, "water mark (4414h) is 0"),
        (BCM5751, 0x4400, zero, "is enabled while these blocks are off, or not ready: BMAN"),
        (BCM5751, 0x4000, zero, "SRAM 0100h is accessed while the memory arbiter is off"),
        (BCM5751, 0x2450, |_| 1, "the standard ring is above 4 GB (1h)"),
        (BCM5751, 0x2454, |_| STD + 8, "the standard ring is at 00003008, not a multiple of 16"),
        (BCM5751, 0x2458, |_| 48 << 16, "the standard ring has 48 entries"),
        (BCM5751, 0x2458, |_| 1024 << 16, "has 1024 entries; 32, 64 and so on up to 512 are possible"),
        (BCM5751, 0x2458, |_| 32 << 16 | 2, "the standard ring has 0 entries"),
        (BCM5720, 0x2458, |_| 32 << 16, "does not have the longest frame's length"),
        (BCM5720, 0x2458, |_| 32 << 16 | 1000 << 2, "longest frame is 1000 bytes"),
        (BCM5751, 0x2C18, zero, "the threshold of the standard ring (2C18h) is 0"),
        (BCM57765, 0x2D00, zero, "the low water mark of the standard ring (2D00h) is 0"),
        (BCM5751, 0x0464, zero, "its lengths (0464h) are not 2620h"),
        (BCM5751, 0x0500, zero, "the rules' configuration (0500h) is 0"),
        (BCM5751, 0x2010, zero, "the lists' configuration (2010h) is 0"),
        (BCM5751, 0x3C3C, zero, "its status block is at 0:00000000"),
        (BCM5751, 0x3C00, zero, "the receiver is enabled while these blocks are off: HCC"),
        (BCM5751, 0x3000, zero, "the receiver is enabled while these blocks are off: RBDC"),
        (BCM5751, 0x4C00, zero, "the receiver is enabled while these blocks are off: WDMA"),
        (BCM5751, 0x4800, |value| value | 1, "the transmitter is enabled while these blocks are off: RDMA"),
        (BCM5751, 0x1400, zero, "the transmitter is enabled while these blocks are off: SRS"),
        (BCM5751, 0x0400, |value| value & !(1 << 22), "not DMA in MAC_MODE"),
        (BCM5751, 0x043C, |_| 1500, "the longest frame (043Ch) is 1500 bytes"),
        (BCM5751, 0x2458, |_| 0, "the standard ring's producer is written before its control block"),
        (BCM5751, 0x026C, |_| 33, "the standard ring's producer is 33, in a ring of 32"),
        (BCM5787, 0x045C, |_| 2, "without the bit against its lock-up"),
        (BCM5751, 0x7E2C, |_| 0x60, "but 7E2Ch is 60h"),
        (BCM5787, 0x6894, |_| 0x1000, "but 6894h is not 0"),
    ];
    for (part, at, change, text) in wrong {
        let heard = complaints(part, &with(&whole(part, 0), at, change));
        assert!(heard.iter().any(|line| line.contains(text)), "{at:04X}h, not {text}: {heard:#?}");
    }
    let divider = with(&whole(BCM5751, 0), 0x6804, |value| if value & 1 != 0 { value } else { 0 });
    assert!(complaints(BCM5751, &divider)[0].contains("the divider in MISC_CFG is not 65"));
}

#[test]
fn rings_in_sram_and_tags_are_checked() {
    let heard = |part, steps: &[Step], text: &str| {
        let heard = complaints(part, steps);
        assert!(heard.iter().any(|line| line.contains(text)), "not {text}: {heard:#?}");
    };
    heard(BCM5751, &with_sram(&whole(BCM5751, 0), 0x0104, TX + 4), "the send ring is at 00002004");
    heard(BCM5751, &with_sram(&whole(BCM5751, 0), 0x0108, 16 << 16), "the send ring has 16 entries");
    heard(BCM5751, &with_sram(&whole(BCM5751, 0), 0x0204, 0), "the return ring is at 00000000");
    heard(BCM5751, &with_sram(&whole(BCM5751, 0), 0x0208, 1024 << 16), "the return ring has 1024 entries");
    heard(BCM5720, &with_sram(&whole(BCM5720, 0), 0x0208, 1 << 29), "the return ring has 8192 entries");
    let late = [whole(BCM5751, 0), vec![Step::Sram(0x0108, 64 << 16)]].concat();
    heard(BCM5751, &late, "in SRAM, 0108h, is written while SBDI is on");
    let dma = without(&whole(BCM5720, TAGS), |step| matches!(step, Step::Config(0x6C, _)));
    heard(BCM5720, &dma, "bit 7 of DMA_RW is clear");
    heard(BCM5787, &with(&whole(BCM5787, TAGS), 0x4C00, |_| 0x3FE), "bit 29 of WDMA's mode is clear");
}

#[test]
fn a_reset_needs_its_bits_and_the_announcement() {
    let heard = |part, steps: Vec<Step>, text: &str| {
        let heard = complaints(part, &steps);
        assert_eq!(heard.len(), 1, "{heard:#?}");
        assert!(heard[0].contains(text), "not {text}: {heard:#?}");
    };
    heard(BCM5751, without(&reset(BCM5751), |step| matches!(step, Step::Sram(0x0B50, _))), "0B50h does not have the magic number");
    heard(BCM57780, with(&reset(BCM57780), 0x6804, |value| value & !(1 << 29)), "without bit 29");
    heard(BCM5751, with(&reset(BCM5751), 0x6804, |value| value & !(1 << 26)), "without bit 26: the PHY loses its power");
    let mut rig = ready(BCM5751, "");
    rig.write(0x0468, 4, 0);
    go(&mut rig, &reset(BCM5751));
    assert!(rig.complaint().contains("while the receiver or the transmitter is on"));
}

#[test]
fn without_its_power_the_phy_gets_no_link() {
    let mut rig = card(BCM5751, "");
    go(&mut rig, &with(&reset(BCM5751), 0x6804, |value| value & !(1 << 26)));
    rig.complaint();
    rig.sleep(5_000);
    assert_eq!((phy(&mut rig, 1) & 4, phy(&mut rig, 0) >> 11 & 1), (0, 1));
}

#[test]
fn the_buffer_manager_takes_its_time_or_never_gets_ready() {
    let mut rig = card(BCM5751, "stuck-buffers@2");
    configure(&mut rig, 0x68, CONTROL);
    rig.write(0x4400, 4, 6);
    assert_eq!(rig.read(0x4400, 4), 4);
    rig.sleep(50);
    assert_eq!(rig.read(0x4400, 4), 6);
    rig.write(0x4400, 4, 0);
    rig.write(0x4400, 4, 6);
    rig.sleep(200_000);
    assert_eq!(rig.read(0x4400, 4), 4);
}

#[test]
fn blocks_that_work_are_not_changed() {
    let mut rig = ready(BCM5751, "");
    for (at, text) in [
        (0x2454, "the standard ring's control block, 2454h, is written while RDBDI is on"),
        (0x3C10, "3C10h is written while the coalescing engine (HCC) is on"),
        (0x2C00, "RBDI is switched off while the receiver is on"),
        (0x4C00, "WDMA is switched off while the receiver is on"),
    ] {
        rig.write(at, 4, 0);
        assert!(rig.complaint().contains(text), "{text}");
    }
    rig.write(0x2800, 4, 1);
    rig.complaint();
    rig.write(0x2000, 4, 1);
    rig.complaint();
    rig.write(0x2010, 4, 0x181);
    assert!(rig.complaint().contains("2010h is written while its block RXLP is in reset"));
}

#[test]
fn the_coalescing_engine_ends_what_it_does() {
    let mut rig = ready(BCM5751, "");
    rig.write(0x0468, 4, 0);
    rig.write(0x3C00, 4, 0);
    assert_eq!(rig.read(0x3C00, 4) & 2, 2);
    rig.sleep(30);
    assert_eq!(rig.read(0x3C00, 4) & 2, 0);
}
