//! The parts of the resident driver by name, and the pool's form and counts: for `PKTCTL mem` and `PKTCTL status`.

use compkt::info;
use compkt::memory::{AllStats, Stats};
use compkt::programs::rt::Far;
use compkt::programs::rt::packet::Block;
use compkt::say;
use core::ffi::CStr;

/// Columns of [`name`]'s longest text.
pub const WIDTH: usize = 14;

/// Calls `each` with the name and bytes of each part in conventional memory, in the order of the list of blocks.
pub fn low(block: &Block, each: &mut dyn FnMut(&CStr, u16)) {
    let info = &block.info;
    for index in 0..info.block_count {
        let Some(part) = block.block(index).filter(|part| part.place == 0) else { continue };
        if part.kind == info::BLOCK_STACK {
            // The block ends with the stack and begins with the list of blocks.
            let stack = info.stack_top - info.stack_low;
            each(c"list of parts", part.size.wrapping_sub(stack));
            each(c"stack", stack);
        } else {
            each(name(block, part.kind), part.size);
        }
    }
}

/// Calls `each` with the name and KB of each part in XMS.
pub fn xms(block: &Block, each: &mut dyn FnMut(&CStr, u16)) {
    for index in 0..block.info.block_count {
        if let Some(part) = block.block(index).filter(|part| part.place != 0) {
            each(if part.kind == info::BLOCK_RINGS { c"DMA rings" } else { c"frames" }, part.size);
        }
    }
}

/// Where frames wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// In XMS alone.
    Flat,
    /// In a cache in conventional memory, and in XMS.
    Cache,
    /// In conventional memory alone.
    Arena,
}

/// The pool's form and counts; None: there is no pool.
fn pool(block: &Block) -> Option<(Form, AllStats)> {
    if block.info.pool == 0 {
        return None;
    }
    // SAFETY: it is made of integers. What is read behind the counts of the other two forms is not used.
    let all: AllStats = unsafe { Far::new(block.at.segment(), block.info.pool).read_as() };
    let form = if all.stats.flags & Stats::DIRECT != 0 {
        Form::Flat
    } else if size(block, 1) != 0 {
        Form::Cache
    } else {
        Form::Arena
    };
    Some((form, all))
}

/// The size of the buffers in a place: bytes, or KB in XMS.
fn size(block: &Block, place: u8) -> u16 {
    let mut buffers = (0..block.info.block_count).filter_map(|index| block.block(index));
    buffers.find(|part| part.kind == info::BLOCK_BUFFERS && part.place == place).map_or(0, |part| part.size)
}

/// Prints the pool's form, its room, and how many frames wait.
pub fn waiting(block: &Block) {
    let Some((form, all)) = pool(block) else { return };
    let low = size(block, 0);
    match form {
        Form::Flat => say!(c"  pool         in XMS: room for {d} frames\n", all.slots),
        Form::Cache => say!(c"  pool         {d} bytes of cache, and XMS: room for {d} frames\n",
            low, all.room(size(block, 1))),
        Form::Arena => say!(c"  pool         {d} bytes of conventional memory\n", low),
    }
    say!(c"  waiting      {d} frames now", all.waiting());
    if form == Form::Flat {
        say!(c", {d} of them to be sent", all.queue.count);
    }
    say!(c"{s}\n", if all.stats.flags & Stats::XMS_FAILED != 0 { c", in conventional memory: no XMS, or its driver failed" } else { c"" });
}

/// Prints the pool's counts.
pub fn counts(block: &Block) {
    let Some((form, AllStats { stats, .. })) = pool(block) else { return };
    if form != Form::Arena {
        say!(c"  to XMS       {d} frames, {d} bytes", stats.buffers, stats.bytes);
        if form == Form::Cache {
            say!(c", {d} of them for another", stats.evictions);
        }
        say!(c"\n");
    }
    say!(c"  asked for    {d} in low memory, {d} in XMS, {d} failures\n", stats.hits, stats.misses, stats.failures);
}

/// The names of blocks by their kinds, but for the pool's.
static NAMES: [(u8, &CStr); 33] = [
    (info::BLOCK_CORE, c"core"),
    (info::BLOCK_NIC, c"NIC driver"),
    (info::BLOCK_INSTANCE, c"NIC state"),
    (info::BLOCK_HANDLES, c"handles"),
    (info::BLOCK_RINGS, c"DMA rings"),
    (info::BLOCK_ROM_CODE, c"ROM code"),
    (info::BLOCK_ROM_DATA, c"ROM data"),
    (info::BLOCK_ROM_STACK, c"ROM stack"),
    (info::BLOCK_ROM_FRAMES, c"ROM frames"),
    (info::BLOCK_STATS, c"counts"),
    (info::BLOCK_FLAT, c"flat"),
    (info::BLOCK_VDS, c"DMA lock"),
    (info::BLOCK_COUNTER, c"statistics"),
    (info::BLOCK_TICK, c"timer"),
    (info::BLOCK_SHIFT, c"handle numbers"),
    (info::BLOCK_NICS, c"NICs"),
    (info::BLOCK_INTERFACES, c"interfaces"),
    (info::BLOCK_MANY, c"many"),
    (info::BLOCK_IFS, c"ifs"),
    (info::BLOCK_REAP, c"reap"),
    (info::BLOCK_SHARE, c"share"),
    (info::BLOCK_BOND, c"bond"),
    (info::BLOCK_FLOWS, c"flows"),
    (info::BLOCK_DOUBLES, c"doubles"),
    (info::BLOCK_LACP, c"LACP"),
    (info::BLOCK_EXAMPLE, c"count"),
    (info::BLOCK_LISTS, c"pool lists"),
    (info::BLOCK_CTL, c"control"),
    (info::BLOCK_XWORDS, c"copy xwords"),
    (info::BLOCK_XBYTES, c"copy xbytes"),
    (info::BLOCK_XFIFO, c"copy xfifo"),
    (info::BLOCK_XRINGS, c"copy xrings"),
    (info::BLOCK_XPARTS, c"copy xparts"),
];

/// The name of a block's kind.
pub fn name(block: &Block, kind: u8) -> &'static CStr {
    if let Some((_, name)) = NAMES.iter().find(|row| row.0 == kind) {
        return name;
    }
    match (kind, pool(block).map(|(form, _)| form)) {
        (info::BLOCK_POOL, Some(Form::Flat)) => c"pool (XMS)",
        (info::BLOCK_POOL, Some(Form::Cache)) => c"pool (cache)",
        (info::BLOCK_POOL, _) => c"pool (low)",
        (info::BLOCK_BUFFERS, Some(Form::Cache)) => c"pool cache",
        (info::BLOCK_BUFFERS, _) => c"pool frames",
        _ => c"other",
    }
}
