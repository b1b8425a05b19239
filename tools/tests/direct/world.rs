//! XMS that checks accesses, lists, a card and a clock, for the pool in real mode.

use compkt::bus::Far;
use compkt::memory::SLOT;
use compkt::memory::direct::{BUSY, Direct, FRAME, Fields, IOCB, List, Reach};
use tools::random::Random;

/// Near addresses of the first handle and of its list.
const HANDLES: u16 = 0x2010;
const LISTS: u16 = 0x1234;
/// Where the first slot begins: behind a card's rings.
const XMS: u32 = 0x0011_2340;
/// The pool's memory is filled with this at first.
const OLD: u8 = 0xA5;

/// The near address of a handle.
pub fn handle_at(number: usize) -> u16 {
    HANDLES + 16 * number as u16
}

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub answer: u8,
    pub len: u16,
    pub iocb: bool,
    pub block: u32,
    pub upcall: u32,
}

pub struct World {
    xms: Vec<u8>,
    pub fields: Fields,
    lists: Vec<List>,
    /// The BIOS's tick count.
    pub ticks: u16,
    /// Accesses to XMS.
    pub accesses: u32,
    /// Frames for which the card has room, and its answer to them.
    pub room: usize,
    pub answer: u8,
    /// The frames that it got.
    pub sent: Vec<Vec<u8>>,
    pub told: Vec<Told>,
}

impl World {
    pub fn new(slots: u16, handles: usize, hold: u8) -> Box<World> {
        let fields = Fields {
            hold,
            slots,
            base: XMS - u32::from(SLOT),
            most: slots - slots / 4,
            lists: LISTS,
            lists_end: LISTS + 4 * handles as u16,
            bias: LISTS.wrapping_sub(HANDLES / 4),
            left: LISTS,
            ..Fields::ZERO
        };
        let xms = vec![OLD; usize::from(slots) * usize::from(SLOT)];
        let lists = vec![List::default(); handles];
        Box::new(World { xms, fields, lists, ticks: 0, accesses: 0, room: 0, answer: 0, sent: vec![], told: vec![] })
    }

    pub fn pool(&mut self) -> Direct<Here> {
        Direct(Here(self))
    }

    /// A new round, as `enter` in asm/pool.asm begins it.
    pub fn begin(&mut self) {
        self.fields.left = self.fields.lists_end;
    }

    pub fn is_closed(&self, handle: usize) -> bool {
        self.lists[handle].count & 0x8000 != 0
    }

    /// Slots in use.
    pub fn in_use(&self) -> usize {
        usize::from(self.fields.used - self.fields.free.count)
    }

    fn place(&self, frame: u16) -> usize {
        assert!((1..=self.fields.slots).contains(&frame), "{frame:#x} is no frame");
        usize::from(frame - 1) * usize::from(SLOT) + FRAME as usize
    }

    /// The driver copies a frame to its slot.
    pub fn put_frame(&mut self, frame: u16, bytes: &[u8]) {
        let place = self.place(frame);
        self.xms[place..][..bytes.len()].copy_from_slice(bytes);
    }

    pub fn frame(&self, frame: u16, len: usize) -> Vec<u8> {
        self.xms[self.place(frame)..][..len].to_vec()
    }

    /// With no frame in use, each slot that was is in the free list once.
    pub fn check_slots(&mut self) {
        let mut seen = vec![false; usize::from(self.fields.used) + 1];
        let mut frame = self.fields.free.last;
        for _ in 0..self.fields.free.count {
            assert!(!std::mem::replace(&mut seen[usize::from(frame)], true), "{frame:#x} is free twice");
            let place = self.place(frame) - FRAME as usize;
            frame = u16::from_le_bytes([self.xms[place], self.xms[place + 1]]);
        }
        assert!(seen[1..].iter().all(|seen| *seen) && !seen[0]);
    }

    /// Another program writes to a record.
    pub fn overwrite(&mut self, random: &mut Random) {
        let frame = 1 + random.below(usize::from(self.fields.slots)) as u16;
        let at = self.place(frame) - FRAME as usize + 2 * random.below(8);
        let word = if random.one_in(2) { random.below(60) as u16 } else { random.word() as u16 };
        self.xms[at..at + 2].copy_from_slice(&word.to_le_bytes());
    }
}

#[derive(Clone, Copy)]
pub struct Here(*mut World);

impl Here {
    fn world(self) -> &'static mut World {
        // SAFETY: one thread, and no two references are used at once.
        unsafe { &mut *self.0 }
    }

    /// `len` bytes of a record.
    fn bytes(self, at: u32, len: usize) -> &'static mut [u8] {
        let world = self.world();
        world.accesses += 1;
        let at = at.checked_sub(XMS).unwrap_or_else(|| panic!("{at:#x} is below the pool's XMS")) as usize;
        assert!(at % usize::from(SLOT) + len <= FRAME as usize, "{at:#x} is in no record");
        &mut world.xms[at..at + len]
    }
}

impl Reach for Here {
    fn fields(self) -> *mut Fields {
        &raw mut self.world().fields
    }

    fn list(self, near: u16) -> *mut List {
        assert_eq!((near - LISTS) % 4, 0, "{near:#x} is no list");
        &raw mut self.world().lists[usize::from((near - LISTS) / 4)]
    }

    fn record(self, frame: u16) -> u32 {
        let world = self.world();
        assert!((1..=world.fields.slots).contains(&frame), "{frame:#x} is no frame");
        let base = world.fields.base;
        base + u32::from(frame) * u32::from(SLOT)
    }

    fn get16(self, at: u32) -> u16 {
        u16::from_le_bytes((&*self.bytes(at, 2)).try_into().unwrap())
    }

    fn put16(self, at: u32, value: u16) {
        self.bytes(at, 2).copy_from_slice(&value.to_le_bytes());
    }

    fn get32(self, at: u32) -> u32 {
        u32::from_le_bytes((&*self.bytes(at, 4)).try_into().unwrap())
    }

    fn put32(self, at: u32, value: u32) {
        self.bytes(at, 4).copy_from_slice(&value.to_le_bytes());
    }

    fn now(self) -> u8 {
        self.world().ticks as u8
    }

    fn transmit(self, frame: u16, len: u16) -> u8 {
        let world = self.world();
        if world.room == 0 {
            return BUSY;
        }
        world.room -= 1;
        let bytes = world.frame(frame, len.into());
        world.sent.push(bytes);
        world.answer
    }

    fn tell(self, answer: u8, len: u16, block: Far, upcall: Far) {
        self.world().told.push(Told { answer, len: len & !IOCB, iocb: len & IOCB != 0, block: block.0, upcall: upcall.0 });
    }
}
