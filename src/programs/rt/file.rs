//! Files by DOS handles.

use super::{Far, Regs, int};

/// Letters of a path, with the zero behind it.
const PATH: usize = 128;

/// An open file. It is closed when the program ends, at the latest.
pub struct File(u16);

/// DOS's function `ax` for the file at a path; returns AX.
fn by_path(ax: u16, path: &[u8]) -> Result<u16, u16> {
    let mut name = [0; PATH];
    let [start @ .., _] = &mut name;
    start.iter_mut().zip(path).for_each(|(to, from)| *to = *from);
    let mut regs = Regs::ax(ax);
    regs.edx = Far::of(&name).offset() as u32;
    int(0x21, &mut regs);
    if regs.carry() { Err(regs.eax as u16) } else { Ok(regs.eax as u16) }
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
