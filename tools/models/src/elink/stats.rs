//! The counters of window 6.

use super::Kind;

/// Counters that a read clears. They count while statistics are enabled.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub(crate) enabled: bool,
    carrier_lost: u8,
    no_sqe: u8,
    multiple: u8,
    single: u8,
    late: u8,
    rx_overruns: u8,
    tx_frames: u16,
    rx_frames: u16,
    deferrals: u8,
    rx_bytes: u32,
    tx_bytes: u32,
    /// The upper bits that the last reads of the frame counters left for offset 9.
    upper: u8,
}

fn take<T: Default>(counter: &mut T) -> T {
    std::mem::take(counter)
}

/// Takes the low word of a counter; the rest stays.
fn low_word(counter: &mut u32) -> u16 {
    let low = *counter as u16;
    *counter &= 0xFFFF_0000;
    low
}

impl Stats {
    pub(crate) fn sent(&mut self, bytes: usize) {
        if self.enabled {
            self.tx_frames = (self.tx_frames + 1) & 0x3FF;
            self.tx_bytes = (self.tx_bytes + bytes as u32) & 0xF_FFFF;
        }
    }

    pub(crate) fn received(&mut self, bytes: usize) {
        if self.enabled {
            self.rx_frames = (self.rx_frames + 1) & 0x3FF;
            self.rx_bytes = (self.rx_bytes + bytes as u32) & 0xF_FFFF;
        }
    }

    pub(crate) fn rx_overrun(&mut self) {
        if self.enabled {
            self.rx_overruns = self.rx_overruns.saturating_add(1);
        }
    }

    pub(crate) fn carrier_lost(&mut self, kind: Kind) {
        if self.enabled {
            // Wide chips have four bits, which stay at 15.
            self.carrier_lost = if kind.wide() { (self.carrier_lost + 1).min(15) } else { self.carrier_lost.saturating_add(1) };
        }
    }

    /// Whether a counter has reached the value at which the chip interrupts: half its range; for lost carrier and SQE on wide
    /// chips half of four bits; for the 3C509B's byte counters seven eighths.
    pub(crate) fn half_full(&self, kind: Kind) -> bool {
        let (tiny, frames, bytes) = if kind.wide() { (0x08, 0x200, 0x8000) } else { (0x80, 0x80, 0xE000) };
        let small = [self.multiple, self.single, self.late, self.rx_overruns, self.deferrals];
        self.carrier_lost.max(self.no_sqe) >= tiny
            || small.iter().any(|counter| *counter >= 0x80)
            || self.tx_frames.max(self.rx_frames) >= frames
            || self.rx_bytes.max(self.tx_bytes) >= bytes
    }

    /// The upper bits of both frame counters (wide chips, offset 9): 5:4 sent, 1:0 received, from the last reads.
    pub(crate) fn read_upper_frames(&self) -> u8 {
        self.upper
    }

    /// The upper bits of both byte counters (window 4, offset 0Dh): 7:4 sent, 3:0 received.
    pub(crate) fn read_upper_bytes(&mut self) -> u8 {
        let bits = (self.tx_bytes >> 16 << 4 | self.rx_bytes >> 16) as u8;
        self.tx_bytes &= 0xFFFF;
        self.rx_bytes &= 0xFFFF;
        bits
    }

    /// Limits the counters to the 3C509B's 8 and 16 bits.
    pub(crate) fn narrow(&mut self) {
        self.tx_frames &= 0xFF;
        self.rx_frames &= 0xFF;
        self.tx_bytes &= 0xFFFF;
        self.rx_bytes &= 0xFFFF;
    }

    /// A byte-wide counter of window 6 (offset 0 to 8). None: no such counter.
    pub(crate) fn read8(&mut self, offset: u16) -> Option<u8> {
        Some(match offset {
            0 => take(&mut self.carrier_lost),
            1 => take(&mut self.no_sqe),
            2 => take(&mut self.multiple),
            3 => take(&mut self.single),
            4 => take(&mut self.late),
            5 => take(&mut self.rx_overruns),
            6 => {
                let count = take(&mut self.tx_frames);
                self.upper = self.upper & 0x03 | ((count >> 8 & 3) << 4) as u8;
                count as u8
            }
            7 => {
                let count = take(&mut self.rx_frames);
                self.upper = self.upper & 0x30 | (count >> 8 & 3) as u8;
                count as u8
            }
            8 => take(&mut self.deferrals),
            _ => return None,
        })
    }

    /// A word-wide counter of window 6 (offset 10 or 12).
    pub(crate) fn read16(&mut self, offset: u16) -> Option<u16> {
        Some(match offset {
            10 => low_word(&mut self.rx_bytes),
            12 => low_word(&mut self.tx_bytes),
            _ => return None,
        })
    }
}
