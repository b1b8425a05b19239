//! The driver's file: an MZ header, the load image (core, gap, installer), the unit directory, the units.

use super::elf::Unit;
use crate::setup::fail;

/// Bytes of the MZ header.
const MZ_HEADER: usize = 32;
/// The load image holds header, core and installer; DOS gives a DEVICE= line no more memory than this.
pub const LOAD_IMAGE_LIMIT: usize = 40 << 10;
/// Offsets in the core (asm/device.asm): the device header's two routines.
const DEVICE_ROUTINES: usize = 6;
/// Offsets in the installer's header (asm/installer.asm).
const DIRECTORY: usize = 0;
const UNIT_COUNT: usize = 4;
const CORE_BYTES: usize = 6;
const STRATEGY: usize = 8;
const INTERRUPT: usize = 10;
const PROGRAM: usize = 12;
const STACK_TOP: usize = 14;
const PARAGRAPH: usize = 16;
const CORE: usize = 18;
/// The core's symbols that go there (CoreTable in src/resident/table.rs).
const CORE_TABLE: [&str; 16] = [
    "strategy", "interrupt", "int60_entry", "irq_entry", "core_state", "info", "work", "__unit_end",
    "patch_enter", "patch_leave", "patch_before", "patch_after", "patch_farewell", "save", "serve", "restore",
];
/// Bytes of a directory entry (src/install/header.rs).
const ENTRY: usize = 32;
/// Offset of the identities' near address and count in a probe's header.
const PROBE_IDS: usize = 20;

/// Kinds of units (src/install/header.rs): the resident half of a driver, its probe, a feature.
pub const KIND_DRIVER: u8 = 1;
/// See [`KIND_DRIVER`].
pub const KIND_PROBE: u8 = 2;
/// See [`KIND_DRIVER`].
pub const KIND_FEATURE: u8 = 3;

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
    let at = installer.word(PARAGRAPH) as usize * 16;
    if (core.total as usize) > at {
        return Err(fail(format!("the core has {} bytes and the installer begins at {at}", core.total)));
    }
    let size = at + installer.bytes.len();
    if size > LOAD_IMAGE_LIMIT {
        return Err(fail(format!("the load image has {size} bytes; {LOAD_IMAGE_LIMIT} is the limit")));
    }
    let mut image = core.bytes.clone();
    image.resize(at, 0);
    image.extend(&installer.bytes);
    image.resize(size.next_multiple_of(16), 0);
    // DOS calls the installer first; it puts the device's own routines back.
    let entry = |offset: usize| (at as u16 + installer.word(offset)).to_le_bytes();
    image[DEVICE_ROUTINES..DEVICE_ROUTINES + 2].copy_from_slice(&entry(STRATEGY));
    image[DEVICE_ROUTINES + 2..DEVICE_ROUTINES + 4].copy_from_slice(&entry(INTERRUPT));
    let directory = MZ_HEADER + image.len();
    image[at + DIRECTORY..at + DIRECTORY + 4].copy_from_slice(&(directory as u32).to_le_bytes());
    image[at + UNIT_COUNT..at + UNIT_COUNT + 2].copy_from_slice(&(units.len() as u16).to_le_bytes());
    for (place, name) in CORE_TABLE.into_iter().enumerate() {
        let symbol = core.symbols.iter().find(|(symbol, ..)| symbol == name);
        let (_, offset, _) = symbol.ok_or_else(|| fail(format!("the core has no {name}")))?;
        let place = at + CORE + 2 * place;
        image[place..place + 2].copy_from_slice(&offset.to_le_bytes());
    }
    image[at + CORE_BYTES..at + CORE_BYTES + 2].copy_from_slice(&(core.bytes.len() as u16).to_le_bytes());

    let mut file = mz_header(image.len(), (at / 16) as u16, installer.word(PROGRAM), installer.word(STACK_TOP));
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
