//! `PKTCTL mem`: the driver's memory map, from its information block.

use crate::{DONE, NO_DRIVER, Options, parts};
use compkt::info;
use compkt::programs::rt::console;
use compkt::programs::rt::packet::Block;
use compkt::say;
use core::ffi::CStr;

/// Columns of the longest bar.
const COLUMNS: u32 = 40;

pub fn run(asked: &Options) -> u8 {
    let mut code = NO_DRIVER;
    // A driver with several vectors is shown once.
    let mut shown = 0;
    let mut last = None;
    while let Some(driver) = crate::driver(asked, last) {
        last = Some(driver);
        match driver.block() {
            Some(block) => {
                if block.info.segment != shown {
                    shown = block.info.segment;
                    map(&block);
                }
                code = DONE;
            }
            None => say!(c"INT {x}h is not 3COMPKT: nothing tells what it holds.\n", driver.vector),
        }
    }
    code
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
