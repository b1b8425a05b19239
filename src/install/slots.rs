// The one figure that the linker scripts, the installer and the pack step share. src/build.rs includes this file.

/// Bytes of slot A, which is the first of the installer's segment: stages run there, and the driver is placed over it. The
/// kernel lies behind it. A multiple of 16.
pub const SLOT_A: u16 = 0x19b0;
/// The same where units are written without rules of `tools/src/narrow`, and are larger.
pub const SLOT_A_WIDE: u16 = 0x4000;
