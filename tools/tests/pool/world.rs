//! A machine for the pool: memory that checks accesses, an XMS driver that may be busy or fail, and a clock.

use compkt::memory::arena::{self, Arena};
use compkt::memory::cache::{self, Cache, Mover};
use compkt::memory::xms::{End, Move};
use compkt::memory::{FRAMES, Near, Pool, SLOT, Stats, Store, backlog, queue};
pub use tools::random::Random;

// Near addresses.
const ENDS: u16 = 0x0900;
const RECORDS: u16 = 0x0A40;
pub const KEPT_AT: u16 = 0x0C00;
pub const WAITING_AT: u16 = 0x0E00;
/// The near address of the arena or the cache; and the segment, as in a move.
const ARENA: u16 = 0x4004;
const SEGMENT: u32 = 0x2345_0000;
/// The slots in XMS: handle of the block, and offset.
const HANDLE: u16 = 0x1234;
const XMS: u32 = 0x600;
/// Offset of the XMS block in `memory`, behind the segment.
const BLOCK: usize = 0x1_0000;
/// The bytes that must stay unchanged.
const CANARY: u8 = 0xC5;

/// Random bytes.
pub fn content(random: &mut Random, len: u16) -> Vec<u8> {
    let (start, step) = (random.below(256), random.below(127) * 2 + 1);
    (0..usize::from(len)).map(|at| (start + at * step + (at >> 8)) as u8).collect()
}

/// Sizes of the pool.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Bytes of the arena or the cache.
    pub conventional: u16,
    /// `/MIGRATE`.
    pub migrate: u16,
    /// Slots in XMS.
    pub slots: u16,
}

pub const DEFAULT: Sizes = Sizes { conventional: 4096, migrate: 4096, slots: FRAMES as u16 };

pub struct World {
    memory: Vec<u8>,
    arena: (arena::Fields, [arena::Record; FRAMES]),
    cache: (cache::Fields, [cache::Record; FRAMES]),
    pub kept: backlog::Fields,
    pub waiting: queue::Fields,
    sizes: Sizes,
    random: Random,
    /// The BIOS's tick count.
    pub ticks: u16,
    /// The interrupted program is in a call of the XMS driver.
    pub busy: bool,
    /// One of so many calls fails; 0: none.
    pub fails: usize,
    /// Number of calls, and of failed ones.
    pub calls: u32,
    pub failed: u32,
    /// The handles of frames that were counted as lost.
    pub lost: Vec<u16>,
    /// How many more frames the card has room for, and the frames that it got.
    pub card_room: usize,
    pub card_fails: bool,
    pub sent: Vec<Vec<u8>>,
    /// Upcalls of clients: block, whether it is an IOCB, upcall, answer.
    pub told: Vec<(u32, bool, u32, u8)>,
}

impl World {
    /// Frames in the pool, by its records.
    pub fn allocated(&self) -> usize {
        let used = self.arena.1.iter().chain(self.cache.1.iter().map(|record| &record.record)).filter(|record| record.len != 0).count();
        assert_eq!(usize::from(self.arena.0.stats.waiting) + usize::from(self.cache.0.space.stats.waiting), used);
        used
    }

    pub fn new(seed: u64, sizes: Sizes) -> Box<World> {
        let Sizes { conventional, migrate, slots } = sizes;
        let space = |end: u16| arena::Fields { stats: Stats::default(), end, free: ARENA, limit: ARENA + conventional };
        let cache = cache::Fields {
            space: space(RECORDS + 6 * slots),
            full: ARENA + migrate,
            half: ARENA + migrate / 2,
            near: SEGMENT,
            slots: End { handle: HANDLE, offset: XMS },
            clock: 0xFFF0,
            block: Move::default(),
        };
        Box::new(World {
            memory: vec![CANARY; BLOCK + XMS as usize + FRAMES * usize::from(SLOT)],
            arena: (space(RECORDS + 4 * FRAMES as u16), std::array::from_fn(|_| arena::Record { len: 0, start: 0 })),
            cache: (cache, std::array::from_fn(|_| cache::Record { record: arena::Record { len: 0, start: 0 }, asked: 0 })),
            kept: backlog::Fields { bytes: 0, open: 0, peeked: 0, kept: Default::default() },
            waiting: queue::Fields { bytes: 0, since: 0, waiting: Default::default() },
            sizes,
            random: Random::new(!seed),
            ticks: 0,
            busy: false,
            fails: 0,
            calls: 0,
            failed: 0,
            lost: Vec::new(),
            card_room: 0,
            card_fails: false,
            sent: Vec::new(),
            told: Vec::new(),
        })
    }

