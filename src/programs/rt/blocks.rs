//! DOS's memory control blocks, for programs.

use super::{Far, Regs, int};
use crate::mcb::{self, Block, UPPER};

/// The block with a paragraph. Upper memory is looked at by linking its blocks to the chain for a moment, which DOS 5 and later do.
#[inline(never)]
pub fn block_of(para: u16) -> Option<Block> {
    if para < UPPER {
        return linked_block(para);
    }
    let mut asked = Regs::ax(0x5802);
    int(0x21, &mut asked);
    if asked.carry() {
        return None;
    }
    let found = if link(1) { linked_block(para) } else { None };
    link(asked.eax as u16 & 1);
    found
}

/// The block with a paragraph, in the chain as it is.
fn linked_block(para: u16) -> Option<Block> {
    let mut lists = Regs::ax(0x5200);
    int(0x21, &mut lists);
    let first = Far::new(lists.es, (lists.ebx as u16).wrapping_sub(2)).read16();
    mcb::find(first, para, |at| {
        let mut header = mcb::Header::default();
        Far::new(at, 0).read(&mut header);
        header
    })
}

/// Links the upper blocks to the chain (1), or not (0).
fn link(on: u16) -> bool {
    let mut link = Regs::ax(0x5803);
    link.ebx = on as u32;
    int(0x21, &mut link);
    !link.carry()
}
