//! Extended memory for rings and buffers (XMS 2.0 and later).

use super::dos::regs;
use crate::bus::either::in_v86;

/// A locked block of extended memory.
#[derive(Clone, Copy)]
pub struct Block {
    /// The XMS driver's entry, segment in the high half.
    pub entry: u32,
    /// Its handle.
    pub handle: u16,
    /// Where it lies, linear and physical alike; 0: it is not locked.
    pub linear: u32,
}

/// A far call and its registers (asm/installer.asm knows the offsets).
#[derive(Clone, Copy)]
#[repr(C)]
struct Call {
    entry: u32,
    ax: u16,
    bx: u16,
    dx: u16,
}

/// A far call with these registers; those that it leaves.
#[inline(never)]
pub fn far_call(entry: u32, ax: u16, bx: u16, dx: u16) -> (u16, u16, u16) {
    unsafe extern "fastcall" {
        fn xms_call(call: &mut Call);
    }
    let mut call = Call { entry, ax, bx, dx };
    // SAFETY: the entry came from the multiplex interrupt, and the functions used here change only registers; or it is
    // that of a unit of ours.
    unsafe { xms_call(&mut call) };
    (call.ax, call.bx, call.dx)
}

/// Has the XMS driver done the function? And its BX and DX.
#[inline(never)]
fn call(entry: u32, function: u8, dx: u16) -> (bool, u16, u16) {
    let (ax, bx, dx) = far_call(entry, (function as u16) << 8, 0, dx);
    (ax == 1, bx, dx)
}

const ALLOCATE: u8 = 0x09;
const FREE: u8 = 0x0A;
const LOCK: u8 = 0x0C;
const UNLOCK: u8 = 0x0D;

/// The XMS driver's entry, 0: there is none.
fn entry() -> u32 {
    let present = regs(0x4300);
    present.interrupt(0x2F);
    if present.ax as u8 != 0x80 {
        return 0;
    }
    let entry = regs(0x4310);
    entry.interrupt(0x2F);
    (entry.es as u32) << 16 | entry.bx as u32
}

impl Block {
    /// No block.
    pub const NONE: Block = Block { entry: 0, handle: 0, linear: 0 };

    /// Allocates at least `bytes`, and locks them in real mode.
    #[inline(never)]
    pub fn new(bytes: u32) -> Block {
        let mut block = Block { entry: entry(), ..Block::NONE };
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
            return Block::NONE;
        }
        block
    }

    /// Gives it back.
    #[inline(never)]
    pub fn free(&self) {
        // What is not locked stays so.
        call(self.entry, UNLOCK, self.handle);
        call(self.entry, FREE, self.handle);
    }
}
