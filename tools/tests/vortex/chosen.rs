//! `/MEDIA=`, with the manual's numbers for transceivers, and the setting of the PHY.

use crate::rig::*;
use compkt::bus::Bus;
use compkt::drivers::mii::{Mii, PHYSICAL};
use models::vortex::{C590, C595, C900, C905, C905B};

/// Full duplex, as the parser of the switch adds it.
const FD: u8 = 0x80;

fn started(part: Part, media: u8) -> Rig {
    let (bus, slot, card) = plug(part, "");
    let found = find_as(&bus, part, &Ask { media, ..ask() }).expect("it is found");
    let mut device = start(&bus, part, &found, true).expect("it starts");
    device.unmask();
    Rig { bus, slot, card, part, found, device }
}

/// Transceiver, full duplex, and the control register of the PHY.
fn setting(rig: &Rig) -> (u32, bool, u16) {
    let window = |number: u16| rig.bus.out16(IO + 0xE, 0x0800 | number);
    window(3);
    let (config, control) = (rig.bus.in32(IO), rig.bus.in16(IO + 6));
    window(4);
    let phy = Mii { bus: &rig.bus, port: IO + PHYSICAL }.read(24, 0);
    window(7);
    (config >> 20 & 15, control & 0x20 != 0, phy)
}

#[test]
fn the_user_chooses_transceiver_and_duplex() {
    const NONE: u16 = u16::MAX;
    for (part, media, wanted) in [
        (C590, 4, (3, false, NONE)),
        (C590, 2, (1, false, NONE)),
        (C590, 1 | FD, (0, true, NONE)),
        (C590, 9, (0, false, NONE)),
        (C595, 5 | FD, (4, true, NONE)),
        (C595, 1, (0, false, NONE)),
        (C900, 1 | FD, (0, true, NONE)),
        (C905, 5 | FD, (6, true, 0x2100)),
        (C905, 1, (6, false, 0x0000)),
        (C905, 7, (6, true, 0x1000)),
        (C905B, 5, (8, false, 0x2000)),
        (C905B, 9, (8, true, 0x1000)),
    ] {
        let mut rig = started(part, media);
        let (transceiver, full, phy) = setting(&rig);
        // Speed, negotiation and duplex.
        let phy = if phy == NONE { NONE } else { phy & if phy & 0x1000 != 0 { 0x1000 } else { 0x3100 } };
        assert_eq!((transceiver, full, phy), wanted, "{part:?} {media:02X}");
        assert_eq!(rig.found.media, media);
        rig.works();
    }
}

#[test]
fn what_was_chosen_last_time_is_forgotten() {
    for part in [C590, C905B] {
        let mut rig = started(part, 1 | FD);
        let found = find(&rig.bus, part).expect("it is found");
        rig.restart(&found);
        let (_, full, phy) = setting(&rig);
        // The 3C905B negotiates again, and its partner has full duplex.
        assert_eq!((full, phy & 0x1000 != 0), if part.device == 0x5900 { (false, true) } else { (true, true) });
        rig.works();
    }
}

#[test]
fn a_medium_that_the_board_lacks_is_refused() {
    for (part, media) in [(C590, 5), (C595, 4), (C595, 7), (C900, 2), (C900, 5 | FD), (C905, 4), (C905B, 6)] {
        let (bus, ..) = plug(part, "");
        assert_eq!(find_as(&bus, part, &Ask { media, ..ask() }), Err(Fault::Media), "{part:?} {media:02X}");
    }
}
