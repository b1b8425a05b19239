//! How a chip begins: identity, boot code, address, PHY, NVRAM.

use super::*;
use models::tg3::{Address, Left, PARTS};

/// Resets the card, and gives SRAM 0B50h after so many microseconds more.
fn handshake(rig: &mut Rig<Tg3>, part: Part, us: u64) -> u32 {
    let mut steps = reset(part);
    steps.retain(|step| *step != Step::Sleep(15_000));
    go(rig, &steps);
    rig.sleep(us);
    sram(rig, 0x0B50)
}

#[test]
fn every_chip_says_who_it_is() {
    let known = [("5788", 0x3003), ("5751", 0x4202), ("5787", 0xB002), ("5906", 0xC002), ("57780", 0x5778_0001), ("57765", 0x5778_5100), ("5720", 0x0572_0000)];
    for ((name, part), (number, chip)) in PARTS.into_iter().zip(known) {
        assert_eq!(name, format!("tg3-{number}"));
        let mut rig = card(part, "");
        let own = configuration(&mut rig, 0x68) >> 16;
        let product = part.product.map(|(at, _)| configuration(&mut rig, at));
        assert_eq!(if own == 0xF000 { product } else { Some(own) }, Some(chip), "{name}");
    }
}

#[test]
fn the_boot_code_answers_the_magic_number_some_time_after_a_reset() {
    for (name, part) in PARTS.into_iter().filter(|(_, part)| !part.vcpu) {
        let mut rig = card(part, "");
        assert_eq!(handshake(&mut rig, part, 5_000), MAGIC, "{name}");
        rig.sleep(10_000);
        assert_eq!(sram(&mut rig, 0x0B50), !MAGIC, "{name}");
        assert_eq!(rig.read(0x0410, 4), 0x5254, "{name}");
    }
}

#[test]
fn a_5906_answers_by_its_status() {
    let mut rig = card(models::tg3::BCM5906, "");
    go(&mut rig, &reset(models::tg3::BCM5906)[..4]);
    rig.sleep(150);
    go(&mut rig, &[Step::Config(0x68, CONTROL)]);
    assert_eq!(rig.read(0x5100, 4) >> 26 & 1, 0);
    rig.sleep(15_000);
    assert_eq!(rig.read(0x5100, 4) >> 26 & 1, 1);
}

#[test]
fn boot_code_that_is_silent_or_slow() {
    let part = models::tg3::BCM5720;
    assert_eq!(handshake(&mut card(part, "silent-firmware*0"), part, 2_000_000), MAGIC);
    let mut rig = card(part, "slow-firmware");
    assert_eq!(handshake(&mut rig, part, 800_000), MAGIC);
    rig.sleep(200_000);
    assert_eq!(sram(&mut rig, 0x0B50), !MAGIC);
    assert_eq!(handshake(&mut rig, part, 20_000), !MAGIC);
}

#[test]
fn a_reset_that_never_ends_leaves_ones() {
    let part = models::tg3::BCM5751;
    let mut rig = card(part, "stuck-command");
    go(&mut rig, &reset(part)[..3]);
    go(&mut rig, &[Step::Register(0x6804, reset_bits(part)), Step::Sleep(200_000)]);
    assert_eq!(rig.read(0x0400, 4), u32::MAX);
    assert!(rig.world.complaints.is_empty());
}

#[test]
fn during_a_reset_no_register_is_accessed() {
    let part = models::tg3::BCM5751;
    let mut rig = card(part, "");
    go(&mut rig, &reset(part)[..3]);
    go(&mut rig, &[Step::Register(0x6804, reset_bits(part))]);
    assert_eq!(rig.read(0x0400, 4), u32::MAX);
    assert!(rig.complaint().contains("0400h is accessed during a reset"));
}

#[test]
fn only_chips_that_forget_lose_the_command_register() {
    for (name, part) in PARTS {
        let mut rig = card(part, "");
        go(&mut rig, &reset(part));
        assert_eq!(rig.world.command, if part.cpmu { None } else { Some(0) }, "{name}");
    }
}

#[test]
fn the_address_is_where_the_options_say() {
    for (place, in_sram, in_registers) in [(Address::Both, true, true), (Address::Registers, false, true), (Address::Nvram, false, false)] {
        let mut rig = Rig::new(Tg3::new(Options { address: place, ..Options::new(models::tg3::BCM5787, MAC) }));
        configure(&mut rig, 0x68, CONTROL);
        let high = sram(&mut rig, 0x0C14);
        assert_eq!((high, sram(&mut rig, 0x0C18)), if in_sram { (0x484B_5254, 0x0012_3456) } else { (0, 0) });
        assert_eq!([rig.read(0x0410, 4), rig.read(0x0414, 4)], if in_registers { [0x5254, 0x0012_3456] } else { [0, 0] });
        assert_eq!([nvram(&mut rig, 0x7C), nvram(&mut rig, 0x80)], [0x5254, 0x0012_3456]);
        assert_eq!(nvram(&mut rig, 0), 0x6699_55AA);
    }
    let mut rig = card(models::tg3::BCM5787, "bad-checksum");
    configure(&mut rig, 0x68, CONTROL);
    assert_eq!((sram(&mut rig, 0x0C14), rig.read(0x0410, 4), nvram(&mut rig, 0x7C)), (0, 0, 0));
}