    /// Checks that bytes may be read and written here.
    fn check(&self, at: usize, len: u16) -> std::ops::Range<usize> {
        let regions = [
            (usize::from(ARENA), usize::from(self.sizes.conventional)),
            (BLOCK + XMS as usize, usize::from(self.sizes.slots) * usize::from(SLOT)),
        ];
        let end = at + usize::from(len);
        assert!(regions.iter().any(|(base, room)| at >= *base && end <= base + room), "{at:#x}, {len} bytes");
        at..end
    }

    pub fn put(&mut self, at: u16, bytes: &[u8]) {
        let range = self.check(at.into(), bytes.len() as u16);
        self.memory[range].copy_from_slice(bytes);
    }

    pub fn get(&self, at: u16, len: u16) -> &[u8] {
        &self.memory[self.check(at.into(), len)]
    }

    fn copy(&mut self, from: usize, to: usize, len: u16) {
        let (from, to) = (self.check(from, len), self.check(to, len));
        let overlap = from.start < to.end && to.start < from.end;
        assert!(!overlap || to.start + 4 <= from.start, "{from:x?} to {to:x?}");
        self.memory.copy_within(from, to.start);
    }

    /// Checks that nothing was written beside arena, cache and slots.
    pub fn check_canaries(&self) {
        let used = (usize::from(ARENA), usize::from(self.sizes.conventional));
        for place in [used.0 - 64..used.0, used.0 + used.1..used.0 + used.1 + 64] {
            assert!(self.memory[place].iter().all(|byte| *byte == CANARY));
        }
    }

    /// Checks that frames in the arena or the cache have no gaps between them.
    pub fn check_space(&self) {
        let check = |all: &mut dyn Iterator<Item = &arena::Record>, space: &arena::Fields| {
            let mut places: Vec<(u16, u16)> =
                all.filter(|record| record.start != 0).map(|record| (record.start, compkt::memory::rounded(record.len))).collect();
            places.sort_unstable();
            let end = places.iter().fold(ARENA, |end, (start, size)| {
                assert_eq!(end, *start);
                end + size
            });
            assert_eq!(end, space.free);
            assert!(end <= space.limit);
        };
        check(&mut self.arena.1.iter(), &self.arena.0);
        check(&mut self.cache.1.iter().map(|record| &record.record), &self.cache.0.space);
    }
}

/// A form of the pool in a world.
#[derive(Clone, Copy)]
pub struct In<const FORM: char>(pub *mut World);

pub type InArena = Arena<In<'a'>>;
pub type InCache = Cache<In<'c'>>;

/// What the tests need of a form besides [`Pool`].
pub trait Form: Pool {
    const NAME: &str;
    fn new(world: *mut World) -> Self;
    fn stats(self) -> Stats;
    fn world<'a>(self) -> &'a mut World;
    /// Whether a frame can be allocated when so many wait and XMS works.
    fn has_room(self, waiting: usize, len: u16) -> bool;
}

