//! Finding 3C509B cards: ID port, contention, tags, ISA PnP, EEPROM.

mod world;

use models::el3::{El3, Options};
use models::faults::Faults;
use models::isa::{self, Card, PNP_ADDRESS, PNP_WRITE};
use models::Model;
use world::{MAC, World};

const ID: u16 = 0x110;
const READ: u16 = 0x213;

/// Cards on one bus.
struct Bus {
    cards: Vec<(El3, World)>,
}

impl Bus {
    fn new(options: Vec<Options>) -> Bus {
        Bus { cards: options.into_iter().map(|options| (El3::new(options), World::default())).collect() }
    }
    fn pass(&mut self, us: u64) {
        self.cards.iter_mut().for_each(|(_, world)| world.now += us * 1_000);
    }
    fn out(&mut self, port: u16, value: u8) {
        self.pass(1);
        self.cards.iter_mut().for_each(|(card, world)| card.hear(world, port, value));
    }
    fn input(&mut self, port: u16) -> u8 {
        self.pass(1);
        let line = isa::together(self.cards.iter_mut().map(|(card, world)| card.offer(world, port)));
        self.cards.iter_mut().for_each(|(card, world)| card.settle(world, port, line));
        line
    }
    fn id_sequence(&mut self) {
        self.out(ID, 0);
        self.out(ID, 0);
        let mut byte = 0xFFu16;
        for _ in 0..255 {
            self.out(ID, byte as u8);
            byte <<= 1;
            if byte & 0x100 != 0 {
                byte ^= 0x1CF;
            }
        }
    }
    fn id_word(&mut self, at: u8) -> u16 {
        self.out(ID, 0x80 | at);
        self.pass(162);
        (0..16).fold(0, |word, _| word << 1 | (self.input(ID) & 1) as u16)
    }
    fn pnp(&mut self, register: u8, value: u8) {
        self.out(PNP_ADDRESS, register);
        self.out(PNP_WRITE, value);
    }
    fn pnp_key(&mut self) {
        self.out(PNP_ADDRESS, 0);
        self.out(PNP_ADDRESS, 0);
        let mut byte = 0x6Au8;
        for _ in 0..32 {
            self.out(PNP_ADDRESS, byte);
            byte = byte >> 1 | ((byte ^ byte >> 1) & 1) << 7;
        }
    }
    /// One isolation: the identifier of the card that is left, if its checksum is right.
    fn isolate(&mut self) -> Option<[u8; 8]> {
        self.out(PNP_ADDRESS, 1);
        let mut id = [0u8; 9];
        for bit in 0..72 {
            let one = [self.input(READ), self.input(READ)] == [0x55, 0xAA];
            id[bit / 8] |= (one as u8) << (bit % 8);
        }
        let mut sum = 0x6Au8;
        for bit in 0..64 {
            let next = id[bit / 8] >> (bit % 8) & 1;
            sum = sum >> 1 | ((sum ^ sum >> 1 ^ next) & 1) << 7;
        }
        (sum == id[8] && id != [0; 9]).then(|| id[..8].try_into().unwrap())
    }
    fn quiet(&self) {
        self.cards.iter().for_each(|(_, world)| assert!(world.complaints.is_empty(), "{:?}", world.complaints));
    }
}

fn card(last: u8) -> Options {
    let mut mac = MAC;
    mac[5] = last;
    Options { io: 0x300 + last as u16 * 0x10, irq: 10, ..Options::new(mac) }
}

#[test]
fn the_id_port_gives_the_eeprom_with_its_checksums() {
    let mut bus = Bus::new(vec![card(2)]);
    bus.id_sequence();
    let words: Vec<u16> = (0..64).map(|at| bus.id_word(at)).collect();
    assert_eq!(words[..3], [0x5254, 0x0012, 0x3402]);
    assert_eq!((words[7], words[8], words[9] >> 12), (0x6D50, 0x0012, 10));
    let fold = |list: &[usize]| list.iter().fold(0u8, |sum, at| sum ^ words[*at] as u8 ^ (words[*at] >> 8) as u8);
    assert_eq!(words[0xF] >> 8, fold(&[0, 1, 2, 3, 4, 5, 6, 7, 0xA, 0xB, 0xC, 0xE]) as u16);
    assert_eq!(words[0xF] & 0xFF, fold(&[8, 9, 0xD]) as u16);
    let high: Vec<usize> = (0x10..0x13).chain(0x18..0x40).collect();
    assert_eq!(words[0x17] >> 8, fold(&high) as u16);
    assert_eq!(words[0x17] & 0xFF, fold(&[0x13, 0x14, 0x15, 0x16]) as u16);
    bus.quiet();
}

