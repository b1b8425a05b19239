//! The statistics registers, 4000h to 4124h: counters that a read clears.

use std::collections::BTreeMap;

/// Places of the counters that something counts.
pub mod count {
    pub const CRC_ERRORS: u16 = 0x4000;
    pub const MISSED: u16 = 0x4010;
    pub const RX_BY_LENGTH: u16 = 0x405C;
    pub const RX: u16 = 0x4074;
    pub const RX_BROADCAST: u16 = 0x4078;
    pub const RX_MULTICAST: u16 = 0x407C;
    pub const TX: u16 = 0x4080;
    pub const RX_BYTES: u16 = 0x4088;
    pub const TX_BYTES: u16 = 0x4090;
    pub const NO_BUFFERS: u16 = 0x40A0;
    pub const OVERSIZE: u16 = 0x40AC;
    pub const RX_BYTES_ALL: u16 = 0x40C0;
    pub const TX_BYTES_ALL: u16 = 0x40C8;
    pub const RX_ALL: u16 = 0x40D0;
    pub const TX_ALL: u16 = 0x40D4;
    pub const TX_BY_LENGTH: u16 = 0x40D8;
    pub const TX_MULTICAST: u16 = 0x40F0;
    pub const TX_BROADCAST: u16 = 0x40F4;
}

/// The counters.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<u16, u32>);

impl Tally {
    /// There is a counter at this offset.
    pub fn has(at: u16) -> bool {
        (0x4000..=0x4124).contains(&at)
    }

    /// Reads a counter, and clears it.
    pub fn take(&mut self, at: u16) -> u32 {
        self.0.remove(&at).unwrap_or(0)
    }

    /// Adds to a counter, which stays at its greatest value.
    pub fn add(&mut self, at: u16, by: u32) {
        let counter = self.0.entry(at).or_default();
        *counter = counter.saturating_add(by);
    }

    fn frame(&mut self, frame: &[u8], by_length: u16, [good, all, good_bytes, all_bytes, broadcast, multicast]: [u16; 6]) {
        let bytes = frame.len() as u32 + 4;
        let class = [64, 127, 255, 511, 1023].iter().filter(|most| bytes > **most).count() as u16;
        for (at, by) in [(by_length + 4 * class, 1), (good, 1), (all, 1), (good_bytes, bytes), (all_bytes, bytes)] {
            self.add(at, by);
        }
        if frame[..6] == [0xFF; 6] {
            self.add(broadcast, 1);
        } else if frame[0] & 1 != 0 {
            self.add(multicast, 1);
        }
    }

    /// Counts a frame that was received, without its check sequence.
    pub fn received(&mut self, frame: &[u8]) {
        use count::*;
        self.frame(frame, RX_BY_LENGTH, [RX, RX_ALL, RX_BYTES, RX_BYTES_ALL, RX_BROADCAST, RX_MULTICAST]);
    }

    /// Counts a frame that was sent.
    pub fn sent(&mut self, frame: &[u8]) {
        use count::*;
        self.frame(frame, TX_BY_LENGTH, [TX, TX_ALL, TX_BYTES, TX_BYTES_ALL, TX_BROADCAST, TX_MULTICAST]);
    }
}
