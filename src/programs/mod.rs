//! The DOS programs: PKTCTL for users, CONFORM, FIELD, FUZZ, INTEGRITY and WAITS for the tests.
//!
//! What does not touch the machine is compiled for the host as well, and tested there. Each program is a binary of
//! its own, linked by `linker/program.ld` and packed as an MZ file.

pub mod net;
pub mod options;

#[cfg(target_os = "none")]
pub mod rt;

/// Bytes of stack that the pack step gives a program, behind its BSS. PKTCTL holds three frames there at its deepest.
pub const STACK: u16 = 8 << 10;
