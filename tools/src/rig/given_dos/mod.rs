//! QEMU with a DOS from the user, as an image of its boot disk: FreeDOS, MS-DOS. The image itself is not changed.
//!
//! RIG.SYS (`rig.asm`) sends the screen's text to the rig, from the first CONFIG.SYS line on. The job's lines are added to the
//! image's CONFIG.SYS; the job's commands replace AUTOEXEC.BAT. An image that asks questions at its start waits until the
//! limit ends the run. An internal command of the shell is reported with the exit code of the program before it.

use super::image::assemble;
use super::qemu::{Monitor, Qemu};
use super::{Job, Report};
use crate::process::TempDir;
use crate::setup::{self, fail};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A larger image is a hard disk's.
const LARGEST_FLOPPY: u64 = 2880 * 1024;
/// The first partition entry of a hard disk: type and first sector.
const PARTITION_TYPE: usize = 0x1BE + 4;
const PARTITION_START: usize = 0x1BE + 8;
/// The character that `rig.asm` prints before a mark's number.
const MARK: char = '\x04';

/// The machine: QEMU's settings (without those for the boot DOS) and the image.
#[derive(Clone, Debug)]
pub struct GivenDos {
    /// The machine and its NICs.
    pub qemu: Qemu,
    /// The image.
    pub image: PathBuf,
}

/// A private copy of the image, with the job's files.
struct Disk {
    path: PathBuf,
    /// For mtools: path and offset of the file system.
    place: String,
    floppy: bool,
}

impl GivenDos {
    /// Runs a job. Errors: those of [`Qemu::run`], and mtools' on the image.
    pub fn run(&self, job: &Job) -> io::Result<Report> {
        self.run_with(job, &mut |_, _| Ok(()))
    }

    /// Runs a job, and shows each line of output (marks included, as `rig.asm` prints them) to `on_line`.
    pub fn run_with(&self, job: &Job, on_line: &mut dyn FnMut(&str, &mut Monitor) -> io::Result<()>) -> io::Result<Report> {
        let folder = TempDir::new("given-dos")?;
        let disk = Disk::copy(&self.image, folder.path())?;
        let lines: Vec<&String> = job.config.iter().chain(&job.exec).collect();
        disk.put("RIG.SYS", &assemble(&setup::root().join("tools/src/rig/given_dos/rig.asm"), &[])?)?;
        for (name, contents) in &job.files {
            disk.put(name, contents)?;
        }
        let mut config = String::new();
        for (number, line) in job.config.iter().enumerate() {
            config.push_str(&format!("DEVICE=RIG.SYS {number}\r\n{line}\r\n"));
        }
        disk.configure(&format!("{config}DEVICE=RIG.SYS {}", lines.len()))?;

        let mut batch = String::from("@ECHO OFF\r\n");
        disk.put("RIG.X", b"\x01")?;
        disk.put("RIG.END", b"\x02")?;
        for (number, line) in (job.config.len()..).zip(&job.exec) {
            let mark = format!("RIG.{number}");
            disk.put(&mark, format!("\n{MARK}{number}\n").as_bytes())?;
            batch.push_str(&format!("TYPE {mark} >RIG$\r\n{line}\r\nTYPE RIG.X >RIG$\r\n"));
        }
        batch.push_str("TYPE RIG.END >RIG$\r\n");
        disk.put("AUTOEXEC.BAT", batch.as_bytes())?;
        if disk.get("FDAUTO.BAT").is_some() {
            disk.put("FDAUTO.BAT", batch.as_bytes())?;
        }
        let mut report = self.qemu.boot(&disk.arguments(), job, on_line)?;
        report.output = told(&report.output, &lines);
        Ok(report)
    }

    /// Starts DOS with the job's files and CONFIG.SYS lines for a person at the terminal, until QEMU ends.
    pub fn by_hand(&self, job: &Job) -> io::Result<()> {
        let folder = TempDir::new("given-dos")?;
        let disk = Disk::copy(&self.image, folder.path())?;
        for (name, contents) in &job.files {
            disk.put(name, contents)?;
        }
        disk.configure(&job.config.join("\r\n"))?;
        self.qemu.by_hand(&disk.arguments())
    }
}

impl Disk {
    fn copy(image: &Path, folder: &Path) -> io::Result<Disk> {
        let path = folder.join("disk.img");
        let size = fs::copy(image, &path).map_err(|error| fail(format!("{}: {error}", image.display())))?;
        let floppy = size <= LARGEST_FLOPPY;
        let mut place = path.display().to_string();
        if !floppy {
            let head = fs::read(&path)?;
            let sector = head.get(PARTITION_START..).and_then(|bytes| bytes.first_chunk()).map(|bytes| u32::from_le_bytes(*bytes));
            match sector {
                Some(sector) if head[PARTITION_TYPE] != 0 => place.push_str(&format!("@@{}", u64::from(sector) * 512)),
                _ => return Err(fail(format!("{} has no partition", image.display()))),
            }
        }
        Ok(Disk { path, place, floppy })
    }

