//! Extended memory for rings and buffers (XMS 2.0 and later).

use crate::bus::either::in_v86;
use crate::install::dos::{far_call, regs};
use crate::install::plan::XmsBlock;

/// Has the XMS driver done the function? And its BX and DX.
#[inline(never)]
fn call(entry: u32, function: u8, dx: u16) -> (bool, u16, u16) {
    let call = far_call(entry, (function as u16) << 8, 0, dx);
    (call.ax == 1, call.bx, call.dx)
}

const ALLOCATE: u8 = 0x09;
const LOCK: u8 = 0x0C;

/// The XMS driver's entry, 0: there is none.
pub fn entry() -> u32 {
    let present = regs(0x4300);
    present.interrupt(0x2F);
    if present.ax as u8 != 0x80 {
        return 0;
    }
    let entry = regs(0x4310);
    entry.interrupt(0x2F);
    (entry.es as u32) << 16 | entry.bx as u32
}

impl XmsBlock {
    /// Allocates at least `bytes`, and locks them in real mode.
    #[inline(never)]
    pub fn new(bytes: u32) -> XmsBlock {
        let mut block = XmsBlock { entry: entry(), ..XmsBlock::NONE };
        if block.entry == 0 {
            return block;
        }
        let (done, _, handle) = call(block.entry, ALLOCATE, ((bytes + 1023) >> 10) as u16);
        if !done {
            return block;
        }
        block.handle = handle;
        if in_v86() {
            return block;
        }
        let (done, low, high) = call(block.entry, LOCK, handle);
        block.linear = (high as u32) << 16 | low as u32;
        if !done {
            block.free();
            return XmsBlock::NONE;
        }
        block
    }
}
