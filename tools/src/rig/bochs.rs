//! Bochs with the boot DOS. Bochs checks every access against its segment's limit, as a processor does and QEMU's TCG does
//! not. An access beyond a limit ends the run with an error, unless the caller asks for the number of such faults.

use super::image::{self, Dos};
use super::{Job, Report};
use crate::process::{Bounded, TempDir};
use crate::setup::{self, fail};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// Longest time without output, if the job gives none.
const LIMIT: Duration = Duration::from_secs(60);
/// Part of the line in Bochs's log about an access beyond a limit.
const BEYOND: &str = "beyond limit";
/// Bytes of a cylinder in the disk's geometry: 16 heads, 63 sectors.
const CYLINDER: usize = 16 * 63 * 512;

/// The NIC. Its network is Bochs's own: 10.0.2.2 is the host's loopback and a DHCP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nic {
    /// No card.
    None,
    /// An NE2000 on the ISA bus.
    Ne2000 {
        /// Its base port.
        base: u16,
        /// Its IRQ: 3 or 5; 9 to 11 are the PIIX3's.
        irq: u8,
    },
    /// An RTL8029-like NE2000 on the PCI bus.
    Ne2000Pci,
    /// An 82540EM.
    E1000,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Bochs {
    /// The variants of DOS.
    pub dos: Dos,
    /// Its card.
    pub nic: Nic,
    /// Bochs's CPU model: `pentium`, `p4_willamette`.
    pub cpu: String,
    /// The machine's time does not run faster than the host's: needed if a host program has to answer in time.
    pub real_time: bool,
}

impl Default for Bochs {
    fn default() -> Bochs {
        Bochs { dos: Dos::default(), nic: Nic::Ne2000 { base: 0x300, irq: 5 }, cpu: "pentium".into(), real_time: false }
    }
}

impl Bochs {
    /// Runs a job. Errors: no Bochs, a job that the boot DOS cannot hold, an access beyond a segment's limit, no end within
    /// the limit; the text has what was printed.
    pub fn run(&self, job: &Job) -> io::Result<Report> {
        Ok(self.run_in(job, false)?.0)
    }

    /// Runs a job in which an access beyond a segment's limit is a fault that the job's programs handle. Returns the number of
    /// these faults, too.
    ///
    /// # Errors
    /// As [`Bochs::run`], and any other error of the processor.
    pub fn run_with_faults(&self, job: &Job) -> io::Result<(Report, usize)> {
        self.run_in(job, true)
    }

