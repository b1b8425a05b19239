//! A front before the registers of one of QEMU's own cards: QEMU moves the frames, and the front is what QEMU's card lacks, or
//! what another part of its family has. The plugin makes QEMU's device from it.

/// QEMU's card behind a front.
pub trait Inner {
    /// Reads a register of 32 bits.
    fn read(&mut self, at: u32) -> u32;
    /// Writes a register of 32 bits.
    fn write(&mut self, at: u32, value: u32);
    /// Reports that the driver did what no real card would accept.
    fn complain(&mut self, what: &str);
}

/// A front.
pub trait Front: Send {
    /// Reads `width` bytes (1, 2 or 4) at this offset of the range that the front covers.
    fn read(&mut self, inner: &mut dyn Inner, at: u32, width: u8) -> u32;
    /// Writes them.
    fn write(&mut self, inner: &mut dyn Inner, at: u32, width: u8, value: u32);
    /// The reset line of the bus.
    fn hard_reset(&mut self);
}
