//! The core: the resident code that is the same for every NIC.

pub mod frame;
pub mod handle;
pub mod several;
pub mod table;

#[cfg(target_os = "none")]
pub mod api;
#[cfg(target_os = "none")]
pub mod receive;
#[cfg(target_os = "none")]
pub mod state;