/// A word of the NVRAM, with the lock.
fn nvram(rig: &mut Rig<Tg3>, at: u32) -> u32 {
    rig.write(0x7020, 4, 2);
    rig.sleep(50);
    assert_eq!(rig.read(0x7020, 4) >> 9 & 1, 1, "the lock is granted");
    rig.write(0x7024, 4, 1);
    rig.write(0x700C, 4, at);
    rig.write(0x7000, 4, 1 << 4 | 1 << 7 | 1 << 8 | 1 << 3);
    rig.sleep(30);
    assert_eq!(rig.read(0x7000, 4) >> 3 & 1, 1, "the command has ended");
    let data = rig.read(0x7010, 4);
    rig.write(0x7020, 4, 1 << 5);
    data
}

#[test]
fn the_nvram_needs_its_lock_which_the_boot_code_holds_meanwhile() {
    let part = models::tg3::BCM5751;
    let mut rig = card(part, "");
    configure(&mut rig, 0x68, CONTROL);
    rig.read(0x7010, 4);
    assert!(rig.complaint().contains("7010h is read without the lock"));
    rig.write(0x7020, 4, 2);
    rig.sleep(50);
    rig.write(0x7000, 4, 1 << 4);
    assert!(rig.complaint().contains("an NVRAM command without access enabled"));
    rig.write(0x7000, 4, 1 << 4 | 1 << 5);
    assert!(rig.complaint().contains("the NVRAM is written"));
    rig.write(0x7020, 4, 1 << 5);
    rig.write(0x700C, 4, 0);
    assert!(rig.complaint().contains("700Ch is written without the lock"));
    handshake(&mut rig, part, 0);
    rig.write(0x7020, 4, 2);
    rig.sleep(5_000);
    assert_eq!(rig.read(0x7020, 4) >> 9 & 1, 0);
    rig.sleep(10_000);
    assert_eq!(rig.read(0x7020, 4) >> 9 & 1, 1);
    let mut rig = card(part, "stuck-nvram");
    configure(&mut rig, 0x68, CONTROL);
    rig.write(0x7020, 4, 2);
    rig.sleep(200_000);
    assert_eq!(rig.read(0x7020, 4) >> 9 & 1, 0);
}

#[test]
fn the_window_reaches_registers_and_sram_and_needs_its_bit() {
    let mut rig = card(models::tg3::BCM57780, "");
    assert_eq!(configuration(&mut rig, 0x80), u32::MAX);
    assert!(rig.complaint().contains("bit 7 of 68h is clear"));
    configure(&mut rig, 0x68, CONTROL);
    configure(&mut rig, 0x78, 0x0410);
    assert_eq!(configuration(&mut rig, 0x80), 0x5254);
    configure(&mut rig, 0x80, 0x1234);
    assert_eq!(rig.read(0x0410, 4), 0x1234);
    configure(&mut rig, 0x78, 0x026C);
    configure(&mut rig, 0x80, 1);
    assert!(rig.complaint().contains("mailbox 026Ch of high priority"));
    for (at, text) in [(0x80, "78h selects 80h, the window itself"), (0x8000, "78h selects 8000h, where no register is")] {
        configure(&mut rig, 0x78, at);
        configure(&mut rig, 0x80, 1);
        assert!(rig.world.complaints.remove(0).contains(text), "{text}");
        rig.world.complaints.clear();
    }
    configure(&mut rig, 0x78, 0x0410);
    rig.card.write_config(&mut rig.world, 0x80, 2, 0);
    assert!(rig.complaint().contains("a write of 2 bytes at 80h"));
    rig.card.read_config(&mut rig.world, 0x84, 1);
    assert!(rig.complaint().contains("a read of 1 bytes at 84h"));
    rig.world.asleep = true;
    assert_eq!(configuration(&mut rig, 0x80), u32::MAX);
    assert!(rig.complaint().contains("while the card is not in D0"));
    rig.world.asleep = false;
    sram(&mut rig, 0x6_0000);
    assert!(rig.complaint().contains("there is no word of SRAM at 60000h"));
    rig.read(0x2C20, 4);
    assert!(rig.complaint().contains("2C20h is read; there is none that is known"));
    // SRAM in memory, behind the base of the window.
    rig.write(0x7C, 4, 0);
    rig.write(0x8B54, 4, 0x77);
    assert_eq!(sram(&mut rig, 0x0B54), 0x77);
}

