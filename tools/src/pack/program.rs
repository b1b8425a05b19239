//! Packs a DOS program: makes an MZ file of the ELF file that `linker/program.ld` has laid out.

use crate::setup::fail;
use compkt::programs::STACK;
use object::{Object, ObjectSection, ObjectSymbol};
use std::path::Path;
use std::{fs, io};

/// Bytes of the MZ header: 28, rounded up to paragraphs.
const HEADER: usize = 32;

/// Programs for tests only.
const TESTS: &[&str] = &["conform", "control", "field", "fuzz", "integrity", "waits", "bench", "bulk"];

/// PKTCTL and the test programs, with their DOS names. `folder` has the ELF files.
///
/// # Errors
/// As for [`read`].
pub fn all(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let names = TESTS.iter().chain(&["pktctl"]);
    names.map(|name| Ok((format!("{:.8}.EXE", name.to_uppercase()), read(folder, name)?))).collect()
}

/// The MZ file of the program `name`, from its ELF file in `folder`.
///
/// # Errors
/// Those of [`pack`], and of reading the file.
pub fn read(folder: &Path, name: &str) -> io::Result<Vec<u8>> {
    pack(&fs::read(folder.join(name))?).map_err(|error| fail(format!("{name}: {error}")))
}

/// The MZ file of a linked program.
///
/// # Errors
/// It is no ELF file of `linker/program.ld`, or code, or data and stack together, do not fit into a segment.
pub fn pack(elf: &[u8]) -> Result<Vec<u8>, String> {
    let file = object::File::parse(elf).map_err(|error| format!("not an ELF file: {error}"))?;
    let part = |name| -> Result<(usize, &[u8]), String> {
        let Some(section) = file.section_by_name(name) else { return Ok((0, &[])) };
        Ok((section.address() as usize, section.data().map_err(|error| error.to_string())?))
    };
    // Code and data have a segment each, in which offsets begin at 0.
    let (_, code) = part(".text")?;
    let mut image = code.to_vec();
    for name in [".rodata", ".data"] {
        let (start, data) = part(name)?;
        image.resize(image.len().max(code.len() + start), 0);
        image.extend_from_slice(data);
    }
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok("__bss_end"));
    let bss_end = symbol.ok_or("no symbol __bss_end: not linked by program.ld")?.address() as usize;
    let top = bss_end + usize::from(STACK);
    if top > 0xFFFE {
        return Err(format!("data and stack need {top} bytes of a segment's 65,534"));
    }
    let length = HEADER + image.len();
    let memory = (code.len() + top).div_ceil(16) - image.len() / 16;
    let mut mz = Vec::with_capacity(length);
    mz.extend_from_slice(b"MZ");
    let words = [
        length % 512,         // bytes in the last page
        length.div_ceil(512), // pages
        0,                    // no relocations: the program computes its data segment
        HEADER / 16,
        memory, // minimum of memory behind the image, in paragraphs
        memory, // maximum: the rest stays free for other programs
        code.len() / 16, // SS
        top,    // SP
        0,      // checksum, which DOS ignores
        file.entry() as usize,
        0, // CS
        HEADER, // where relocations would stand
        0, // overlay
        0, 0,
    ];
    for word in words {
        mz.extend_from_slice(&(word as u16).to_le_bytes());
    }
    assert_eq!(mz.len(), HEADER);
    mz.extend_from_slice(&image);
    Ok(mz)
}
