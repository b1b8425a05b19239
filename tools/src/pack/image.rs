//! Composes the driver's file: MZ header, load image (core, kernel, first stage), unit directory, units.

use std::collections::BTreeMap;

use compkt::info;
use compkt::install::features::{self, ALL_HOOKS, HOOKS, HOOKS_OF_HANDOVER, HOOKS_OF_SEVERAL, POINT_IN, POINT_OUT, PROVIDES, needs};
use compkt::resident::table::{BLOCKS, PATCHED};

use super::elf::Unit;
use crate::setup::fail;

/// Bytes of the MZ header.
const MZ_HEADER: usize = 32;
/// Offset of the build number in the MZ header (src/install/header.rs).
const BUILD_AT: usize = 30;
/// The most bytes of the load image: core, slot A, kernel, slot B, stack. DOS gives a DEVICE= line no more memory than the image.
pub const LOAD_IMAGE_LIMIT: usize = 20_480;
/// The most bytes of a load image without that limit: a segment.
pub const SEGMENT: usize = 0xFFF0;
/// Bytes that stay besides units and devices by default, rounded up: handles, stack, list of blocks.
const OTHER_BLOCKS: usize = 896;
/// Units that only a switch or several NICs load. The installer places them behind the image, like the buffers of the same switch.
const ASKED_FOR: [&str; 17] =
    ["share", "many", "ifs", "lacp", "bond", "flows", "doubles", "pool", "poolv", "poolc", "xwords", "xbytes", "xfifo", "xrings", "xparts", "ctl", "ctlp"];
/// Bytes of the installer's stack, with what BIOS, DOS and interrupts use. The tests `qemu/file/stack-…` check that 200 are left.
pub const STACK: usize = 1248;
/// Offsets in the core (asm/device.asm): the device header's two routines.
const DEVICE_ROUTINES: usize = 6;
/// Offsets in the kernel (asm/kernel.asm).
const DIRECTORY: usize = 0;
const BUILD: usize = 4;
const CORE_BYTES: usize = 6;
const SLOT_B: usize = 8;
const STACK_TOP: usize = 10;
const STRATEGY: usize = 12;
const INTERRUPT: usize = 14;
const PROGRAM: usize = 16;
const FEATURES: usize = 18;
const NICS: usize = 19;
const CORE: usize = 20;
/// The core's symbols for CoreTable (src/resident/table.rs), in its order.
const CORE_TABLE: [&str; 25] = [
    "strategy", "interrupt", "int60_entry", "irq_entry", "core_state", "info", "work", "__unit_end",
    "save.sp", "save.ss", "irq_entry.eoi", "save.patch", "restore", "upcall.before", "upcall.after", "terminate.patch",
    "settle", "save", "other.run", "int60_entry.out", "open", "getter", "known", "upcall", "functions",
];
/// Index of the first patch among them.
const PATCHES: usize = 11;
/// Kinds of blocks of the features that one NIC does not have, without `/REPLACE` and with it, and that several do not have.
const ALONE: [u8; 6] = [info::BLOCK_MANY, info::BLOCK_IFS, info::BLOCK_LACP, info::BLOCK_FLOWS, info::BLOCK_SHIFT, info::BLOCK_SHARE];
const REPLACING: [u8; 6] = [info::BLOCK_MANY, info::BLOCK_IFS, info::BLOCK_LACP, info::BLOCK_FLOWS, info::BLOCK_REAP, info::BLOCK_SHARE];
const ONE: [u8; 5] = [info::BLOCK_POOL, info::BLOCK_XWORDS, info::BLOCK_VDS, info::BLOCK_SHIFT, info::BLOCK_SHARE];
/// And those that one NIC does not have beside `share`.
const SHARING: [u8; 8] = [
    info::BLOCK_MANY, info::BLOCK_IFS, info::BLOCK_LACP, info::BLOCK_FLOWS, info::BLOCK_SHIFT, info::BLOCK_POOL, info::BLOCK_XWORDS,
    info::BLOCK_COUNTER,
];
/// Bytes of a directory entry (src/install/header.rs).
const ENTRY: usize = 44;
// Bytes of a feature's description before its hooks, and of a hook (asm/attach.inc).
const FEATURE: usize = 11;
const HOOK: usize = size_of::<features::Hook>();
/// Blocks of a driver without its features': core, driver, device, handles, rings, buffers in XMS, stack.
const BLOCKS_OF_ALL: usize = 7;
/// Places in a driver's routines that copy a frame (asm/strings.asm, asm/rings.asm): the point that the driver provides, and
/// what it needs for the pool in real mode with XMS.
const COPIES: [(&str, usize, u32); 9] = [
    ("ins_words.at", POINT_IN, needs::XWORDS),
    ("outs_words.at", POINT_OUT, needs::XWORDS),
    ("ins_bytes.at", POINT_IN, needs::XBYTES),
    ("outs_bytes.at", POINT_OUT, needs::XBYTES),
    ("ins_fifo.at", POINT_IN, needs::XFIFO),
    ("outs_fifo.at", POINT_OUT, needs::XFIFO),
    ("flat_take_frame.at", POINT_IN, needs::XRINGS),
    ("flat_take.at", POINT_IN, needs::XPARTS),
    ("flat_give_frame.at", POINT_OUT, needs::XRINGS),
];
// Start unit: offset in the header of a device's size. Find unit: of the identities' address and count.
const START_INSTANCE: usize = 20;
const FIND_IDS: usize = 4;

