//! The driver of Broadcom's tg3 family, with a card of a few registers: all kinds of parts, by memory and by the window in
//! configuration space, with the rings of XMS and those below 1 MB.

mod card;

use std::cell::RefCell;
use std::rc::Rc;

use compkt::bus::{Addr, Bus};
use compkt::device::{Device, Events, LINK_ACCESSES, LOOKAHEAD, Link, RcvMode, Rx, SendError};
use compkt::probe::tg3::Tg3Probe;
use compkt::probe::{Ask, Fault, Found, Probe, Rings};
use tools::fake_bus::{FakeBus, Place, job, taken};

use card::{Address, Card, Config, Faults, MAC, NONE, PARTS, Part, Registers};

const SLOT: u16 = 1 << 8;
const IRQ: u8 = 11;
const REGISTERS: u32 = 0xFEB0_0000;
/// The driver's memory; not at a multiple of 64.
const RINGS: u32 = 0x10_0030;
const CLIENT: usize = 0x2_0000;
/// The longest time until a card is ready.
const READY_NS: u64 = 500_000_000;
type Nic = <Tg3Probe as Probe<FakeBus>>::Device;

/// How the driver reaches a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Registers in memory, rings in XMS.
    Xms,
    /// Registers in memory, rings below 1 MB.
    Low,
    /// As in V86 mode.
    Window,
}

/// Every part in every way that it has.
fn all() -> impl Iterator<Item = (Part, Way)> {
    let ways = |part: Part| [Way::Xms, Way::Low, Way::Window].into_iter().filter(move |way| *way != Way::Window || !part.newer);
    PARTS.into_iter().flat_map(move |part| ways(part).map(move |way| (part, way)))
}

fn machine(part: Part, faults: Faults) -> (FakeBus, Rc<RefCell<Card>>) {
    let bus = FakeBus::new();
    let card = Rc::new(RefCell::new(Card::new(part, faults)));
    bus.plug(Rc::new(RefCell::new(Registers(card.clone()))), &[Place::Memory(REGISTERS, 0x8000)], IRQ);
    bus.plug(Rc::new(RefCell::new(Config(card.clone()))), &[Place::Ports(0xCF8, 8)], IRQ);
    (bus, card)
}

fn find(bus: &FakeBus) -> Result<Found, Fault> {
    Tg3Probe::find(bus, &Ask { index: 0, irq: 0, io: 0, pci: SLOT, taken: taken(&[]), media: 0, waits: false })
}

fn start(bus: &FakeBus, found: &Found, way: Way) -> Result<Nic, Fault> {
    let len = if way == Way::Xms { found.rings_xms } else { found.rings_low as u32 };
    let found = Found { mem: if way == Way::Window { 0 } else { found.mem }, ..*found };
    bus.memory_mut()[RINGS as usize - 16..][..len as usize + 32].fill(0xDD);
    let nic = Tg3Probe::start(bus.clone(), &found, &Rings { linear: Addr(RINGS), physical: RINGS, len })?;
    let memory = bus.memory();
    assert!([RINGS - 16, RINGS + len].iter().all(|at| memory[*at as usize..][..16] == [0xDD; 16]), "only the rings' memory is written");
    Ok(nic)
}

struct Rig {
    bus: FakeBus,
    card: Rc<RefCell<Card>>,
    nic: Nic,
}

/// A card whose link is up.
fn rig_with(part: Part, way: Way, faults: Faults) -> Rig {
    let (bus, card) = machine(part, faults);
    let found = find(&bus).expect("it is found");
    assert_eq!(found.mac, MAC);
    let nic = start(&bus, &found, way).expect("it starts");
    let mut rig = Rig { bus, card, nic };
    assert!(!rig.bus.line(IRQ), "quiet until it is unmasked");
    rig.nic.unmask();
    rig.bus.sleep(10_000);
    assert_eq!(rig.serve(), Vec::<Vec<u8>>::new());
    rig
}

fn rig(part: Part, way: Way) -> Rig {
    rig_with(part, way, NONE)
}

