//! The structures of an XMS move (eXtended Memory Specification 3.0, function 0Bh).

/// One end of a move.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, packed(2))]
pub struct End {
    /// An XMS handle; 0: conventional memory.
    pub handle: u16,
    /// Offset in the block; for conventional memory a far address, segment in the high half.
    pub offset: u32,
}

/// The argument of a move.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, packed(2))]
pub struct Move {
    /// Bytes to move, an even number.
    pub len: u32,
    /// The source.
    pub from: End,
    /// The target.
    pub to: End,
}

const _: () = assert!(size_of::<Move>() == 16);
