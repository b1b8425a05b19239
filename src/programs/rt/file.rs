//! Files by DOS handles.

use super::{Far, Regs, int};

/// Letters of a path, with the zero behind it.
const PATH: usize = 128;

/// An open file. It is closed when the program ends, at the latest.
pub struct File(u16);

/// A path as DOS wants it.
#[inline(never)]
fn asciz(path: &[u8]) -> [u8; PATH] {
    let mut name = [0; PATH];
    let [start @ .., _] = &mut name;
    start.iter_mut().zip(path).for_each(|(to, from)| *to = *from);
    name
}

/// A function of DOS; returns AX and CX.
#[inline(never)]
fn dos(regs: &mut Regs) -> Result<(u16, u16), u16> {
    int(0x21, regs);
    if regs.carry() { Err(regs.eax as u16) } else { Ok((regs.eax as u16, regs.ecx as u16)) }
}

/// DOS's function `ax` for the file at a path; returns AX.
#[inline(never)]
fn by_path(ax: u16, path: &[u8]) -> Result<u16, u16> {
    let name = asciz(path);
    let mut regs = Regs::ax(ax);
    regs.edx = Far::of(&name).offset() as u32;
    dos(&mut regs).map(|(ax, _)| ax)
}

/// A file's attributes: bit 0 read-only, 1 hidden, 2 system, 5 changed since the last backup.
///
/// # Errors
/// DOS's error code; 2: there is no such file.
#[inline(never)]
pub fn attributes(path: &[u8]) -> Result<u16, u16> {
    let name = asciz(path);
    let mut regs = Regs::ax(0x4300);
    regs.edx = Far::of(&name).offset() as u32;
    dos(&mut regs).map(|(_, cx)| cx)
}

/// Sets a file's attributes.
///
/// # Errors
/// DOS's error code.
pub fn set_attributes(path: &[u8], attributes: u16) -> Result<(), u16> {
    let name = asciz(path);
    let mut regs = Regs::ax(0x4301);
    regs.edx = Far::of(&name).offset() as u32;
    regs.ecx = attributes as u32;
    dos(&mut regs).map(|_| ())
}

/// Gives a file another name on the same disk.
///
/// # Errors
/// DOS's error code; 5: there is a file of that name.
#[inline(never)]
pub fn rename(from: &[u8], to: &[u8]) -> Result<(), u16> {
    let (from, to) = (asciz(from), asciz(to));
    let mut regs = Regs::ax(0x5600);
    regs.edx = Far::of(&from).offset() as u32;
    regs.edi = Far::of(&to).offset() as u32;
    dos(&mut regs).map(|_| ())
}

/// Deletes a file.
///
/// # Errors
/// DOS's error code.
pub fn delete(path: &[u8]) -> Result<(), u16> {
    by_path(0x4100, path).map(|_| ())
}

impl File {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// DOS's error code.
    pub fn open(path: &[u8]) -> Result<File, u16> {
        by_path(0x3D00, path).map(File)
    }

    /// Makes a file; one that is there is emptied.
    ///
    /// # Errors
    /// DOS's error code.
    pub fn create(path: &[u8]) -> Result<File, u16> {
        by_path(0x3C00, path).map(File)
    }

    fn transfer(&self, ax: u16, at: Far, bytes: usize) -> Result<usize, u16> {
        let mut regs = Regs::ax(ax);
        regs.ebx = self.0 as u32;
        regs.ecx = bytes as u32;
        regs.edx = at.offset() as u32;
        int(0x21, &mut regs);
        if regs.carry() { Err(regs.eax as u16) } else { Ok(regs.eax as u16 as usize) }
    }

    /// Reads until the buffer is full or the file ends; returns the bytes.
    ///
    /// # Errors
    /// DOS's error code.
    pub fn read<'a>(&self, to: &'a mut [u8]) -> Result<&'a [u8], u16> {
        let mut used = 0;
        loop {
            let rest = to.get_mut(used..).unwrap_or(&mut []);
            let read = self.transfer(0x3F00, Far::of(rest), rest.len())?;
            used += read;
            if read == 0 {
                return Ok(to.get(..used).unwrap_or(&[]));
            }
        }
    }

    /// Writes all bytes. A full disk is an error, too: 0.
    ///
    /// # Errors
    /// DOS's error code.
    pub fn write(&self, bytes: &[u8]) -> Result<(), u16> {
        if self.transfer(0x4000, Far::of(bytes), bytes.len())? == bytes.len() { Ok(()) } else { Err(0) }
    }

    /// Closes the file.
    ///
    /// # Errors
    /// DOS's error code: what was written may not be on the disk.
    pub fn close(self) -> Result<(), u16> {
        self.transfer(0x3E00, Far(0), 0).map(|_| ())
    }
}