fn frame_to(to: [u8; 6], len: usize, seed: usize) -> Vec<u8> {
    let data = (0..len - 12).map(|at| (at * 7 + seed * 13) as u8);
    to.into_iter().chain([2, 0, 0, 0, 0, 9]).chain(data).collect()
}

fn frame(len: usize, seed: usize) -> Vec<u8> {
    frame_to(MAC, len, seed)
}

impl Rig {
    fn arrive(&self, frame: &[u8]) -> bool {
        self.bus.receive(0, frame)
    }

    /// Takes the frame that the driver has; an empty one for a useless one.
    fn take(&mut self) -> Option<Vec<u8>> {
        let mut head = [0; LOOKAHEAD];
        let rx = self.nic.peek(&mut head)?;
        if rx == Rx::USELESS {
            self.nic.discard(rx);
            return Some(Vec::new());
        }
        self.bus.memory_mut()[CLIENT..][..1600].fill(0xEE);
        let len = rx.len() as usize;
        self.nic.copy(&job(CLIENT, len, &head));
        self.nic.discard(rx);
        let memory = self.bus.memory();
        assert!(memory[CLIENT + len..][..8] == [0xEE; 8], "nothing is written behind the frame");
        assert_eq!(memory[CLIENT..][..LOOKAHEAD.min(len)], head[..LOOKAHEAD.min(len)]);
        Some(memory[CLIENT..][..len].to_vec())
    }

    /// Serves the interrupt while its line is high; the frames.
    fn serve(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for _ in 0..100 {
            if !self.bus.line(IRQ) {
                return frames;
            }
            assert_ne!(self.nic.irq(), Events::NONE, "the interrupt is the card's");
            while let Some(frame) = self.take() {
                frames.push(frame);
            }
        }
        panic!("the line stays high");
    }

    fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        self.bus.memory_mut()[CLIENT..][..frame.len()].copy_from_slice(frame);
        self.nic.send(&job(CLIENT, frame.len(), &[0; LOOKAHEAD]))
    }

    fn sent(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.card.borrow_mut().sent)
    }

    fn link(&self, up: bool) {
        self.bus.with_env(0, |env| self.card.borrow_mut().set_link_now(env, up));
    }

    /// Frames of odd lengths pass in both directions, so many that each descriptor is used several times.
    fn exchange(&mut self, count: usize, what: &str) {
        for number in 0..count {
            let frame = frame(60 + number * 97 % 1455, number);
            assert!(self.arrive(&frame), "{what}: frame {number} is taken");
            assert_eq!(self.serve(), [frame.clone()], "{what}: frame {number}");
            assert_eq!(self.send(&frame), Ok(()), "{what}: frame {number} goes out");
            assert_eq!(self.sent(), [frame], "{what}: frame {number} on the wire");
        }
        assert!(!self.arrive(&frame_to([2, 0, 0, 0, 0, 1], 60, 1)), "{what}: another station's");
        assert_eq!(self.nic.count.errors_in + self.nic.count.errors_out, 0);
    }
}

/// People report by the chip's name.
#[test]
fn a_chip_is_called_by_its_name() {
    for part in PARTS {
        let said = find(&machine(part, NONE).0).expect("it is found").chip;
        assert_eq!(String::from_utf8_lossy(&said).trim_end_matches('\0'), format!(": {}", part.name));
    }
    let mut ids = <Tg3Probe as Probe<FakeBus>>::IDS.to_vec();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), <Tg3Probe as Probe<FakeBus>>::IDS.len(), "no identity is there twice");
    // 5700 to 5704, and those with firmware of their own (bnx2), are not driven.
    for other in [0x1644, 0x1645, 0x16A6, 0x1648, 0x164A, 0x164C, 0x1639, 0x163B] {
        assert!(!ids.contains(&(other << 16 | 0x14E4)), "{other:X}");
    }
}

