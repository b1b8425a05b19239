//! The host side of 3COMPKT.
pub mod fake_bus;
pub mod process;
pub mod rig;
pub mod setup;
