//! Shared by tests of the image: the files, jobs, and a report's steps.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::codes;
use super::runner::{self, Verdict};
use crate::nics::{Nic, is_model};
use crate::peer::Peer;
use crate::rig::bochs::Bochs;
use crate::rig::dosbox_x::DosboxX;
use crate::rig::image::{Dos, assemble};
use crate::rig::qemu::{self, Monitor, Net, Qemu};
use crate::rig::{Job, Report, retries};
use crate::{pack, setup};

/// The image and the programs, built once, and results that tests leave for each other.
pub struct Lab {
    files: OnceLock<Result<Vec<(String, Vec<u8>)>, String>>,
    /// Number of FUZZ's calls on each NIC.
    pub calls: u32,
    /// CONFORM's output by rig, all lines.
    pub answers: Mutex<Vec<(String, Vec<String>)>>,
    /// [`Dos::skip`] by machine and the lines that load the driver.
    skips: Mutex<BTreeMap<String, u16>>,
}

/// Bytes of a page of QEMU's.
const PAGE: u32 = 4096;

impl Lab {
    /// With nothing built yet.
    pub fn new(calls: u32) -> Lab {
        Lab { files: OnceLock::new(), calls, answers: Mutex::new(Vec::new()), skips: Mutex::default() }
    }

    /// Frames that INTEGRIT exchanges on each NIC.
    pub fn frames(&self) -> u32 {
        self.calls / 25
    }

    /// The same in a machine of another kind.
    pub fn fewer_frames(&self) -> u32 {
        self.calls / 60
    }

    /// The driver under both its names, and the programs.
    pub fn files(&self) -> Result<&[(String, Vec<u8>)], String> {
        match self.files.get_or_init(|| build().map_err(|error| format!("the build failed: {error}"))) {
            Ok(files) => Ok(files),
            Err(why) => Err(why.clone()),
        }
    }

    /// A job with these files, and these CONFIG.SYS lines and commands.
    pub fn job<L: AsRef<str>>(&self, config: &[L], exec: &[L]) -> Result<Job, String> {
        let lines = |lines: &[L]| lines.iter().map(|line| line.as_ref().to_string()).collect();
        Ok(Job { files: self.files()?.to_vec(), config: lines(config), exec: lines(exec), ..Job::default() })
    }

    /// The machine, with the driver at such a place that its stack begins at a page, and no code is in that page. QEMU looks for
    /// translated code at each write to a page with code; for a program that calls the driver all the time this was nine tenths
    /// of the run. A first run loads the driver and asks PKTCTL; if that fails, the machine is as it was.
    pub fn apart(&self, rig: &Qemu, job: &Job) -> Qemu {
        let load = job.exec.iter().position(|line| line.starts_with("3COMPKT")).filter(|_| job.config.is_empty());
        let mut exec: Vec<String> = job.exec[..load.map_or(0, |at| at + 1)].to_vec();
        exec.push("PKTCTL mem".into());
        let devices: Vec<&str> = rig.nics.iter().map(|nic| nic.device.as_str()).collect();
        let bytes: usize = job.files.iter().map(|(_, bytes)| bytes.len()).sum();
        let key = format!("{devices:?} {:?} {:?} {exec:?} {bytes}", rig.dos, job.config);
        let known = self.skips.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        let skip = known.unwrap_or_else(|| {
            let mut first = Qemu { dos: Dos { skip: 1, ..rig.dos }, ..rig.clone() };
            first.nics.iter_mut().for_each(|nic| nic.net = Net::Hub(0));
            let report = first.run(&Job { exec, capture: false, ..job.clone() });
            report.ok().and_then(|report| skip(&report.output)).unwrap_or(0)
        });
        self.skips.lock().unwrap_or_else(PoisonError::into_inner).insert(key, skip);
        Qemu { dos: Dos { skip, ..rig.dos }, ..rig.clone() }
    }

    /// Keeps CONFORM's output.
    pub fn note(&self, rig: &str, lines: Vec<String>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push((rig.into(), lines));
    }
}

