//! QEMU with the boot DOS, and any NIC of QEMU's or of a plugin's.

use super::image::{self, Dos, Xms};
use super::linux::COMPLAINT;
use super::{Job, Report};
use crate::process::{self, Bounded, TempDir};
use crate::setup::{self, fail};
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread::sleep;
use std::time::Duration;

/// Longest time without output, if the job gives none.
const LIMIT: Duration = Duration::from_secs(60);
/// Time between two reads of the console.
const STEP: Duration = Duration::from_millis(5);
/// QEMU's exit status when the boot DOS has reached the end of its script: 2 * 10h + 1.
const DONE: i32 = 0x21;
/// What follows the output in the error of a time limit: where the machine was.
pub(crate) const PLACE: &str = "\nThe machine when the limit ended it:\n";
/// Longest time for an answer of QEMU's monitor.
const MONITOR_LIMIT: Duration = Duration::from_secs(120);

/// Devices that Debian 12's QEMU lacks. QEMU 10 is slower, so only machines with one of these run in it.
const NEWER: &[&str] = &["igb", "igb-82575eb", "igb-82580", "igb-i350", "igb-i354", "igb-i210", "igb-i211", "igb-i225v", "igb-i226v"];

/// Whether only the newer QEMU has this device (`-device`, with its properties).
pub(crate) fn is_newer(device: &str) -> bool {
    NEWER.contains(&device.split(',').next().unwrap_or_default())
}

/// A QEMU that has these devices.
pub(crate) fn emulator<'a>(mut devices: impl Iterator<Item = &'a str>) -> io::Result<Command> {
    if devices.any(is_newer) { setup::qemu_10() } else { Ok(Command::new(setup::qemu()?)) }
}

/// The other end of a NIC's cable.
#[derive(Clone, Debug)]
pub enum Net {
    /// QEMU's own network, isolated from the host: 10.0.2.2 answers ARP, echo and DHCP.
    User,
    /// A peer, by a pair of local datagram sockets, one for each side.
    Peer {
        /// QEMU's socket.
        qemu: PathBuf,
        /// The peer's socket.
        peer: PathBuf,
    },
    /// A hub in QEMU with this number: cards on one hub receive each other's frames.
    Hub(u32),
}

/// A NIC. The n-th of [`Qemu::nics`] has the network `nN` and the device `cN`, for [`Monitor::set_link`].
#[derive(Clone, Debug)]
pub struct Nic {
    /// `-device` without its network: `ne2k_isa,iobase=0x300,irq=10`, `e1000`.
    pub device: String,
    /// Its cable.
    pub net: Net,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Qemu {
    /// The variants of DOS.
    pub dos: Dos,
    /// Its NICs.
    pub nics: Vec<Nic>,
    /// `-cpu`: `486`, `pentium`.
    pub cpu: String,
    /// Its memory in MB.
    pub memory: u32,
    /// Instructions are the clock: two runs are the same, and a peer on the host cannot answer in time. They are TSC / 128.
    pub icount: bool,
    /// PCI cards keep their option ROMs, and the machine tries to boot from the network first: iPXE has used the card, and
    /// asked for a DHCP lease, before DOS begins. iPXE does not run on a `pentium`: use `qemu32`.
    pub roms: bool,
    /// A reset restarts the machine and its script; otherwise it ends the run.
    pub reboots: bool,
    /// A model's complaints are printed, but are no error: the driver that runs is not this project's.
    pub forgiving: bool,
    /// Plugin libraries, each with its arguments behind commas.
    pub plugins: Vec<String>,
    /// Further arguments.
    pub extra: Vec<String>,
}

impl Default for Qemu {
    fn default() -> Qemu {
        Qemu {
            dos: Dos::default(),
            nics: Vec::new(),
            cpu: "pentium".into(),
            memory: 16,
            icount: false,
            roms: false,
            reboots: false,
            forgiving: false,
            plugins: Vec::new(),
            extra: Vec::new(),
        }
    }
}

impl Qemu {
    /// The same machine with this XMS driver, or with none.
    pub fn with_xms(self, xms: Xms) -> Qemu {
        Qemu { dos: Dos { xms, ..self.dos }, ..self }
    }