// Kinds of units (src/install/header.rs).
/// The resident half of a driver.
pub const KIND_DRIVER: u8 = 1;
/// Finds a NIC.
pub const KIND_FIND: u8 = 2;
/// An optional feature.
pub const KIND_FEATURE: u8 = 3;
/// Starts a NIC.
pub const KIND_START: u8 = 4;
/// A stage of the installation.
pub const KIND_STAGE: u8 = 5;
/// A text or table.
pub const KIND_TEXT: u8 = 6;

/// [`Listed::bus`] of a stage at slot A's end, and of one in slot B.
const SLOT_LAST: u8 = 1;
const SLOT_SECOND: u8 = 2;

/// A unit behind the load image.
pub struct Listed<'a> {
    /// [`KIND_DRIVER`] or one of the constants behind it.
    pub kind: u8,
    /// Find units: 0 for PCI, otherwise the order among ISA. Stages: their slot.
    pub bus: u8,
    /// The NIC's or feature's name.
    pub name: &'a str,
    /// The unit. None: the number is unused.
    pub unit: Option<&'a Unit>,
}

/// The parts of a load image in bytes, which `tools/bench` prints.
#[derive(Clone, Debug)]
pub struct Image {
    /// The core.
    pub core: usize,
    /// Slot A.
    pub slot_a: usize,
    /// Bytes of slot A below the last stage that the largest driver leaves free.
    pub free_a: usize,
    /// The kernel.
    pub kernel: usize,
    /// Slot B, which is as large as its largest unit.
    pub slot_b: usize,
    /// The whole image.
    pub size: usize,
    /// The units that lie in the slots: every stage, and the largest unit that finds and that starts a NIC.
    pub uses: Vec<Use>,
}

/// A unit that the installer reads to a slot.
#[derive(Clone, Debug)]
pub struct Use {
    /// In slot B, otherwise in slot A.
    pub second: bool,
    /// The unit.
    pub name: String,
    /// Its bytes, with those of the device behind a start unit.
    pub bytes: usize,
}

impl Image {
    /// The table that `tools/bench` prints.
    pub fn text(&self) -> String {
        let mut text = format!("Load image, bytes (at most {LOAD_IMAGE_LIMIT})\n{:<20}{:>6}\n", "core", self.core);
        let slot = |second: bool, size: usize| -> String {
            let uses = self.uses.iter().filter(|unit| unit.second == second);
            uses.map(|Use { name, bytes, .. }| format!("  {name:<18}{bytes:>6}{:>6} free\n", size - bytes)).collect()
        };
        text += &format!("{:<20}{:>6}{:>6} free between the largest driver and stand\n", "slot A", self.slot_a, self.free_a);
        text += &slot(false, self.slot_a);
        text += &format!("{:<20}{:>6}\n{:<20}{:>6}\n", "kernel", self.kernel, "slot B", self.slot_b);
        text += &slot(true, self.slot_b);
        text + &format!("{:<20}{STACK:>6}\n{:<20}{:>6}{:>6} free\n", "stack", "all", self.size, LOAD_IMAGE_LIMIT.saturating_sub(self.size))
    }
}

fn paragraphs(bytes: usize) -> usize {
    bytes.next_multiple_of(16)
}

