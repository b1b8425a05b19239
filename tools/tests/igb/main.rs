//! The driver of Intel's gigabit controllers with several queues, with a card of a few registers: what QEMU's 82576 does not
//! have, such as the other parts, queues that take time to start, heads that cannot be written, firmware that holds the PHY.

mod card;

use std::cell::RefCell;
use std::rc::Rc;

use compkt::bus::Addr;
use compkt::device::{Device, Events, LOOKAHEAD, Link, RcvMode, Rx, SendError};
use compkt::probe::igb::IgbProbe;
use compkt::probe::{Ask, Fault, Found, Probe, Rings};
use tools::fake_bus::{FakeBus, PciFunction, Place, job, taken};

use card::{Faults, Igb, MAC, MPC, PARTS, Part};

const SLOT: u16 = 3 << 3;
const PORTS: u16 = 0xC000;
const REGISTERS: u32 = 0xFEB0_0000;
/// The driver's memory; not at a multiple of 128.
const RINGS: u32 = 0x10_0030;
const CLIENT: usize = 0x2_0000;
/// The BIOS's tick count.
const TICKS: usize = 0x46C;
/// The longest time until a card is ready, of the machine's own.
const READY_NS: u64 = 500_000_000;
type Nic = <IgbProbe as Probe<FakeBus>>::Device;

/// A machine with a card.
fn machine(card: Igb) -> (FakeBus, Rc<RefCell<Igb>>) {
    let bus = FakeBus::new();
    let mut config = [0; 256];
    config[..4].copy_from_slice(&((card.part.device as u32) << 16 | 0x8086).to_le_bytes());
    config[0x10..0x14].copy_from_slice(&REGISTERS.to_le_bytes());
    config[0x18..0x1C].copy_from_slice(&(PORTS as u32 | 1).to_le_bytes());
    config[0x3C] = 10;
    let mut writable = [0; 256];
    writable[4] = 7;
    bus.add_pci(PciFunction { place: SLOT, config, writable });
    let place = if card.ports { Place::Ports(PORTS, 8) } else { Place::Memory(REGISTERS, 0x1_0000) };
    let card = Rc::new(RefCell::new(card));
    bus.plug(card.clone(), &[place], 10);
    (bus, card)
}

fn find(bus: &FakeBus) -> Result<Found, Fault> {
    IgbProbe::find(bus, &Ask { index: 0, irq: 0, io: 0, pci: SLOT, taken: taken(&[]), media: 0, waits: false })
}

/// Starts the card with rings in XMS, or in conventional memory.
fn start(bus: &FakeBus, found: &Found, deep: bool) -> Result<Nic, Fault> {
    let len = if deep { found.rings_xms } else { found.rings_low as u32 };
    IgbProbe::start(bus.clone(), found, &Rings { linear: Addr(RINGS), physical: RINGS, len })
}

fn started(card: Igb, deep: bool) -> (FakeBus, Rc<RefCell<Igb>>, Nic) {
    let (bus, card) = machine(card);
    let found = find(&bus).expect("it is found");
    assert_eq!(found.mac, MAC);
    let mut nic = start(&bus, &found, deep).expect("it starts");
    nic.unmask();
    (bus, card, nic)
}

/// A frame of so many bytes to this card.
fn frame(len: usize, seed: usize) -> Vec<u8> {
    let data = (0..len - 12).map(|at| (at * 7 + seed * 13) as u8);
    MAC.into_iter().chain([2, 0, 0, 0, 0, 9]).chain(data).collect()
}

/// Takes the frame that the driver has, if there is one.
fn take(bus: &FakeBus, nic: &mut Nic) -> Option<Vec<u8>> {
    let mut head = [0; LOOKAHEAD];
    let rx = nic.peek(&mut head)?;
    assert_ne!(rx, Rx::USELESS);
    bus.memory_mut()[CLIENT..][..1600].fill(0xEE);
    let len = rx.len() as usize;
    nic.copy(&job(CLIENT, len, &head));
    nic.discard(rx);
    let memory = bus.memory();
    assert!(memory[CLIENT + len..][..8] == [0xEE; 8], "nothing is written behind the frame");
    assert_eq!(memory[CLIENT..][..LOOKAHEAD.min(len)], head[..LOOKAHEAD.min(len)]);
    Some(memory[CLIENT..][..len].to_vec())
}

fn send(bus: &FakeBus, nic: &mut Nic, frame: &[u8]) -> Result<(), SendError> {
    bus.memory_mut()[CLIENT..][..frame.len()].copy_from_slice(frame);
    nic.send(&job(CLIENT, frame.len(), &[0; LOOKAHEAD]))
}

