//! `PKTCTL mem`: the driver's memory map, from its information block.

use crate::csv::Row;
use crate::parts;
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
        row.text(parts::name(block, part.kind).to_bytes());
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
    parts::low(block, &mut |name, size| {
        row(name, size as u32, resident);
        rest = rest.saturating_sub(size as u32);
    });
    if rest != 0 {
        row(c"rounding", rest, resident);
    }
    say!(c"{9}  all\n", resident);
    let mut first = true;
    parts::xms(block, &mut |name, kilobytes| {
        say!(c"{s}{6} KB  {s}\n", if first { c"and in XMS:\n" } else { c"" }, kilobytes, name);
        first = false;
    });
    parts::waiting(block);
    parts::counts(block);
}

fn row(name: &CStr, size: u32, whole: u32) {
    say!(c"{9}  {s}", size, name);
    for _ in name.count_bytes()..parts::WIDTH {
        console::byte(b' ');
    }
    for _ in 0..(size * COLUMNS / whole.max(1)).max(1) {
        console::byte(b'#');
    }
    console::byte(b'\n');
}
