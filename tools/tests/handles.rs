//! The handle table (src/resident/handle.rs): its limit, types of every length, the handle that gets a frame, and many random
//! operations compared with a simple model.

use compkt::bus::Far;
use compkt::device::{Head, LOOKAHEAD};
use compkt::resident::handle::{AccessError, Handle, MAX_TYPE, Slots, access, find, release};
use tools::random::Random;

/// Offset of the table in the driver's segment.
const FIRST: u16 = 0x0A40;
/// Bytes of a slot.
const SLOT: usize = size_of::<Handle>();
const SLOT16: u16 = SLOT as u16;
/// The bytes on both sides of it.
const CANARY: Handle = {
    let mut handle = Handle::FREE;
    handle.receiver = Far(0xC5C5_C5C5);
    handle.flags = 0xC5;
    handle.kind = [0xC5; 8];
    handle
};
const DIX: u8 = Handle::IN_USE;
const IEEE: u8 = Handle::IN_USE | Handle::IS_8023;

/// A table in an array of its own, with a canary before and behind it. The name of a slot is the offset that it would have in the
/// driver's segment.
struct Table(Vec<Handle>);

#[derive(Clone, Copy)]
struct Place {
    first: *mut Handle,
    count: u8,
}

impl Slots for Place {
    fn first(self) -> *mut Handle {
        self.first
    }

    fn count(self) -> u8 {
        self.count
    }

    unsafe fn alike(self, slot: *const Handle, bytes: *const u8) -> u8 {
        let table = self.first as *const Handle..self.first.wrapping_add(usize::from(self.count));
        assert!(table.contains(&slot), "that is no slot");
        // SAFETY: `slot` is in the table; `bytes` as the caller promises.
        unsafe { (0..MAX_TYPE).take_while(|n| (*slot).kind[*n] == *bytes.add(*n)).count() as u8 }
    }
}

impl Table {
    fn new(count: u16) -> Table {
        let mut slots = vec![Handle::FREE; usize::from(count) + 2];
        slots[0] = CANARY;
        slots[usize::from(count) + 1] = CANARY;
        Table(slots)
    }

    fn place(&mut self) -> Place {
        Place { first: self.0[1..].as_mut_ptr(), count: (self.0.len() - 2) as u8 }
    }

    /// The slot's name.
    fn name(&mut self, slot: *mut Handle) -> u16 {
        FIRST + (slot as usize - self.place().first as usize) as u16
    }

    /// The slot with that name.
    fn slot(&mut self, name: u16) -> Option<&mut Handle> {
        let place = self.place();
        let index = usize::from(name.checked_sub(FIRST)?);
        (index.is_multiple_of(SLOT) && index / SLOT < place.count.into()).then(|| &mut self.0[1 + index / SLOT])
    }

    fn open(&mut self, class: u8, kind: &[u8]) -> Result<u16, AccessError> {
        let place = self.place();
        // SAFETY: `access` gives room for the longest type.
        let opened = access(place, class | kind.len() as u8, |to| unsafe { kind.as_ptr().copy_to(to, kind.len()) });
        let opened = opened.map(|slot| self.name(slot));
        if let Ok(at) = opened {
            // As src/resident/api.rs does.
            self.slot(at).unwrap().receiver = Far(u32::from(at));
        }
        assert!(self.0.first() == Some(&CANARY) && self.0.last() == Some(&CANARY), "nothing is written outside");
        opened
    }

    /// The check of asm/int60.asm for a handle in BX.
    fn is_open(&mut self, at: u16) -> bool {
        self.slot(at).is_some_and(|slot| slot.flags & Handle::IN_USE != 0)
    }

    fn close(&mut self, at: u16) {
        assert!(self.is_open(at));
        // SAFETY: the handle is open.
        unsafe { release(self.slot(at).unwrap()) };
        assert!(self.0.first() == Some(&CANARY) && self.0.last() == Some(&CANARY), "nothing is written outside");
    }

    fn taker(&mut self, frame: &Head) -> u16 {
        let mut taker = std::ptr::null_mut();
        find(self.place(), frame, |slot| taker = slot);
        if taker.is_null() { 0 } else { self.name(taker) }
    }
}

/// The first bytes of a frame: type or length, and the bytes behind it.
fn frame(kind: u16, data: &[u8]) -> Head {
    let mut head = [0x5A; LOOKAHEAD];
    head[12..14].copy_from_slice(&kind.to_be_bytes());
    head[14..14 + data.len()].copy_from_slice(data);
    head
}

#[test]
fn as_many_handles_as_the_table_has_slots() {
    for count in [1, 2, 8, 64] {
        let mut table = Table::new(count);
        for number in 0..count {
            let at = table.open(DIX, &(0x0600 + number).to_be_bytes());
            assert_eq!(at, Ok(FIRST + number * SLOT16), "{number} of {count}");
        }
        assert_eq!(table.open(DIX, &[0x88, 0x63]), Err(AccessError::NoSpace), "one more than {count}");
        for number in 0..count {
            assert_eq!(table.taker(&frame(0x0600 + number, &[])), FIRST + number * SLOT16);
        }
        table.close(FIRST);
        assert_eq!(table.open(DIX, &[0x88, 0x63]), Ok(FIRST), "what is closed is free again");
    }
}

