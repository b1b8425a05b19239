//! Makes the raw disk of the boot DOS (`tools/bootdos`): its sectors, its settings, a table of files, the files, and the script
//! that it executes.

use super::Job;
use crate::process::TempDir;
use crate::setup::{self, fail};
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

const SECTOR: usize = 512;
/// Marks the settings in the kernel.
const MAGIC: &[u8] = b"BootDOS1";
/// One entry of the file table: name padded with zeros to 16 bytes, first sector, size, 8 unused.
const ENTRY: usize = 32;
/// Longest line; the kernel reads lines into 256 bytes.
const LONGEST_LINE: usize = 250;
/// Disks are padded to a multiple of this, so that every BIOS finds a geometry.
const DISK_STEP: usize = 1 << 20;

/// End of the command tail in the INIT request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailEnd {
    /// CR, as DOSBox-X and DEVICE.COM give it.
    Cr = 0,
    /// CR LF.
    CrLf = 1,
    /// A blank, CR, LF, as FreeDOS gives it.
    BlankCrLf = 2,
}

/// The XMS driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Xms {
    /// None.
    None = 0,
    /// Without the functions for more than 64 MB.
    V2 = 2,
    /// With them.
    V3 = 3,
}

/// The variants of DOS that the boot DOS imitates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dos {
    /// The command tail in the INIT request is in upper case.
    pub upper_tail: bool,
    /// End of that tail.
    pub tail_end: TailEnd,
    /// The length byte of the INIT request: 16h (without drive number) to 1Eh.
    pub request_len: u8,
    /// The size of the one upper memory block in paragraphs, 1 to FFEh; none: no upper memory.
    pub umb_paras: Option<u16>,
    /// Its XMS driver.
    pub xms: Xms,
    /// INT 4Bh is a DMA service that counts its locks.
    pub vds: bool,
    /// DEVICEHIGH= loads to the upper block without comparing sizes, as FreeDOS does.
    pub careless: bool,
    /// Paragraphs that are left free below the first driver; if not 0, the code of other programs than 3COMPKT begins at a page
    /// (of 4 KB). So a test can keep the driver's stack away from code: QEMU is slow where both are in one page.
    pub skip: u16,
    /// Output also goes to the screen; after the script a person types commands, until `exit`.
    pub by_hand: bool,
}

impl Default for Dos {
    fn default() -> Dos {
        Dos { upper_tail: false, tail_end: TailEnd::Cr, request_len: 0x17, umb_paras: None, xms: Xms::V3, vds: false, careless: false, skip: 0, by_hand: false }
    }
}

/// The paragraphs that DOS reads from a driver's or program's file into memory: the whole of a raw file, the load
/// image of an MZ file. A [`Dos::umb_paras`] of this size is an upper block exactly as large as the image.
pub fn load_paras(file: &[u8]) -> u16 {
    let word = |at: usize| usize::from(file[at]) + (usize::from(file[at + 1]) << 8);
    let bytes = if file.len() >= 28 && file.starts_with(b"MZ") {
        let short = if word(2) == 0 { 0 } else { SECTOR - word(2) };
        word(4) * SECTOR - short - word(8) * 16
    } else {
        file.len()
    };
    u16::try_from(bytes.div_ceil(16)).expect("larger than memory")
}

/// Assembles a flat binary; `defines` are the arguments of NASM's `-D` options.
pub fn assemble(source: &Path, defines: &[&str]) -> io::Result<Vec<u8>> {
    let folder = TempDir::new("nasm")?;
    let output = folder.path().join("out");
    let mut command = Command::new(setup::nasm()?);
    command.current_dir(crate::setup::root()).args(["-f", "bin", "-w+error", "-o"]).arg(&output);
    command.arg("-I").arg(source.parent().unwrap_or(Path::new("."))).args(defines.iter().map(|name| format!("-D{name}")));
    let done = command.arg(source).output()?;
    if !done.status.success() {
        return Err(fail(String::from_utf8_lossy(&done.stderr).trim_end()));
    }
    fs::read(output)
}

/// The disk for a job. Errors: a file name or line that the boot DOS cannot hold, or an error of the assembler.
pub fn build(dos: &Dos, job: &Job) -> io::Result<Vec<u8>> {
    let mut disk = assemble(&setup::root().join("tools/bootdos/dos.asm"), &[])?;
    pad(&mut disk, SECTOR);
    let table = disk.len();
    disk.resize(table + (job.files.len() * ENTRY).next_multiple_of(SECTOR), 0);
    for (number, (name, contents)) in job.files.iter().enumerate() {
        if name.is_empty() || name.len() > 12 || name.bytes().any(|byte| byte <= b' ' || byte.is_ascii_lowercase()) {
            return Err(fail(format!("not an upper-case 8.3 name: {name}")));
        }
        let mut entry = [0; ENTRY];
        entry[..name.len()].copy_from_slice(name.as_bytes());
        entry[16..20].copy_from_slice(&sector(&disk).to_le_bytes());
        entry[20..24].copy_from_slice(&(contents.len() as u32).to_le_bytes());
        disk[table + number * ENTRY..][..ENTRY].copy_from_slice(&entry);
        disk.extend_from_slice(contents);
        pad(&mut disk, SECTOR);
    }
    let script = script(job)?;
    let script_sector = sector(&disk);
    disk.extend_from_slice(script.as_bytes());
    pad(&mut disk, DISK_STEP);

    let umb = dos.umb_paras.unwrap_or(0);
    if umb > 0xFFE {
        return Err(fail("the upper block has at most FFEh paragraphs"));
    }
    if !(0x16..=0x1E).contains(&dos.request_len) {
        return Err(fail("an INIT request has 16h to 1Eh bytes"));
    }
    let mut settings = Vec::new();
    settings.extend_from_slice(&((table / SECTOR) as u32).to_le_bytes());
    settings.extend_from_slice(&script_sector.to_le_bytes());
    settings.extend_from_slice(&(script.len() as u32).to_le_bytes());
    settings.extend_from_slice(&(job.files.len() as u16).to_le_bytes());
    settings.extend_from_slice(&umb.to_le_bytes());
    let ends = [dos.request_len, dos.upper_tail.into(), dos.tail_end as u8, dos.xms as u8, dos.vds.into(), dos.careless.into(), dos.by_hand.into()];
    settings.extend_from_slice(&ends);
    settings.extend_from_slice(&dos.skip.to_le_bytes());
    let at = disk.windows(MAGIC.len()).position(|bytes| bytes == MAGIC).ok_or_else(|| fail("the boot DOS has no settings"))?;
    disk[at + MAGIC.len()..][..settings.len()].copy_from_slice(&settings);
    Ok(disk)
}

/// The script: for each line `c` or `x`, the line, LF.
fn script(job: &Job) -> io::Result<String> {
    let config = job.config.iter().map(|line| ('c', line));
    let exec = job.exec.iter().map(|line| ('x', line));
    let mut script = String::new();
    for (kind, line) in config.chain(exec) {
        if line.len() > LONGEST_LINE || !line.is_ascii() || line.contains(['\n', '\r', '\0']) {
            return Err(fail(format!("not a line that the boot DOS can read: {line}")));
        }
        script.push(kind);
        script.push_str(line);
        script.push('\n');
    }
    Ok(script)
}

fn sector(disk: &[u8]) -> u32 {
    (disk.len() / SECTOR) as u32
}

fn pad(disk: &mut Vec<u8>, step: usize) {
    disk.resize(disk.len().next_multiple_of(step), 0);
}
