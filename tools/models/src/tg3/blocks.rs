//! The chip's blocks: each has a mode register with an enable bit and a reset bit at the beginning of its registers.

use super::Tg3;

/// Mode: the block is in reset.
pub const RESET: u32 = 1;
/// Mode: the block works.
pub const ENABLE: u32 = 2;

/// Send data initiator.
pub const SDI: u16 = 0x0C00;
/// Send data completion.
pub const SDC: u16 = 0x1000;
/// Send ring selector.
pub const SRS: u16 = 0x1400;
/// Send descriptor initiator.
pub const SBDI: u16 = 0x1800;
/// Send descriptor completion.
pub const SBDC: u16 = 0x1C00;
/// Receive list placement.
pub const RXLP: u16 = 0x2000;
/// Receive data and descriptor initiator.
pub const RDBDI: u16 = 0x2400;
/// Receive data completion.
pub const RDC: u16 = 0x2800;
/// Receive descriptor initiator.
pub const RBDI: u16 = 0x2C00;
/// Receive descriptor completion.
pub const RBDC: u16 = 0x3000;
/// Host coalescing.
pub const HCC: u16 = 0x3C00;
/// Memory arbiter.
pub const MARB: u16 = 0x4000;
/// Buffer manager.
pub const BMAN: u16 = 0x4400;
/// Read DMA.
pub const RDMA: u16 = 0x4800;
/// Write DMA.
pub const WDMA: u16 = 0x4C00;

/// All blocks, with the names of the facts.
const NAMES: [(u16, &str); 15] = [
    (SDI, "SDI"), (SDC, "SDC"), (SRS, "SRS"), (SBDI, "SBDI"), (SBDC, "SBDC"), (RXLP, "RXLP"), (RDBDI, "RDBDI"), (RDC, "RDC"),
    (RBDI, "RBDI"), (RBDC, "RBDC"), (HCC, "HCC"), (MARB, "MARB"), (BMAN, "BMAN"), (RDMA, "RDMA"), (WDMA, "WDMA"),
];
/// The blocks without which nothing is received.
pub const TO_RECEIVE: [u16; 10] = [MARB, BMAN, RDMA, WDMA, HCC, RXLP, RDBDI, RDC, RBDI, RBDC];
/// The blocks without which nothing is sent.
pub const TO_SEND: [u16; 10] = [MARB, BMAN, RDMA, WDMA, HCC, SDI, SDC, SRS, SBDI, SBDC];

/// A block's name.
pub fn name(block: u16) -> &'static str {
    NAMES.iter().find(|(at, _)| *at == block).map_or("?", |(_, name)| name)
}

/// The block that a register belongs to, unless the register is its mode.
pub fn owner(at: u16) -> Option<u16> {
    NAMES.iter().map(|(block, _)| *block).find(|block| *block == at & 0xFC00 && *block != at)
}

/// Whether the register is a block's mode.
pub fn is_mode(at: u16) -> bool {
    NAMES.iter().any(|(block, _)| *block == at)
}

impl Tg3 {
    /// The block works.
    pub(super) fn on(&self, block: u16) -> bool {
        self.get(block) & (RESET | ENABLE) == ENABLE
    }

    /// The names of those blocks that are off.
    pub(super) fn missing(&self, blocks: &[u16]) -> Option<String> {
        let off: Vec<&str> = blocks.iter().filter(|block| !self.on(**block)).map(|block| name(*block)).collect();
        (!off.is_empty()).then(|| off.join(", "))
    }
}
