//! The counters, which the chip writes to memory when it is asked to.

use crate::Env;

/// Counters since they were last cleared.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Frames sent.
    pub tx: u64,
    /// Frames that failed.
    pub tx_errors: u64,
    /// Frames received.
    pub rx: u64,
    /// Frames with errors.
    pub rx_errors: u32,
    /// Frames lost in the FIFO.
    pub missed: u32,
    unicast: u64,
    broadcast: u64,
    multicast: u32,
}

impl Tally {
    /// Counts a frame that was received.
    pub fn received(&mut self, frame: &[u8]) {
        self.rx += 1;
        match frame.get(..6) {
            Some([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]) => self.broadcast += 1,
            Some([first, ..]) if first & 1 != 0 => self.multicast += 1,
            _ => self.unicast += 1,
        }
    }

    /// Writes the block of 64 bytes.
    pub fn dump(&self, env: &mut dyn Env, at: u32) {
        let mut block = Vec::with_capacity(64);
        for counter in [self.tx, self.rx, self.tx_errors] {
            block.extend(counter.to_le_bytes());
        }
        block.extend(self.rx_errors.to_le_bytes());
        block.extend((self.missed as u16).to_le_bytes());
        // No alignment errors and no collisions.
        block.extend([0; 10]);
        block.extend(self.unicast.to_le_bytes());
        block.extend(self.broadcast.to_le_bytes());
        block.extend(self.multicast.to_le_bytes());
        block.extend([0; 4]);
        env.dma_write(at, &block);
    }
}
