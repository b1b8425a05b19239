//! The NE2000's driver and probe against its model.

mod edges;
mod faults;
mod judge;
mod on_pci;
mod probing;
mod rig;
mod traffic;
