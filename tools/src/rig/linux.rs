//! Debian's i386 Linux in QEMU with the models: it tests the models. Its drivers were written by others for the real cards. A
//! model that they drive without a complaint is good enough to test this project's drivers.
//!
//! The kernel boots an initramfs with busybox, the drivers and one script, under TCG, and switches the machine off at the end.
//! The network is QEMU's own, isolated from the host except for one forwarded connection to a listener of this rig.

use super::qemu::{self, Monitor};
use super::retries;
use crate::process::{Bounded, TempDir};
use crate::setup::{self, fail};
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// Longest time without output.
const LIMIT: Duration = Duration::from_secs(240);
/// The port of the forwarded connection in the guest, at 10.0.2.100.
const PORT: u16 = 7000;
/// The beginning of a line with a model's complaint.
pub const COMPLAINT: &str = "MODEL COMPLAINS:";

/// Functions for scripts. Each waits for an event, as long as a busy host needs; if the event never comes, the machine's limit
/// ends the run.
///
/// `again NAME COMMAND…` runs a command until it succeeds, at most 20 times, and prints how often if more than once. `pings SIZE
/// ADDRESS` waits until two echoes are answered. `carrier CARD` waits for the card's link. `upload FILE` sends a file through
/// the forwarded connection and waits until the host has it. Few segments are under way at once: Linux's 3c515 driver never
/// leaves `boomerang_rx` when it finds its ring full.
const FUNCTIONS: &str = r#"
again() {
    name=$1; shift; tries=0
    until "$@"; do
        tries=$((tries + 1)); [ $tries -lt 20 ] || return 1
    done
    [ $tries = 0 ] || echo "$tries $name again"
}
pings() { ping -q -c 2 -w 20 -i 0.05 -s $1 $2 | grep -q ' 0% packet loss'; }
carrier() { until [ "$(cat /sys/class/net/$1/carrier)" = 1 ]; do sleep 0.1; done; }
upload() {
    echo 4096 8192 8192 > /proc/sys/net/ipv4/tcp_wmem
    nc 10.0.2.100 7000 < $1 & sender=$!
    until tftp -g -l /received -r received 10.0.2.2 2>/dev/null; do sleep 0.2; done
    kill $sender
}
"#;

/// The machine, and what its Linux does.
#[derive(Clone, Debug, Default)]
pub struct Linux {
    /// `-device` of each card without its net; card N gets the network `nN`.
    pub cards: Vec<String>,
    /// Drivers with their parameters: `3c509 nopnp=1`. A module that another one needs comes before it.
    pub modules: Vec<String>,
    /// Further parameters of the kernel's command line.
    pub kernel: String,
    /// The script, which runs after the drivers are loaded and may call [`FUNCTIONS`].
    pub script: String,
    /// The file that TFTP at 10.0.2.2 offers as `file`. When as many bytes have come through the forwarded connection, these
    /// are offered as `received`.
    pub file: Vec<u8>,
    /// All cards are on one hub with the first card's network; otherwise each has its own.
    pub hub: bool,
    /// Lines of the script's output, at which the first card's cable is pulled (false) or plugged in (true).
    pub cable: Vec<(String, bool)>,
    /// Each card's cable ends at a socket of this rig, for [`Linux::run_with`]; otherwise in QEMU's own network.
    pub wired: bool,
}

/// The other ends of the cables of [`Linux::wired`]'s cards, and the console.
pub struct Wires {
    ends: Vec<(UnixDatagram, PathBuf)>,
    monitor: Monitor,
    console: PathBuf,
}

impl Wires {
    /// The next frame that has come on card `number`'s cable.
    pub fn receive(&self, number: usize) -> Option<Vec<u8>> {
        let mut buffer = [0; 2048];
        let count = self.ends[number].0.recv(&mut buffer).ok()?;
        Some(buffer[..count].to_vec())
    }

