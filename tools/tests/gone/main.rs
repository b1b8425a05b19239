//! A card is removed in the middle of an entry of its driver: pulled from its slot, powered down, or its bus hangs.
//!
//! Whether reads return ones or zeros from then on, and after whichever access, the entry must end, and all later entries, too.
//! The largest number of accesses of an entry is printed for each driver.

mod bus;

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use compkt::bus::Addr;
use compkt::device::{Device, Head, MacAddr, RcvMode, Rx, SendError};
use compkt::drivers::intel_rings::{Gigabit, Memory, PCH, Ports, Window};
use compkt::drivers::pcnet::Pcnet;
use compkt::drivers::rtl8139::{self, Rtl8139};
use compkt::probe::boomerang::BoomerangProbe;
use compkt::probe::corkscrew::CorkscrewProbe;
use compkt::probe::corkscrew::lists::CorkscrewListsProbe;
use compkt::probe::e1000::E1000Probe;
use compkt::probe::e1000e::E1000eProbe;
use compkt::probe::el3::El3Probe;
use compkt::probe::i8255x::I8255xProbe;
use compkt::probe::igb::IgbProbe;
use compkt::probe::ne2000::Ne2000Probe;
use compkt::probe::pch::PchProbe;
use compkt::probe::pcnet::PcnetProbe;
use compkt::probe::rtl8139::Rtl8139Probe;
use compkt::probe::rtl8169::{Rtl8125Probe, Rtl8169Probe};
use compkt::probe::tg3::Tg3Probe;
use compkt::probe::tulip::TulipProbe;
use compkt::probe::virtio_net::VirtioNetProbe;
use compkt::probe::vmxnet3::Vmxnet3Probe;
use compkt::probe::vortex::VortexProbe;
use compkt::probe::{Ask, Fault, Found, Probe, Rings};
use models::Model;
use tools::fake_bus::{FakeBus, PciFunction, Place, job, taken};
use tools::random::Random;

use bus::{Dying, Gone, Noise};

const MAC: MacAddr = [0x02, 0x60, 0x8C, 0x12, 0x34, 0x56];
const GROUPS: [MacAddr; 3] = [[0x01, 0, 0x5E, 0, 0, 1], [0x01, 0, 0x5E, 0, 0, 2], [0x33, 0x33, 0, 0, 0, 1]];
const SLOT: u16 = 3 << 3;
const PORTS: u16 = 0xC100;
/// The variant of `pch` that is the I219 (src/probe/pch/chips.rs).
const I219: u8 = 4;
/// Addresses of registers in memory, above the machine's: first and second window.
const REGISTERS: u32 = 0xFEB0_0000;
const COMMANDS: u32 = 0xFEB1_0000;
const RINGS: u32 = 0x10_0000;
const XMS: Rings = Rings { linear: Addr(RINGS), physical: RINGS, len: 0x2_4000 };
const CLIENT: usize = 0x2_0000;
/// The BIOS's tick count.
const TICKS: usize = 0x46C;

const HOW: [Gone; 4] = [
    Gone { ones: true, rings: false },
    Gone { ones: false, rings: false },
    Gone { ones: true, rings: true },
    Gone { ones: false, rings: true },
];

/// Makes a working card in a machine of its own.
type Make = fn(u64) -> Result<(Dying, Box<dyn Device>), Fault>;

