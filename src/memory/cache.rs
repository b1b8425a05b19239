//! The pool with XMS: frames are written to and read from a conventional cache, which is an arena; the least recently
//! used ones go to XMS, a slot each. The XMS driver that moves them in V86 mode may be busy and may fail; in real mode
//! they are copied flat, without it.

use super::arena::{self, Space};
use super::xms::{End, Move};
use super::{Pool, SLOT, Stats, Store, rounded};

/// A frame's record. With [`arena::Record::start`] 0 the frame is in XMS.
#[repr(C)]
pub struct Record {
    /// What the arena knows of it.
    pub record: arena::Record,
    /// [`Fields::clock`] when it was last asked for.
    pub asked: u16,
}

const SIZE: u16 = size_of::<Record>() as u16;
const _: () = assert!(SIZE == 6);

/// [`Cache::transfer`]: where in a move the cache stands, from the first end on.
const TO_XMS: u16 = 0;
const FROM_XMS: u16 = size_of::<End>() as u16;

/// What the pool remembers beside its records. The installer fills in all but the clock and the move.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Fields {
    /// The cache. As many records as there are slots in XMS.
    pub space: arena::Fields,
    /// Where in the cache frames go to XMS: at least [`SLOT`] behind its beginning, at most at its end.
    pub full: u16,
    /// The middle of what lies below that.
    pub half: u16,
    /// The cache's segment: its far address, or its linear one where frames are copied flat.
    pub near: u32,
    /// The slots: in the block of this handle, or at a linear address.
    pub slots: End,
    /// Counts what is asked for.
    pub clock: u16,
    /// The move in hand.
    pub block: Move,
}

/// Who moves frames.
pub trait Mover: Copy {
    /// Has whom we interrupted called the XMS driver?
    fn busy(self) -> bool;
    /// Near address of the ends in [`Fields::block`].
    fn ends(self) -> u16;
    /// An end at a near address.
    fn end(self, at: u16) -> *mut End;
    /// Function 0Bh, or a copy; false is an error.
    fn move_block(self, block: *mut Move) -> bool;
}

/// The pool.
#[derive(Clone, Copy)]
pub struct Cache<S>(pub S);

impl<S: Store<Fields = Fields> + Mover> Space for Cache<S> {
    const SIZE: u16 = SIZE;

    #[inline(always)]
    fn space(self) -> *mut arena::Fields {
        // SAFETY: only the address is taken.
        unsafe { &raw mut (*self.0.fields()).space }
    }

    #[inline(always)]
    fn first(self) -> u16 {
        self.0.first()
    }

    #[inline(always)]
    fn record(self, at: u16) -> *mut arena::Record {
        self.0.record(at)
    }

    #[inline(always)]
    fn slide(self, from: u16, to: u16, len: u16) {
        self.0.copy(from, to, len);
    }
}

impl<S: Store<Fields = Fields> + Mover> Cache<S> {
    /// Has a frame copied from ([`FROM_XMS`]) or to ([`TO_XMS`]) its slot; it is in the cache at `start`.
    #[inline(never)]
    fn transfer(self, frame: u16, start: u16, way: u16) -> bool {
        // SAFETY: the pool's own; see mod.rs.
        unsafe {
            let fields = self.0.fields();
            let block = &raw mut (*fields).block;
            (*block).len = rounded(self.len(frame)) as u32;
            let near = self.0.end(self.0.ends() + way);
            (*near).handle = 0;
            (*near).offset = (*fields).near + start as u32;
            let far = self.0.end(self.0.ends() + (FROM_XMS - way));
            (*far).handle = (*fields).slots.handle;
            (*far).offset = (*fields).slots.offset + (frame - self.0.first()) as u32 * (SLOT / SIZE) as u32;
            let moved = self.0.move_block(block);
            if !moved {
                self.fail(Stats::XMS_FAILED);
            }
            moved
        }
    }

    /// The frame in the cache that was not asked for longest, or 0.
    #[inline(never)]
    fn oldest(self) -> u16 {
        let mut oldest = 0;
        let mut at = self.0.first();
        // SAFETY: the pool's own.
        unsafe {
            while at != (*self.space()).end {
                if (*self.record(at)).start != 0 && (oldest == 0 || self.age(at) > self.age(oldest)) {
                    oldest = at;
                }
                at += SIZE;
            }
        }
        oldest
    }

    /// How much was asked for since this frame was.
    #[inline(always)]
    fn age(self, at: u16) -> u16 {
        // SAFETY: the pool's own.
        unsafe { (*self.0.fields()).clock.wrapping_sub((*self.0.record::<Record>(at)).asked) }
    }

    /// Makes room in the cache, in a batch: when frames have to go, then half of the cache.
    #[inline(never)]
    fn room(self, size: u16) -> bool {
        // SAFETY: the pool's own.
        unsafe {
            let fields = self.0.fields();
            let space = self.space();
            if !self.below(size) && !self.0.busy() {
                loop {
                    let frame = self.oldest();
                    if frame == 0 || !self.transfer(frame, (*self.record(frame)).start, TO_XMS) {
                        break;
                    }
                    (*space).stats.buffers = (*space).stats.buffers.wrapping_add(1);
                    (*space).stats.bytes = (*space).stats.bytes.wrapping_add(self.len(frame) as u32);
                    self.remove(frame);
                    if (*space).free <= (*fields).half && self.below(size) {
                        break;
                    }
                }
            }
            self.fits(size)
        }
    }

    /// Does the cache stay below what migrates with so many bytes more?
    #[inline(always)]
    fn below(self, size: u16) -> bool {
        // SAFETY: the pool's own.
        unsafe { (*self.space()).free + size <= (*self.0.fields()).full }
    }

    /// The frame is asked for.
    #[inline(always)]
    fn touch(self, frame: u16) {
        // SAFETY: the pool's own.
        unsafe {
            let fields = self.0.fields();
            (*fields).clock = (*fields).clock.wrapping_add(1);
            (*self.0.record::<Record>(frame)).asked = (*fields).clock;
        }
    }
}

impl<S: Store<Fields = Fields> + Mover> Pool for Cache<S> {
    #[inline(never)]
    fn allocate(self, len: u16) -> u16 {
        let at = self.unused();
        if at == 0 || !self.room(rounded(len)) {
            self.fail(0);
            return 0;
        }
        self.use_up(at, len);
        self.append(at);
        self.touch(at);
        at
    }

    #[inline(always)]
    fn len(self, frame: u16) -> u16 {
        // SAFETY: the pool's own.
        unsafe { (*self.record(frame)).len }
    }

    #[inline(never)]
    fn place(self, frame: u16) -> u16 {
        // SAFETY: the pool's own.
        unsafe {
            let stats = &raw mut (*self.space()).stats;
            self.touch(frame);
            let start = self.known_place(frame);
            if start != 0 {
                (*stats).hits = (*stats).hits.wrapping_add(1);
                return start;
            }
            (*stats).misses = (*stats).misses.wrapping_add(1);
            let before = (*stats).buffers;
            let fits = self.room(rounded(self.len(frame)));
            (*stats).evictions = (*stats).evictions.wrapping_add((*stats).buffers.wrapping_sub(before));
            if !fits || self.0.busy() || !self.transfer(frame, (*self.space()).free, FROM_XMS) {
                return 0;
            }
            self.append(frame)
        }
    }

    #[inline(always)]
    fn known_place(self, frame: u16) -> u16 {
        // SAFETY: the pool's own.
        unsafe { (*self.record(frame)).start }
    }

    #[inline(always)]
    fn free(self, frame: u16) {
        self.forget(frame);
    }
}
