//! What the XMS driver is given (eXtended Memory Specification 3.0, function 0Bh).

/// Where bytes are moved from or to.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, packed(2))]
pub struct End {
    /// An XMS handle; 0: conventional memory.
    pub handle: u16,
    /// Bytes from the block's beginning; in conventional memory a far address, its segment in the high half.
    pub offset: u32,
}

/// Extended memory move.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, packed(2))]
pub struct Move {
    /// Bytes, an even number.
    pub len: u32,
    /// Where from.
    pub from: End,
    /// Where to.
    pub to: End,
}

const _: () = assert!(size_of::<Move>() == 16);
