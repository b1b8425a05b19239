//! Extended memory for rings and buffers (XMS 2.0 and later).

use super::dos::regs;

/// A locked block of extended memory.
#[derive(Clone, Copy)]
pub struct Block {
    /// The XMS driver's entry, segment in the high half.
    pub entry: u32,
    /// Its handle.
    pub handle: u16,
    /// Where it lies, linear and physical alike.
    pub linear: u32,
}

/// A call to the XMS driver and its registers (asm/installer.asm knows the offsets).
#[derive(Clone, Copy)]
#[repr(C)]
struct Call {
    entry: u32,
    ax: u16,
    bx: u16,
    dx: u16,
}

#[inline(never)]
fn call(entry: u32, function: u8, dx: u16) -> Option<Call> {
    unsafe extern "fastcall" {
        fn xms_call(call: &mut Call);
    }
    let mut call = Call { entry, ax: (function as u16) << 8, bx: 0, dx };
    // SAFETY: the entry came from the multiplex interrupt, and the functions used here change only registers.
    unsafe { xms_call(&mut call) };
    (call.ax == 1).then_some(call)
}

const ALLOCATE: u8 = 0x09;
const FREE: u8 = 0x0A;
const LOCK: u8 = 0x0C;
const UNLOCK: u8 = 0x0D;

fn entry() -> Option<u32> {
    let present = regs(0x4300);
    present.interrupt(0x2F);
    if present.ax as u8 != 0x80 {
        return None;
    }
    let entry = regs(0x4310);
    entry.interrupt(0x2F);
    Some((entry.es as u32) << 16 | entry.bx as u32)
}

impl Block {
    /// Allocates and locks at least `bytes`.
    pub fn new(bytes: u32) -> Option<Block> {
        let entry = entry()?;
        let handle = call(entry, ALLOCATE, ((bytes + 1023) >> 10) as u16)?.dx;
        let Some(locked) = call(entry, LOCK, handle) else {
            call(entry, FREE, handle);
            return None;
        };
        Some(Block { entry, handle, linear: (locked.dx as u32) << 16 | locked.bx as u32 })
    }

    /// Gives it back.
    pub fn free(&self) {
        call(self.entry, UNLOCK, self.handle);
        call(self.entry, FREE, self.handle);
    }
}
