//! Packs a DOS program: the ELF that `linker/program.ld` laid out becomes an MZ file.

use crate::setup::fail;
use object::{Object, ObjectSegment, ObjectSymbol};
use std::path::Path;
use std::{fs, io};

/// Bytes of stack behind the BSS. PKTCTL holds three frames of full size there at its deepest.
pub const STACK: usize = 8 << 10;
/// Bytes of the MZ header: 28, rounded up to paragraphs.
const HEADER: usize = 32;

/// The MZ file of the program `name`, whose ELF lies in `folder`.
///
/// # Errors
/// As [`pack`] has them, and what reading the file says.
pub fn read(folder: &Path, name: &str) -> io::Result<Vec<u8>> {
    pack(&fs::read(folder.join(name))?).map_err(|error| fail(format!("{name}: {error}")))
}

/// The MZ file of a linked program.
///
/// # Errors
/// Not an ELF of `linker/program.ld`, or code, data and stack together exceed the segment that they share.
pub fn pack(elf: &[u8]) -> Result<Vec<u8>, String> {
    let file = object::File::parse(elf).map_err(|error| format!("not an ELF file: {error}"))?;
    let mut image = Vec::new();
    for segment in file.segments() {
        let data = segment.data().map_err(|error| error.to_string())?;
        let start = segment.address() as usize;
        if start + data.len() > 0x1_0000 {
            return Err(format!("a part ends at {:X}h, beyond the segment", start + data.len()));
        }
        image.resize(image.len().max(start + data.len()), 0);
        image[start..start + data.len()].copy_from_slice(data);
    }
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok("__bss_end"));
    let bss_end = symbol.ok_or("no symbol __bss_end: not linked by program.ld")?.address() as usize;
    let top = bss_end + STACK;
    if top > 0xFFFE {
        return Err(format!("code, data and stack need {top} bytes of a segment's 65,534"));
    }
    let length = HEADER + image.len();
    let memory = top.div_ceil(16) - image.len() / 16;
    let mut mz = Vec::with_capacity(length);
    mz.extend_from_slice(b"MZ");
    let words = [
        length % 512,         // bytes in the last page
        length.div_ceil(512), // pages
        0,                    // relocations: all is one segment
        HEADER / 16,
        memory, // minimum of memory behind the image, in paragraphs
        memory, // maximum: the rest stays free for whom we talk about
        0,      // SS
        top,    // SP
        0,      // checksum: no DOS looks
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