    fn run_in(&self, job: &Job, faults: bool) -> io::Result<(Report, usize)> {
        let emulator = setup::bochs()?;
        let folder = TempDir::new("bochs")?;
        let path = |name: &str| folder.path().join(name);
        let mut disk = image::build(&self.dos, job)?;
        disk.resize(disk.len().next_multiple_of(CYLINDER), 0);
        fs::write(path("disk.img"), &disk)?;
        fs::write(path("slirp.conf"), format!("# slirp config\n{}", if job.capture { "pktlog = packets.txt\n" } else { "" }))?;
        fs::write(path("bochsrc"), self.settings(disk.len() / CYLINDER, faults))?;
        // Bochs aborts on long file names: it gets short ones.
        symlink(&emulator.root, path("bochs"))?;
        // A command for the debugger: continue.
        fs::write(path("go"), "c\n")?;

        let mut command = emulator.command_with(Some(&setup::wiretap()?));
        command.args(["-q", "-f", "bochsrc", "-rc", "go"]).current_dir(folder.path());
        command.env("LTDL_LIBRARY_PATH", "bochs/usr/lib/x86_64-linux-gnu/bochs/plugins");
        command.env("BXSHARE", "bochs/usr/share/bochs");
        command.stdout(File::create(path("console"))?).stderr(Stdio::null());
        let limit = if job.limit.is_zero() { LIMIT } else { job.limit };
        let ended = Bounded::start(&mut command, limit)?.watching(path("console")).wait();

        let output = console(&fs::read(path("console"))?);
        let log = fs::read(path("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        ended.map_err(|error| io::Error::new(error.kind(), format!("{error} in Bochs, after:\n{output}")))?;
        if !log.contains("Shutdown port: shutdown requested") || output.contains("\n[boot DOS: ") {
            let last = log.lines().rev().find(|line| line.contains("e[") || line.contains("p[")).unwrap_or("no message");
            return Err(fail(format!("Bochs ended early: {last}, after:\n{output}")));
        }
        let errors = || log.lines().filter(|line| line.contains("e[CPU0"));
        if let Some(other) = errors().find(|line| !line.contains(BEYOND)) {
            return Err(fail(format!("Bochs: {other}, in:\n{output}")));
        }
        let captured = job.capture && self.nic != Nic::None;
        let pcap = if captured { Some(pcap(&path("packets.txt"))?) } else { None };
        Ok((Report { output, pcap }, errors().count()))
    }

    fn settings(&self, cylinders: usize, faults: bool) -> String {
        const NET: &str = "mac=AC:DE:48:88:99:AA, ethmod=slirp, script=slirp.conf";
        let nic = match self.nic {
            Nic::None => String::new(),
            Nic::Ne2000 { base, irq } => format!("ne2k: enabled=1, ioaddr={base:#x}, irq={irq}, {NET}"),
            Nic::Ne2000Pci => format!("pci: enabled=1, chipset=i440fx, slot1=ne2k\nne2k: enabled=1, {NET}"),
            Nic::E1000 => format!("pci: enabled=1, chipset=i440fx, slot1=e1000\ne1000: enabled=1, {NET}"),
        };
        // The processor's module reports an access beyond a limit as an `error`; then it raises the fault.
        format!(
            "config_interface: textconfig\ndisplay_library: rfb, options=\"timeout=0\"\nplugin_ctrl: iodebug=1\n\
             memory: guest=16, host=16\n\
             romimage: file=bochs/usr/share/bochs/BIOS-bochs-legacy\n\
             vgaromimage: file=bochs/usr/share/bochs/VGABIOS-lgpl-latest\n\
             cpu: model={cpu}, count=1, ips=50000000, reset_on_triple_fault=0\n\
             clock: sync={sync}, time0=1704067200\n\
             ata0-master: type=disk, path=disk.img, mode=flat, cylinders={cylinders}, heads=16, spt=63\nboot: disk\n\
             {nic}\nport_e9_hack: enabled=1\nlog: log\n\
             panic: action=fatal\nerror: action=report{fatal}\ninfo: action=report\ndebug: action=ignore\n",
            cpu = self.cpu,
            fatal = if faults { "" } else { ", CPU0=fatal" },
            sync = if self.real_time { "slowdown" } else { "none" },
        )
    }
}

/// What the boot DOS printed, which lies between Bochs's own output before it and the debugger's after it.
fn console(bytes: &[u8]) -> String {
    let text: String = bytes.iter().filter(|&&byte| byte != b'\r').map(|&byte| byte as char).collect();
    let start = text.find("\n> ").map_or(text.len(), |at| at + 1);
    let end = text.rfind("(0).[").filter(|&at| at > start).unwrap_or(text.len());
    text[start..end].to_string()
}

/// Makes a pcap file from Bochs's log of packets, which is text, with a counter as time.
fn pcap(log: &Path) -> io::Result<PathBuf> {
    let text = fs::read_to_string(log)?;
    // Little-endian, microseconds, version 2.4, Ethernet.
    let mut file: Vec<u8> = [0xA1B2_C3D4, 4 << 16 | 2, 0, 0, 0xFFFF, 1].into_iter().flat_map(u32::to_le_bytes).collect();
    for (number, packet) in text.split("--\na packet from ").skip(1).enumerate() {
        let frame = packet.lines().skip(1).flat_map(|line| hex(line.get(..48).unwrap_or(line)));
        let frame: Vec<u8> = frame.collect();
        let length = frame.len() as u32;
        file.extend([0, number as u32, length, length].into_iter().flat_map(u32::to_le_bytes));
        file.extend(frame);
    }
    let path = super::new_pcap("bochs")?;
    fs::write(&path, file)?;
    Ok(path)
}

/// The bytes of `ff 00 …`.
fn hex(text: &str) -> impl Iterator<Item = u8> {
    text.split_whitespace().map_while(|byte| u8::from_str_radix(byte, 16).ok())
}
