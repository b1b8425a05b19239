//! `PKTCTL handles`, and the handles in `PKTCTL status`: types, and the counts of `/STATS` and `/COUNT`.

use crate::csv::Row;
use compkt::info::{BLOCK_EXAMPLE, BLOCK_SHIFT, BLOCK_STATS};
use compkt::programs::commands::{Asked, CSV};
use compkt::programs::rt::Far;
use compkt::programs::rt::packet::{Block, Driver};
use compkt::resident::handle::Handle;
use compkt::resident::table::{Stats, StatsRow};
use compkt::say;

#[inline(never)]
pub fn run(asked: &Asked) -> u8 {
    let csv = asked.has(CSV);
    if csv {
        say!(c"int,handle,class,type,taken,bytes,refused\n");
    }
    crate::each(asked, c"no call tells its handles", &mut |driver, block| {
        if csv {
            return each(block, &mut |open| values(driver, open));
        }
        say!(c"INT {x}h\n", driver.vector);
        show(block);
    })
}

/// An open handle.
struct Open {
    /// Its number for clients: the offset of its entry in the table, or less after `/REPLACE`.
    number: u16,
    handle: Handle,
    /// With `/STATS`.
    counts: Option<StatsRow>,
}

impl Open {
    /// Prints its type in hexadecimal.
    fn kind(&self) {
        for byte in self.handle.kind.iter().take((self.handle.flags & Handle::LENGTH) as usize) {
            say!(c"{x}", *byte);
        }
    }

    fn is_8023(&self) -> bool {
        self.handle.flags & Handle::IS_8023 != 0
    }
}

/// Calls `each` for every open handle.
fn each(block: &Block, each: &mut dyn FnMut(&Open)) {
    let info = &block.info;
    let stats = block.place(BLOCK_STATS);
    // SAFETY: it is a number.
    let shift: u16 = block.place(BLOCK_SHIFT).map_or(0, |at| unsafe { Far::new(block.at.segment(), at).read_as() });
    for index in 0..info.handle_count {
        let at = info.handles + index as u16 * info.handle_size as u16;
        let number = at - shift;
        // SAFETY: Handle is made of integers.
        let handle: Handle = unsafe { Far::new(block.at.segment(), at).read_as() };
        if handle.flags & (Handle::IN_USE | Handle::HIDDEN) == 0 {
            continue;
        }
        let counts = stats.map(|table| {
            let row = table + size_of::<Stats>() as u16 + index as u16 * size_of::<StatsRow>() as u16;
            // SAFETY: StatsRow is made of integers.
            unsafe { Far::new(block.at.segment(), row).read_as() }
        });
        each(&Open { number, handle, counts });
    }
}

fn values(driver: &Driver, open: &Open) {
    let mut row = Row::new();
    row.value(|| say!(c"{x}", driver.vector));
    row.value(|| say!(c"{X}", open.number));
    row.number(if open.is_8023() { 11u8 } else { 1 });
    row.value(|| open.kind());
    match &open.counts {
        Some(counts) => [counts.taken, counts.bytes, counts.refused].into_iter().for_each(|count| row.number(count)),
        None => (0..3).for_each(|_| row.unknown()),
    }
    row.end();
}

/// Prints them.
#[inline(never)]
pub fn show(block: &Block) {
    let mut used = 0u8;
    each(block, &mut |open| {
        used += 1;
        say!(c"  handle {X}h  {s}, ", open.number, if open.is_8023() { c"802.3" } else { c"Ethernet" });
        if open.handle.flags & Handle::LENGTH == 0 {
            say!(c"every frame");
        } else {
            say!(c"type ");
            open.kind();
        }
        match &open.counts {
            Some(row) => say!(c": {d} frames and {d} bytes taken, {d} frames refused\n", row.taken, row.bytes, row.refused),
            None => say!(c"\n"),
        }
    });
    if let Some(count) = block.place(BLOCK_EXAMPLE) {
        say!(c"  counted      {d} frames taken\n", Far::new(block.at.segment(), count).read32());
    }
    say!(c"  handles      {d} of {d} in use\n", used, block.info.handle_count);
    if let Some(table) = block.place(BLOCK_STATS) {
        // SAFETY: Stats is made of integers.
        let stats: Stats = unsafe { Far::new(block.at.segment(), table).read_as() };
        say!(c"  types        {d} frames of known ones, {d} searches\n", stats.hits, stats.searches);
    }
}