macro_rules! form {
    ($letter:literal, $form:ident, $module:ident, $name:literal, $stats:expr, $room:expr) => {
        impl Store for In<$letter> {
            type Fields = $module::Fields;
            fn fields(self) -> *mut $module::Fields {
                // SAFETY: the test's world, of which no borrow is alive.
                unsafe { &raw mut (*self.0).$module.0 }
            }
            fn first(self) -> u16 {
                RECORDS
            }
            fn record<T>(self, at: u16) -> *mut T {
                let size = size_of::<$module::Record>() as u16;
                let slot = (at - RECORDS) / size;
                assert!((at - RECORDS).is_multiple_of(size) && slot < FRAMES as u16, "{at:#x} is no record");
                // SAFETY: as above.
                unsafe { (&raw mut (*self.0).$module.1[usize::from(slot)]).cast() }
            }
            fn copy(self, from: u16, to: u16, len: u16) {
                assert!(len.is_multiple_of(4), "by double words");
                // SAFETY: as above.
                unsafe { (*self.0).copy(from.into(), to.into(), len) };
            }
        }
        impl Form for $form<In<$letter>> {
            const NAME: &str = $name;
            fn new(world: *mut World) -> Self {
                $form(In(world))
            }
            fn stats(self) -> Stats {
                let stats: fn(&World) -> Stats = $stats;
                stats(self.world())
            }
            fn world<'a>(self) -> &'a mut World {
                // SAFETY: as above.
                unsafe { &mut *self.0.0 }
            }
            fn has_room(self, waiting: usize, len: u16) -> bool {
                let room: fn(&World, usize, u16) -> bool = $room;
                room(self.world(), waiting, len)
            }
        }
    };
}

form!('a', Arena, arena, "arena", |world| world.arena.0.stats, |world, waiting, len| {
    waiting < FRAMES && world.arena.0.free + compkt::memory::rounded(len) <= world.arena.0.limit
});
form!('c', Cache, cache, "cache", |world| world.cache.0.space.stats, |world, waiting, _| waiting < usize::from(world.sizes.slots) && !world.busy);

impl Mover for In<'c'> {
    fn busy(self) -> bool {
        // SAFETY: the test's world.
        unsafe { (*self.0).busy }
    }

    fn ends(self) -> u16 {
        ENDS
    }

    fn end(self, at: u16) -> *mut End {
        // SAFETY: as above.
        let block = unsafe { &raw mut (*self.0).cache.0.block };
        // SAFETY: fields of the block.
        let (from, to) = unsafe { (&raw mut (*block).from, &raw mut (*block).to) };
        match at - ENDS {
            0 => from,
            6 => to,
            _ => panic!("{at:#x} is no end of a move"),
        }
    }

    fn move_block(self, block: *mut Move) -> bool {
        // SAFETY: as above; the block is copied first.
        let (world, Move { len, from, to }) = unsafe { (&mut *self.0, *block) };
        assert!(!world.busy, "the XMS driver is not called inside a call");
        assert!(len > 0 && len.is_multiple_of(2) && len <= SLOT.into());
        let place = |end: End| match end.handle {
            0 => (end.offset - SEGMENT) as usize,
            HANDLE => BLOCK + end.offset as usize,
            other => panic!("{other:#x} is no handle"),
        };
        assert!((from.handle == 0) != (to.handle == 0));
        world.calls += 1;
        if world.random.one_in(world.fails) {
            world.failed += 1;
            // A failed move may have copied a part.
            world.copy(place(from), place(to), len as u16 / 2);
            return false;
        }
        world.copy(place(from), place(to), len as u16);
        true
    }
}

/// A user of a form.
#[derive(Clone, Copy)]
pub struct User<P: Pool>(pub P);

impl<P: Form> Near for User<P> {
    fn at<T>(self, near: u16) -> *mut T {
        let world = self.0.world();
        let (base, room, at) = match near {
            WAITING_AT.. => ((&raw mut world.waiting.waiting).cast::<u8>(), size_of_val(&world.waiting.waiting), near - WAITING_AT),
            _ => ((&raw mut world.kept.kept).cast(), size_of_val(&world.kept.kept), near - KEPT_AT),
        };
        assert!(usize::from(at) + size_of::<T>() <= room, "{near:#x} is in no list");
        base.wrapping_add(at.into()).cast()
    }

    fn now(self) -> u8 {
        self.0.world().ticks as u8
    }
}
