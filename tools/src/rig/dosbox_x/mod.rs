//! DOSBox-X with its own DOS, memory manager and NE2000. It is the one DOS by others that a script can download.
//!
//! The job's files are drive C:, the rig's own are drive R:. Output is taken from the emulator's console log; marks, which
//! MARK.COM on drive R: prints, show the line to which it belongs.

use super::image::assemble;
use super::{Job, Report};
use crate::process::{Bounded, TempDir};
use crate::setup::{self, fail};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// The mark in the console log: see `mark.asm`.
const MARK: &str = "\n\x04";

/// Longest time without output, if the job gives none.
const LIMIT: Duration = Duration::from_secs(60);

/// The machine.
#[derive(Clone, Debug)]
pub struct DosboxX {
    /// The NE2000's first port and IRQ; none: no card. Its network is DOSBox-X's own: 10.0.2.2 is the host's loopback and a
    /// DHCP server.
    pub ne2000: Option<(u16, u8)>,
    /// Upper memory.
    pub umb: bool,
    /// Extended memory by the XMS interface.
    pub xms: bool,
    /// Expanded memory.
    pub ems: bool,
    /// All programs run in V86 mode under an EMM386; that includes EMS.
    pub v86: bool,
    /// FILES= in CONFIG.SYS, if not DOSBox-X's default.
    pub files: Option<u8>,
    /// DOSBox-X's `cputype`: `8086`, `286`, `386`, `486`, `pentium`.
    pub cpu: String,
    /// DOSBox-X's `cycles`: `max`, `fixed 10000`.
    pub cycles: String,
}

impl Default for DosboxX {
    fn default() -> DosboxX {
        DosboxX {
            ne2000: Some((0x300, 10)),
            umb: true,
            xms: true,
            ems: false,
            v86: false,
            files: None,
            cpu: "pentium".into(),
            cycles: "max".into(),
        }
    }
}

impl DosboxX {
    /// Runs a job. Errors: no emulator, or no end within the limit; the text has what was printed.
    pub fn run(&self, job: &Job) -> io::Result<Report> {
        let emulator = setup::dosbox_x()?;
        let limit = if job.limit.is_zero() { LIMIT } else { job.limit };
        let folder = TempDir::new("dosbox-x")?;
        self.lay_out(job, folder.path())?;

        let (tap, pcap) = if job.capture { (Some(setup::wiretap()?), Some(super::new_pcap("dosbox-x")?)) } else { (None, None) };
        let mut command = emulator.command_with(tap.as_deref());
        command.envs(pcap.iter().map(|path| ("WIRETAP", path)));
        command.args(["-conf", "rig.conf", "-nogui", "-nomenu", "-fastlaunch", "-exit"]);
        command.envs([("SDL_VIDEODRIVER", "dummy"), ("SDL_AUDIODRIVER", "dummy")]);
        // A home folder of its own, without a user's settings.
        command.env("HOME", folder.path()).env_remove("XDG_CONFIG_HOME").current_dir(folder.path());
        let messages = folder.path().join("messages");
        command.stdout(Stdio::null()).stderr(File::create(&messages)?);
        let console = folder.path().join("console.log");
        let ended = Bounded::start(&mut command, limit)?.watching(&console).wait();

        let log = fs::read(console).unwrap_or_default();
        let (output, whole) = parse(&log);
        match ended {
            Ok(_) if whole => Ok(Report { output, pcap }),
            Ok(status) if !status.success() => {
                let text = fs::read_to_string(messages).unwrap_or_default();
                let said = text.lines().rev().find(|line| !line.is_empty()).unwrap_or("nothing");
                Err(fail(format!("DOSBox-X ended with {status}, saying `{said}`, after:\n{output}")))
            }
            _ => Err(io::Error::new(io::ErrorKind::TimedOut, format!("DOSBox-X did not end by itself after:\n{output}"))),
        }
    }

