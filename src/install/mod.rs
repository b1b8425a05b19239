//! The installer: everything that is thrown away once the driver stands.
//!
//! It runs in stages. The `kernel` stays in memory as long as the installer runs: it reads the file, prints, and undoes
//! what a failed attempt has done. A stage (`stages`) is a unit of its own in the file. The kernel reads it to one of two
//! slots, runs it, and is told which stage is next. Stages share the [`plan::Plan`] and nothing else.
//!
//! ```text
//! segment:0    slot A   unload, search; later the driver is placed here, with `stand` at the slot's end
//! SLOT_A       kernel   with the plan
//!              slot B   line, ready, then the find unit of each NIC in turn, place, the start unit of the NIC that was found
//!              stack
//! ```

pub mod features;
pub mod lines;
/// Where the slots lie.
pub mod slots;
pub mod stages;

#[cfg(target_os = "none")]
pub mod dos;
#[cfg(target_os = "none")]
pub mod header;
#[cfg(target_os = "none")]
pub mod kernel;
#[cfg(target_os = "none")]
pub mod plan;
#[cfg(target_os = "none")]
pub mod print;