/// The [`Dos::skip`] with which the driver's stack begins at a page, from PKTCTL's output with a skip of 1.
fn skip(output: &str) -> Option<u16> {
    let (_, text) = output.split_once("3COMPKT at segment ")?;
    let segment = u32::from_str_radix(text.split_once('h')?.0, 16).ok()?;
    let part = |name: &str| -> Option<u32> { text.lines().find_map(|line| line.split_once(name)?.0.trim().parse().ok()) };
    // The stack is the last part.
    let start = segment * 16 + part(" all")? - part(" stack")?;
    Some((start.next_multiple_of(PAGE) - start).div_ceil(16) as u16 + 1)
}

/// A small program from `fixtures/`.
pub fn fixture(source: &str, defines: &[&str]) -> io::Result<Vec<u8>> {
    assemble(&setup::root().join(format!("tools/src/suite/fixtures/{source}.asm")), defines)
}

/// The line, between two CLOCKs.
pub fn timed(line: &str) -> Vec<String> {
    ["CLOCK", line, "CLOCK"].map(String::from).into()
}

/// The time between two CLOCKs, in microseconds of the machine's time.
pub fn passed(output: &str) -> Option<u32> {
    let mut times = output.lines().filter_map(|line| line.strip_prefix("[clock ")?.strip_suffix(']')?.parse::<u32>().ok());
    let (before, behind) = (times.next()?, times.next()?);
    behind.checked_sub(before)
}

fn build() -> io::Result<Vec<(String, Vec<u8>)>> {
    pack::build()?;
    let mut files = Vec::new();
    for name in ["3COMPKT.SYS", "3COMPKT.EXE"] {
        files.push((name.to_string(), std::fs::read(pack::dist().join(name))?));
    }
    files.extend(pack::program::all(&pack::binaries())?);
    for (name, source, defines) in [
        ("HOOK60.COM", "hook", &["VECTOR=0x60"][..]),
        ("HOOK08.COM", "hook", &["VECTOR=0x08"]),
        ("SHARE08.COM", "share", &["VECTOR=0x08"]),
        ("SHARE2D.COM", "share", &["VECTOR=0x2D"]),
        ("HOOK2D.COM", "hook", &["VECTOR=0x2D"]),
        ("SHARE72.COM", "share", &["VECTOR=0x72"]),
        ("HOOK72.COM", "hook", &["VECTOR=0x72"]),
        ("HOLD.COM", "hold", &[]),
        ("TAKE.COM", "hold", &["TAKE"]),
        ("OTHER.COM", "other", &[]),
        ("FOREIGN.COM", "foreign", &[]),
        ("STALE.COM", "stale", &[]),
        ("HOLE.COM", "stale", &["HOLE"]),
        ("STAYS.COM", "stale", &["STAYS"]),
        ("STALE.SYS", "stale", &["DRIVER"]),
        ("KEY.COM", "key", &[]),
        ("SLICES.COM", "slices", &[]),
        ("LINES50.COM", "lines", &[]),
        ("LINES43.COM", "lines", &["ROWS=43"]),
        ("HOG.COM", "hog", &[]),
        ("HOGXMS.COM", "hogxms", &[]),
        ("STALL.COM", "stall", &[]),
        ("UNHEARD.COM", "unheard", &[]),
        ("HEARD.COM", "unheard", &["HEARD"]),
        ("AWAIT.COM", "await", &[]),
        ("FLOWS.COM", "flows", &[]),
        ("FLOWS2.COM", "flows", &["OTHERS"]),
        ("CHOOSE2.COM", "choose", &["NIC=2"]),
        ("CHOOSE9.COM", "choose", &["NIC=9"]),
        ("ASKED.COM", "choose", &["ASK"]),
        ("TAKES.COM", "await", &["TAKE"]),
        ("NOLINES.COM", "nolines", &[]),
        ("DEADLINE.COM", "reroute", &["ROUTE=0x80"]),
        ("MOVELINE.COM", "reroute", &["ROUTE=5"]),
        ("EJECT.COM", "eject", &[]),
        ("CLOCK.COM", "clock", &[]),
        ("UNTOUCH.COM", "untouched", &[]),
        ("CLIENT.COM", "client", &[]),
        ("LONE.COM", "client", &["LONE"]),
        ("SEEN.COM", "client", &["LOOK"]),
        ("PART.COM", "client", &["LOOK", "CLOSE"]),
        ("CLIENT2.COM", "client", &["SECOND"]),
        ("SEEN2.COM", "client", &["LOOK", "SECOND"]),
        ("PART2.COM", "client", &["LOOK", "CLOSE", "SECOND"]),
        ("STEP.COM", "step", &[]),
        ("STEPS.COM", "step", &["LOOK"]),
        ("LISTEN.COM", "listen", &[]),
        ("ASK.COM", "listen", &["ASK"]),
        ("DOUBLE.COM", "layout", &["DOUBLE"]),
        ("ODDSIZE.COM", "layout", &["SIZE=20"]),
        ("LATER.COM", "layout", &["LAYOUT=2"]),
        ("MEDIUM.COM", "medium", &[]),
        ("SPUR7.COM", "spurious", &["LINE=7"]),
        ("SPUR15.COM", "spurious", &["LINE=15"]),
        ("COMMAND.COM", "command", &[]),
        ("V86.COM", "v86", &[]),
        ("NOGATE.COM", "nogate", &[]),
        ("MODE.COM", "mode", &[]),
        ("CHANGE.COM", "change", &[]),
        ("KEEPER.COM", "keeper", &[]),
        ("RELAY.COM", "relay", &[]),
        ("FLIP.COM", "flip", &[]),
        ("LEAVE.COM", "leave", &[]),
        ("SHARING.COM", "sharing", &[]),
        ("OVER.COM", "over", &[]),
        ("LIMITS.COM", "limits", &[]),
        ("LIMITSFS.COM", "limits", &["FLAT_FS"]),
    ] {
        files.push((name.to_string(), fixture(source, defines)?));
    }
    Ok(files)
}

