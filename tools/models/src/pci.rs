//! What a PCI card says of itself in its configuration space; the plugin makes QEMU's device from it.

/// The registers that a base address register of the card maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// Ports.
    Ports,
    /// Memory with an address of 32 bits.
    Memory,
    /// Memory with an address of 64 bits, in two base address registers.
    Memory64,
}

/// A base address register.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    /// Its number, 0 to 5.
    pub number: u8,
    /// What it maps.
    pub space: Space,
    /// Bytes that it maps.
    pub bytes: u32,
    /// The offset that the model is given for its first byte.
    pub first: u16,
}

/// Identifiers, base addresses and capabilities.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// Vendor, of the subsystem too.
    pub vendor: u16,
    /// Device, of the subsystem too.
    pub device: u16,
    /// Revision.
    pub revision: u8,
    /// Base address registers.
    pub bars: [Option<Bar>; 3],
    /// Minimum grant and maximum latency.
    pub bus_times: [u8; 2],
    /// Place of the power management capability, and the high byte of its capabilities word.
    pub power: Option<(u8, u8)>,
    /// Place of the PCI Express capability.
    pub express: Option<u8>,
}
