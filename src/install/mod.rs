//! The installer: everything that is thrown away once the driver stands.

pub mod numbers;
pub mod switches;

#[cfg(target_os = "none")]
pub mod dos;
#[cfg(target_os = "none")]
pub mod hardware;
#[cfg(target_os = "none")]
pub mod header;
#[cfg(target_os = "none")]
pub mod hook;
#[cfg(target_os = "none")]
pub mod load;
#[cfg(target_os = "none")]
pub mod pci;
#[cfg(target_os = "none")]
pub mod place;
#[cfg(target_os = "none")]
pub mod print;
#[cfg(target_os = "none")]
pub mod run;
#[cfg(target_os = "none")]
pub mod unload;
#[cfg(target_os = "none")]
pub mod xms;

/// Bytes of the largest probe.
pub const OVERLAY: usize = 6144;