#[test]
fn each_part_carries_frames_in_each_way() {
    for (part, way) in all() {
        let what = format!("{} {way:?}", part.name);
        let mut rig = rig(part, way);
        assert_eq!(rig.nic.link(), Link::Up, "{what}");
        rig.exchange(1_200, &what);
        rig.nic.stop();
        let (received, interrupts) = (rig.card.borrow().received, rig.card.borrow().interrupts);
        rig.arrive(&frame(100, 1));
        rig.link(false);
        assert_eq!((rig.card.borrow().received, rig.card.borrow().interrupts), (received, interrupts), "{what}: at rest after the end");
    }
}

#[test]
fn ready_in_time_without_a_link() {
    for (part, way) in all() {
        let (bus, card) = machine(part, NONE);
        let found = find(&bus).unwrap();
        let mut nic = start(&bus, &found, way).expect("it starts");
        let ready = bus.now_ns();
        println!("{} {way:?}: ready after {} us", part.name, ready / 1000);
        assert!(ready < READY_NS, "{}: {ready} ns", part.name);
        assert_eq!(nic.link(), Link::Down);
        assert_eq!(card.borrow().resets, 1);
        assert_eq!(card.borrow().negotiations, 1, "its PHY, which was off, is turned on");
        assert_eq!(card.borrow().phy_registers[&4] & 0x1E1, 0x1E1);
        // What the card's configuration had before the reset is there again, and no more.
        let config = card.borrow().config;
        assert_eq!((config[4] & 7, config[0x0C]), (7, 0x10));
        if part.express {
            assert_eq!((config[0xB4], config[0xB5], config[0xBC]), (0, 0x20, 0), "no relaxed order, no snoop filter, no ASPM");
        }
    }
}

/// Boot code that never answers, an NVRAM that is never released: the card starts all the same, within the limit.
#[test]
fn dead_firmware_is_waited_for_but_not_for_ever() {
    for (part, way) in all() {
        let (bus, _) = machine(part, Faults { boot: true, nvram: true, ..NONE });
        let found = find(&bus).unwrap();
        let before = bus.now_ns();
        let _ = start(&bus, &found, way).expect("it starts");
        let took = bus.now_ns() - before;
        println!("{} {way:?}: {} ms", part.name, took / 1_000_000);
        assert!(took < 1_500_000_000, "{}: {took} ns", part.name);
    }
}

#[test]
fn a_link_that_is_up_is_left_alone() {
    for part in [PARTS[1], PARTS[6], PARTS[9]] {
        let (bus, card) = machine(part, NONE);
        {
            let mut card = card.borrow_mut();
            card.bmcr = 0x1000;
            card.phy_registers.extend([(4, 0x0DE1), (9, 0x0200)]);
        }
        bus.with_env(0, |env| card.borrow_mut().set_link_now(env, true));
        let found = find(&bus).unwrap();
        let mut nic = start(&bus, &found, Way::Xms).expect("it starts");
        assert_eq!((nic.link(), card.borrow().negotiations), (Link::Up, 0), "{}", part.name);
    }
}

/// The MAC follows the PHY: otherwise nothing is received or sent.
#[test]
fn the_mac_has_the_phys_speed() {
    for (part, way) in all() {
        let mut rig = rig(part, way);
        // Bits 10:8 of the auxiliary status; the 5906 has bits 3 and 0 instead.
        let speeds: &[u16] = if part.fast { &[0, 1, 8, 9] } else { &[0x100, 0x200, 0x300, 0x500, 0x600, 0x700] };
        for aux in speeds {
            rig.link(false);
            assert_eq!(rig.serve().len(), 0);
            rig.card.borrow_mut().aux = *aux;
            rig.link(true);
            assert_eq!(rig.serve().len(), 0);
            rig.exchange(3, &format!("{} {way:?} {aux:X}", part.name));
        }
    }
}