const DRIVERS: [(&str, Make); 31] = [
    ("ne2000", |_| ne2000::<true>(models::ne2000::Options::ne2000(MAC))),
    ("ne1000", |_| ne2000::<false>(models::ne2000::Options::ne1000(MAC))),
    ("el3", |_| isa::<El3Probe>(Rc::new(RefCell::new(models::el3::El3::new(models::el3::Options::new(MAC)))))),
    ("corkscrew", |_| isa::<CorkscrewProbe>(corkscrew(false))),
    ("corkscrewx", |_| {
        let bus = FakeBus::new();
        bus.plug_isa(corkscrew(true));
        let bus = Dying::new(bus);
        let found = CorkscrewProbe::find(&bus, &ask())?;
        start::<CorkscrewListsProbe>(bus, &found)
    }),
    ("vortex", |_| elink::<VortexProbe>(models::vortex::C590)),
    ("boomerang", |_| elink::<BoomerangProbe>(models::vortex::C905)),
    ("virtio_net", |_| {
        let bus = machine(&[(Rc::new(RefCell::new(models::virtio_net::VirtioNet::new(MAC))), ports(0x20))], 0x1000_1AF4);
        let found = VirtioNetProbe::find(&bus, &pci_ask())?;
        start::<VirtioNetProbe>(bus, &found)
    }),
    ("e1000", |seed| start::<E1000Probe>(noise(seed), &in_memory())),
    ("e1000v", |seed| start::<E1000Probe>(noise(seed), &by_ports())),
    ("e1000e", |seed| start::<E1000eProbe>(noise(seed), &in_memory())),
    ("e1000ev", |seed| start::<E1000eProbe>(noise(seed), &by_ports())),
    ("igb", |seed| start::<IgbProbe>(noise(seed), &in_memory())),
    ("igbv", |seed| start::<IgbProbe>(noise(seed), &by_ports())),
    ("pch", |seed| pch::<Memory>(noise(seed), &Found { variant: I219, ..in_memory() })),
    ("pchv", |seed| pch::<Ports>(noise(seed), &by_ports())),
    ("tg3", |seed| start::<Tg3Probe>(noise(seed), &in_memory())),
    ("tg3v", |seed| start_in::<Tg3Probe>(configured_by_noise(seed), &Found { io: 0, ..by_ports() }, false)),
    ("vmxnet3", |seed| start::<Vmxnet3Probe>(noise(seed), &in_memory())),
    ("i8255x", |seed| start::<I8255xProbe>(noise(seed), &Found { variant: 1, ..by_ports() })),
    ("i8255x without a PHY", |seed| start::<I8255xProbe>(noise(seed), &by_ports())),
    ("tulip", |seed| start::<TulipProbe>(noise(seed), &by_ports())),
    ("tulip by 10BASE-T", |seed| {
        let bus = noise(seed);
        let mut card = TulipProbe::start(bus.clone(), &by_ports(), &XMS)?;
        card.phy = u8::MAX;
        Ok((bus, Box::new(card)))
    }),
    ("pcnetv", |seed| start_in::<PcnetProbe>(noise(seed), &by_ports(), false)),
    ("pcnet", |seed| {
        let bus = noise(seed);
        let _ = start::<PcnetProbe>(bus.clone(), &by_ports())?;
        let mut card = Pcnet::<_, true>::new(bus.clone(), PORTS, Addr(RINGS));
        if card.restart() { Ok((bus, Box::new(card))) } else { Err(Fault::Dead) }
    }),
    ("rtl8169v", |seed| start_in::<Rtl8169Probe>(noise(seed), &by_ports(), false)),
    ("rtl8169", |seed| {
        let bus = noise(seed);
        let card = Rtl8169Probe::start(bus.clone(), &by_ports(), &XMS)?;
        Ok((bus, Box::new(card.deep())))
    }),
    ("rtl8125v", |seed| start_in::<Rtl8125Probe>(noise(seed), &by_ports(), false)),
    ("rtl8125", |seed| {
        let bus = noise(seed);
        let card = Rtl8125Probe::start(bus.clone(), &by_ports(), &XMS)?;
        Ok((bus, Box::new(card.deep())))
    }),
    ("rtl8139v", |seed| start_in::<Rtl8139Probe>(noise(seed), &by_ports(), false)),
    ("rtl8139", |seed| {
        let bus = noise(seed);
        let ring = RINGS + rtl8139::TX_FOUR as u32;
        let mut card = Rtl8139::<_, true>::new(bus.clone(), PORTS, Addr(ring));
        if card.open(ring, 0x9F0E) { Ok((bus, Box::new(card))) } else { Err(Fault::Dead) }
    }),
];

fn ask() -> Ask<'static> {
    Ask { index: 0, irq: 10, io: 0, pci: 0, taken: taken(&[]), media: 0, waits: false }
}

fn pci_ask() -> Ask<'static> {
    Ask { pci: SLOT, irq: 0, ..ask() }
}

fn ports(count: u16) -> Vec<Place> {
    vec![Place::Ports(PORTS, count)]
}

/// A found card, as from a probe.
fn by_ports() -> Found {
    Found { mac: MAC, io: PORTS, irq: 10, pci: SLOT, rings_xms: XMS.len, rings_low: 0x4000, ..Found::default() }
}

fn in_memory() -> Found {
    Found { io: 0, mem: REGISTERS, ..by_ports() }
}

/// A machine with one PCI card.
fn machine(models: &[(Rc<RefCell<dyn Model>>, Vec<Place>)], id: u32) -> Dying {
    let bus = FakeBus::new();
    for (model, places) in models {
        bus.plug(model.clone(), places, 10);
    }
    let mut config = [0; 256];
    config[0..4].copy_from_slice(&id.to_le_bytes());
    let first = if models.len() > 1 { REGISTERS } else { PORTS as u32 | 1 };
    config[0x10..0x14].copy_from_slice(&first.to_le_bytes());
    config[0x14..0x18].copy_from_slice(&COMMANDS.to_le_bytes());
    config[0x3C] = 10;
    let mut writable = [0; 256];
    writable[4] = 7;
    writable[5] = 4;
    bus.add_pci(PciFunction { place: SLOT, config, writable });
    Dying::new(bus)
}

