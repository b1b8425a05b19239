//! `PKTCTL status`, the open handles: their types, receivers and counts.

use compkt::info::{BLOCK_EXAMPLE, BLOCK_STATS};
use compkt::programs::rt::Far;
use compkt::programs::rt::packet::Block;
use compkt::resident::handle::Handle;
use compkt::resident::table::{Stats, StatsRow};
use compkt::say;

/// Prints them, with the counts of `/STATS` and `/COUNT`.
pub fn show(block: &Block) {
    let info = &block.info;
    let far = |at: u16| Far::new(block.at.segment(), at);
    let stats = block.place(BLOCK_STATS);
    let mut used = 0u8;
    for index in 0..info.handle_count {
        let at = info.handles + index as u16 * info.handle_size as u16;
        // SAFETY: Handle is made of integers.
        let handle: Handle = unsafe { far(at).read_as() };
        if handle.flags & Handle::IN_USE == 0 {
            continue;
        }
        used += 1;
        let is_8023 = handle.flags & Handle::IS_8023 != 0;
        say!(c"  handle {X}h  {s}, ", at, if is_8023 { c"802.3" } else { c"Ethernet" });
        if handle.flags & Handle::LENGTH == 0 {
            say!(c"every frame");
        } else {
            say!(c"type ");
            for byte in handle.kind.iter().take((handle.flags & Handle::LENGTH) as usize) {
                say!(c"{x}", *byte);
            }
        }
        match stats {
            Some(table) => {
                let row = table + size_of::<Stats>() as u16 + index as u16 * size_of::<StatsRow>() as u16;
                // SAFETY: StatsRow is made of integers.
                let row: StatsRow = unsafe { far(row).read_as() };
                say!(c": {d} frames and {d} bytes taken, {d} frames refused\n", row.taken, row.bytes, row.refused);
            }
            None => say!(c"\n"),
        }
    }
    if let Some(count) = block.place(BLOCK_EXAMPLE) {
        // SAFETY: a number.
        let count: u32 = unsafe { far(count).read_as() };
        say!(c"  counted      {d} frames taken\n", count);
    }
    say!(c"  handles      {d} of {d} in use\n", used, info.handle_count);
    if let Some(table) = stats {
        // SAFETY: Stats is made of integers.
        let stats: Stats = unsafe { far(table).read_as() };
        say!(c"  types        {d} frames of known ones, {d} searches\n", stats.hits, stats.searches);
    }
}
