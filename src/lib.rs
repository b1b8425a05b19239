//! 3COMPKT: a DOS packet driver.
//!
//! The library holds everything that does not depend on being in real mode: it is compiled into the units of the
//! image (code16, 386) and into the host tests, where a fake bus stands in for the machine.
#![no_std]

pub mod bus;
pub mod device;
pub mod drivers;
pub mod info;
pub mod install;
pub mod memory;
pub mod probe;
pub mod programs;
pub mod resident;
#[cfg(target_os = "none")]
pub mod units;
pub mod wire;