    /// Runs a job. Errors: no QEMU, a job that the boot DOS cannot hold, a complaint of a model, no end within the limit; the
    /// text has what was printed.
    pub fn run(&self, job: &Job) -> io::Result<Report> {
        self.run_with(job, &mut |_, _| Ok(()))
    }

    /// Runs a job, and calls `on_line` with each finished line of output soon after it was printed, so that it can, for
    /// example, pull a cable.
    pub fn run_with(&self, job: &Job, on_line: &mut dyn FnMut(&str, &mut Monitor) -> io::Result<()>) -> io::Result<Report> {
        let folder = TempDir::new("disk")?;
        let disk = folder.path().join("disk.img");
        fs::write(&disk, image::build(&self.dos, job)?)?;
        self.boot(&["-drive".into(), format!("file={},format=raw,if=ide", disk.display())], job, on_line)
    }

    /// Starts the machine with these arguments for its disk; it must end with [`DONE`]. Only the limit and the capture of the
    /// job are used.
    pub(super) fn boot(
        &self,
        disk: &[String],
        job: &Job,
        on_line: &mut dyn FnMut(&str, &mut Monitor) -> io::Result<()>,
    ) -> io::Result<Report> {
        let folder = TempDir::new("qemu")?;
        let console = folder.path().join("console");
        File::create(&console)?;
        let errors = folder.path().join("errors");
        let socket = folder.path().join("monitor");
        let pcap = if job.capture { Some(super::new_pcap("qemu")?) } else { None };

        let mut command = self.emulator()?;
        command.args(["-nodefaults", "-no-user-config", "-display", "none"]);
        if !self.reboots {
            command.arg("-no-reboot");
        }
        command.args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]);
        command.arg("-debugcon").arg(format!("file:{}", console.display()));
        command.arg("-chardev").arg(format!("socket,id=mon,path={},server=on,wait=off", socket.display()));
        command.args(["-mon", "chardev=mon,mode=readline"]);
        command.args(self.machine(pcap.as_deref())).args(disk);
        command.stdout(File::create(&errors)?).stderr(File::options().append(true).open(&errors)?);

