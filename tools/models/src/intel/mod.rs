//! Fronts before QEMU's gigabit controllers of Intel's.
//!
//! Sources: Intel's manual of the 8254x and datasheet of the I210, and what several drivers agree on.

pub mod parts;
pub mod ports;