/// Bytes of a unit in memory.
fn total(unit: &Unit) -> usize {
    usize::from(unit.total).next_multiple_of(4)
}

/// Bytes of the device that a start unit writes.
pub(super) fn instance(unit: &Unit) -> usize {
    usize::from(unit.word(START_INSTANCE))
}

/// The unit of a kind with the largest `size`; its name and that size.
fn largest<'a>(units: &[Listed<'a>], kind: u8, size: impl Fn(&Unit) -> usize) -> (&'a str, usize) {
    // A driver with rings below 1 MB, whose unit has a `v` behind the name, takes more than slot A in any case.
    let low = |listed: &Listed| listed.kind == KIND_DRIVER && listed.unit.is_some_and(|unit| unit.name.strip_suffix('v') == Some(listed.name));
    let mine = units.iter().filter(|listed| listed.kind == kind && !ASKED_FOR.contains(&listed.name) && !low(listed));
    let sizes = mine.filter_map(|listed| listed.unit).map(|unit| (unit.name.as_str(), size(unit)));
    sizes.max_by_key(|(_, size)| *size).unwrap_or_default()
}

/// Computes the layout of a load image of at most `limit` bytes.
///
/// # Errors
/// It is too large.
pub fn layout(core: &Unit, kernel: &Unit, first: &Unit, units: &[Listed], limit: usize) -> std::io::Result<Image> {
    let slot_a = usize::from(kernel.base);
    let stages = || units.iter().filter(|listed| listed.kind == KIND_STAGE).filter_map(|listed| Some((listed.bus, listed.unit?)));
    let used = |second: bool, name: &str, bytes: usize| Use { second, name: name.into(), bytes };
    let mut uses = vec![used(true, &first.name, total(first))];
    uses.extend(stages().map(|(slot, unit)| used(slot == SLOT_SECOND, &unit.name, total(unit))));
    for (kind, size) in [(KIND_FIND, &total as &dyn Fn(&Unit) -> usize), (KIND_START, &|unit| total(unit) + instance(unit))] {
        let (name, bytes) = largest(units, kind, size);
        uses.push(used(true, name, bytes));
    }
    // The driver may lie as far up as `stand` begins; another stage of this slot must not begin lower.
    let at_end: Vec<&Unit> = stages().filter(|(slot, _)| *slot == SLOT_LAST).map(|(_, unit)| unit).collect();
    let last = at_end.iter().find(|unit| unit.name == "stage_stand").map_or(0, |unit| paragraphs(total(unit)));
    if let Some(unit) = at_end.iter().find(|unit| paragraphs(total(unit)) > last) {
        return Err(fail(format!("{} is larger than stage_stand: the driver would be placed over it", unit.name)));
    }
    if let Some(unit) = uses.iter().find(|unit| !unit.second && unit.bytes > slot_a) {
        return Err(fail(format!("{} is larger than slot A", unit.name)));
    }
    // Any driver with rings in XMS must fit below the last stage: then an upper block as large as the image is enough. A ROM
    // takes more in any case.
    let instance = |unit: &Unit| if unit.name == "start_undi" { 0 } else { instance(unit) };
    let resident = [(KIND_DRIVER, &total as &dyn Fn(&Unit) -> usize), (KIND_START, &instance), (KIND_FEATURE, &total)];
    let resident: usize = resident.into_iter().map(|(kind, size)| largest(units, kind, size).1).sum();
    let resident = usize::from(core.total) + resident + OTHER_BLOCKS;
    let below = paragraphs(core.bytes.len()) + slot_a - last;
    let free_a = below.checked_sub(resident).ok_or_else(|| fail(format!("slot A is {} bytes too small", resident - below)))?;
    let slot_b = paragraphs(uses.iter().filter(|unit| unit.second).map(|unit| unit.bytes).max().unwrap_or(0));
    let (core, kernel) = (paragraphs(core.bytes.len()), paragraphs(usize::from(kernel.total)));
    let size = core + slot_a + kernel + slot_b + STACK;
    if size > limit {
        return Err(fail(format!("the load image has {size} bytes; {limit} is the limit")));
    }
    Ok(Image { core, slot_a, free_a, kernel, slot_b, size, uses })
}