/// A machine with a card without a model.
fn noise(seed: u64) -> Dying {
    let noise = Rc::new(RefCell::new(Noise::new(seed)));
    let places = |places: &[Place]| (noise.clone() as Rc<RefCell<dyn Model>>, places.to_vec());
    let bus = machine(&[places(&[Place::Ports(PORTS, 0x100), Place::Memory(REGISTERS, 0x1_0000)]), places(&[Place::Memory(COMMANDS, 0x1000)])], 0);
    // Descriptors have random contents, too.
    let mut random = Random::new(seed);
    bus.bus.memory_mut()[RINGS as usize..][..0x4_0000].fill_with(|| (random.word() & random.word()) as u8);
    bus
}

/// A machine in which the card without a model answers in configuration space.
fn configured_by_noise(seed: u64) -> Dying {
    let bus = noise(seed);
    bus.bus.plug(Rc::new(RefCell::new(Noise::new(seed))), &[Place::Ports(0xCF8, 8)], 10);
    bus
}

/// Starts a found card, with rings in XMS or below 1 MB.
fn start_in<P: Probe<Dying>>(bus: Dying, found: &Found, deep: bool) -> Result<(Dying, Box<dyn Device>), Fault>
where
    P::Device: 'static,
{
    let len = if deep { found.rings_xms } else { found.rings_low as u32 };
    let mut device = P::start(bus.clone(), found, &Rings { linear: Addr(RINGS), physical: RINGS, len })?;
    device.unmask();
    Ok((bus, Box::new(device)))
}

/// A part of a chipset, as its resident unit has it: the one in memory releases an I219's descriptors at its end.
fn pch<W: Window + 'static>(bus: Dying, found: &Found) -> Result<(Dying, Box<dyn Device>), Fault> {
    let card = PchProbe::start(bus.clone(), found, &XMS)?;
    let Gigabit { count, place, descs, buffers, peeked, sent_at, rx_buffers, tx_buffers, rx, tx, bus: own, .. } = card;
    let mut card: Gigabit<_, W, PCH> =
        Gigabit { count, place, descs, buffers, peeked, sent_at, rx_buffers, tx_buffers, rx, tx, bus: own, window: PhantomData };
    card.unmask();
    Ok((bus, Box::new(card)))
}

fn start<P: Probe<Dying>>(bus: Dying, found: &Found) -> Result<(Dying, Box<dyn Device>), Fault>
where
    P::Device: 'static,
{
    start_in::<P>(bus, found, true)
}

fn ne2000<const WIDE: bool>(options: models::ne2000::Options) -> Result<(Dying, Box<dyn Device>), Fault> {
    let bus = FakeBus::new();
    bus.plug(Rc::new(RefCell::new(models::ne2000::Ne2000::new(options))), &[Place::Ports(0x300, 0x20)], 10);
    let bus = Dying::new(bus);
    let found = Ne2000Probe::<WIDE>::find(&bus, &ask())?;
    start::<Ne2000Probe<WIDE>>(bus, &found)
}

fn corkscrew(lists: bool) -> Rc<RefCell<models::corkscrew::Corkscrew>> {
    use models::corkscrew::{Corkscrew, Options};
    Rc::new(RefCell::new(Corkscrew::new(Options { lists, ..Options::new(MAC) })))
}

fn isa<P: Probe<Dying>>(card: Rc<RefCell<dyn models::isa::Card>>) -> Result<(Dying, Box<dyn Device>), Fault>
where
    P::Device: 'static,
{
    let bus = FakeBus::new();
    bus.plug_isa(card);
    let bus = Dying::new(bus);
    let found = P::find(&bus, &ask())?;
    start::<P>(bus, &found)
}

fn elink<P: Probe<Dying>>(part: models::vortex::Part) -> Result<(Dying, Box<dyn Device>), Fault>
where
    P::Device: 'static,
{
    use models::vortex::{Options, Vortex};
    let card = Rc::new(RefCell::new(Vortex::new(Options::new(part, MAC))));
    let bus = machine(&[(card, ports(part.ports))], (part.device as u32) << 16 | 0x10B7);
    let found = P::find(&bus, &pci_ask())?;
    start::<P>(bus, &found)
}

/// The ten entries of a driver.
const ENTRIES: [&str; 10] = ["irq", "unmask", "peek", "copy", "discard", "send", "set_rcv_mode", "set_address", "link", "stop"];