#[test]
fn a_link_that_was_lost_is_told_once() {
    for (part, way) in all() {
        let mut rig = rig(part, way);
        assert_eq!((rig.nic.link(), rig.nic.link()), (Link::Up, Link::Up));
        rig.link(false);
        assert!(rig.bus.line(IRQ), "the card interrupts");
        assert_eq!(rig.nic.irq(), Events(Events::OPEN.0 | Events::LINK.0));
        assert_eq!(rig.nic.link(), Link::Down);
        rig.link(true);
        assert_eq!(rig.nic.irq(), Events(Events::OPEN.0 | Events::LINK.0));
        assert_eq!(rig.nic.link(), Link::Up);
        // Down and up before anything looks.
        rig.link(false);
        rig.link(true);
        rig.serve();
        assert_eq!((rig.nic.link(), rig.nic.link()), (Link::Down, Link::Up));
        rig.exchange(3, part.name);
    }
}

/// It is lost between the driver's look at the status block and the end of the request, which also ends the request for that.
#[test]
fn a_link_that_is_lost_at_the_end_of_a_request_is_told() {
    for (part, way) in all() {
        let mut rig = rig(part, way);
        rig.card.borrow_mut().falls_at_the_end = true;
        assert!(rig.arrive(&frame(60, 1)));
        let mut told = 0;
        for _ in 0..3 {
            if rig.bus.line(IRQ) {
                let Events(events) = rig.nic.irq();
                told += (events & Events::LINK.0 != 0) as u8;
                while rig.take().is_some() {}
            }
        }
        assert_eq!((told, rig.nic.link()), (1, Link::Down), "{}", part.name);
        rig.link(true);
        rig.serve();
        rig.exchange(3, part.name);
    }
}

#[test]
fn the_link_is_read_within_its_limit() {
    for (part, way) in all() {
        for phy in [false, true] {
            let mut rig = rig(part, way);
            rig.card.borrow_mut().faults.phy = phy;
            rig.bus.after(u32::from(LINK_ACCESSES) + 1, |_| ());
            rig.nic.link();
            assert!(rig.bus.awaits(), "{} {way:?}: more than {LINK_ACCESSES} accesses", part.name);
        }
    }
}

/// A frame that comes at any moment of an interrupt's service interrupts, or is found.
#[test]
fn no_frame_is_forgotten_whenever_it_comes() {
    for (part, way) in all() {
        for access in 1..60 {
            let mut rig = rig(part, way);
            assert!(rig.arrive(&frame(60, 1)));
            let late = frame(61, 2);
            let (card, bytes) = (rig.card.clone(), late.clone());
            rig.bus.after(access, move |bus| {
                let _ = &card;
                assert!(bus.receive(0, &bytes));
            });
            let mut frames = rig.serve();
            if rig.bus.awaits() {
                break;
            }
            frames.extend(rig.serve());
            assert_eq!(frames.len(), 2, "{} {way:?}: at access {access}", part.name);
            rig.exchange(1, part.name);
        }
    }
}

/// What came while the card was masked interrupts when it is unmasked.
#[test]
fn unmask_announces_what_has_come() {
    for (part, way) in all() {
        let (bus, card) = machine(part, NONE);
        let found = find(&bus).unwrap();
        let nic = start(&bus, &found, way).unwrap();
        let mut rig = Rig { bus, card, nic };
        rig.bus.sleep(10_000);
        rig.nic.link();
        assert!(rig.arrive(&frame(70, 1)));
        assert!(!rig.bus.line(IRQ), "masked");
        rig.nic.unmask();
        assert!(rig.bus.line(IRQ), "{} {way:?}", part.name);
        assert_eq!(rig.serve(), [frame(70, 1)]);
    }
}

#[test]
fn an_interrupt_of_another_card_is_not_taken() {
    for (part, way) in all() {
        let mut rig = rig(part, way);
        assert_eq!(rig.nic.irq(), Events::NONE, "{} {way:?}", part.name);
        rig.exchange(1, part.name);
    }
}

#[test]
fn a_full_ring_loses_what_comes_and_goes_on() {
    for (part, way) in all() {
        let room = if way == Way::Xms { 64 } else { 2 };
        let mut rig = rig(part, way);
        for number in 0..room + 6 {
            assert_eq!(rig.arrive(&frame(200, number)), number < room, "{} {way:?} {number}", part.name);
        }
        assert_eq!(rig.card.borrow().dropped, 6);
        assert_eq!(rig.serve(), (0..room).map(|number| frame(200, number)).collect::<Vec<_>>());
        rig.exchange(50, part.name);
    }
}