#[test]
fn a_bad_checksum_can_be_had() {
    let mut bus = Bus::new(vec![Options { faults: Faults::parse("bad-checksum").unwrap(), ..card(2) }, card(2)]);
    let (bad, good) = (bus.cards[0].0.chip().eeprom.word(0xF), bus.cards[1].0.chip().eeprom.word(0xF));
    assert_ne!(bad >> 8, good >> 8);
    assert_ne!(bad & 0xFF, good & 0xFF);
}

#[test]
fn contention_leaves_the_lowest_address_and_tags_keep_the_found_silent() {
    let mut bus = Bus::new(vec![card(9), card(4), card(5)]);
    for (round, last) in [4, 5, 9].into_iter().enumerate() {
        bus.id_sequence();
        bus.out(ID, if round == 0 { 0xD0 } else { 0xD8 });
        assert_eq!(bus.id_word(7), 0x6D50);
        let words = [0, 1, 2].map(|at| bus.id_word(at));
        assert_eq!(words, [0x5254, 0x0012, 0x3400 + last]);
        bus.out(ID, 0xD1 + round as u8);
        bus.out(ID, 0xFF);
        let active: Vec<Option<u16>> = bus.cards.iter().map(|(card, _)| card.base()).collect();
        assert!(active.contains(&Some(0x300 + last * 0x10)), "{active:?}");
        assert_eq!(active.iter().flatten().count(), round + 1);
    }
    bus.id_sequence();
    bus.out(ID, 0xD8);
    assert_eq!(bus.id_word(7), 0xFFFF, "every card is tagged");
    bus.quiet();
}

/// As Crynwr's driver counts cards: it tags each and continues until none answers, without testing tags; then it sets the tag
/// of a card back to 0 to read it.
#[test]
fn a_card_with_a_tag_answers_no_reads() {
    let mut bus = Bus::new(vec![card(9)]);
    bus.id_sequence();
    bus.out(ID, 0xD0);
    assert_eq!(bus.id_word(7), 0x6D50);
    bus.out(ID, 0xD1);
    bus.out(ID, 0);
    bus.id_sequence();
    assert_eq!(bus.id_word(7), 0xFFFF, "it has a tag");
    bus.out(ID, 0);
    bus.id_sequence();
    bus.out(ID, 0xD9);
    bus.out(ID, 0xD0);
    assert_eq!(bus.id_word(7), 0x6D50, "it has none any more");
    bus.quiet();
}

#[test]
fn an_8_bit_bus_enables_the_card_by_the_low_byte_alone() {
    let mut bus = Bus::new(vec![card(2)]);
    bus.id_sequence();
    bus.out(ID, 0xFF);
    let (card, world) = &mut bus.cards[0];
    card.write(world, 4, 1, 1);
    assert_eq!(card.read(world, 4, 2) & 1, 1);
    bus.quiet();
}

#[test]
fn a_wrong_byte_in_the_sequence_wakes_nobody() {
    let mut bus = Bus::new(vec![card(2)]);
    bus.out(ID, 0);
    bus.out(ID, 0);
    let mut byte = 0xFFu16;
    for at in 0..255 {
        bus.out(ID, byte as u8 ^ (at == 100) as u8);
        byte <<= 1;
        if byte & 0x100 != 0 {
            byte ^= 0x1CF;
        }
    }
    assert_eq!(bus.id_word(7), 0xFFFF);
    bus.quiet();
}

#[test]
fn a_global_reset_makes_it_deaf_for_310_microseconds() {
    let mut bus = Bus::new(vec![card(2)]);
    bus.id_sequence();
    bus.out(ID, 0xC0);
    bus.pass(10);
    bus.id_sequence();
    assert_eq!(bus.id_word(7), 0xFFFF, "it still reads its EEPROM");
    bus.pass(310);
    bus.id_sequence();
    assert_eq!(bus.id_word(7), 0x6D50);
    bus.quiet();
}

#[test]
fn reading_the_id_port_too_early_is_complained_of() {
    let mut bus = Bus::new(vec![card(2)]);
    bus.id_sequence();
    bus.out(ID, 0x87);
    bus.input(ID);
    assert_eq!(bus.cards[0].1.complaints, ["ID port read before the EEPROM was"]);
}

