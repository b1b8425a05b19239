//! The Interrupt Sharing Protocol: by it a handler says whom it calls next, so that one below it can be taken out of the chain.
//! It begins with a short jump over a header.

/// The first byte of such a handler.
pub const JUMP: u8 = 0xEB;
/// Offset in the handler of the next one's far address.
pub const NEXT: u16 = 2;
/// Offset of the signature, and what that is.
pub const SIGNATURE_AT: u16 = 6;
/// See above.
pub const SIGNATURE: u16 = 0x424B;
/// Handlers that a chain is followed through.
pub const LONGEST: usize = 64;