/// QEMU with one card, on QEMU's own network.
pub fn qemu(nic: &Nic) -> Result<Qemu, String> {
    qemu_on(nic, Net::User)
}

/// QEMU with one card.
pub fn qemu_on(nic: &Nic, net: Net) -> Result<Qemu, String> {
    let device = nic.devices.first().ok_or_else(|| format!("no machine has a card for {}", nic.name))?;
    qemu_of(device, net)
}

/// QEMU with this device as its only card.
pub fn qemu_of(device: &str, net: Net) -> Result<Qemu, String> {
    let plugins = if is_model(device) { vec![setup::models().map_err(|error| error.to_string())?.display().to_string()] } else { Vec::new() };
    Ok(Qemu { nics: vec![qemu::Nic { device: device.into(), net }], plugins, ..Qemu::default() })
}

/// The NE2000, for tests in which the card does not matter.
pub fn ne2000() -> &'static Nic {
    crate::nics::NICS.iter().find(|nic| nic.name == "ne2000").expect("the list has an NE2000")
}

/// The numbers that are words of a program's text.
pub fn numbers(text: &str) -> Vec<u32> {
    text.split([' ', ',', ']', '\n']).filter_map(|word| word.parse().ok()).collect()
}

/// Starts a peer.
pub fn peer() -> Result<Peer, String> {
    Peer::new().map_err(|error| error.to_string())
}

/// A broadcast of a type that no client wants.
pub fn unasked(number: usize, len: usize) -> Vec<u8> {
    let mut frame = vec![number as u8; len];
    frame[..6].fill(0xFF);
    frame[6] = 2;
    frame[12..14].copy_from_slice(&[0x88, 0xB6]);
    frame
}

/// Runs a job; `on_line` acts at each line of its output.
pub fn watched(rig: &Qemu, job: &Job, on_line: &mut dyn FnMut(&str, &mut Monitor)) -> Result<Steps, String> {
    let report = rig.run_with(job, &mut |line, monitor| {
        on_line(line, monitor);
        Ok(())
    });
    report.map(Steps::of).map_err(|error| error.to_string())
}

/// A rig.
pub trait Rig {
    /// Runs a job. The error has the reason and what was printed.
    fn steps(&self, job: &Job) -> Result<Steps, String>;
}

impl Rig for Qemu {
    fn steps(&self, job: &Job) -> Result<Steps, String> {
        self.run(job).map(Steps::of).map_err(|error| error.to_string())
    }
}

impl Rig for DosboxX {
    fn steps(&self, job: &Job) -> Result<Steps, String> {
        self.run(job).map(Steps::of).map_err(|error| error.to_string())
    }
}