#[test]
fn pnp_isolates_configures_and_activates_two_cards() {
    let mut bus = Bus::new(vec![card(9), card(4)]);
    bus.pnp_key();
    bus.pnp(3, 0);
    bus.pnp(0, (READ >> 2) as u8);
    let mut found = Vec::new();
    for csn in 1..=2 {
        found.push(bus.isolate().expect("one card is left"));
        bus.pnp(6, csn);
        bus.pnp(3, 0);
    }
    assert_eq!(bus.isolate(), None, "a third card");
    found.sort();
    assert_eq!(found, [[0x50, 0x6D, 0x50, 0x94, 0, 0x12, 0x34, 4], [0x50, 0x6D, 0x50, 0x94, 0, 0x12, 0x34, 9]]);
    for (csn, io, irq) in [(1, 0x240u16, 5), (2, 0x260, 7)] {
        bus.pnp(3, csn);
        // The resource data behind the identifier add up to zero.
        bus.out(PNP_ADDRESS, 4);
        let mut data: Vec<u8> = (0..80).map(|_| bus.input(READ)).collect();
        let end = (9..79).find(|at| data[*at] == 0x79 && data[9..at + 2].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)) == 0);
        data.truncate(end.expect("an end tag with a right checksum") + 2);
        assert_eq!(data[9..12], [0x0A, 0x10, 0x10]);
        bus.pnp(7, 0);
        bus.pnp(0x60, (io >> 8) as u8);
        bus.pnp(0x61, io as u8);
        bus.pnp(0x70, irq);
        bus.pnp(0x30, 1);
    }
    bus.pnp(2, 2);
    let mut at: Vec<(Option<u16>, u8)> = bus.cards.iter().map(|(card, _)| (card.base(), card.line())).collect();
    at.sort();
    assert_eq!(at, [(Some(0x240), 5), (Some(0x260), 7)]);
    bus.quiet();
}

#[test]
fn pnp_software_at_work_or_a_stuck_card_does_not_hear_the_id_port() {
    let mut bus = Bus::new(vec![card(2), Options { faults: Faults::parse("id-deaf").unwrap(), ..card(3) }]);
    bus.pnp_key();
    bus.id_sequence();
    assert_eq!(bus.id_word(7), 0xFFFF);
    bus.pnp(2, 2);
    bus.id_sequence();
    assert_eq!([0, 1, 2].map(|at| bus.id_word(at)), [0x5254, 0x0012, 0x3402], "the stuck card took part");
    bus.quiet();
}

#[test]
fn a_card_without_pnp_ignores_the_key() {
    let mut bus = Bus::new(vec![Options { pnp: false, ..card(2) }]);
    bus.pnp_key();
    bus.pnp(3, 0);
    bus.pnp(0, (READ >> 2) as u8);
    assert_eq!(bus.isolate(), None);
    bus.quiet();
}

#[test]
fn window_0_reads_and_writes_the_eeprom_slowly() {
    let mut bus = Bus::new(vec![card(2)]);
    bus.id_sequence();
    bus.out(ID, 0xFF);
    let (card, world) = &mut bus.cards[0];
    let mut command = |word: u16, us: u64| {
        card.write(world, 0xA, 2, word as u32);
        let busy = card.read(world, 0xA, 2) & 0x8000 != 0;
        world.now += us * 1_000;
        (busy, card.read(world, 0xA, 2) & 0x8000 != 0, card.read(world, 0xC, 2) as u16)
    };
    assert_eq!(command(0x80 | 7, 162), (true, false, 0x6D50));
    command(0x30, 60);
    command(0xC0 | 0x15, 11_000);
    assert_eq!(command(0x80 | 0x15, 162).2, 0xFFFF, "erased");
    card.write(world, 0xC, 2, 0x1234);
    let mut command = |word: u16, us: u64| {
        card.write(world, 0xA, 2, word as u32);
        world.now += us * 1_000;
        card.read(world, 0xC, 2) as u16
    };
    command(0x40 | 0x15, 11_000);
    assert_eq!(command(0x80 | 0x15, 162), 0x1234);
    assert!(world.complaints.is_empty());
    card.write(world, 0xA, 2, 0x80);
    card.read(world, 0xC, 2);
    assert_eq!(world.complaints, ["EEPROM data read while a command is at work"]);
}
