//! What a driver keeps in conventional memory, computed from the sizes of the units as the installer's stage `place` does it;
//! and the table of that in README and the manual. The tests `qemu/memory-table-…` compare the table with loads.

use compkt::info::Block;
use compkt::install::features::needs;
use compkt::install::stages::switches::{Options, options};
use compkt::device::MAX_FRAME;
use compkt::memory::{FRAMES, SLOT, rounded};
use compkt::probe::intel_rings;
use compkt::resident::table::{ENTRIES, STACK_CORE};

use super::Units;
use super::elf::Unit;
use super::image::{self, KIND_DRIVER, KIND_FEATURE, KIND_START};

/// Where a driver is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// Real mode with an XMS driver.
    Xms,
    /// V86 mode with an XMS driver.
    V86,
    /// Real mode without XMS.
    Plain,
}

/// A card of the table: the name of its driver, what it needs to reach memory above 1 MB, bytes of its rings below 1 MB, and
/// whether ports reach its registers.
struct Card(&'static str, u32, u32, bool);

const CARDS: [Card; 3] = [
    Card("el3", needs::FLAT, 0, true),
    Card("ne2000", needs::FLAT, 0, true),
    Card("e1000", needs::FLATI, intel_rings::LOW_BYTES, false),
];

/// The names of the table's columns.
pub const COLUMNS: [&str; CARDS.len()] = [CARDS[0].0, CARDS[1].0, CARDS[2].0];

/// The table's parts: the machine, the title, the switches of each row. The first row of each part stands for itself; of the
/// other rows the table has what they add to it.
pub const PARTS: [(Machine, &str, &[&str]); 3] = [
    (
        Machine::Xms,
        "real mode with XMS",
        &["", "/XMS=16", "/XMS=48", "/XMS=1024", "/MIGRATE=8192", "/COMPACT /XMS=1024 /MIGRATE=8192", "/COMPACT", "/STATS", "/COUNT", "/REAP", "/SHARE", "/CTL", "/HANDLES=16", "/STACK=512"],
    ),
    (Machine::V86, "V86 mode with XMS", &["", "/XMS=48", "/MIGRATE=8192", "/XMS=48 /CACHE=1536", "/COMPACT /XMS=1024 /MIGRATE=8192"]),
    (Machine::Plain, "without XMS", &["", "/MIGRATE=1536", "/MIGRATE=8192", "/MIGRATE=48512", "/COMPACT /XMS=1024 /MIGRATE=8192"]),
];

/// Bytes of a handle.
const HANDLE: u32 = 16;
/// A table of as many bytes as the switches ask for (src/install/header.rs).
const BUFFERS: u16 = 0xFFFF;
/// Bytes of the cache, if `/CACHE=` is not given.
const CACHE: u16 = 4096;

/// A row's switches, as the driver reads them.
fn asked(line: &str) -> Options {
    options(line.as_bytes()).unwrap_or_else(|refused| panic!("{line}: {:?}", refused.why))
}

/// Room for frames of the greatest length that may wait.
pub fn frames(machine: Machine, line: &str) -> u16 {
    let asked = asked(line);
    match machine {
        _ if !asked.waits => 0,
        Machine::Xms => asked.slots,
        Machine::V86 => asked.slots.min(FRAMES as u16),
        Machine::Plain => (asked.migrate / rounded(MAX_FRAME)).min(FRAMES as u16),
    }
}

impl Units {
    /// The unit of this kind and name.
    fn named(&self, kind: u8, name: &str) -> Result<&Unit, String> {
        let unit = self.others.iter().find(|(of, _, own, unit)| *of == kind && own == name && unit.is_some());
        unit.and_then(|(.., unit)| unit.as_ref()).ok_or_else(|| format!("no unit {name}"))
    }

    /// Conventional bytes of a driver, by DEVICE=; None: the card is refused there.
    ///
    /// # Errors
    /// A unit is missing.
    pub fn resident(&self, machine: Machine, card: &str, line: &str) -> Result<Option<u32>, String> {
        let Card(name, flat, low, ports) = CARDS.iter().find(|of| of.0 == card).ok_or("not a card of the table")?;
        if machine == Machine::V86 && !ports {
            return Ok(None);
        }
        let asked = asked(line);
        let driver = self.named(KIND_DRIVER, name)?;
        let copies = image::copies(driver).map_err(|error| error.to_string())?.0;
        let mut all = asked.needs;
        if asked.waits {
            all |= match machine {
                Machine::Xms => copies,
                Machine::V86 => needs::POOLV,
                Machine::Plain => needs::POOLC,
            };
        }
        if !ports || machine == Machine::Xms && asked.waits {
            all |= flat;
        }
        all = needs::timer(all, asked.waits, false);
        let four = |bytes: u32| bytes.next_multiple_of(4);
        let handles = u32::from(asked.handles);
        let mut sizes = vec![
            u32::from(self.core.total),
            u32::from(driver.total - ENTRIES),
            image::instance(self.named(KIND_START, name)?) as u32,
            handles * HANDLE,
        ];
        let rings = *low != 0;
        if rings && machine != Machine::Xms {
            let next: u32 = sizes.iter().map(|size| four(*size)).sum();
            sizes.push(next.wrapping_neg() % 16 + low);
        }
        let mut stack = u32::from(asked.stack) + u32::from(STACK_CORE);
        for unit in self.others.iter().filter(|of| of.0 == KIND_FEATURE).filter_map(|of| of.3.as_ref()) {
            let feature = image::Feature::of(unit);
            if feature.needs & all == 0 {
                continue;
            }
            sizes.push(u32::from(unit.total));
            if feature.has_table {
                sizes.push(match feature.table {
                    BUFFERS if machine == Machine::V86 => u32::from(match asked.cache {
                        0 if asked.compact => SLOT,
                        0 => CACHE,
                        bytes => bytes,
                    }),
                    BUFFERS => u32::from(asked.migrate),
                    bytes => u32::from(bytes) + u32::from(feature.per_handle) * handles,
                });
            }
            stack += u32::from(feature.stack);
        }
        // In XMS: the rings, and frames that wait.
        let above = usize::from(rings && machine == Machine::Xms) + usize::from(asked.waits && machine != Machine::Plain);
        let list = (sizes.len() + above + 1) * size_of::<Block>();
        let next: u32 = sizes.iter().map(|size| four(*size)).sum();
        Ok(Some((next + list as u32 + stack).next_multiple_of(16)))
    }

    /// The table, line by line.
    ///
    /// # Errors
    /// A unit is missing.
    pub fn memory(&self) -> Result<Vec<String>, String> {
        let mut lines = vec![format!("{:<36}{:>9}{:>9}{:>9}{:>8}", "bytes", COLUMNS[0], COLUMNS[1], COLUMNS[2], "frames")];
        for (machine, title, rows) in PARTS {
            for (index, row) in rows.iter().enumerate() {
                let mut line = if index == 0 { format!("{title:<36}") } else { format!("  {row:<34}") };
                for card in COLUMNS {
                    let bytes = self.resident(machine, card, row)?;
                    let first = self.resident(machine, card, "")?;
                    let cell = match (bytes, first) {
                        (Some(bytes), _) if index == 0 => bytes.to_string(),
                        (Some(bytes), Some(first)) => format!("{:+}", i64::from(bytes) - i64::from(first)),
                        _ => "-".into(),
                    };
                    line += &format!("{cell:>9}");
                }
                let frames = frames(machine, row);
                lines.push(line + &if frames == 0 { format!("{:>8}", "-") } else { format!("{frames:>8}") });
            }
        }
        Ok(lines)
    }
}