    fn arguments(&self) -> Vec<String> {
        let (kind, boot) = if self.floppy { ("floppy", "a") } else { ("ide", "c") };
        let drive = format!("file={},format=raw,if={kind}", self.path.display());
        ["-drive", &drive, "-boot", boot, "-device", "isa-vga"].map(String::from).into()
    }

    /// Appends lines to CONFIG.SYS.
    fn configure(&self, lines: &str) -> io::Result<()> {
        let name = if self.get("FDCONFIG.SYS").is_some() { "FDCONFIG.SYS" } else { "CONFIG.SYS" };
        let mut text = self.get(name).unwrap_or_default();
        text.retain(|&byte| byte != 0x1A);
        text.extend(format!("\r\n{lines}\r\n").bytes());
        self.put(name, &text)
    }

    fn get(&self, name: &str) -> Option<Vec<u8>> {
        let done = self.mcopy().ok()?.arg(format!("::{name}")).arg("-").output().ok()?;
        done.status.success().then_some(done.stdout)
    }

    fn put(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        let from = self.path.with_file_name("mcopy");
        fs::write(&from, contents)?;
        let done = self.mcopy()?.arg("-o").arg(&from).arg(format!("::{name}")).output()?;
        if done.status.success() {
            return Ok(());
        }
        Err(fail(format!("{name}: {}", String::from_utf8_lossy(&done.stderr).lines().next().unwrap_or("mcopy failed"))))
    }

    fn mcopy(&self) -> io::Result<Command> {
        let mut command = Command::new(setup::mtools()?);
        command.env("MTOOLS_SKIP_CHECK", "1").args(["-i", &self.place]);
        Ok(command)
    }
}

/// The report's text: the screen, with the job's lines in place of marks.
fn told(screen: &str, lines: &[&String]) -> String {
    let mut output = String::new();
    // Messages of BIOS and DOS precede the first mark.
    for piece in screen.split(MARK).skip(1) {
        let (number, text) = piece.split_once('\n').unwrap_or((piece, ""));
        let text = text.trim_end_matches('\n');
        match (number.strip_prefix('x'), number.parse::<usize>()) {
            // Text behind the exit code is the shell's.
            (Some(code), _) => output.push_str(&format!("[exit {}]\n", code.parse::<u8>().unwrap_or_default())),
            (_, Ok(number)) if number < lines.len() => {
                output.push_str(&format!("> {}\n{text}", lines[number]));
                if !text.is_empty() {
                    output.push('\n');
                }
            }
            _ => {}
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_lines_and_exit_codes() {
        let (first, second) = ("DEVICE=A.SYS".to_string(), "B x".to_string());
        let screen = "BIOS\nDOS\n\x040\nA is here\n\x042\nshell\n\n\x041\nB ran\n\x04x017\n\n";
        let output = told(screen, &[&first, &second]);
        assert_eq!(output, "> DEVICE=A.SYS\nA is here\n> B x\nB ran\n[exit 17]\n");
    }

    #[test]
    fn a_copy_takes_files_and_config_lines_and_the_image_stays_as_it_was() {
        let folder = TempDir::new("image").unwrap();
        let image = folder.path().join("dos.img");
        fs::write(&image, vec![0; 1440 * 1024]).unwrap();
        setup::mtools().unwrap();
        let made = Command::new("mformat").arg("-i").arg(&image).args(["-f", "1440", "::"]).status().unwrap();
        assert!(made.success());
        let before = fs::read(&image).unwrap();
        let disk = Disk::copy(&image, folder.path()).unwrap();
        disk.put("CONFIG.SYS", b"FILES=20\x1A").unwrap();
        disk.configure("DEVICE=A.SYS").unwrap();
        disk.put("A.SYS", &[7; 3000]).unwrap();
        assert_eq!(disk.get("CONFIG.SYS").unwrap(), b"FILES=20\r\nDEVICE=A.SYS\r\n");
        assert_eq!(disk.get("A.SYS").unwrap(), [7; 3000]);
        assert_eq!(disk.get("NONE"), None);
        assert!(disk.put("TOOLARGE.BIN", &vec![0; 2_000_000]).unwrap_err().to_string().starts_with("TOOLARGE.BIN: "));
        assert_eq!(fs::read(&image).unwrap(), before);
    }
}