#[test]
fn a_type_of_any_length_fits_into_one_slot() {
    for length in 0..=MAX_TYPE {
        let kind: Vec<u8> = (1..=length as u8).collect();
        let mut table = Table::new(1);
        assert_eq!(table.open(IEEE, &kind), Ok(FIRST), "{length} bytes");
        assert_eq!(table.taker(&frame(100, &kind)), FIRST);
        assert_eq!(table.open(IEEE, &[0xAA]), Err(AccessError::NoSpace));
        table.close(FIRST);
        assert_eq!(table.taker(&frame(100, &kind)), 0);
        // Bytes of the last type behind the new one's length do not count.
        assert_eq!(table.open(IEEE, &[1]), Ok(FIRST));
        assert_eq!(table.taker(&frame(100, &[1, 0x55])), FIRST);
    }
}

#[test]
fn stale_and_wrong_handles_are_not_open() {
    let mut table = Table::new(3);
    for at in [0, 1, FIRST - SLOT16, FIRST, FIRST + 3 * SLOT16, 0xFFFF] {
        assert!(!table.is_open(at), "{at:#x} in an empty table");
    }
    let at = table.open(DIX, &[8, 0]).unwrap();
    assert!(table.is_open(at) && !table.is_open(at + 1) && !table.is_open(at + SLOT16));
    table.close(at);
    assert!(!table.is_open(at));
    assert_eq!(table.taker(&frame(0x0800, &[])), 0, "nobody gets its frames");
}

#[test]
fn a_handle_s_count_begins_at_zero() {
    let mut table = Table::new(1);
    let at = table.open(DIX, &[8, 0]).unwrap();
    table.slot(at).unwrap().taken = 9;
    table.close(at);
    table.open(DIX, &[8, 6]).unwrap();
    assert_eq!(table.0[1].taken, 0);
}

#[test]
fn a_type_is_in_use_when_it_is_equal_over_the_shorter_of_both_lengths() {
    let all: [&[u8]; 7] = [&[], &[0xAA], &[0xAA, 0xAA], &[0xAA, 0xAA, 3], &[0xAA, 0xAA, 3, 0, 0, 0, 8, 0], &[0xAA, 0xAA, 3, 0, 0, 0, 8, 6], &[0xE0]];
    for first in all {
        for second in all {
            let mut table = Table::new(8);
            table.open(IEEE, first).unwrap();
            let before = table.0.clone();
            let shorter = first.len().min(second.len());
            let in_use = first[..shorter] == second[..shorter] && (shorter != 0 || first.len() == second.len());
            let opened = table.open(IEEE, second);
            assert_eq!(opened.err(), in_use.then_some(AccessError::TypeInUse), "{first:?}, then {second:?}");
            assert_eq!(table.0[1], before[1]);
            if in_use {
                let open = |table: &[Handle]| table.iter().filter(|handle| handle.flags != 0).count();
                assert_eq!(open(&table.0), open(&before), "what is refused takes no slot");
            }
            assert!(table.open(DIX, &second[..second.len().min(2)]).is_ok(), "the other class has its own types");
        }
    }
}

/// The specification lists NO_SPACE before TYPE_INUSE.
#[test]
fn a_full_table_is_said_to_be_full_whatever_the_type() {
    let mut table = Table::new(1);
    table.open(DIX, &[8, 0]).unwrap();
    assert_eq!(table.open(DIX, &[8, 0]), Err(AccessError::NoSpace));
    assert_eq!((AccessError::NoSpace as u8, AccessError::TypeInUse as u8), (9, 10));
}

#[test]
fn a_longer_type_first_and_the_catch_all_last_whatever_the_order_of_opening() {
    let kinds: [(u8, &[u8]); 4] = [(DIX, &[]), (DIX, &[8, 0]), (IEEE, &[]), (IEEE, &[0xAA, 0xAA, 3])];
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]];
    for order in orders {
        let mut table = Table::new(8);
        let mut at = [0; 4];
        for which in order {
            at[which] = table.open(kinds[which].0, kinds[which].1).unwrap();
        }
        let [dix_all, ip, ieee_all, snap] = at;
        for (kind, data, taker) in [
            (0x0800, &[0xAA, 0xAA, 3][..], ip),
            (0x0806, &[0xAA, 0xAA, 3], dix_all),
            (100, &[0xAA, 0xAA, 3], snap),
            (100, &[0xAA, 0xAA, 4], ieee_all),
            // The greatest length and the first type.
            (0x05EE, &[0xAA, 0xAA, 3], snap),
            (0x05EF, &[0xAA, 0xAA, 3], dix_all),
            (0, &[0xE0, 0xE0, 3], ieee_all),
        ] {
            assert_eq!(table.taker(&frame(kind, data)), taker, "{kind:#x} {data:x?}, opened as {order:?}");
        }
        // A catch-all of class 1 gets frames that no handle of class 11 matches.
        table.close(ieee_all);
        assert_eq!(table.taker(&frame(100, &[0xE0])), dix_all);
        table.close(dix_all);
        assert_eq!(table.taker(&frame(100, &[0xE0])), 0);
    }
}