        let limit = if job.limit.is_zero() { LIMIT } else { job.limit };
        let mut run = Console { file: File::open(&console)?, output: String::new(), shown: 0 };
        let mut monitor = Monitor::new(socket);
        let mut place = String::new();
        let ended = watch(Bounded::start(&mut command, limit)?.watching(&console), &mut run, &mut monitor, on_line, &mut place);
        let output = run.output;
        match ended {
            Ok(status) if status.code() == Some(DONE) => {
                let errors = fs::read_to_string(&errors).unwrap_or_default();
                let mut complaints: Vec<&str> = errors.lines().filter(|line| line.starts_with(COMPLAINT)).collect();
                if let Some(first) = complaints.first().filter(|_| !self.forgiving) {
                    return Err(fail(format!("{first}, after:\n{output}")));
                }
                complaints.dedup();
                complaints.iter().for_each(|line| eprintln!("{line}"));
                Ok(Report { output, pcap })
            }
            Ok(status) => {
                let errors = fs::read_to_string(&errors).unwrap_or_default();
                Err(fail(format!("QEMU ended with {status} after:\n{output}\n{errors}")))
            }
            Err(error) => Err(io::Error::new(error.kind(), format!("{error} in QEMU, after:\n{output}{place}"))),
        }
    }

    /// Starts the boot DOS with a job's files and lines, and then its command prompt, for a person at the terminal.
    ///
    /// # Errors
    /// Those of [`Qemu::run`]; the terminal, or this QEMU, cannot show a text screen.
    pub fn run_by_hand(&self, job: &Job) -> io::Result<()> {
        let folder = TempDir::new("disk")?;
        let disk = folder.path().join("disk.img");
        fs::write(&disk, image::build(&Dos { by_hand: true, ..self.dos }, job)?)?;
        self.by_hand(&["-drive".into(), format!("file={},format=raw,if=ide", disk.display()), "-device".into(), "isa-vga".into()])
    }

    /// Starts the machine with its text screen in this terminal, until a person ends it: in the boot DOS by `exit`,
    /// in any by Alt-2 (or Esc 2) and QEMU's `quit`.
    pub(super) fn by_hand(&self, disk: &[String]) -> io::Result<()> {
        if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
            return Err(fail("a text screen wants a terminal; without one give commands by --exec"));
        }
        let displays = self.emulator()?.args(["-display", "help"]).output()?;
        if !String::from_utf8_lossy(&displays.stdout).lines().any(|line| line == "curses") {
            return Err(fail("this QEMU has no text display; as root: apt-get install qemu-system-common qemu-system-gui"));
        }
        let folder = TempDir::new("qemu")?;
        let errors = folder.path().join("errors");
        let mut command = self.emulator()?;
        command.args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "curses", "-monitor", "vc"]);
        command.args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]).args(self.machine(None)).args(disk);
        if std::env::var("TERM").is_ok_and(|name| name.is_empty() || name == "dumb") || std::env::var_os("TERM").is_none() {
            command.env("TERM", "vt100");
        }
        // It is in this session, because it needs the terminal; it must still end with this process.
        process::tie(&mut command);
        // Messages of QEMU and of models are printed afterwards: they would disturb the screen.
        let status = command.stderr(File::create(&errors)?).status()?;
        let said = fs::read_to_string(&errors).unwrap_or_default();
        if status.success() || status.code() == Some(DONE) {
            eprint!("{said}");
            return Ok(());
        }
        Err(fail(format!("QEMU ended with {status}: {}", said.lines().last().unwrap_or("no message"))))
    }

    /// The machine's own QEMU, or one that has all the cards.
    fn emulator(&self) -> io::Result<Command> {
        emulator(self.nics.iter().map(|nic| nic.device.as_str()))
    }

    /// The arguments for processor, memory, plugins and cards.
    fn machine(&self, pcap: Option<&Path>) -> Vec<String> {
        let mut all = Vec::new();
        let mut add = |name: &str, value: String| all.extend([name.to_string(), value]);
        add("-machine", "pc".into());
        add("-accel", "tcg".into());
        add("-cpu", self.cpu.clone());
        add("-m", self.memory.to_string());
        add("-rtc", "base=2024-01-01T00:00:00,clock=vm".into());
        if self.icount {
            add("-icount", "shift=7,sleep=off".into());
        }
        if self.roms {
            add("-boot", "order=nc".into());
        } else {
            add("-global", "pci-device.romfile=".into());
        }
        for plugin in &self.plugins {
            add("-plugin", plugin.clone());
        }
        for (number, nic) in self.nics.iter().enumerate() {
            let id = format!("n{number}");
            add(
                "-netdev",
                match &nic.net {
                    Net::User => format!("user,id={id},restrict=on"),
                    Net::Hub(hub) => format!("hubport,id={id},hubid={hub}"),
                    Net::Peer { qemu, peer } => format!(
                        "dgram,id={id},local.type=unix,local.path={},remote.type=unix,remote.path={}",
                        qemu.display(),
                        peer.display()
                    ),
                },
            );
            if let Some(pcap) = pcap {
                let file = if number == 0 { pcap.to_path_buf() } else { pcap.with_extension(format!("{number}.pcap")) };
                add("-object", format!("filter-dump,id=f{number},netdev={id},file={}", file.display()));
            }
            add("-device", format!("{},netdev={id},id=c{number}", nic.device));
        }
        // A hub delivers frames only if a port listens: this one always does.
        let mut hubs: Vec<u32> = self.nics.iter().filter_map(|nic| if let Net::Hub(hub) = nic.net { Some(hub) } else { None }).collect();
        hubs.sort_unstable();
        hubs.dedup();
        for hub in hubs {
            add("-netdev", format!("hubport,id=h{hub},hubid={hub}"));
        }
        all.extend(self.extra.iter().cloned());
        all
    }
}

