//! The driver's file: an MZ header, the load image (core, installer), the unit directory, the units.

use compkt::resident::table::PATCHED;

use super::elf::Unit;
use crate::setup::fail;

/// Bytes of the MZ header.
const MZ_HEADER: usize = 32;
/// The load image holds header, core and installer; DOS gives a DEVICE= line no more memory than this.
pub const LOAD_IMAGE_LIMIT: usize = 24 << 10;
/// What stays besides units and devices by default: handles, stack, the list of blocks, all rounded up.
const OTHER_BLOCKS: usize = 896;
/// What only a switch brings, and texts: what they need lies behind the image, like the buffers that come with them.
const ASKED_FOR: [&str; 5] = ["pool", "poolv", "poolc", "help", "lines"];
/// The installer's stack, and what BIOS, DOS and interrupts take of it. The test `qemu/file/stack` sees what is left.
pub const STACK: usize = 1600;
/// Offsets in the core (asm/device.asm): the device header's two routines.
const DEVICE_ROUTINES: usize = 6;
/// Offsets in the installer's header (asm/installer.asm).
const DIRECTORY: usize = 0;
const UNIT_COUNT: usize = 4;
const CORE_BYTES: usize = 6;
const STACK_TOP: usize = 8;
const STRATEGY: usize = 10;
const INTERRUPT: usize = 12;
const PROGRAM: usize = 14;
const CORE: usize = 16;
/// The core's symbols that go there (CoreTable in src/resident/table.rs).
const CORE_TABLE: [&str; 22] = [
    "strategy", "interrupt", "int60_entry", "irq_entry", "core_state", "info", "work", "__unit_end",
    "save.sp", "save.ss", "irq_entry.eoi", "save.patch", "restore", "upcall.before", "upcall.after", "terminate.patch",
    "save", "settle", "getter", "known", "upcall", "functions",
];
/// Where the patches begin among them.
const PATCHES: usize = 11;
/// Bytes of a directory entry (src/install/header.rs).
const ENTRY: usize = 32;
/// Offsets in a probe's header: bytes of a device, the identities' near address and count.
const PROBE_INSTANCE: usize = 2;
const PROBE_IDS: usize = 20;

/// Kinds of units (src/install/header.rs): the resident half of a driver, its probe, a feature.
pub const KIND_DRIVER: u8 = 1;
/// See [`KIND_DRIVER`].
pub const KIND_PROBE: u8 = 2;
/// See [`KIND_DRIVER`].
pub const KIND_FEATURE: u8 = 3;
/// A probe that starts what another one has found.
pub const KIND_STARTER: u8 = 4;

/// A unit behind the load image.
pub struct Listed<'a> {
    /// [`KIND_DRIVER`] and its kin.
    pub kind: u8,
    /// Probes: 0 PCI, else ISA's order.
    pub bus: u8,
    /// The NIC's or feature's name.
    pub name: &'a str,
    /// The unit.
    pub unit: &'a Unit,
}

