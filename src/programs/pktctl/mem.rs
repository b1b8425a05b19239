//! `PKTCTL mem`: the driver's memory map, from its information block.

use crate::csv::Row;
use compkt::info;
use compkt::programs::commands::{Asked, CSV};
use compkt::programs::rt::console;
use compkt::programs::rt::packet::{Block, Driver};
use compkt::say;
use core::ffi::CStr;

/// Columns of the longest bar.
const COLUMNS: u32 = 40;

#[inline(never)]
pub fn run(asked: &Asked) -> u8 {
    let csv = asked.has(CSV);
    if csv {
        say!(c"int,block,place,bytes\n");
    }
    crate::each(asked, c"nothing tells what it holds", &mut |driver, block| if csv { values(driver, block) } else { map(block) })
}

fn values(driver: &Driver, block: &Block) {
    for part in (0..block.info.block_count).filter_map(|index| block.block(index)) {
        let mut row = Row::new();
        row.value(|| say!(c"{x}", driver.vector));
        row.text(name(part.kind).to_bytes().trim_ascii_end());
        row.text(if part.place == 0 { b"low" } else { b"XMS" });
        row.number(part.size as u32 * if part.place == 0 { 1 } else { 1024 });
        row.end();
    }
}

fn map(block: &Block) {
    let info = &block.info;
    let resident = info.paragraphs as u32 * 16;
    let upper = info.flags & info::FLAG_UPPER != 0;
    say!(c"3COMPKT at segment {X}h, {s} memory:\n", info.segment, if upper { c"upper" } else { c"conventional" });
    let mut rest = resident;
    let mut xms = false;
    for i in 0..info.block_count {
        let Some(part) = block.block(i) else { break };
        if part.place == 0 {
            row(name(part.kind), part.size as u32, resident);
            rest = rest.saturating_sub(part.size as u32);
        } else {
            xms = true;
        }
    }
    if rest != 0 {
        row(c"rounding  ", rest, resident);
    }
    say!(c"{9}  all\n", resident);
    if !xms {
        return;
    }
    say!(c"and in XMS:\n");
    for i in 0..info.block_count {
        if let Some(part) = block.block(i).filter(|part| part.place != 0) {
            say!(c"{6} KB  {s}\n", part.size, name(part.kind));
        }
    }
}

fn row(name: &CStr, size: u32, whole: u32) {
    say!(c"{9}  {s}  ", size, name);
    for _ in 0..(size * COLUMNS / whole.max(1)).max(1) {
        console::byte(b'#');
    }
    console::byte(b'\n');
}

/// The name of a block's kind, padded to one width.
fn name(kind: u8) -> &'static CStr {
    match kind {
        info::BLOCK_CORE => c"core      ",
        info::BLOCK_NIC => c"NIC driver",
        info::BLOCK_INSTANCE => c"NIC state ",
        info::BLOCK_HANDLES => c"handles   ",
        info::BLOCK_STACK => c"stack     ",
        info::BLOCK_RINGS => c"DMA rings ",
        info::BLOCK_BUFFERS => c"buffers   ",
        info::BLOCK_STATS => c"counts    ",
        info::BLOCK_FLAT => c"flat      ",
        info::BLOCK_VDS => c"DMA lock  ",
        info::BLOCK_COUNTER => c"statistics",
        info::BLOCK_POOL => c"pool      ",
        info::BLOCK_TICK => c"timer     ",
        info::BLOCK_CTL => c"control   ",
        info::BLOCK_EXAMPLE => c"count     ",
        _ => c"other     ",
    }
}
