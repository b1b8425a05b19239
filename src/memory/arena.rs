//! The pool without XMS: a conventional arena in which frames lie one behind another, without gaps: what lies behind a
//! frame that goes slides down. So a long frame fits as soon as there are enough bytes, and nothing is searched.

use super::{Pool, Stats, Store, rounded};

/// A frame's record; others may go on behind it.
#[repr(C)]
pub struct Record {
    /// Its length; 0: free.
    pub len: u16,
    /// Where it lies; 0: not in the arena.
    pub start: u16,
}

/// What the pool remembers beside its records. The installer fills in the last three; all else is zero at first.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Fields {
    /// What it counts.
    pub stats: Stats,
    /// Near address behind the last record.
    pub end: u16,
    /// Where the next frame goes: behind all others. At first where the arena begins, a multiple of four.
    pub free: u16,
    /// Where the arena ends.
    pub limit: u16,
}

/// Records, and the arena that they speak of.
pub trait Space: Copy {
    /// Bytes from a record to the next.
    const SIZE: u16;
    /// Where the fields are.
    fn space(self) -> *mut Fields;
    /// Near address of the first record.
    fn first(self) -> u16;
    /// A record.
    fn record(self, at: u16) -> *mut Record;
    /// [`Store::copy`].
    fn slide(self, from: u16, to: u16, len: u16);

    /// Is there room for so many bytes more?
    #[inline(always)]
    fn fits(self, size: u16) -> bool {
        // SAFETY: the pool's own; see mod.rs.
        unsafe { (*self.space()).free + size <= (*self.space()).limit }
    }

    /// Gives a frame the place behind all others, which there is.
    #[inline(always)]
    fn append(self, at: u16) -> u16 {
        // SAFETY: the pool's own.
        unsafe {
            let space = self.space();
            let record = self.record(at);
            let start = (*space).free;
            (*record).start = start;
            (*space).free = start + rounded((*record).len);
            start
        }
    }

    /// A record that is free, or 0.
    #[inline(always)]
    fn unused(self) -> u16 {
        let mut at = self.first();
        // SAFETY: the pool's own.
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

    /// Has a free record be a frame's.
    #[inline(always)]
    fn use_up(self, at: u16, len: u16) {
        // SAFETY: the pool's own.
        unsafe {
            (*self.record(at)).len = len;
            (*self.space()).stats.waiting += 1;
        }
    }

    /// Takes a frame out of the arena, in which it lies.
    #[inline(never)]
    fn remove(self, at: u16) {
        // SAFETY: the pool's own.
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

    /// Forgets a frame.
    #[inline(never)]
    fn forget(self, at: u16) {
        // SAFETY: the pool's own.
        unsafe {
            if (*self.record(at)).start != 0 {
                self.remove(at);
            }
            (*self.record(at)).len = 0;
            (*self.space()).stats.waiting -= 1;
        }
    }

    /// Counts a frame or a call that failed.
    #[inline(always)]
    fn fail(self, flag: u8) {
        // SAFETY: the pool's own.
        unsafe {
            let stats = &raw mut (*self.space()).stats;
            (*stats).failures = (*stats).failures.wrapping_add(1);
            (*stats).flags |= flag;
        }
    }
}

/// The pool.
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
        // SAFETY: the pool's own.
        unsafe { (*self.record(frame)).len }
    }

    #[inline(always)]
    fn place(self, frame: u16) -> u16 {
        self.known_place(frame)
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
