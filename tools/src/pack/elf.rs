//! Reads a linked unit: its bytes, its size in memory, and the places to which the loader adds the unit's base.

use std::path::Path;

use object::read::elf::ElfFile32;
use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SymbolFlags, SymbolKind, SymbolSection};

use compkt::install::slots::{SLOT_A, SLOT_A_WIDE};

use crate::setup::fail;

// Relocation types of the i386 ELF supplement; the `object` crate has their names only with another feature.
const R_386_32: u32 = 1;
const R_386_PC32: u32 = 2;
const R_386_PLT32: u32 = 4;
const R_386_16: u32 = 20;
const R_386_PC16: u32 = 21;
const R_386_PC8: u32 = 23;

/// A unit.
#[derive(Clone, Default)]
pub struct Unit {
    /// The binary's name.
    pub name: String,
    /// The bytes in the file.
    pub bytes: Vec<u8>,
    /// Bytes in memory: `bytes`, then BSS.
    pub total: u16,
    /// Offsets of 16-bit near addresses.
    pub fixes16: Vec<u16>,
    /// Offsets of 32-bit near addresses.
    pub fixes32: Vec<u16>,
    /// Symbols: name, offset, size.
    pub symbols: Vec<(String, u16, u32)>,
    /// The compiler's functions: name, offset, size.
    pub functions: Vec<(String, u16, u16)>,
    /// The offset at which it is linked: 0, except for the installer's kernel.
    pub base: u16,
    /// How the feature attaches (asm/attach.inc); empty for other units.
    pub attach: Vec<u8>,
    /// Symbols in other units, at fixed offsets, that it uses.
    pub outside: Vec<String>,
}

impl Unit {
    /// Reads the unit `name` from cargo's output folder.
    pub fn read(folder: &Path, name: &str) -> std::io::Result<Unit> {
        let data = std::fs::read(folder.join(name))?;
        Unit::parse(name, &data).map_err(|why| fail(format!("unit {name}: {why}")))
    }

    /// Reads a linked file.
    ///
    /// # Errors
    /// It is not linked by one of this project's scripts, a symbol is undefined, or it has a relocation that the loader does
    /// not know.
    pub fn parse(name: &str, data: &[u8]) -> Result<Unit, String> {
        let elf = ElfFile32::<object::Endianness>::parse(data).map_err(|error| error.to_string())?;
        let image = elf.section_by_name(".image").ok_or("no .image section")?;
        let bytes = image.data().map_err(|error| error.to_string())?.to_vec();
        let base = image.address();
        if ![0, SLOT_A, SLOT_A_WIDE].map(u64::from).contains(&base) {
            return Err("linked neither at offset 0 nor behind slot A".into());
        }
        let bss = elf.section_by_name(".bss").map_or(base + bytes.len() as u64, |bss| bss.address() + bss.size());
        let (mut fixes16, mut fixes32, mut outside) = (Vec::new(), Vec::new(), Vec::new());
        for (at, relocation) in image.relocations() {
            let at = at - base;
            let RelocationFlags::Elf { r_type } = relocation.flags() else { return Err("not ELF relocations".into()) };
            let RelocationTarget::Symbol(index) = relocation.target() else {
                return Err(format!("at {at:#x} a place that is a number, which moves with no unit"));
            };
            let symbol = elf.symbol_by_index(index).map_err(|error| error.to_string())?;
            let absolute = matches!(symbol.flags(), SymbolFlags::Elf { .. }) && symbol.section() == SymbolSection::Absolute;
            let name = symbol.name().unwrap_or("?");
            if absolute {
                if !matches!(r_type.0, R_386_32 | R_386_16) {
                    return Err(format!("a jump or call out of the unit, to {name}"));
                }
                outside.push(name.to_string());
                continue;
            }
            if symbol.is_undefined() {
                return Err(format!("undefined symbol {name}"));
            }
            match r_type.0 {
                R_386_32 => fixes32.push(at as u16),
                R_386_16 => fixes16.push(at as u16),
                R_386_PC32 | R_386_PLT32 | R_386_PC16 | R_386_PC8 => {}
                other => return Err(format!("relocation of kind {other} at {at:#x}")),
            }
        }
        let symbols = elf
            .symbols()
            .filter(|symbol| symbol.section_index().is_some() || symbol.section() == SymbolSection::Absolute)
            .map(|symbol| (symbol.name().unwrap_or("").to_string(), symbol.address() as u16, symbol.size() as u32))
            .collect();
        let functions = elf
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() != 0)
            .map(|symbol| (symbol.name().unwrap_or("").to_string(), (symbol.address() - base) as u16, symbol.size() as u16))
            .collect();
        let attach = match elf.section_by_name(".attach") {
            Some(section) => section.data().map_err(|error| error.to_string())?.to_vec(),
            None => Vec::new(),
        };
        let total = (bss - base).max(bytes.len() as u64) as u16;
        Ok(Unit { name: name.into(), total, bytes, fixes16, fixes32, symbols, functions, base: base as u16, attach, outside })
    }

    /// A text or table, without fix-ups.
    pub fn data(name: &str, bytes: Vec<u8>) -> Unit {
        Unit { name: name.into(), total: bytes.len() as u16, bytes, ..Unit::default() }
    }

    /// The unit's bytes after the loader has added `at` where needed.
    pub fn loaded(&self, at: u16) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for fix in self.fixes16.iter().chain(&self.fixes32) {
            let fix = usize::from(*fix);
            let value = u16::from_le_bytes([bytes[fix], bytes[fix + 1]]).wrapping_add(at);
            bytes[fix..fix + 2].copy_from_slice(&value.to_le_bytes());
        }
        bytes.resize(usize::from(self.total), 0);
        bytes
    }

    /// A symbol's value.
    ///
    /// # Errors
    /// There is no such symbol.
    pub fn symbol(&self, name: &str) -> std::io::Result<u16> {
        let found = self.symbols.iter().find(|(symbol, ..)| symbol == name);
        found.map(|(_, at, _)| *at).ok_or_else(|| fail(format!("{} has no {name}", self.name)))
    }

    /// The 16-bit word at `at`.
    pub fn word(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    /// Writes a 16-bit word at `at`.
    pub fn put_word(&mut self, at: usize, value: u16) {
        self.bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
}
