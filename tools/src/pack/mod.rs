//! From linked ELF files to what DOS loads.
pub mod program;
