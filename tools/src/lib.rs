//! The host side of 3COMPKT.
pub mod bench;
pub mod demo;
pub mod fake_bus;
pub mod header;
pub mod narrow;
pub mod nics;
pub mod pack;
pub mod peer;
pub mod process;
pub mod random;
pub mod release;
pub mod rig;
pub mod run;
pub mod setup;
pub mod suite;