#[test]
fn registers_answer_only_in_whole_words_that_there_are_and_by_the_words_swap() {
    let mut rig = card(models::tg3::BCM5751, "");
    rig.read(0x0410, 4);
    assert!(rig.complaint().contains("68h does not have just the swap of words"));
    configure(&mut rig, 0x68, CONTROL);
    rig.in16(0x0410);
    assert!(rig.complaint().contains("an access of 2 bytes at 0410h"));
    rig.write(0x2C20, 4, 8);
    assert!(rig.complaint().contains("2C20h is written with 00000008; there is none that is known"));
    rig.write(0x0324, 4, 8);
    assert!(rig.complaint().contains("mailbox 0324h is written with 00000008"));
    let mut rig = card(models::tg3::BCM5906, "");
    configure(&mut rig, 0x68, CONTROL);
    rig.write(0x0204, 4, 1);
    assert!(rig.complaint().contains("a 5906 has its mailboxes at 5800h"));
}

#[test]
fn the_phy_negotiates_and_says_the_speed() {
    for (partner, part, auxiliary) in
        [(1000, models::tg3::BCM5751, 7), (100, models::tg3::BCM5720, 5), (10, models::tg3::BCM57765, 2)]
    {
        let mut rig = Rig::new(Tg3::new(Options { partner, negotiation: 2_000_000, ..Options::new(part, MAC) }));
        configure(&mut rig, 0x68, CONTROL);
        assert_eq!((phy(&mut rig, 2) as u32) << 16 | phy(&mut rig, 3) as u32, part.phy);
        assert_eq!((phy(&mut rig, 1) & 0x24, phy(&mut rig, 0x19) & 0x0700), (0, 0));
        rig.sleep(3_000);
        phy(&mut rig, 1);
        assert_eq!(phy(&mut rig, 1) & 0x24, 0x24);
        assert_eq!(phy(&mut rig, 0x19) >> 8 & 7, auxiliary);
        assert_eq!(rig.read(0x0450, 4) & 1, 1);
        // A reset of the PHY drops the link.
        set_phy(&mut rig, 0, 0x8000);
        assert_eq!((phy(&mut rig, 0) >> 15, phy(&mut rig, 1) & 4), (0, 0));
    }
    let mut rig = card(models::tg3::BCM5906, "");
    configure(&mut rig, 0x68, CONTROL);
    rig.sleep(3_000);
    assert_eq!(phy(&mut rig, 0x19) & 9, 9);
}

#[test]
fn an_access_to_the_phy_takes_its_time_and_may_never_end() {
    let mut rig = card(models::tg3::BCM5751, "stuck-phy@3");
    configure(&mut rig, 0x68, CONTROL);
    let command = 1 << 29 | 1 << 27 | 1 << 21 | 2 << 16;
    rig.write(0x044C, 4, command);
    assert_eq!(rig.read(0x044C, 4) >> 29 & 1, 1);
    rig.write(0x044C, 4, command);
    assert!(rig.complaint().contains("while an access to the PHY is under way"));
    rig.sleep(40);
    rig.write(0x0454, 4, 1 << 4);
    rig.write(0x044C, 4, command);
    assert!(rig.complaint().contains("while the chip polls it by itself"));
    rig.sleep(40);
    assert_eq!(rig.read(0x044C, 4) >> 29 & 1, 0);
    rig.write(0x0454, 4, 0);
    // No PHY has the address 2.
    rig.write(0x044C, 4, command);
    rig.sleep(200_000);
    assert_eq!(rig.read(0x044C, 4) >> 29 & 1, 1);
}

#[test]
fn an_address_without_a_phy_fails() {
    let mut rig = card(models::tg3::BCM5751, "");
    configure(&mut rig, 0x68, CONTROL);
    rig.write(0x044C, 4, 1 << 29 | 1 << 27 | 2 << 21 | 2 << 16);
    rig.sleep(40);
    assert_eq!(rig.read(0x044C, 4) & 0x3000_FFFF, 1 << 28 | 0xFFFF);
}

#[test]
fn an_earlier_driver_has_left_the_line_high_until_a_reset() {
    let part = models::tg3::BCM5787;
    let mut rig = Rig::new(Tg3::new(Options { left: Left::Interrupting, ..Options::new(part, MAC) }));
    rig.sleep(1);
    assert!(rig.world.line);
    configure(&mut rig, 0x68, CONTROL);
    assert!(!rig.world.line);
    go(&mut rig, &reset(part));
    configure(&mut rig, 0x68, CONTROL & !2);
    assert!(!rig.world.line);
}
