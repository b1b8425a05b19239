//! DOS's memory control blocks, which form a chain. The installer and the programs read them, each in its own way.

/// First byte of the last block's header,
const LAST: u8 = b'Z';
/// and of the others.
const MORE: u8 = b'M';
/// Blocks that are looked at: more than a machine has.
const BLOCKS: u16 = 2048;

/// The owner of a free block.
pub const FREE: u16 = 0;
/// The owner of DOS's own blocks. From MS-DOS 4 on, and in FreeDOS, [`DRIVERS`] is the name of one that has a block of its own
/// kind for each driver of CONFIG.SYS.
pub const DOS: u16 = 8;
/// See [`DOS`].
pub const DRIVERS: [u8; 2] = *b"SD";
/// First byte of the header of a driver's block in there.
pub const DRIVER: u8 = b'D';
/// Owners below this are no programs.
pub const PROGRAMS: u16 = 0x40;
/// Letters of a name in a header,
pub const NAME: usize = 8;
/// and its offset there.
pub const NAME_AT: u16 = 8;
/// The first segment of upper memory.
pub const UPPER: u16 = 0xA000;

/// A header's first bytes: kind, owner, and number of paragraphs behind the header.
pub type Header = [u8; 5];

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The segment of its header.
    pub at: u16,
    /// Paragraphs behind the header.
    pub paras: u16,
    /// Its owner: a PSP's segment, or a number below [`PROGRAMS`].
    pub owner: u16,
}

/// The block with the paragraph `para`, in the chain that begins with the header at segment `first`. None: no block has it, or
/// the chain is damaged.
pub fn find(first: u16, para: u16, read: impl Fn(u16) -> Header) -> Option<Block> {
    let mut at = first;
    for _ in 0..BLOCKS {
        let [kind, owner_low, owner_high, low, high] = read(at);
        if !matches!(kind, LAST | MORE) || para <= at {
            return None;
        }
        let paras = u16::from_le_bytes([low, high]);
        if para - at <= paras {
            return Some(Block { at, paras, owner: u16::from_le_bytes([owner_low, owner_high]) });
        }
        // `para` lies above the block, so that its end does not wrap.
        at = at.wrapping_add(paras).wrapping_add(1);
        if kind == LAST {
            break;
        }
    }
    None
}