/// Frames of odd lengths pass in both directions, so many that each descriptor and each buffer is used several times.
fn exchange(bus: &FakeBus, nic: &mut Nic, what: &Part) {
    let frames: Vec<Vec<u8>> = (0..400).map(|number| frame(60 + number * 97 % 1455, number)).collect();
    for (number, frame) in frames.iter().enumerate() {
        bus.receive(0, frame);
        if number % 2 == 1 {
            assert_ne!(nic.irq(), Events::NONE, "{what:X?}: an interrupt for frame {number}");
            assert!(take(bus, nic).as_ref() == Some(&frames[number - 1]), "{what:X?}: frame {} is right", number - 1);
            assert!(take(bus, nic).as_ref() == Some(frame), "{what:X?}: frame {number} is right");
            assert!(take(bus, nic).is_none());
            nic.unmask();
        }
        assert_eq!(send(bus, nic, frame), Ok(()), "{what:X?}: frame {number} goes out");
        assert!(bus.sent(0) == [&frame[..]], "{what:X?}: frame {number} is right on the wire");
    }
    assert_eq!(nic.count.errors_in + nic.count.errors_out + nic.count.lost, 0);
}

/// People report by the chip's name.
#[test]
fn a_chip_is_called_by_its_name() {
    let names = ["82575EB", "82576", "82580", "I350", "I210", "I211", "I225-V", "I226-V", "I354"];
    for (part, name) in PARTS.into_iter().zip(names) {
        let said = find(&machine(Igb::new(part)).0).expect("it is found").chip;
        assert_eq!(String::from_utf8_lossy(&said).trim_end_matches('\0'), format!(": {name}"));
    }
    let mut ids = <IgbProbe as Probe<FakeBus>>::IDS.to_vec();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), <IgbProbe as Probe<FakeBus>>::IDS.len(), "no identity is there twice");
}

#[test]
fn each_part_starts_and_carries_frames() {
    for part in PARTS {
        for deep in [true, false] {
            let (bus, card, mut nic) = started(Igb::new(part), deep);
            assert_eq!(card.borrow().phy_accesses, 2, "{part:X?}: the PHY, which was off, is turned on");
            bus.sleep(100_000);
            assert_eq!(nic.link(), Link::Up, "{part:X?}");
            exchange(&bus, &mut nic, &part);
            nic.stop();
            let received = card.borrow().received;
            bus.receive(0, &frame(100, 1));
            assert_eq!(card.borrow().received, received, "{part:X?}: no DMA after the end");
        }
    }
}

/// V86 mode: the registers by ports, and memory where the card finds it at another address.
#[test]
fn rings_may_have_another_address_for_the_card() {
    const SHIFT: u32 = 0x40_0000;
    for part in PARTS {
        let (bus, card) = machine(Igb::behind_ports(part, SHIFT));
        let found = Found { mac: MAC, io: PORTS, irq: 10, pci: SLOT, rings_low: 0x2000, ..find_variant(part) };
        let rings = Rings { linear: Addr(RINGS), physical: RINGS + SHIFT, len: 0x2000 };
        let mut nic: Nic = IgbProbe::start(bus.clone(), &found, &rings).expect("it starts");
        nic.unmask();
        exchange(&bus, &mut nic, &part);
        assert_eq!(card.borrow().received, 400);
    }
}

/// What `find` notes about a part.
fn find_variant(part: Part) -> Found {
    let found = find(&machine(Igb::new(part)).0).expect("it is found");
    Found { variant: found.variant, ..Found::default() }
}

#[test]
fn a_full_ring_loses_what_comes_and_goes_on() {
    let (bus, card, mut nic) = started(Igb::new(PARTS[1]), true);
    for number in 0..70 {
        bus.receive(0, &frame(200, number));
    }
    assert_eq!(card.borrow().of(MPC), 6, "64 buffers");
    assert_ne!(nic.irq(), Events::NONE);
    assert_eq!(nic.count.lost, 6);
    for number in 0..64 {
        assert!(take(&bus, &mut nic) == Some(frame(200, number)));
    }
    nic.unmask();
    exchange_again(&bus, &mut nic);
}

fn exchange_again(bus: &FakeBus, nic: &mut Nic) {
    for number in 0..200 {
        bus.receive(0, &frame(300, number));
        assert_ne!(nic.irq(), Events::NONE);
        assert!(take(bus, nic) == Some(frame(300, number)));
        nic.unmask();
    }
}

/// The interrupt never comes, as on some boards with an I225: the ring is emptied by polling, with interrupts on or off.
#[test]
fn polling_empties_the_ring() {
    for (part, masked) in [(PARTS[6], true), (PARTS[6], false), (PARTS[7], true)] {
        let (bus, _, mut nic) = started(Igb::new(part), true);
        if masked {
            nic.irq();
        }
        for number in 0..300 {
            bus.receive(0, &frame(90, number));
            assert!(take(&bus, &mut nic) == Some(frame(90, number)), "{part:X?}: frame {number}");
        }
    }
}

