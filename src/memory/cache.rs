//! The pool with XMS: frames are written to and read from a conventional cache, which is an arena. The least recently used
//! ones are moved to XMS, where each has a slot. In real mode a flat copy moves them; in V86 mode the XMS driver does, which
//! may be in a call already, and may fail.

use super::arena::{self, Space};
use super::xms::{End, Move};
use super::{Pool, SLOT, Stats, Store, rounded};

/// A frame's record. If [`arena::Record::start`] is 0, the frame is in XMS.
#[repr(C)]
pub struct Record {
    /// The part that the arena uses.
    pub record: arena::Record,
    /// [`Fields::clock`] at the frame's last use.
    pub asked: u16,
}

const SIZE: u16 = size_of::<Record>() as u16;
const _: () = assert!(SIZE == 6);

// For [`Cache::transfer`]: the offset of the cache's end in a move, from the first end on.
const TO_XMS: u16 = 0;
const FROM_XMS: u16 = size_of::<End>() as u16;

/// The pool's fields. `once` in asm/pool.inc sets all but the clock and the move; these, and the counts, begin as zeros.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Fields {
    /// The cache. There are as many records as slots in XMS.
    pub space: arena::Fields,
    /// Near address in the cache: frames go to XMS when the free part would begin behind it. At least [`SLOT`] behind the
    /// cache's start, at most its end.
    pub full: u16,
    /// The middle between the cache's start and `full`.
    pub half: u16,
    /// The cache's segment as a far address, or as a linear one where a flat copy moves frames.
    pub near: u32,
    /// The first slot: in the XMS block of this handle, or, for a flat copy, at this linear address.
    pub slots: End,
    /// Number of uses of frames so far.
    pub clock: u16,
    /// The arguments of the present move.
    pub block: Move,
}

/// What moves frames to and from XMS.
pub trait Mover: Copy {
    /// Whether the interrupted program is in a call of the XMS driver.
    fn busy(self) -> bool;
    /// Near address of the first end in [`Fields::block`]; the second follows.
    fn ends(self) -> u16;
    /// The end at a near address.
    fn end(self, at: u16) -> *mut End;
    /// Moves a block, by XMS function 0Bh or by a flat copy; false: it failed.
    fn move_block(self, block: *mut Move) -> bool;
}

/// The form of the pool with XMS.
#[derive(Clone, Copy)]
pub struct Cache<S>(pub S);

impl<S: Store<Fields = Fields> + Mover> Space for Cache<S> {
    const SIZE: u16 = SIZE;

    #[inline(always)]
    fn space(self) -> *mut arena::Fields {
        // SAFETY: takes the address only.
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
    /// Moves a frame, which is or will be at `start` in the cache, from ([`FROM_XMS`]) or to ([`TO_XMS`]) its slot.
    #[inline(never)]
    fn transfer(self, frame: u16, start: u16, way: u16) -> bool {
        // SAFETY: memory of the pool; see mod.rs.
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

    /// The least recently used frame in the cache; 0: the cache is empty.
    #[inline(never)]
    fn oldest(self) -> u16 {
        let mut oldest = 0;
        let mut at = self.0.first();
        // SAFETY: memory of the pool.
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

    /// Uses of frames since this frame's last use.
    #[inline(always)]
    fn age(self, at: u16) -> u16 {
        // SAFETY: memory of the pool.
        unsafe { (*self.0.fields()).clock.wrapping_sub((*self.0.record::<Record>(at)).asked) }
    }

    /// Makes room in the cache. If frames have to go to XMS, half of the cache is emptied at once. Returns whether `size`
    /// bytes fit.
    #[inline(never)]
    fn room(self, size: u16) -> bool {
        // SAFETY: memory of the pool.
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

    /// Whether the free part would begin below `full` with `size` more bytes.
    #[inline(always)]
    fn below(self, size: u16) -> bool {
        // SAFETY: memory of the pool.
        unsafe { (*self.space()).free + size <= (*self.0.fields()).full }
    }

    /// Notes a use of the frame.
    #[inline(always)]
    fn touch(self, frame: u16) {
        // SAFETY: memory of the pool.
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
        // SAFETY: memory of the pool.
        unsafe { (*self.record(frame)).len }
    }

    #[inline(never)]
    fn place(self, frame: u16) -> u16 {
        // SAFETY: memory of the pool.
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
        // SAFETY: memory of the pool.
        unsafe { (*self.record(frame)).start }
    }

    #[inline(always)]
    fn free(self, frame: u16) {
        self.forget(frame);
    }
}
