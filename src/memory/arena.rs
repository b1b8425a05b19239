//! The pool without XMS: frames lie in a conventional arena without gaps. When one is removed, those behind it move down. So
//! a frame fits whenever enough bytes are free, and no search for a gap is needed. [`super::cache`] uses it as its cache.

use super::{Pool, Stats, Store, rounded};

/// A frame's record, or the first fields of a longer one.
#[repr(C)]
pub struct Record {
    /// The frame's length; 0: the record is free.
    pub len: u16,
    /// Near address of the frame; 0: it is not in the arena.
    pub start: u16,
}

/// The pool's fields. `once` in asm/pool.inc sets the last three, and `flags` of the counts; all else begins as zeros.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Fields {
    /// The counters.
    pub stats: Stats,
    /// Near address of the end of the records.
    pub end: u16,
    /// Near address of the free part of the arena, behind all frames. It begins at the arena's start, a multiple of four.
    pub free: u16,
    /// Near address of the arena's end.
    pub limit: u16,
}

/// Records, and the arena in which their frames lie.
pub trait Space: Copy {
    /// Bytes of a record.
    const SIZE: u16;
    /// Pointer to the fields.
    fn space(self) -> *mut Fields;
    /// Near address of the first record.
    fn first(self) -> u16;
    /// The record at a near address.
    fn record(self, at: u16) -> *mut Record;
    /// Copies bytes downwards; as [`Store::copy`].
    fn slide(self, from: u16, to: u16, len: u16);

    /// Whether `size` more bytes fit into the arena.
    #[inline(always)]
    fn fits(self, size: u16) -> bool {
        // SAFETY: memory of the pool; see mod.rs.
        unsafe { (*self.space()).free + size <= (*self.space()).limit }
    }

    /// Gives a frame room at the end of the arena. It must fit.
    #[inline(always)]
    fn append(self, at: u16) -> u16 {
        // SAFETY: memory of the pool.
        unsafe {
            let space = self.space();
            let record = self.record(at);
            let start = (*space).free;
            (*record).start = start;
            (*space).free = start + rounded((*record).len);
            start
        }
    }

    /// The near address of a free record; 0: there is none.
    #[inline(always)]
    fn unused(self) -> u16 {
        let mut at = self.first();
        // SAFETY: memory of the pool.
        unsafe {
            while at != (*self.space()).end {
                if (*self.record(at)).len == 0 {
                    return at;
                }
                at += Self::SIZE;
            }
        }
        0
    }

    /// Takes a free record for a frame of this length.
    #[inline(always)]
    fn use_up(self, at: u16, len: u16) {
        // SAFETY: memory of the pool.
        unsafe {
            (*self.record(at)).len = len;
            (*self.space()).stats.waiting += 1;
        }
    }

    /// Removes a frame from the arena; it must be there.
    #[inline(never)]
    fn remove(self, at: u16) {
        // SAFETY: memory of the pool.
        unsafe {
            let space = self.space();
            let record = self.record(at);
            let start = (*record).start;
            let size = rounded((*record).len);
            (*record).start = 0;
            (*space).free -= size;
            self.slide(start + size, start, (*space).free - start);
            let mut at = self.first();
            while at != (*self.space()).end {
                let record = self.record(at);
                if (*record).start > start {
                    (*record).start -= size;
                }
                at += Self::SIZE;
            }
        }
    }

    /// Frees a frame's record, and its room in the arena.
    #[inline(never)]
    fn forget(self, at: u16) {
        // SAFETY: memory of the pool.
        unsafe {
            if (*self.record(at)).start != 0 {
                self.remove(at);
            }
            (*self.record(at)).len = 0;
            (*self.space()).stats.waiting -= 1;
        }
    }

    /// Counts a frame that had no room, or a failed call of the XMS driver.
    #[inline(always)]
    fn fail(self, flag: u8) {
        // SAFETY: memory of the pool.
        unsafe {
            let stats = &raw mut (*self.space()).stats;
            (*stats).failures = (*stats).failures.wrapping_add(1);
            (*stats).flags |= flag;
        }
    }
}

/// The form of the pool without XMS.
#[derive(Clone, Copy)]
pub struct Arena<S>(pub S);

impl<S: Store<Fields = Fields>> Space for Arena<S> {
    const SIZE: u16 = size_of::<Record>() as u16;

    #[inline(always)]
    fn space(self) -> *mut Fields {
        self.0.fields()
    }

    #[inline(always)]
    fn first(self) -> u16 {
        self.0.first()
    }

    #[inline(always)]
    fn record(self, at: u16) -> *mut Record {
        self.0.record(at)
    }

    #[inline(always)]
    fn slide(self, from: u16, to: u16, len: u16) {
        self.0.copy(from, to, len);
    }
}

impl<S: Store<Fields = Fields>> Pool for Arena<S> {
    #[inline(never)]
    fn allocate(self, len: u16) -> u16 {
        let at = self.unused();
        if at == 0 || !self.fits(rounded(len)) {
            self.fail(0);
            return 0;
        }
        self.use_up(at, len);
        self.append(at);
        at
    }

    #[inline(always)]
    fn len(self, frame: u16) -> u16 {
        // SAFETY: memory of the pool.
        unsafe { (*self.record(frame)).len }
    }

    #[inline(always)]
    fn place(self, frame: u16) -> u16 {
        self.known_place(frame)
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