/// The head of a queue cannot be written: it is where the card says, or at 0.
#[test]
fn a_transmitter_that_hangs_goes_on_from_its_head() {
    for head_to_zero in [false, true] {
        for deep in [false, true] {
            let faults = Faults { hang_after: Some(6), head_to_zero, ..Faults::default() };
            let (bus, _, mut nic) = started(Igb::with(PARTS[1], faults), deep);
            bus.sleep(100_000);
            for number in 0..5 {
                assert_eq!(send(&bus, &mut nic, &frame(100, number)), Ok(()));
            }
            assert_eq!(bus.sent(0).len(), 5);
            // The sixth is never done. So many follow as there are buffers.
            let mut more = 0;
            while send(&bus, &mut nic, &frame(100, 6)) == Ok(()) {
                more += 1;
                assert!(more <= 4, "buffers are not used again while the card has them");
            }
            assert!(bus.sent(0).is_empty(), "nothing goes out while it hangs");
            bus.memory_mut()[TICKS] = 20;
            let errors = nic.count.errors_out;
            for number in 10..40 {
                assert_eq!(send(&bus, &mut nic, &frame(200, number)), Ok(()), "it goes on: frame {number}");
                assert!(bus.sent(0) == [frame(200, number)], "only the new frame goes out: {number}");
            }
            assert_eq!(nic.count.errors_out, errors + 1);
        }
    }
}

#[test]
fn firmware_that_holds_the_phy_is_waited_for_but_not_for_ever() {
    let (_, card, _) = started(Igb::with(PARTS[3], Faults { phy_until_ns: 60_000_000, ..Faults::default() }), true);
    assert_eq!(card.borrow().phy_accesses, 2, "the PHY is turned on");
    assert_eq!(card.borrow().of(0x5B5C), 0, "and given back");
    let (bus, card, mut nic) = started(Igb::with(PARTS[3], Faults { phy_until_ns: u64::MAX, ..Faults::default() }), true);
    assert_eq!(card.borrow().phy_accesses, 0, "the firmware has it");
    assert!(card.borrow().now_ns < READY_NS, "ready in time");
    exchange(&bus, &mut nic, &PARTS[3]);
}

#[test]
fn a_semaphore_that_is_never_free_does_not_stop_the_start() {
    let (bus, card) = machine(Igb::new(PARTS[4]));
    card.borrow_mut().registers.insert(0x5B50, 1);
    let found = find(&bus).unwrap();
    let mut nic = start(&bus, &found, true).expect("it starts");
    assert_eq!(card.borrow().phy_accesses, 0);
    nic.unmask();
    exchange(&bus, &mut nic, &PARTS[4]);
}

#[test]
fn a_link_that_is_up_is_left_alone() {
    let (bus, card) = machine(Igb::new(PARTS[1]));
    card.borrow_mut().set_up();
    let found = find(&bus).unwrap();
    let mut nic = start(&bus, &found, true).expect("it starts");
    assert_eq!((nic.link(), card.borrow().phy_accesses), (Link::Up, 1), "the PHY is only asked");
}

#[test]
fn the_speed_of_the_link_is_told() {
    let (_bus, card, mut nic) = started(Igb::new(PARTS[0]), true);
    for (speed, bits) in [(10, 0), (100, 1 << 6), (1000, 2 << 6), (1000, 3 << 6), (2500, 1 << 22 | 2 << 6)] {
        card.borrow_mut().speed = bits;
        assert_eq!(nic.speed(), speed);
    }
}

#[test]
fn ready_in_time_without_a_link() {
    for part in PARTS {
        let (_, card, mut nic) = started(Igb::new(part), true);
        let ready = card.borrow().now_ns;
        println!("device {:04X}: ready after {} us", part.device, ready / 1000);
        assert_eq!(nic.link(), Link::Down, "{part:X?}: its PHY was off");
        assert!(ready < READY_NS, "{part:X?}: {ready} ns");
    }
}

#[test]
fn what_fails_at_the_start_is_told() {
    let with = |faults: Faults| {
        let (bus, _) = machine(Igb::with(PARTS[1], faults));
        find(&bus).and_then(|found| start(&bus, &found, true).map(|_| ()))
    };
    assert_eq!(with(Faults { reset: true, ..Faults::default() }), Err(Fault::Dead));
    assert_eq!(with(Faults { address: true, ..Faults::default() }), Err(Fault::Eeprom));
    assert_eq!(with(Faults { queues: true, ..Faults::default() }), Err(Fault::Dead));
    assert_eq!(with(Faults::default()), Ok(()));
    let (bus, _) = machine(Igb::new(PARTS[1]));
    let found = find(&bus).unwrap();
    assert_eq!(start(&bus, &Found { rings_xms: 100, ..found }, true).err(), Some(Fault::Memory));
    let gone = FakeBus::new();
    assert_eq!(find(&gone).err(), Some(Fault::Nothing));
}

#[test]
fn filters_are_exact_in_multicast_mode() {
    let (bus, card, mut nic) = started(Igb::new(PARTS[1]), true);
    let groups = [[1, 0, 0x5E, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 9]];
    nic.set_rcv_mode(RcvMode::Multicast, &groups);
    for (to, comes) in [(groups[0], 1), (groups[1], 1), ([1, 0, 0x5E, 0, 0, 2], 0), (MAC, 1), ([2, 0, 0, 0, 0, 1], 0), ([0xFF; 6], 1)] {
        let before = card.borrow().received;
        let mut frame = frame(80, 1);
        frame[..6].copy_from_slice(&to);
        bus.receive(0, &frame);
        assert_eq!(card.borrow().received - before, comes, "{to:02X?}");
    }
}
