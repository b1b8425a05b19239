//! iPXE's own driver tests the models of cards: it gets 300 KB through each.

use models::rtl8169::{Generation, PARTS};
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