    fn lay_out(&self, job: &Job, folder: &Path) -> io::Result<()> {
        let (drive_c, drive_r, drive_z) = (folder.join("c"), folder.join("r"), folder.join("drivez"));
        for path in [&drive_c, &drive_r, &drive_z] {
            fs::create_dir(path)?;
        }
        for (name, contents) in &job.files {
            fs::write(drive_c.join(name), contents)?;
        }
        let rig = setup::root().join("tools/src/rig/dosbox_x/mark.asm");
        fs::write(drive_r.join("MARK.COM"), assemble(&rig, &[])?)?;
        fs::write(drive_z.join("DEVICE.COM"), assemble(&setup::root().join("dosbox/device.asm"), &[])?)?;

        let mut config = self.settings(folder);
        let files = self.files.map_or_else(String::new, |files| format!("files={files}\n"));
        config.push_str(&format!("[config]\n{files}install=mount.com c \"{}\"\n", drive_c.display()));
        config.push_str(&format!("install=mount.com r \"{}\"\n", drive_r.display()));
        let mut batch = String::from("@echo off\r\nc:\r\n");
        let mark = |number: usize, text: &str| fs::write(drive_r.join(number.to_string()), format!("\r{MARK}{text}\r\n"));
        for (number, line) in job.config.iter().enumerate() {
            mark(number, &format!("> {line}"))?;
            config.push_str(&format!("install=r:\\mark.com {number}\n{line}\n"));
        }
        for (number, line) in (job.config.len()..).zip(&job.exec) {
            mark(number, &format!("> {line}"))?;
            // Without `call` a batch file would not return.
            let call = if is_batch(job, line) { "call " } else { "" };
            batch.push_str(&format!("r:\\mark {number}\r\n{call}{line}\r\nr:\\mark\r\n"));
        }
        let end = job.config.len() + job.exec.len();
        mark(end, "end")?;
        batch.push_str(&format!("r:\\mark {end}\r\nexit\r\n"));
        fs::write(drive_r.join("RUN.BAT"), batch)?;
        config.push_str("[autoexec]\n@r:\\run.bat\n");
        fs::write(folder.join("rig.conf"), config)
    }

    fn settings(&self, folder: &Path) -> String {
        let ems = match (self.v86, self.ems) {
            (true, _) => "emm386",
            (_, true) => "true",
            _ => "false",
        };
        let mut text = format!(
            "[sdl]\noutput=surface\n[dosbox]\nquit warning=false\nmemsize=16\n\
             [log]\nlogfile={}\n[dos]\nlog console=quiet\nxms={}\numb={}\nems={ems}\nemm386 startup active={}\n\
             [cpu]\ncore=normal\ncputype={}\ncycles={}\n",
            folder.join("console.log").display(),
            self.xms,
            self.umb,
            self.v86,
            self.cpu,
            self.cycles,
        );
        if let Some((base, irq)) = self.ne2000 {
            text.push_str(&format!(
                "[ne2000]\nne2000=true\nnicbase={base:x}\nnicirq={irq}\nmacaddr=AC:DE:48:88:99:AA\nbackend=slirp\n"
            ));
        }
        text
    }
}

/// Whether the line starts a batch file of the job.
fn is_batch(job: &Job, line: &str) -> bool {
    let name = line.split([' ', '/']).next().unwrap_or_default().to_ascii_uppercase();
    let name = name.trim_end_matches(".BAT");
    job.files.iter().any(|(file, _)| file.strip_suffix(".BAT") == Some(name))
}

/// The report's text from the console log, and whether the job reached its end.
fn parse(log: &[u8]) -> (String, bool) {
    let log: String = log.iter().filter(|&&byte| byte != b'\r').map(|&byte| byte as char).collect();
    let mut output = String::new();
    // DOSBox-X's own messages precede the first mark.
    for piece in log.split(MARK).skip(1) {
        if piece == "end\n" {
            return (output, true);
        }
        if !output.is_empty() && !output.ends_with('\n') {
            output.push('\n');
        }
        match piece.strip_prefix("[exit ").and_then(|rest| rest.split_once(']')) {
            Some((code, rest)) => output.push_str(&format!("[exit {}]{rest}", code.parse::<u8>().unwrap_or_default())),
            None => output.push_str(piece),
        }
    }
    (output, false)
}
