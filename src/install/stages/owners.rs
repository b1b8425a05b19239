//! Whose memory is it? By DOS's memory control blocks, those of upper memory, too. (The stages that run with `/REPLACE` are full:
//! `chain` has a walk of its own, through the lower blocks.)

use super::copies::is_packet_driver;
use crate::bus::real::address;
use crate::install::dos::{far, from_device, memory_end, peek, regs, vector};
use crate::install::kernel::caller;
use crate::mcb::{self, Block, DOS, DRIVER, DRIVERS, FREE, NAME, NAME_AT, PROGRAMS, UPPER};

/// A name, with blanks or zeros behind it, and a zero at the end.
pub type Name = [u8; NAME + 1];

/// Blocks of drivers in DOS's block that are looked at.
const DRIVERS_MOST: u8 = 128;

/// The paragraph of a far address, segment in the high half. None: it is above 1 MB.
fn paragraph(pointer: u32) -> Option<u16> {
    u16::try_from(far(pointer).0 >> 4).ok()
}

/// The block with a paragraph, in the chain as it is: with upper memory only where its blocks are linked.
#[inline(never)]
fn linked_block(para: u16) -> Option<Block> {
    let lists = regs(0x5200);
    lists.interrupt(0x21);
    let first = peek(address(lists.es, lists.bx.wrapping_sub(2)));
    mcb::find(first, para, |at| peek(address(at, 0)))
}

/// The block with a paragraph. Upper memory is looked at by linking its blocks to the chain for a moment, which DOS 5 and later do.
#[inline(never)]
pub fn block(para: u16) -> Option<Block> {
    if para < UPPER {
        return linked_block(para);
    }
    let linked = regs(0x5802);
    if !linked.interrupt(0x21) {
        return None;
    }
    let before = linked.ax & 1;
    let found = if link(1) { linked_block(para) } else { None };
    link(before);
    found
}

/// Links the upper blocks to the chain (1), or not (0).
#[inline(never)]
fn link(on: u16) -> bool {
    let link = regs(0x5803);
    link.bx = on;
    link.interrupt(0x21)
}

/// Does this vector lead to what is left of a packet driver, in memory that is nobody's? That is memory that DOS has given to
/// us, in which we are the only driver, and a free block. All else may be somebody's: DOS, what lies above or behind its
/// blocks, ROMs.
#[inline(never)]
pub fn is_stale(number: u8) -> bool {
    let Some(para) = paragraph(vector(number)) else { return false };
    if !is_packet_driver(number) {
        return false;
    }
    let ours = if from_device() { caller().load_segment } else { caller().psp };
    if para >= ours && (para as u32) < memory_end() {
        return true;
    }
    block(para).is_some_and(|block| block.owner == FREE)
}

/// The name of the program that a block belongs to.
#[inline(never)]
pub fn name_of(block: &Block, name: &mut Name) -> bool {
    block.owner >= PROGRAMS && name_at(block.owner.wrapping_sub(1), name)
}

/// Reads the name in a header. False: there is none.
#[inline(never)]
fn name_at(header: u16, name: &mut Name) -> bool {
    let text: [u8; NAME] = peek(address(header, NAME_AT));
    name.iter_mut().zip(text).for_each(|(to, from)| *to = from);
    (b'!'..=b'~').contains(&text[0])
}

/// The name of the driver of CONFIG.SYS that a paragraph in DOS's block belongs to. False: it is none's.
#[inline(never)]
pub fn driver(dos: &Block, para: u16, name: &mut Name) -> bool {
    if dos.owner != DOS || peek::<[u8; 2]>(address(dos.at, NAME_AT)) != DRIVERS {
        return false;
    }
    let mut at = dos.at.wrapping_add(1);
    for _ in 0..DRIVERS_MOST {
        if at - dos.at >= dos.paras || para <= at {
            break;
        }
        let paras = peek(address(at, 3));
        if para - at <= paras {
            return peek::<u8>(address(at, 0)) == DRIVER && name_at(at, name);
        }
        // As in `mcb::find`.
        at = at.wrapping_add(paras).wrapping_add(1);
    }
    false
}
