//! The host side of 3COMPKT.
pub mod process;
pub mod rig;
pub mod setup;
