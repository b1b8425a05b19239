//! Statistics: registers that a read clears.

/// Frames without a receive buffer, frames that were dropped, frames with errors.
pub const NO_BUFFER: u16 = 0x224C;
const DROPPED: u16 = 0x2250;
pub const ERRORS: u16 = 0x2254;
/// Sent: bytes, then errors, then frames by kind.
const TX_BYTES: u16 = 0x0800;
const TX_ERRORS: u16 = 0x0818;
const TX_EXCESSIVE: u16 = 0x082C;
const TX_UNICAST: u16 = 0x086C;
/// Received: bytes, frames by kind, wrong check sequences, frames that were too long.
const RX_BYTES: u16 = 0x0880;
const RX_UNICAST: u16 = 0x088C;
const RX_CRC: u16 = 0x0898;
const RX_LONG: u16 = 0x08B0;

/// The statistics, by the offsets of their registers.
#[derive(Clone, Debug, Default)]
pub struct Tally(std::collections::BTreeMap<u16, u32>);

/// 0, 4 and 8 for a frame to one, to several, to all.
fn kind(frame: &[u8]) -> u16 {
    match frame.first() {
        Some(0xFF) => 8,
        Some(first) if first & 1 != 0 => 4,
        _ => 0,
    }
}

impl Tally {
    fn add(&mut self, at: u16, count: u32) {
        let sum = self.0.entry(at).or_default();
        *sum = sum.wrapping_add(count);
    }

    /// Reads a register, and clears it.
    pub fn read(&mut self, at: u16) -> u32 {
        self.0.remove(&at).unwrap_or(0)
    }

    /// A frame has gone out.
    pub fn sent(&mut self, frame: &[u8]) {
        self.add(TX_BYTES, frame.len() as u32 + 4);
        self.add(TX_UNICAST + kind(frame), 1);
    }

    /// One has not; by collisions.
    pub fn not_sent(&mut self, collisions: bool) {
        self.add(if collisions { TX_EXCESSIVE } else { TX_ERRORS }, 1);
    }

    /// A frame has come; without its check sequence.
    pub fn received(&mut self, frame: &[u8]) {
        self.add(RX_BYTES, frame.len() as u32 + 4);
        self.add(RX_UNICAST + kind(frame), 1);
    }

    /// One with a wrong check sequence.
    pub fn damaged(&mut self) {
        self.add(RX_CRC, 1);
        self.add(ERRORS, 1);
    }

    /// One that was too long.
    pub fn too_long(&mut self) {
        self.add(RX_LONG, 1);
    }

    /// No room in the FIFO.
    pub fn dropped(&mut self) {
        self.add(DROPPED, 1);
    }

    /// No receive buffer was there when a frame came.
    pub fn no_buffer(&mut self) {
        self.add(NO_BUFFER, 1);
    }
}