#[test]
fn bad_frames_are_counted_and_dropped() {
    let mut rig = rig(PARTS[1], Way::Xms);
    rig.bus.with_env(0, |env| rig.card.borrow_mut().arrive(env, &frame(90, 1), 1));
    assert_eq!(rig.serve(), [Vec::<u8>::new()]);
    assert_eq!(rig.nic.count.errors_in, 1);
    rig.nic.count.errors_in = 0;
    rig.exchange(3, "after");
}

/// A doorbell that was not heard is rung again; no frame is lost by that.
#[test]
fn a_lost_doorbell_is_rung_again() {
    for way in [Way::Xms, Way::Low, Way::Window] {
        let mut rig = rig(PARTS[1], way);
        rig.exchange(3, "before");
        let next = rig.card.borrow().doorbells() + 1;
        rig.card.borrow_mut().faults.doorbell = Some(next);
        let frames: Vec<Vec<u8>> = (0..4).map(|number| frame(80, number)).collect();
        let room = if way == Way::Xms { 4 } else { 1 };
        assert_eq!(rig.send(&frames[0]), Ok(()));
        assert_eq!(rig.sent().len(), 0);
        if room == 1 {
            assert_eq!(rig.send(&frames[1]), Err(SendError::Busy));
            assert_eq!(rig.sent(), [frames[0].clone()]);
        }
        assert_eq!(rig.send(&frames[1]), Ok(()));
        rig.sent();
        rig.exchange(5, "after");
    }
}

/// The card has sent all frames, but its writes of the status block did not arrive: the driver asks for another.
#[test]
fn a_lost_status_block_is_asked_for_again() {
    for way in [Way::Xms, Way::Low, Way::Window] {
        let room = if way == Way::Xms { 16 } else { 1 };
        let mut rig = rig(PARTS[1], way);
        rig.exchange(3, "before");
        rig.serve();
        let mut sent = 0;
        loop {
            let next = rig.card.borrow().updates() + 1;
            rig.card.borrow_mut().faults.update = Some(next);
            if rig.send(&frame(80, 1)) == Err(SendError::Busy) {
                break;
            }
            sent += 1;
            assert!(sent <= room, "{way:?}: there is no room for {sent} frames");
        }
        assert_eq!(rig.sent().len(), sent);
        rig.card.borrow_mut().faults.update = None;
        assert_eq!(rig.send(&frame(81, 1)), Err(SendError::Busy), "{way:?}: the card has not told yet");
        assert_eq!(rig.send(&frame(81, 1)), Ok(()), "{way:?}: it was asked to");
        rig.serve();
        rig.sent();
        rig.exchange(5, "after");
    }
}

#[test]
fn filters_follow_the_mode() {
    let groups = [[1, 0, 0x5E, 0, 0, 1], [0x33, 0x33, 0, 0, 0, 9]];
    let strange = [1, 0, 0x5E, 0, 0, 2];
    let other = [2, 0, 0, 0, 0, 1];
    for (part, way) in all() {
        let mut rig = rig(part, way);
        let modes = [
            (RcvMode::Off, [false; 6]),
            (RcvMode::Direct, [true, false, false, false, false, false]),
            (RcvMode::Broadcast, [true, true, false, false, false, false]),
            (RcvMode::Multicast, [true, true, true, true, false, false]),
            (RcvMode::AllMulticast, [true, true, true, true, true, false]),
            (RcvMode::Promiscuous, [true; 6]),
        ];
        for (mode, wanted) in modes.into_iter().chain(modes.into_iter().rev()) {
            rig.nic.set_rcv_mode(mode, &groups);
            for (to, wanted) in [MAC, [0xFF; 6], groups[0], groups[1], strange, other].into_iter().zip(wanted) {
                let frame = frame_to(to, 80, 1);
                rig.arrive(&frame);
                let came = rig.serve().contains(&frame);
                assert_eq!(came, wanted, "{} {way:?} {mode:?} {to:02X?}", part.name);
            }
        }
        assert_eq!(rig.nic.count.errors_in, 0, "a frame that is not wanted is no error");
    }
}

