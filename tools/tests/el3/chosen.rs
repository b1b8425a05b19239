//! `/MEDIA=`, with the manual's numbers for transceivers.

use crate::rig::*;
use compkt::bus::Bus;

/// Transceiver and full duplex.
fn setting(rig: &Rig) -> (u16, bool) {
    let window = |number: u16| rig.bus.out16(rig.found.io + 0xE, 0x0800 | number);
    window(0);
    let address = rig.bus.in16(rig.found.io + 6);
    window(4);
    let diagnostic = rig.bus.in16(rig.found.io + 6);
    window(1);
    (address >> 14, diagnostic & 0x8000 != 0)
}

#[test]
fn the_user_chooses_transceiver_and_duplex() {
    for (own, media, pulled, wanted) in [
        (0, 0, false, (0, false)),
        (3, 0, false, (3, false)),
        (0, 4, false, (3, false)),
        (3, 2, false, (1, false)),
        (3, 1, false, (0, false)),
        (0, 0x81, false, (0, true)),
        (3, 9, false, (0, false)),
        (0, 9, true, (3, false)),
    ] {
        let bus = FakeBus::new();
        let (slot, card) = plug(&bus, Options { transceiver: own, ..Options::new(MAC) });
        let pull = |up: bool| bus.with_env(slot, |env| models::Model::set_link(&mut *card.borrow_mut(), env, up));
        pull(!pulled);
        let mut rig = start(bus.clone(), slot, card.clone(), &Ask { media, ..ask(0) });
        pull(true);
        assert_eq!(setting(&rig), wanted, "{own} {media:02X}");
        rig.works();
    }
}

#[test]
fn a_medium_that_the_card_lacks_is_refused() {
    for media in [5, 6, 7, 0x85] {
        let bus = FakeBus::new();
        plug(&bus, Options::new(MAC));
        assert_eq!(El3Probe::find(&bus, &Ask { media, ..ask(0) }), Err(Fault::Media), "{media:02X}");
        assert_eq!(bus.in16(0x30E), 0xFFFF, "it is silent again");
    }
}