/// Puts the file together.
pub fn compose(core: &Unit, installer: &Unit, units: &[Listed]) -> std::io::Result<Vec<u8>> {
    let symbol = |name: &str| {
        let found = installer.symbols.iter().find(|(symbol, ..)| symbol == name);
        found.map(|(_, at, _)| *at as usize).ok_or_else(|| fail(format!("the installer has no {name}")))
    };
    let largest = |kind: u8, size: &dyn Fn(&Unit) -> usize| units.iter().filter(|listed| listed.kind == kind && !ASKED_FOR.contains(&listed.name)).map(|listed| size(listed.unit)).max().unwrap_or(0);
    let total = |unit: &Unit| (unit.total as usize).next_multiple_of(4);
    let instance = |unit: &Unit| unit.word(PROBE_INSTANCE) as usize;
    let largest_probe = |size: &dyn Fn(&Unit) -> usize| largest(KIND_PROBE, size).max(largest(KIND_STARTER, size));
    // Any driver with its rings in XMS is to have room where the search for the card was, in upper memory as large as
    // the image. The core's BSS, too, lies there.
    let resident = core.total as usize + largest(KIND_DRIVER, &total) + largest_probe(&instance) + largest(KIND_FEATURE, &total) + OTHER_BLOCKS;
    let at = core.bytes.len().max(resident.saturating_sub(symbol("__placing")?)).next_multiple_of(16);
    let overlay = symbol("__overlay")?;
    let room = overlay + largest_probe(&|unit| total(unit) + instance(unit));
    let installer_end = room.max(installer.bytes.len()).next_multiple_of(16) + STACK;
    let size = at + installer_end;
    if size > LOAD_IMAGE_LIMIT {
        return Err(fail(format!("the load image has {size} bytes; {LOAD_IMAGE_LIMIT} is the limit")));
    }
    let mut image = core.bytes.clone();
    image.resize(at, 0);
    image.extend(&installer.bytes);
    image.resize(size, 0);
    // DOS calls the installer first; it puts the device's own routines back.
    let header = symbol("installer_header")?;
    let entry = |offset: usize| installer.word(header + offset);
    let mut put = |at: usize, value: &[u8]| image[at..at + value.len()].copy_from_slice(value);
    put(DEVICE_ROUTINES, &(at as u16 + entry(STRATEGY)).to_le_bytes());
    put(DEVICE_ROUTINES + 2, &(at as u16 + entry(INTERRUPT)).to_le_bytes());
    let directory = MZ_HEADER + size;
    put(at + header + DIRECTORY, &(directory as u32).to_le_bytes());
    put(at + header + UNIT_COUNT, &(units.len() as u16).to_le_bytes());
    put(at + header + CORE_BYTES, &(core.bytes.len() as u16).to_le_bytes());
    put(at + header + STACK_TOP, &(installer_end as u16).to_le_bytes());
    for (place, name) in CORE_TABLE.into_iter().enumerate() {
        let symbol = core.symbols.iter().find(|(symbol, ..)| symbol == name);
        let (_, offset, _) = symbol.ok_or_else(|| fail(format!("the core has no {name}")))?;
        put(at + header + CORE + 2 * place, &offset.to_le_bytes());
        let code = place.checked_sub(PATCHES).and_then(|patch| PATCHED.get(patch));
        if code.is_some_and(|code| !core.bytes[usize::from(*offset)..].starts_with(code)) {
            return Err(fail(format!("at {name} the core has other code than the installer knows")));
        }
    }

    let mut file = mz_header(size, (at / 16) as u16, entry(PROGRAM), installer_end as u16);
    file.extend(image);
    let mut offset = directory + units.len() * ENTRY;
    let mut tail = Vec::new();
    for listed in units {
        let unit = listed.unit;
        let mut name = [0u8; 12];
        if listed.name.len() >= name.len() {
            return Err(fail(format!("the name {} has more than 11 letters", listed.name)));
        }
        name[..listed.name.len()].copy_from_slice(listed.name.as_bytes());
        file.extend(name);
        file.extend([listed.kind, listed.bus, 0, 0]);
        file.extend((offset as u32).to_le_bytes());
        let ids = ids(listed);
        let sizes = [unit.bytes.len(), unit.total as usize, unit.fixes16.len(), unit.fixes32.len(), ids.len() / 4, 0];
        for size in sizes {
            file.extend((size as u16).to_le_bytes());
        }
        let before = tail.len();
        tail.extend(&unit.bytes);
        for fix in unit.fixes16.iter().chain(&unit.fixes32) {
            tail.extend(fix.to_le_bytes());
        }
        tail.extend(ids);
        offset += tail.len() - before;
    }
    file.extend(tail);
    Ok(file)
}

/// The PCI identities that a probe knows, as they lie in its unit.
fn ids<'a>(listed: &Listed<'a>) -> &'a [u8] {
    if listed.kind != KIND_PROBE {
        return &[];
    }
    let (at, count) = (listed.unit.word(PROBE_IDS) as usize, listed.unit.word(PROBE_IDS + 4) as usize);
    &listed.unit.bytes[at..at + 4 * count]
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