/// Composes the file, with a load image of at most `limit` bytes.
pub fn compose(core: &Unit, kernel: &Unit, first: &Unit, units: &[Listed], limit: usize) -> std::io::Result<Vec<u8>> {
    features_fit(units).map_err(fail)?;
    let parts = layout(core, kernel, first, units, limit)?;
    let at = parts.core;
    let header = at + usize::from(kernel.base);
    let slot_b = usize::from(kernel.base) + parts.kernel;
    let mut image = core.bytes.clone();
    image.resize(header, 0);
    image.extend(&kernel.bytes);
    image.resize(at + slot_b, 0);
    image.extend(first.loaded(slot_b as u16));
    image.resize(parts.size, 0);
    // DOS calls the installer's routines first; the installer restores the device's own.
    let entry = |offset: usize| kernel.word(offset);
    let mut put = |at: usize, value: &[u8]| image[at..at + value.len()].copy_from_slice(value);
    put(DEVICE_ROUTINES, &(at as u16 + entry(STRATEGY)).to_le_bytes());
    put(DEVICE_ROUTINES + 2, &(at as u16 + entry(INTERRUPT)).to_le_bytes());
    let directory = MZ_HEADER + parts.size;
    let stack_top = parts.size - at;
    let count = |kind: u8| units.iter().filter(|listed| listed.kind == kind).count() as u8;
    put(header + DIRECTORY, &(directory as u32).to_le_bytes());
    put(header + CORE_BYTES, &(core.bytes.len() as u16).to_le_bytes());
    put(header + SLOT_B, &(slot_b as u16).to_le_bytes());
    put(header + STACK_TOP, &(stack_top as u16).to_le_bytes());
    put(header + FEATURES, &[count(KIND_FEATURE)]);
    put(header + NICS, &[count(KIND_FIND)]);
    for (place, name) in CORE_TABLE.into_iter().enumerate() {
        let offset = core.symbol(name)?;
        put(header + CORE + 2 * place, &offset.to_le_bytes());
        let code = place.checked_sub(PATCHES).and_then(|patch| PATCHED.get(patch));
        if code.is_some_and(|code| !core.bytes[usize::from(offset)..].starts_with(code)) {
            return Err(fail(format!("at {name} the core has other code than the installer knows")));
        }
    }

    let (entries, tail) = directory_of(units, directory)?;
    let mut file = mz_header(parts.size, (at / 16) as u16, entry(PROGRAM), stack_top as u16);
    file.extend(image);
    file.extend(entries);
    file.extend(tail);
    let build = sum(&file, 0).to_le_bytes();
    file[BUILD_AT..BUILD_AT + 2].copy_from_slice(&build);
    file[MZ_HEADER + header + BUILD..][..2].copy_from_slice(&build);
    Ok(file)
}

/// Checks that the installer has room for every set of features that a machine can have. Of features whose blocks have one kind,
/// and of all that copy frames between a card and XMS, a machine has at most one.
///
/// # Errors
/// The text names what there is too much of.
fn features_fit(units: &[Listed]) -> Result<(), String> {
    // By kind: number of hooks, of blocks, and of blocks where a feature and its table are listed as one (`Ground::merges`).
    let mut kinds = BTreeMap::new();
    for attach in units.iter().filter(|listed| listed.kind == KIND_FEATURE).filter_map(|listed| Some(&listed.unit?.attach)) {
        let [_, _, _, _, kind, table, ..] = attach[..] else { continue };
        // The units that copy frames have kinds of their own, so that PKTCTL can name them. Beside ctl there is no tick.
        let kind = match kind {
            info::BLOCK_TICK => info::BLOCK_CTL,
            // Several NICs are a bond, or each is an interface.
            info::BLOCK_BOND => info::BLOCK_IFS,
            // The other end has a trunk with or without LACP.
            info::BLOCK_DOUBLES => info::BLOCK_LACP,
            info::BLOCK_XWORDS..=info::BLOCK_XPARTS => info::BLOCK_XWORDS,
            _ => kind,
        };
        let most: &mut [usize; 3] = kinds.entry(kind).or_default();
        most[0] = most[0].max(attach.len().saturating_sub(FEATURE) / HOOK);
        most[1] = most[1].max(1 + usize::from(table != 0));
        most[2] = most[2].max(1 + usize::from(table != 0 && table != attach[4]));
    }
    let fit = |absent: &[u8], others: usize, merged: bool, hooks_most: usize| {
        let mine: Vec<[usize; 3]> = kinds.iter().filter(|(kind, _)| !absent.contains(kind)).map(|(_, most)| *most).collect();
        // A driver has two hooks, and a place among the features.
        let (hooks, blocks) = mine.iter().fold((2, others), |all, kind| (all.0 + kind[0], all.1 + kind[1 + usize::from(merged)]));
        for (what, count, most) in [("features", mine.len() + 1, features::FEATURES), ("hooks", hooks, hooks_most), ("blocks", blocks, BLOCKS)] {
            if count > most {
                return Err(format!("a machine may have {count} {what}; the installer has room for {most}"));
            }
        }
        Ok(())
    };
    fit(&ALONE, BLOCKS_OF_ALL, false, ALL_HOOKS)?;
    fit(&SHARING, BLOCKS_OF_ALL, false, ALL_HOOKS)?;
    fit(&REPLACING, BLOCKS_OF_ALL, false, HOOKS_OF_HANDOVER)?;
    // Several NICs have no buffers in XMS.
    fit(&ONE, BLOCKS_OF_ALL - 1, true, HOOKS_OF_SEVERAL)
}