    /// Sends a frame; it is lost if the guest takes none.
    pub fn send(&self, number: usize, frame: &[u8]) {
        let (socket, to) = &self.ends[number];
        let _ = socket.send_to(frame, to);
    }

    /// Pulls (false) or plugs in a card's cable.
    ///
    /// # Errors
    /// QEMU's monitor does not answer.
    pub fn plug(&mut self, number: usize, up: bool) -> io::Result<()> {
        self.monitor.set_link(&format!("n{number}"), up)
    }

    /// Whether the script has printed this line.
    pub fn printed(&self, line: &str) -> bool {
        text_of(&self.console).contains(&format!("{line}\n"))
    }
}

/// The result of a run.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The console: messages of the kernel and of the script.
    pub console: String,
    /// The number of repetitions.
    pub retries: u32,
    /// The models' complaints.
    pub complaints: Vec<String>,
    /// The bytes that came through the forwarded connection.
    pub received: Vec<u8>,
    /// Frames on the first card's cable, in both directions.
    pub frames: Vec<Vec<u8>>,
}

/// Writes a file or folder of the initramfs.
fn entry(archive: &mut Vec<u8>, name: &str, mode: u32, contents: &[u8]) {
    let number = archive.len();
    let fields = [number as u32, mode, 0, 0, 1, 0, contents.len() as u32, 0, 0, 0, 0, name.len() as u32 + 1, 0];
    archive.extend_from_slice(b"070701");
    for field in fields {
        archive.extend_from_slice(format!("{field:08X}").as_bytes());
    }
    archive.extend_from_slice(name.as_bytes());
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend_from_slice(contents);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

/// The path of a kernel module under `folder`.
fn find_module(folder: &Path, name: &str) -> io::Result<Option<PathBuf>> {
    for item in fs::read_dir(folder)? {
        let path = item?.path();
        if path.is_dir() {
            if let Some(found) = find_module(&path, name)? {
                return Ok(Some(found));
            }
        } else if path.file_name().is_some_and(|file| file.to_string_lossy() == format!("{name}.ko")) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

impl Linux {
    fn initramfs(&self, root: &Path) -> io::Result<Vec<u8>> {
        const FOLDER: u32 = 0o40755;
        const PROGRAM: u32 = 0o100755;
        let mut archive = Vec::new();
        for folder in ["bin", "proc", "sys", "dev"] {
            entry(&mut archive, folder, FOLDER, b"");
        }
        let busybox = ["bin/busybox", "usr/bin/busybox"].map(|path| root.join(path));
        let busybox = busybox.iter().find(|path| path.exists()).ok_or_else(|| fail("no busybox was unpacked"))?;
        entry(&mut archive, "bin/busybox", PROGRAM, &fs::read(busybox)?);
        let mut init = String::from(
            "#!/bin/busybox sh\n/bin/busybox --install -s /bin\nexport PATH=/bin\nmount -t proc proc /proc\nmount -t sysfs sys /sys\n\
             mount -t devtmpfs dev /dev\n",
        );
        for line in &self.modules {
            let name = line.split(' ').next().unwrap_or_default();
            let path = find_module(&root.join("lib/modules"), name)?.ok_or_else(|| fail(format!("the kernel has no module {name}")))?;
            entry(&mut archive, &format!("{name}.ko"), 0o100644, &fs::read(path)?);
            let parameters = line.strip_prefix(name).unwrap_or_default();
            init.push_str(&format!("insmod /{name}.ko{parameters} || echo FAILED insmod {name}\n"));
        }
        init.push_str(FUNCTIONS);
        init.push_str(&self.script);
        init.push_str("\necho SCRIPT ENDED\npoweroff -f\n");
        entry(&mut archive, "init", PROGRAM, init.as_bytes());
        entry(&mut archive, "TRAILER!!!", 0, b"");
        Ok(archive)
    }

    /// Boots Linux. Errors: the rig cannot be set up, or the machine did not switch itself off within its limit.
    pub fn run(&self) -> io::Result<Verdict> {
        self.run_with(&mut |_| Ok(()))
    }

    /// The same; `at_the_other_end` is called every few milliseconds, with the cables' other ends.
    ///
    /// # Errors
    /// Those of [`Linux::run`] and of `at_the_other_end`.
    pub fn run_with(&self, at_the_other_end: &mut dyn FnMut(&mut Wires) -> io::Result<()>) -> io::Result<Verdict> {
        let root = setup::linux()?;
        let folder = TempDir::new("linux")?;
        let path = |name: &str| folder.path().join(name);
        fs::write(path("initramfs"), self.initramfs(&root)?)?;
        fs::create_dir(path("tftp"))?;
        fs::write(path("tftp").join("file"), &self.file)?;
        let kernels = fs::read_dir(root.join("boot"))?.flatten().map(|item| item.path());
        let kernel = kernels.filter(|path| path.to_string_lossy().contains("vmlinuz-")).max().ok_or_else(|| fail("no kernel was unpacked"))?;
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();

        let mut wires = Wires { ends: Vec::new(), monitor: Monitor::new(path("monitor")), console: path("console") };
        for number in 0..if self.wired { self.cards.len() } else { 0 } {
            let socket = UnixDatagram::bind(path(&format!("end{number}")))?;
            socket.set_nonblocking(true)?;
            wires.ends.push((socket, path(&format!("card{number}"))));
        }
        let mut command = self.command(&path, &kernel, port)?;
        let mut machine = Bounded::start(&mut command, LIMIT)?.watching(path("console"));
        let text = |name: &str| text_of(&path(name));
        let (ended, received) = self.serve(&mut machine, &listener, &path, wires, at_the_other_end)?;
        let console = text("console");
        let complaints = text("complaints").lines().filter(|line| line.starts_with(COMPLAINT)).map(str::to_string).collect();
        match ended {
            Ok(_) if console.contains("SCRIPT ENDED") => {
                let frames = frames(&fs::read(path("frames"))?);
                Ok(Verdict { retries: retries(&console), console, complaints, received, frames })
            }
            Ok(status) => Err(fail(format!("Linux ended early ({status:?}):\n{console}\n{}", text("errors")))),
            Err(error) => Err(fail(format!("{error} in Linux, after:\n{console}\n{}", text("errors")))),
        }
    }

    /// QEMU with the cards; `path` names the files of this run. `port`: where the guest's connection is taken.
    fn command(&self, path: impl Fn(&str) -> PathBuf, kernel: &Path, port: u16) -> io::Result<Command> {
        let mut command = qemu::emulator(self.cards.iter().map(String::as_str))?;
        command.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "pc", "-accel", "tcg", "-m", "128"]);
        command.arg("-plugin").arg(format!("{},log={}", setup::models()?.display(), path("complaints").display()));
        command.arg("-serial").arg(format!("file:{}", path("console").display()));
        command.arg("-kernel").arg(kernel).arg("-initrd").arg(path("initramfs"));
        // On a busy host the kernel would measure its processor's clock wrongly, wait too short, or find its processor stuck.
        // So it does not use that clock and no watchdogs, and its delays are set for loops of 0.2 ns: they are longer than
        // needed.
        let settings = "console=ttyS0 panic=-1 mitigations=off lpj=20000000 tsc=unstable nowatchdog";
        command.arg("-append").arg(format!("{settings} {}", self.kernel));
        command.arg("-chardev").arg(format!("socket,id=mon,path={},server=on,wait=off", path("monitor").display()));
        command.args(["-mon", "chardev=mon,mode=readline"]);
        for (number, card) in self.cards.iter().enumerate() {
            let forward = if number == 0 { format!(",guestfwd=tcp:10.0.2.100:{PORT}-tcp:127.0.0.1:{port}") } else { String::new() };
            let net = format!("10.0.{}.0/24", 2 + number);
            let tftp = path("tftp");
            let user = format!("net={net},restrict=on,tftp={}{forward}", tftp.display());
            if self.wired {
                let [card, end] = ["card", "end"].map(|side| path(&format!("{side}{number}")));
                let ends = format!("local.type=unix,local.path={},remote.type=unix,remote.path={}", card.display(), end.display());
                command.arg("-netdev").arg(format!("dgram,id=n{number},{ends}"));
            } else if !self.hub {
                command.arg("-netdev").arg(format!("user,id=n{number},{user}"));
            } else {
                if number == 0 {
                    command.arg("-netdev").arg(format!("user,id=host,{user}"));
                    command.args(["-netdev", "hubport,id=port,hubid=0,netdev=host"]);
                }
                command.arg("-netdev").arg(format!("hubport,id=n{number},hubid=0"));
            }
            if number == 0 {
                let frames = path("frames");
                command.arg("-object").arg(format!("filter-dump,id=dump,netdev=n0,file={},maxlen=2048", frames.display()));
            }
            command.arg("-device").arg(format!("{card},netdev=n{number}"));
        }
        let errors = File::create(path("errors"))?;
        command.stdout(errors.try_clone()?).stderr(errors);
        Ok(command)
    }

    /// Pulls and plugs the cable when the script says so, and takes what the guest sends, until the machine ends.
    fn serve(
        &self,
        machine: &mut Bounded,
        listener: &TcpListener,
        path: impl Fn(&str) -> PathBuf,
        mut wires: Wires,
        at_the_other_end: &mut dyn FnMut(&mut Wires) -> io::Result<()>,
    ) -> io::Result<(io::Result<Option<ExitStatus>>, Vec<u8>)> {
        let mut received = Vec::new();
        let mut stream = None;
        let mut cable = self.cable.iter().peekable();
        loop {
            match machine.poll() {
                Ok(None) => {}
                ended => return Ok((ended, received)),
            }
            if let Some((_, up)) = cable.next_if(|(line, _)| text_of(&path("console")).contains(&format!("{line}\n"))) {
                wires.plug(0, *up)?;
            }
            at_the_other_end(&mut wires)?;
            if stream.is_none() {
                stream = listener.accept().ok().map(|(stream, _)| stream);
            }
            if let Some(stream) = &mut stream {
                stream.set_read_timeout(Some(Duration::from_millis(20)))?;
                let mut buffer = [0; 65536];
                let until = Instant::now() + Duration::from_millis(50);
                while Instant::now() < until
                    && let Ok(count @ 1..) = stream.read(&mut buffer)
                {
                    received.extend_from_slice(&buffer[..count]);
                    if received.len() == self.file.len() {
                        fs::write(path("tftp").join("received"), "all of it")?;
                    }
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A file as text; empty if there is no file.
fn text_of(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).replace('\r', "")).unwrap_or_default()
}

/// The frames of a pcap file: a header of 24 bytes; each frame has one of 16 bytes, with its length at offset 8.
pub(super) fn frames(pcap: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = pcap.get(24..).unwrap_or_default();
    let mut all = Vec::new();
    while let Some((head, more)) = rest.split_at_checked(16) {
        let len = u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize;
        let Some((frame, more)) = more.split_at_checked(len) else { break };
        all.push(frame.to_vec());
        rest = more;
    }
    all
}

/// The checksum of busybox's `crc32`: that of Ethernet and zip.
pub fn crc32(data: &[u8]) -> u32 {
    let step = |crc: u32, _| crc >> 1 ^ if crc & 1 != 0 { 0xEDB8_8320 } else { 0 };
    !data.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ *byte as u32, step))
}

#[cfg(test)]
mod tests {
    #[test]
    fn crc32_is_the_usual_one() {
        assert_eq!(super::crc32(b"123456789"), 0xCBF4_3926);
    }
}
