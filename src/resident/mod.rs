//! The core: what stays in memory whatever the NIC is.

pub mod frame;
pub mod handle;
pub mod table;

#[cfg(target_os = "none")]
pub mod api;
#[cfg(target_os = "none")]
pub mod receive;
#[cfg(target_os = "none")]
pub mod state;