/// The unit directory for offset `start` in the file, and the units behind it.
fn directory_of(units: &[Listed], start: usize) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut entries, mut tail) = (Vec::new(), Vec::new());
    for listed in units {
        let before = entries.len();
        let Some(unit) = listed.unit else {
            entries.resize(before + ENTRY, 0);
            continue;
        };
        let mut name = [0u8; 12];
        if listed.name.len() >= name.len() {
            return Err(fail(format!("the name {} has more than 11 letters", listed.name)));
        }
        name[..listed.name.len()].copy_from_slice(listed.name.as_bytes());
        let fixes: Vec<u8> = unit.fixes16.iter().chain(&unit.fixes32).flat_map(|fix| fix.to_le_bytes()).collect();
        entries.extend(name);
        entries.extend([listed.kind, listed.bus]);
        entries.extend(sum(&fixes, sum(&unit.bytes, 0)).to_le_bytes());
        entries.extend(((start + units.len() * ENTRY + tail.len()) as u32).to_le_bytes());
        for size in [unit.bytes.len() as u16, unit.total, unit.fixes16.len() as u16, unit.fixes32.len() as u16] {
            entries.extend(size.to_le_bytes());
        }
        let (copies, provided) = if listed.kind == KIND_DRIVER { copies(unit)? } else { (0, Vec::new()) };
        let hooks = unit.attach.get(FEATURE..).unwrap_or(&provided);
        if hooks.len() % HOOK != 0 || hooks.len() > HOOKS * HOOK {
            return Err(fail(format!("{} has {} bytes of hooks", unit.name, hooks.len())));
        }
        match unit.attach.get(..FEATURE) {
            Some(feature) => entries.extend(feature),
            _ if listed.kind == KIND_FEATURE => return Err(fail(format!("{} does not say how it attaches", unit.name))),
            _ if listed.kind == KIND_START => entries.extend([&[0; 6], &unit.word(START_INSTANCE).to_le_bytes()[..], &[0; 3]].concat()),
            _ => entries.extend([&copies.to_le_bytes()[..], &[0; FEATURE - 4]].concat()),
        }
        entries.push((hooks.len() / HOOK) as u8);
        entries.extend(sum(hooks, 0).to_le_bytes());
        let check = sum(&entries[before..], 0);
        entries.extend(check.to_le_bytes());
        tail.extend(&unit.bytes);
        tail.extend(fixes);
        tail.extend(hooks);
    }
    Ok((entries, tail))
}

/// What a driver needs so that its frames are copied straight to and from XMS, and the hooks that provide the places for that:
/// both, or nothing.
pub(super) fn copies(unit: &Unit) -> std::io::Result<(u32, Vec<u8>)> {
    let there: Vec<_> = COPIES.iter().filter_map(|(name, point, need)| Some((unit.symbol(name).ok()?, *point, *need))).collect();
    match there[..] {
        [] => Ok((0, Vec::new())),
        // Frames are given to a ring in one way.
        [(at, POINT_IN, need), (out, POINT_OUT, same)] if need == same || [need, same] == [needs::XPARTS, needs::XRINGS] => {
            let hook = |point: usize, at: u16| [&[PROVIDES, point as u8][..], &at.to_le_bytes(), &[0; 2]].concat();
            Ok((need, [hook(POINT_IN, at), hook(POINT_OUT, out)].concat()))
        }
        _ => Err(fail(format!("{} copies frames in more than one way", unit.name))),
    }
}