/// Calls an entry. `rx`: the peeked frame.
fn call(device: &mut dyn Device, entry: &str, rx: &mut Option<Rx>) {
    let mut head: Head = [0; 24];
    match entry {
        "irq" => drop(device.irq()),
        "unmask" => device.unmask(),
        "peek" => *rx = device.peek(&mut head),
        "copy" => {
            if let Some(rx) = rx.filter(|&rx| rx != Rx::USELESS) {
                device.copy(&job(CLIENT, rx.len() as usize, &head));
            }
        }
        "discard" => {
            if let Some(rx) = rx.take() {
                device.discard(rx);
            }
        }
        "send" => drop(device.send(&job(CLIENT, 1514, &head))),
        "set_rcv_mode" => device.set_rcv_mode(RcvMode::Multicast, &GROUPS),
        "set_address" => device.set_address(&MAC),
        "link" => drop(device.link()),
        _ => device.stop(),
    }
}

/// A started card; if it has a model, with a peeked frame.
fn working(make: Make, seed: u64) -> (Dying, Box<dyn Device>, Option<Rx>) {
    let tries = (0..).map(|more| make(seed + 1000 * more)).take(100);
    let (bus, mut device) = tries.flatten().next().expect("it starts");
    let frame: Vec<u8> = MAC.into_iter().chain([2, 0, 0, 0, 0, 9, 8, 0]).chain([0x55; 400]).collect();
    for _ in 0..3 {
        bus.bus.receive(0, &frame);
        bus.bus.sleep(1_000);
    }
    device.irq();
    let rx = device.peek(&mut [0; 24]);
    bus.bus.memory_mut()[TICKS] = seed as u8;
    (bus, device, rx)
}

/// The largest number of accesses, and the entry that made them.
#[derive(Clone, Copy)]
struct Most(u32, &'static str);

impl Most {
    fn note(&mut self, bus: &Dying, entry: &'static str) {
        let accesses = bus.accesses();
        if accesses > self.0 {
            *self = Most(accesses, entry);
        }
    }
}

/// Removes the card after each access of an entry, and calls all entries afterwards.
fn goes_at_any_access(make: Make, entry: &'static str, how: Gone, most: &mut Most) {
    // After the first 50 accesses the entry is in a loop: larger steps are enough.
    for behind in (0..50).chain((50..2_000).step_by(39)) {
        let (bus, mut device, mut rx) = working(make, behind as u64);
        bus.accesses();
        bus.go(behind, how);
        call(&mut *device, entry, &mut rx);
        most.note(&bus, entry);
        let in_time = bus.is_gone();
        bus.go(0, how);
        if !in_time || behind.is_multiple_of(8) {
            for entry in ENTRIES {
                call(&mut *device, entry, &mut rx);
                most.note(&bus, entry);
            }
        }
        if !in_time {
            break;
        }
    }
}

#[test]
fn every_entry_ends_when_the_card_goes_at_any_access() {
    for (name, make) in DRIVERS {
        let mut most = Most(0, "");
        for how in HOW {
            for entry in ENTRIES {
                goes_at_any_access(make, entry, how, &mut most);
            }
        }
        let Most(accesses, entry) = most;
        println!("{name}: {accesses} accesses at most, in {entry}");
    }
}

/// So many failing calls that their counters wrap.
#[test]
fn sending_in_vain_ends_each_time() {
    for (name, make) in DRIVERS {
        for how in HOW {
            let (bus, mut device, _) = working(make, 1);
            bus.go(0, how);
            let (mut most, mut taken) = (Most(0, ""), 0);
            for tick in 0..70_000u32 {
                bus.bus.memory_mut()[TICKS] = tick as u8;
                bus.accesses();
                taken += (device.send(&job(CLIENT, 1514, &[0; 24])) != Err(SendError::Busy)) as u32;
                most.note(&bus, "send");
                if taken == 100 {
                    break;
                }
            }
            println!("{name}, {how:?}: {} accesses at most, {taken} not refused", most.0);
        }
    }
}

/// The core takes frames until there is none. A removed card has none, after a few that make no sense.
#[test]
fn a_card_that_is_gone_has_no_frames_without_end() {
    for (name, make) in DRIVERS {
        let (bus, mut device, mut next) = working(make, 1);
        bus.go(0, HOW[0]);
        let mut frames = 0;
        while let Some(rx) = next {
            device.discard(rx);
            bus.accesses();
            frames += 1;
            assert!(frames < 200, "{name}");
            next = device.peek(&mut [0; 24]);
        }
        println!("{name}: frames: {frames}");
    }
}
