//! Where things lie in the machine that runs a unit. All offsets are in the one segment of DS, ES, SS and CS.

/// The segment, and its linear address.
pub const SEGMENT: u16 = 0x1000;
/// See [`SEGMENT`].
pub const BASE: u32 = 0x1_0000;

/// The unit's code: it may be executed only.
pub const CODE: u32 = 0x0100;
/// Stubs of what the unit calls outside, and where a run ends; behind the code.
pub const STUBS: u32 = 0xA000;
/// A stub's bytes.
pub const STUB: u32 = 4;
/// The unit's data, and the data of other units.
pub const DATA: u32 = 0xB000;
/// What the arguments point to: the NIC's instance and the like.
pub const THINGS: u32 = 0xD000;
/// The stack's page.
pub const STACK: u32 = 0xE000;
/// The stack's top at an entry.
pub const TOP: u32 = 0xFF00;
/// Below the top, where pointers to the stack point.
pub const DEPTH: u32 = 0x400;

/// Conventional memory outside of the segment, where clients' buffers and rings lie. Linear.
pub const FAR: u32 = 0x3_0000;
/// Registers and rings above 1 MB. Linear.
pub const FLAT: u32 = 0x100_0000;