/// What a feature's description says (`FEATURE` in asm/attach.inc).
pub(super) struct Feature {
    /// The unit is placed where one of these holds.
    pub needs: u32,
    /// A table is behind it.
    pub has_table: bool,
    /// Bytes of the table, and so many more for each handle.
    pub table: u16,
    /// See above.
    pub per_handle: u8,
    /// Bytes of stack.
    pub stack: u16,
}

impl Feature {
    /// Of this unit. One that is no feature is never placed.
    pub fn of(unit: &Unit) -> Feature {
        let word = |at: usize| unit.attach.get(at..at + 2).map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
        Feature { needs: u32::from(word(0)) | u32::from(word(2)) << 16, has_table: unit.attach.get(5).is_some_and(|kind| *kind != 0), table: word(6), stack: word(8), per_handle: unit.attach.get(10).copied().unwrap_or(0) }
    }
}

/// A sum over bytes, continued from `sum`: for each byte, rotated left by one bit, then the byte is added.
pub fn sum(bytes: &[u8], sum: u16) -> u16 {
    bytes.iter().fold(sum, |sum, byte| sum.rotate_left(1).wrapping_add(u16::from(*byte)))
}

/// The PCI identities of a find unit, as bytes.
pub fn ids(unit: &Unit) -> &[u8] {
    let (at, count) = (unit.word(FIND_IDS) as usize, unit.word(FIND_IDS + 4) as usize);
    &unit.bytes[at..at + 4 * count]
}

/// An MZ header for an image that starts at `segment`:`ip` with its stack in the same segment.
fn mz_header(image: usize, segment: u16, ip: u16, sp: u16) -> Vec<u8> {
    let size = MZ_HEADER + image;
    let words = [
        0x5A4D,
        (size % 512) as u16,
        size.div_ceil(512) as u16,
        0,                        // no relocations
        (MZ_HEADER / 16) as u16,
        0,                        // minalloc
        0xFFFF,                   // maxalloc
        segment,
        sp,
        0,                        // checksum
        ip,
        segment,
        MZ_HEADER as u16,         // relocation table
        0,                        // overlay number
    ];
    let mut header: Vec<u8> = words.iter().flat_map(|word: &u16| word.to_le_bytes()).collect();
    header.resize(MZ_HEADER, 0);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A feature with this kind of block, so many hooks, and a table if asked for.
    fn feature(kind: u8, hooks: usize, table: u8) -> Unit {
        Unit { attach: [&[0, 0, 0, 0, kind, table, 0, 0, 0, 0, 0][..], &vec![0; hooks * HOOK]].concat(), ..Unit::default() }
    }

    fn fit(features: &[Unit]) -> Result<(), String> {
        let listed: Vec<Listed> = features.iter().map(|unit| Listed { kind: KIND_FEATURE, bus: 0, name: "", unit: Some(unit) }).collect();
        features_fit(&listed)
    }

    #[test]
    fn more_features_than_a_machine_has_room_for_are_refused() {
        // One place and two hooks are the driver's.
        let most = features::FEATURES - 1;
        let full: Vec<Unit> = (0..most as u8).map(|kind| feature(kind, (ALL_HOOKS - 2) / most, 0)).collect();
        assert_eq!(fit(&full), Ok(()));
        let exclude = [&full[..], &[feature(0, 1, 0)]].concat();
        assert_eq!(fit(&exclude), Ok(()), "of a kind there is one");
        let says = |features: &[Unit], words: &str| assert!(fit(features).is_err_and(|why| why.contains(words)), "{words}");
        let copying = [feature(info::BLOCK_XWORDS, 1, 0), feature(info::BLOCK_XPARTS, 1, 0)];
        assert_eq!(fit(&[&full[..most - 1], &copying].concat()), Ok(()), "of those that copy there is one");
        says(&[&full[..], &[feature(99, 0, 0)]].concat(), "11 features; the installer has room for 10");
        says(&[&full[..], &[feature(0, HOOKS, 0)]].concat(), "79 hooks; the installer has room for 68");
        says(&full.iter().map(|unit| feature(unit.attach[4], 0, 1)).collect::<Vec<_>>(), "25 blocks; the installer has room for 18");
    }
}