#[test]
fn types_of_one_byte() {
    let mut table = Table::new(4);
    let any_eight = table.open(DIX, &[8]).unwrap();
    assert_eq!(table.open(DIX, &[8, 6]), Err(AccessError::TypeInUse));
    assert_eq!(table.taker(&frame(0x0806, &[])), any_eight);
    assert_eq!(table.taker(&frame(0x8863, &[])), 0);
}

/// A type out of few, so that types are often equal.
fn kind(random: &mut Random, longest: usize) -> Vec<u8> {
    (0..random.below(longest + 1)).map(|_| random.of(&[0xAA, 8, 0])).collect()
}

/// The simple model: for each slot an open handle's class and type.
struct Meaning {
    open: Vec<Option<(u8, Vec<u8>)>>,
}

impl Meaning {
    fn open(&mut self, class: u8, kind: &[u8]) -> Result<u16, AccessError> {
        let at = self.open.iter().position(Option::is_none).ok_or(AccessError::NoSpace)?;
        let clash = |(other_class, other): &(u8, Vec<u8>)| {
            let empty = other.is_empty() || kind.is_empty();
            *other_class == class && if empty { other == kind } else { other.iter().zip(kind).all(|(a, b)| a == b) }
        };
        if self.open.iter().flatten().any(clash) {
            return Err(AccessError::TypeInUse);
        }
        self.open[at] = Some((class, kind.to_vec()));
        Ok(FIRST + at as u16 * SLOT16)
    }

    fn close(&mut self, slot: usize) {
        self.open[slot] = None;
    }

    fn taker(&self, frame: &Head) -> u16 {
        let length = u16::from_be_bytes([frame[12], frame[13]]);
        let fits = |class: u8, kind: &[u8]| match class {
            IEEE => length <= 0x5EE && frame[14..].starts_with(kind),
            _ => frame[12..].starts_with(kind),
        };
        let fitting = self.open.iter().enumerate().filter_map(|(slot, open)| {
            let (class, kind) = open.as_ref()?;
            fits(*class, kind).then_some((*class == IEEE, kind.len(), slot))
        });
        fitting.max().map_or(0, |(.., slot)| FIRST + slot as u16 * SLOT16)
    }
}

#[test]
fn a_random_life_is_as_a_simple_table_has_it() {
    for seed in 1..=60_u64 {
        let mut random = Random::new(seed);
        let count = [1, 2, 3, 8, 64][random.below(5)];
        let mut table = Table::new(count);
        let mut meaning = Meaning { open: vec![None; count.into()] };
        for step in 0..2000 {
            match random.below(4) {
                0 => {
                    let (class, longest) = [(DIX, 2), (IEEE, MAX_TYPE)][random.below(2)];
                    let kind = kind(&mut random, longest);
                    let opened = table.open(class, &kind);
                    assert_eq!(opened, meaning.open(class, &kind), "seed {seed}, step {step}: open {class:#x} {kind:x?}");
                }
                1 => {
                    let open: Vec<usize> = (0..count.into()).filter(|slot| meaning.open[*slot].is_some()).collect();
                    if !open.is_empty() {
                        let slot = open[random.below(open.len())];
                        table.close(FIRST + slot as u16 * SLOT16);
                        meaning.close(slot);
                    }
                }
                _ => {
                    let kind = [[0x08, 0x00], [0x08, 0xAA], [0x00, 0x08], [0x05, 0xEE], [0x05, 0xEF], [0xAA, 0xAA]][random.below(6)];
                    let data: Vec<u8> = (0..8).map(|_| [0xAA, 8, 0][random.below(3)]).collect();
                    let frame = frame(u16::from_be_bytes(kind), &data);
                    let (got, wanted) = (table.taker(&frame), meaning.taker(&frame));
                    assert_eq!(got, wanted, "seed {seed}, step {step}: {kind:x?} {data:x?}");
                }
            }
            for slot in 0..usize::from(count) {
                let at = FIRST + slot as u16 * SLOT16;
                assert_eq!(table.is_open(at), meaning.open[slot].is_some(), "seed {seed}, step {step}: slot {slot}");
                // No receiver of another handle would be called.
                assert!(meaning.open[slot].is_none() || table.0[slot + 1].receiver == Far(u32::from(at)), "seed {seed}, step {step}");
            }
        }
    }
}
