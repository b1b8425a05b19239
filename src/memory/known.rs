//! Types that came before, and the handles that got them: a frame of a busy type finds its handle without a search.
//!
//! Two places, told apart by a bit that is 0 in IP's type (0800h) and 1 in ARP's (0806h) and IPX's (8137h): with one place
//! every broadcast that comes between a client's frames costs two searches.

/// The types and handles; all zeros at first.
#[derive(Default)]
#[repr(C)]
pub struct Known {
    /// Types as they lie in a frame, the first byte in the low half; 0, which is a length, is none.
    kinds: [u16; 2],
    /// The handle of each; 0: nobody.
    takers: [u16; 2],
    /// Frames whose handle was known.
    pub hits: u32,
    /// Frames whose handle was searched for.
    pub misses: u32,
}

impl Known {
    /// The handle that gets a frame with this type or length, by `search` if need be.
    ///
    /// # Safety
    /// Interrupts are off, and `known` is alive.
    #[inline(always)]
    pub unsafe fn taker(known: *mut Known, kind: u16, search: impl FnOnce() -> u16) -> u16 {
        let place = usize::from(kind >> 9 & 1);
        // SAFETY: the caller's word; a place of the two.
        unsafe {
            if (*known).kinds[place] == kind && kind != 0 {
                (*known).hits = (*known).hits.wrapping_add(1);
                return (*known).takers[place];
            }
            (*known).misses = (*known).misses.wrapping_add(1);
            let taker = search();
            // Below are lengths, for which 802.2 headers decide. The first 17 types are nobody's: one byte is enough.
            if kind as u8 >= 6 {
                (*known).kinds[place] = kind;
                (*known).takers[place] = taker;
            }
            taker
        }
    }

    /// Handles have changed.
    ///
    /// # Safety
    /// As for [`Known::taker`].
    #[inline(always)]
    pub unsafe fn forget(known: *mut Known) {
        // SAFETY: the caller's word.
        unsafe { (*known).kinds = [0; 2] };
    }
}