#[test]
fn another_address_replaces_the_first() {
    let mut rig = rig(PARTS[4], Way::Xms);
    let mine = [0x02, 0x11, 0x22, 0x33, 0x44, 0x55];
    rig.nic.set_address(&mine);
    rig.nic.set_rcv_mode(RcvMode::Broadcast, &[]);
    assert!(rig.arrive(&frame_to(mine, 70, 1)));
    assert!(!rig.arrive(&frame(70, 1)), "no more the old one");
    assert_eq!(rig.serve(), [frame_to(mine, 70, 1)]);
}

#[test]
fn the_address_is_found_wherever_it_is() {
    for part in PARTS {
        for address in [Address::Memory, Address::Registers, Address::Nvram] {
            let found = find(&machine(part, Faults { address, ..NONE }).0);
            assert_eq!(found.map(|found| found.mac), Ok(MAC), "{} {address:?}", part.name);
        }
        assert_eq!(find(&machine(part, Faults { address: Address::Nowhere, ..NONE }).0).err(), Some(Fault::Eeprom));
        let held = Faults { address: Address::Nvram, nvram: true, ..NONE };
        assert_eq!(find(&machine(part, held).0).err(), Some(Fault::Eeprom), "{}: the firmware keeps the NVRAM", part.name);
    }
}

#[test]
fn what_fails_at_the_start_is_told() {
    for (part, way) in all() {
        let with = |faults: Faults| {
            let (bus, _) = machine(part, faults);
            find(&bus).and_then(|found| start(&bus, &found, way).map(|_| ()))
        };
        assert_eq!(with(Faults { reset: true, ..NONE }), Err(Fault::Dead), "{}", part.name);
        assert_eq!(with(Faults { manager: true, ..NONE }), Err(Fault::Dead), "{}", part.name);
        assert_eq!(with(Faults { phy: true, ..NONE }), Ok(()), "{}", part.name);
        let (bus, _) = machine(part, NONE);
        let found = find(&bus).unwrap();
        let short = Rings { linear: Addr(RINGS), physical: RINGS, len: 4000 };
        assert_eq!(Tg3Probe::start(bus, &found, &short).err(), Some(Fault::Memory));
    }
    assert_eq!(find(&FakeBus::new()).err(), Some(Fault::Nothing));
}

/// The line test: the card interrupts once, at the line that it has; what is named is another one.
#[test]
fn the_line_is_where_the_card_interrupts() {
    for (part, way) in all() {
        let (bus, card) = machine(part, NONE);
        let found = find(&bus).unwrap();
        let mut nic = start(&bus, &found, way).unwrap();
        let found = Found { irq: 10, mem: if way == Way::Window { 0 } else { found.mem }, ..found };
        assert_eq!(Tg3Probe::line(&bus, &found, &mut nic), IRQ, "{} {way:?}", part.name);
        assert!(!bus.line(IRQ));
        assert!(card.borrow().interrupts > 0);
    }
}

/// Another program has selected a register of configuration space when the card interrupts: it is still selected afterwards.
#[test]
fn the_selected_configuration_register_stays() {
    const OTHER: u32 = 0x8000_F820;
    let mut rig = rig(PARTS[1], Way::Window);
    rig.bus.out32(0xCF8, OTHER);
    rig.exchange(5, "window");
    rig.nic.link();
    rig.nic.set_rcv_mode(RcvMode::Multicast, &[[1, 0, 0x5E, 0, 0, 1]]);
    rig.nic.unmask();
    assert_eq!(rig.bus.in32(0xCF8), OTHER);
    rig.nic.stop();
    assert_eq!(rig.bus.in32(0xCF8), OTHER);
}
