//! The card on the PCI bus.

use compkt::probe::ne2k_pci::Ne2kPciProbe;
use tools::fake_bus::PciFunction;

use crate::rig::*;

const SLOT: u16 = 3 << 3;
const BASE: u16 = 0xC100;

fn function(id: u32, bar: u32, line: u8) -> PciFunction {
    let mut config = [0; 256];
    config[0..4].copy_from_slice(&id.to_le_bytes());
    config[0x10..0x14].copy_from_slice(&bar.to_le_bytes());
    config[0x3C] = line;
    let mut writable = [0; 256];
    writable[4] = 7;
    writable[5] = 4;
    PciFunction { place: SLOT, config, writable }
}

fn plug_pci(id: u32, bar: u32) -> (FakeBus, Card) {
    let (bus, card) = plug_at(BASE, Options::ne2000(MAC));
    bus.add_pci(function(id, bar, IRQ));
    (bus, card)
}

fn look(bus: &FakeBus) -> Result<Found, Fault> {
    Ne2kPciProbe::find(bus, &Ask { pci: SLOT, ..ask(0) })
}

#[test]
fn a_card_is_found_at_its_ports_and_moves_frames() {
    let (bus, card) = plug_pci(0x8029_10EC, BASE as u32 | 1);
    let found = look(&bus).expect("the card is there");
    assert_eq!((found.mac, found.io, found.irq, found.pci), (MAC, BASE, IRQ, SLOT));
    let device = Box::new(Ne2kPciProbe::start(bus.clone(), &found, &NO_RINGS).expect("it starts"));
    let mut rig = Rig { bus, card, device };
    rig.device.unmask();
    for len in [60, 61, 1513, 1514] {
        let sent = frame(MAC, len, 1);
        assert!(rig.receive(&sent));
        assert_eq!(rig.serve().1, [sent]);
        let out = frame(PEER, len, 2);
        assert_eq!(rig.send(&out), [out]);
    }
}

#[test]
fn other_functions_are_not_touched() {
    let (bus, _) = plug_pci(0x8139_10EC, BASE as u32 | 1);
    assert_eq!(look(&bus), Err(Fault::Nothing));
    assert!(bus.writes().iter().all(|port| *port == 0xCF8), "only configuration is read");
    assert_eq!(Ne2kPciProbe::find(&bus, &Ask { pci: SLOT, ..ask(1) }), Err(Fault::End));
}

#[test]
fn a_card_without_ports_or_that_is_dead_is_named() {
    let (bus, _) = plug_pci(0x8029_10EC, 1);
    assert_eq!(look(&bus), Err(Fault::Resources));
    let (bus, card) = plug_pci(0x8029_10EC, BASE as u32 | 1);
    card.borrow_mut().faults.absent = true;
    assert_eq!(look(&bus), Err(Fault::Dead));
}
