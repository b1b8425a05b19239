//! iPXE's own driver tests the models of cards: it gets 300 KB through each.

use models::rtl8169::{Generation, PARTS};
use models::tg3;
use tools::rig::ipxe;

/// What iPXE itself does wrong: on every chip it makes no pause between two accesses to the PHY, and it does not pad.
const ITS_OWN: [&str; 2] = ["less than 20 us after the last access", "on a chip that does not pad"];

/// Every chip before the 8168G. This iPXE does not know the way to the PHY of those behind it.
#[test]
fn rtl8169() {
    let cards: Vec<&str> = PARTS.iter().filter(|(_, part)| part.generation < Generation::Third).map(|(name, _)| *name).collect();
    assert_eq!(cards.len(), 8);
    for cards in cards.chunks(4) {
        let verdict = ipxe::fetch(cards, &[0x5A; 300 * 1024 + 7]).unwrap_or_else(|error| panic!("{error}"));
        let complaints: Vec<&String> = verdict.complaints.iter().filter(|line| !ITS_OWN.iter().any(|own| line.contains(own))).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
        assert_eq!(verdict.got, vec![true; cards.len()], "{cards:?}");
    }
}

/// Gets the file through parts of the PCH family.
fn judge_pch(cards: &[&str]) {
    let verdict = ipxe::fetch(cards, &[0xA5; 24 * 1024 + 7]).unwrap_or_else(|error| panic!("{error}"));
    assert!(verdict.complaints.is_empty(), "{:#?}", verdict.complaints);
    assert_eq!(verdict.got, vec![true; cards.len()], "{cards:?}");
}

/// The I217, whose PHY iPXE leaves alone.
#[test]
fn pch_i217() {
    judge_pch(&["pch-i217lm"]);
}

/// iPXE knows nothing of the arbiter of the 82579, nor of low power; and not the I219 of the 300 series.
/// The 82577's link is up at once: iPXE resets a PHY whose link is not up yet, without the semaphore.
#[test]
fn pch_others() {
    judge_pch(&["pch-82577lm,negotiation=0", "pch-82579lm,me=off", "pch-i218lm,ulp=off", "pch-i219lm2,ulp=off"]);
}

/// The tg3's family, by the window in the configuration space alone. Not the 5906, whose mailboxes need memory: this iPXE takes the
/// command register for the power state, and switches the card's memory off. It masks the interrupt by a mailbox that the window does
/// not reach.
#[test]
fn tg3() {
    let cards: Vec<&str> = tg3::PARTS.iter().filter(|(_, part)| !part.vcpu).map(|(name, _)| *name).collect();
    assert_eq!(cards.len(), 6);
    let verdict = ipxe::fetch(&cards, &[0x5A; 300 * 1024 + 7]).unwrap_or_else(|error| panic!("{error}"));
    let complaints: Vec<&String> = verdict.complaints.iter().filter(|line| !line.contains("selects the mailbox 0204h")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert_eq!(verdict.got, vec![true; cards.len()], "{cards:?}");
}
