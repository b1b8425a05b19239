//! The counters of window 6.

/// Counters that reading clears. They count only while statistics are enabled.
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
}

fn take<T: Default>(counter: &mut T) -> T {
    std::mem::take(counter)
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

    pub(crate) fn carrier_lost(&mut self) {
        if self.enabled {
            self.carrier_lost = self.carrier_lost.saturating_add(1);
        }
    }

    /// Is a counter past the value at which the card asks to be read?
    pub(crate) fn half_full(&self) -> bool {
        let bytes = [self.carrier_lost, self.no_sqe, self.multiple, self.single, self.late, self.rx_overruns, self.deferrals];
        bytes.iter().any(|counter| *counter >= 0x80)
            || self.tx_frames >= 0x80
            || self.rx_frames >= 0x80
            || self.rx_bytes >= 0xE000
            || self.tx_bytes >= 0xE000
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
            6 => take(&mut self.tx_frames) as u8,
            7 => take(&mut self.rx_frames) as u8,
            8 => take(&mut self.deferrals),
            _ => return None,
        })
    }

    /// A word-wide counter of window 6 (offset 10 or 12).
    pub(crate) fn read16(&mut self, offset: u16) -> Option<u16> {
        Some(match offset {
            10 => take(&mut self.rx_bytes) as u16,
            12 => take(&mut self.tx_bytes) as u16,
            _ => return None,
        })
    }
}
