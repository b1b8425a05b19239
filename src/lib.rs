//! 3COMPKT: a DOS packet driver.
//!
//! The library holds all code that does not depend on being in real mode. It is compiled into the units of the image
//! (code16, 386), and into the host tests, where a fake bus replaces the machine.
#![no_std]

pub mod bond;
pub mod bus;
pub mod control;
pub mod device;
pub mod drivers;
pub mod info;
pub mod install;
pub mod lacp;
pub mod mcb;
pub mod memory;
pub mod probe;
pub mod programs;
pub mod resident;
pub mod sharing;
#[cfg(target_os = "none")]
pub mod units;
pub mod wire;
