//! The DOS programs: PKTCTL for users; CONFORM, CONTROL, FIELD, FUZZ, INTEGRITY and WAITS for the tests; BENCH and BULK for tools/bench.
//!
//! Code that does not touch the machine is also compiled for the host, and tested there. Each program is a binary of its own,
//! linked by `linker/program.ld` and packed as an MZ file.

pub mod bonds;
pub mod commands;
pub mod config_sys;
pub mod net;
pub mod options;
pub mod rates;
pub mod screen;
pub mod settings;
pub mod watch;

#[cfg(target_os = "none")]
pub mod rt;

/// Bytes of stack that the pack step gives a program, behind its BSS. PKTCTL has up to three frames on it.
pub const STACK: u16 = 8 << 10;