impl Rig for Bochs {
    fn steps(&self, job: &Job) -> Result<Steps, String> {
        self.run(job).map(Steps::of).map_err(|error| error.to_string())
    }
}

/// A line that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The line.
    pub line: String,
    /// Its output, without the last line end.
    pub text: String,
    /// A command's exit code.
    pub exit: Option<u8>,
}

/// All steps of a job, in order.
#[derive(Clone, Debug)]
pub struct Steps {
    /// The whole report.
    pub report: Report,
    /// The steps.
    pub all: Vec<Step>,
}

impl Steps {
    /// Splits a report.
    pub fn of(report: Report) -> Steps {
        runner::retried(retries(&report.output));
        let mut all: Vec<Step> = Vec::new();
        for line in report.output.lines() {
            let exit = line.strip_prefix("[exit ").and_then(|rest| rest.strip_suffix(']')?.parse().ok());
            if let Some(line) = line.strip_prefix("> ") {
                all.push(Step { line: line.into(), text: String::new(), exit: None });
            } else if let Some(step) = all.last_mut() {
                if exit.is_some() {
                    step.exit = exit;
                    continue;
                }
                if !step.text.is_empty() {
                    step.text.push('\n');
                }
                step.text.push_str(line);
            }
        }
        Steps { report, all }
    }

    /// Fails with a reason and all output.
    pub fn fail<T>(&self, why: impl AsRef<str>) -> Result<T, String> {
        Err(format!("{}, in:\n{}", why.as_ref(), self.report.output))
    }

    /// All runs of a line.
    pub fn each(&self, line: &str) -> Vec<&Step> {
        self.all.iter().filter(|step| step.line == line).collect()
    }

    /// The first run of a line.
    pub fn first(&self, line: &str) -> Result<&Step, String> {
        self.each(line).first().copied().map_or_else(|| self.fail(format!("`{line}` did not run")), Ok)
    }

    /// Fails if `good` is false.
    pub fn holds(&self, good: bool, what: impl AsRef<str>) -> Verdict {
        if good { Ok(()) } else { self.fail(format!("not so: {}", what.as_ref())) }
    }

    /// Every run of the line has ended with this exit code.
    pub fn exits(&self, line: &str, code: u8) -> Verdict {
        self.first(line)?;
        for step in self.each(line) {
            self.holds(step.exit == Some(code), format!("`{line}` ends with {code}"))?;
        }
        Ok(())
    }

    /// Every run of the line was refused, with the exit code of the line that it printed.
    pub fn refuses(&self, line: &str) -> Verdict {
        self.first(line)?;
        for step in self.each(line) {
            let code = codes::of(&step.text);
            self.holds(code.is_some() && step.exit == code, format!("`{line}` ends with the exit code of what it prints, {code:?}"))?;
        }
        Ok(())
    }

    /// The output of every run of the line contains this text.
    pub fn prints(&self, line: &str, text: &str) -> Verdict {
        self.first(line)?;
        for step in self.each(line) {
            self.holds(step.text.contains(text), format!("`{line}` prints `{text}`"))?;
        }
        Ok(())
    }

    /// The output of every run of the line is the same.
    pub fn same(&self, line: &str) -> Verdict {
        let first = self.first(line)?;
        for step in self.each(line) {
            self.holds(step.text == first.text, format!("`{line}` always prints the same"))?;
        }
        Ok(())
    }

    /// Removes the capture.
    pub fn forget_capture(&self) {
        if let Some(pcap) = &self.report.pcap {
            let _ = std::fs::remove_file(pcap);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::skip;

    #[test]
    fn the_stack_begins_at_a_page() {
        let of = |segment: u32, all: u32| {
            let text = format!("3COMPKT at segment {segment:04X}h, conventional memory:\n     2216  core    ###\n      356  stack   #\n  {all}  all\n");
            let moved = u32::from(skip(&text).unwrap()) - 1;
            ((segment + moved) * 16 + all - 356) % 4096
        };
        for (segment, all) in [(0x4DB, 3792), (0x4DC, 3792), (0x540, 3424), (0xFFF, 9185)] {
            assert!(of(segment, all) < 16, "{segment:X} {all}");
        }
        assert_eq!(skip("no driver"), None);
    }
}
