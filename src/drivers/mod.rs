//! The resident half of each NIC's driver. `probe/` has the other half under the same name.