/// Follows the machine until it ends. After its limit `place` says where it was ([`Monitor::place`]).
fn watch(
    mut machine: Bounded,
    console: &mut Console,
    monitor: &mut Monitor,
    on_line: &mut dyn FnMut(&str, &mut Monitor) -> io::Result<()>,
    place: &mut String,
) -> io::Result<ExitStatus> {
    loop {
        let ended = machine.poll_and(|| *place = monitor.place());
        console.read()?;
        while let Some(line) = console.next_line() {
            on_line(&line, monitor)?;
        }
        if let Some(status) = ended? {
            return Ok(status);
        }
        sleep(STEP);
    }
}

/// Reads the boot DOS's output.
struct Console {
    file: File,
    output: String,
    shown: usize,
}

impl Console {
    /// Reads new output, with LF line ends.
    fn read(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        self.output.extend(bytes.iter().filter(|&&byte| byte != b'\r').map(|&byte| byte as char));
        Ok(())
    }

    fn next_line(&mut self) -> Option<String> {
        let rest = &self.output[self.shown..];
        let line = rest[..rest.find('\n')?].to_string();
        self.shown += line.len() + 1;
        Some(line)
    }
}

/// QEMU's monitor during a run.
pub struct Monitor {
    socket: PathBuf,
    stream: Option<UnixStream>,
}

impl Monitor {
    /// The monitor at a socket; connected at its first use.
    pub(super) fn new(socket: PathBuf) -> Monitor {
        Monitor { socket, stream: None }
    }

    /// Pulls (`false`) or plugs in the cable of a net (`n0`) or a card (`c0`).
    pub fn set_link(&mut self, id: &str, up: bool) -> io::Result<()> {
        self.command(&format!("set_link {id} {}", if up { "on" } else { "off" })).map(drop)
    }

    /// Ends the boot DOS's `pause`, which has printed `[pause]`.
    pub fn resume(&mut self) -> io::Result<()> {
        self.command("sendkey ret").map(drop)
    }

    /// Reads `bytes` of the machine's memory at a physical address.
    pub fn memory(&mut self, from: usize, bytes: usize) -> io::Result<Vec<u8>> {
        let folder = TempDir::new("memory")?;
        let path = folder.path().join("memory");
        let answer = self.command(&format!("pmemsave {from} {bytes} \"{}\"", path.display()))?;
        fs::read(path).map_err(|error| fail(format!("{error}: {answer}")))
    }

    /// Where the machine is: it is stopped, and its registers, the state of its interrupt controllers, 64 bytes of code at CS:EIP
    /// and 64 of the stack at SS:ESP are returned as text. What the monitor does not answer is left out.
    pub(super) fn place(&mut self) -> String {
        let mut text = PLACE.to_string();
        for look in ["stop", "info registers", "info pic", "xp /64xb $pc", "xp /64xb $ss.base+$esp"] {
            let Ok(answer) = self.command(look) else { break };
            // The first line is the command's echo, the last one the prompt. DOS does not use the I/O APIC's pins.
            let lines = answer.lines().skip(1).filter(|line| !line.starts_with("(qemu)") && !line.starts_with("  pin"));
            text.extend(lines.flat_map(|line| [line, "\n"]));
        }
        text
    }

    /// Gives a command; returns the answer.
    pub fn command(&mut self, line: &str) -> io::Result<String> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let mut stream = UnixStream::connect(&self.socket)?;
                stream.set_read_timeout(Some(MONITOR_LIMIT))?;
                answer(&mut stream)?;
                stream
            }
        };
        let stream = self.stream.insert(stream);
        stream.write_all(format!("{line}\n").as_bytes())?;
        answer(stream)
    }
}

/// Reads up to the monitor's prompt.
fn answer(stream: &mut UnixStream) -> io::Result<String> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    while !text.ends_with(b"(qemu) ") {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Err(fail("QEMU's monitor has gone"));
        }
        text.extend_from_slice(&buffer[..count]);
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
