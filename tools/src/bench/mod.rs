//! `tools/bench`: the cost of the driver on every NIC, in resident bytes and in instructions for a frame; and the cost of
//! another packet driver, if one is given.
//!
//! The machine is QEMU with `-icount`, in which nothing depends on the host: two runs print the same. The frames come from a
//! second card on the same hub, driven by a second copy of the driver (`src/programs/bench`).

pub mod bonds;
pub mod bulk;
pub mod failover;
pub mod picture;
pub mod registers;
pub mod screen;
pub mod table;
pub mod watch;

use std::io;
use std::path::Path;
use std::time::Duration;

use compkt::resident::table::ENTRIES;

use crate::nics::{Found, NICS, Nic, is_model};
use crate::pack::checks::Role;
use crate::pack::{self, Units, Way};
use crate::process::TempDir;
use crate::rig::image::{Dos, Xms};
use crate::rig::qemu::{self, Net, Qemu};
use crate::rig::{Job, Report};
use crate::setup::{self, fail};
use crate::suite::machine::{fixture, passed, timed};
use table::{Cost, Row};

/// The card that sends.
const SENDER: &str = "ne2k_isa,iobase=0x340,irq=3,mac=02:00:00:00:00:B0";
const LOAD_SENDER: &str = "3COMPKT /INT=61 /NIC=ne2000 /IO=340 /IRQ=3";
/// Frames in the card before its interrupt, in BENCH's bursts.
pub const BURST: u32 = 16;
/// BENCH's switch for the longest time with interrupts off.
const FLOOD: &str = "/FLOOD=100";
const LIMIT: Duration = Duration::from_secs(120);

const OPTIONS: &str = "--nic NAME, --bonds, --bulk, --failover, --image, --memory, --screen, --svg, --peer FILE, --peer-args \"0x60 9 0x300\"";

#[derive(Default)]
struct Options {
    nic: Option<String>,
    peer: Option<String>,
    peer_arguments: String,
    bulk: bool,
    image: bool,
    memory: bool,
    svg: bool,
    screen: bool,
    bonds: bool,
    failover: bool,
}

/// Measures and prints the tables.
///
/// # Errors
/// A driver does not load or loses frames here, or figures contradict each other.
pub fn run(arguments: &[String]) -> io::Result<()> {
    let mut options = Options::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().cloned().ok_or_else(|| fail(format!("{word} wants a value")));
        match word.as_str() {
            "--nic" => options.nic = Some(value()?),
            "--peer" => options.peer = Some(value()?),
            "--peer-args" => options.peer_arguments = value()?,
            "--bulk" => options.bulk = true,
            "--image" => options.image = true,
            "--memory" => options.memory = true,
            "--svg" => options.svg = true,
            "--screen" => options.screen = true,
            "--bonds" => options.bonds = true,
            "--failover" => options.failover = true,
            _ => return Err(fail(format!("{word}: the options are {OPTIONS}"))),
        }
    }
    // Another driver is for one card: the NE2000, unless the user names one.
    let wanted = options.nic.clone().or_else(|| options.peer.as_ref().map(|_| "ne2000".into()));
    let chosen = |nic: &&Nic| !nic.devices.is_empty() && wanted.as_ref().is_none_or(|name| nic.name == name);
    let nics: Vec<&Nic> = NICS.iter().filter(chosen).collect();
    if nics.is_empty() {
        return Err(fail("no machine has such a NIC"));
    }
    pack::build()?;
    if options.bulk {
        return bulk::run(&nics);
    }
    if options.screen {
        print!("{}", watch::picture()?);
        return Ok(());
    }
    if options.bonds {
        return bonds::run();
    }
    if options.failover {
        return failover::run(options.nic.as_deref());
    }
    let units = Units::read(&pack::binaries())?;
    if options.memory {
        units.memory().map_err(fail)?.iter().for_each(|line| println!("{line}"));
        print!("\n{}", bonds::memory()?);
        return Ok(());
    }
    if options.image {
        print!("{}", units.image()?.text());
        return Ok(());
    }
    let mut rows = Vec::new();
    for nic in nics {
        eprintln!("measuring {}", nic.name);
        // The picture has neither the time until a driver is ready nor its bytes without XMS.
        rows.push(if options.svg { figures(nic, &units)? } else { ours(nic, &units)? });
        if let Some(path) = &options.peer {
            eprintln!("measuring {path}");
            rows.push(peers(nic, Path::new(path), &options.peer_arguments)?);
        }
    }
    if options.svg {
        print!("{}", picture::svg(&rows));
        return Ok(());
    }
    print!("{}\n{}", table::text(&rows), units.image()?.text());
    pack::build_by(&Way::wide())?;
    let wide = Units::read(&Way::wide().binaries())?;
    let sizes = |units: &Units| -> Vec<(String, u16)> {
        let resident = units.all().into_iter().filter(|(_, role)| *role == Role::Resident);
        resident.map(|(unit, _)| (unit.name.clone(), unit.total)).collect()
    };
    print!("\n{}", table::sizes(&sizes(&units), &sizes(&wide)));
    Ok(())
}

fn machine(device: &str, dos: Dos) -> io::Result<Qemu> {
    let card = |device: &str| qemu::Nic { device: device.into(), net: Net::Hub(0) };
    let plugins = if is_model(device) { vec![setup::models()?.display().to_string()] } else { Vec::new() };
    Ok(Qemu { dos, nics: vec![card(device), card(SENDER)], plugins, icount: true, ..Qemu::default() })
}

fn device(nic: &Nic) -> &'static str {
    nic.devices.first().copied().unwrap_or_default()
}

/// The value of a property in a `-device` string.
fn property<'a>(device: &'a str, name: &str) -> Option<&'a str> {
    device.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// Measures this project's driver on a NIC, each in a machine of its own: with XMS; time until it is ready; without XMS if
/// that differs.
///
/// # Errors
/// Those of [`run`].
pub fn ours(nic: &Nic, units: &Units) -> io::Result<Row> {
    let mut row = figures(nic, units)?;
    let mut load = Job { exec: timed(&format!("3COMPKT{}", choice(nic))), limit: LIMIT, ..Job::default() };
    load.files = pack::files()?;
    load.files.push(("CLOCK.COM".into(), fixture("clock", &[])?));
    let loaded = machine(device(nic), Dos::default())?.run(&load)?;
    row.ready = passed(&loaded.output).map(|us| us.div_ceil(1000));
    if nic.memory && !nic.plain {
        let job = job(nic, &["PKTCTL mem"])?;
        let report = machine(device(nic), Dos { xms: Xms::None, ..Dos::default() })?.run(&job)?;
        row.without_xms = Some(table::blocks(said(&report, "PKTCTL mem")?)?.iter().map(|block| block.1).sum());
    }
    Ok(row)
}

/// Resident bytes with XMS, and instructions for a frame.
///
/// # Errors
/// Those of [`run`].
pub fn figures(nic: &Nic, units: &Units) -> io::Result<Row> {
    // /BURST only for this project's driver: some other driver's card may not hold a burst.
    let bench = format!("BENCH /BURST={BURST} {FLOOD}");
    // The usual DOS has A20 on: FreeDOS always, MS-DOS with DOS=HIGH.
    let job = job(nic, &["A20 ON", LOAD_SENDER, "PKTCTL mem /INT=60", "pause", &bench])?;
    let folder = TempDir::new("trace")?;
    let trace = folder.path().join("trace");
    let report = machine(device(nic), Dos::default())?.run_with(&job, &mut |line, monitor| {
        if line == "[pause]" {
            monitor.command(&format!("logfile {}", trace.display()))?;
            monitor.command(registers::TRACE)?;
            monitor.resume()?;
        }
        Ok(())
    })?;
    let blocks = table::blocks(said(&report, "PKTCTL mem /INT=60")?)?;
    agree(nic, units, &blocks, &report)?;
    let mut row = Row { name: nic.name.into(), blocks, cost: cost(&report, &bench)?, ..Row::default() };
    row.burst = table::burst(said(&report, &bench)?);
    row.closed = closed(&report, &bench)?;
    row.accesses = registers::counted(nic, &std::fs::read_to_string(&trace)?);
    row.resident = row.blocks.iter().map(|block| block.1).sum();
    let kept = told(&report, &job.config[0], "[device resident ")?;
    if kept != row.resident {
        return Err(fail(format!("{}: the blocks have {} bytes and DOS keeps {kept}", nic.name, row.resident)));
    }
    Ok(row)
}

/// Instructions of BENCH's `/WAITING=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Frames that wait.
    pub frames: u32,
    /// The interrupt of one more of 1,514 bytes, which its receiver refuses.
    pub kept: u32,
    /// Offering one of them again, which its receiver takes.
    pub offered: u32,
}

/// Measures frames of 1,514 bytes that wait in XMS in real mode: with 10 and with `most` of them.
///
/// # Errors
/// Those of [`run`].
pub fn waiting(nic: &Nic, most: u32) -> io::Result<[Waiting; 2]> {
    let bench = format!("BENCH /WAITING={most}");
    let mut job = job(nic, &[LOAD_SENDER, &bench])?;
    // The machine has 16 MB.
    job.config[0] += " /XMS=8192 /HOLD=250";
    let report = machine(device(nic), Dos::default())?.run(&job)?;
    let text = said(&report, &bench)?;
    table::waiting(text).ok_or_else(|| fail(format!("BENCH failed:\n{}", report.output)))
}

/// The driver by DEVICE=, and commands.
fn job(nic: &Nic, exec: &[&str]) -> io::Result<Job> {
    let config = vec![format!("DEVICE=3COMPKT.SYS{}", choice(nic))];
    Ok(Job { files: pack::files()?, config, exec: exec.iter().map(ToString::to_string).collect(), limit: LIMIT, ..Job::default() })
}

/// The switches that select the measured card and not the sender.
fn choice(nic: &Nic) -> String {
    let place = match property(device(nic), "iobase") {
        Some(port) => format!(" /IO={}", port.trim_start_matches("0x")),
        // An ISA card selects its line before the sender has one.
        None if matches!(nic.found, Found::Isa(_)) => " /IRQ=10".into(),
        None => String::new(),
    };
    format!(" /NIC={}{place}", nic.name)
}

/// The output of a line.
fn said<'a>(report: &'a Report, line: &str) -> io::Result<&'a str> {
    report.of(line).ok_or_else(|| fail(format!("{line} did not run:\n{}", report.output)))
}

/// The number behind `words` in the output of a line.
fn told(report: &Report, line: &str, words: &str) -> io::Result<u32> {
    let text = said(report, line)?;
    let number = text.split_once(words).and_then(|(_, rest)| rest.split([' ', ']']).next()?.parse().ok());
    number.ok_or_else(|| fail(format!("{line} did not print `{words}`:\n{}", report.output)))
}

/// The longest times with interrupts off.
fn closed(report: &Report, line: &str) -> io::Result<[u32; 2]> {
    table::closed(said(report, line)?).ok_or_else(|| fail(format!("BENCH failed:\n{}", report.output)))
}

/// BENCH's figures.
fn cost(report: &Report, line: &str) -> io::Result<Cost> {
    table::cost(said(report, line)?).ok_or_else(|| fail(format!("BENCH failed:\n{}", report.output)))
}

/// Checks that the driver's information block has the sizes of the packed units.
fn agree(nic: &Nic, units: &Units, blocks: &[(String, u32)], report: &Report) -> io::Result<()> {
    let packed = |name: &str| {
        let unit = units.all().into_iter().map(|(unit, _)| unit).find(|unit| unit.name == name);
        unit.map(|unit| u32::from(unit.total.next_multiple_of(4))).unwrap_or_default()
    };
    // The header of the driver's unit counts as the core's.
    for (block, unit, elsewhere) in [("core", "core", 0), ("NIC driver", nic.name, ENTRIES.into())] {
        let resident = blocks.iter().find(|(name, _)| name == block).map(|block| block.1).unwrap_or_default();
        let packed = packed(unit) - elsewhere;
        if resident != packed {
            let text = format!("{}: {block} has {resident} bytes in memory and {packed} by the pack step", nic.name);
            return Err(fail(format!("{text}:\n{}", report.output)));
        }
    }
    Ok(())
}

/// Measures another driver on the same card, with the interrupt and port of its arguments.
fn peers(nic: &Nic, path: &Path, arguments: &str) -> io::Result<Row> {
    let file = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
    let mut files = pack::files()?;
    files.push((file.clone(), std::fs::read(path).map_err(|error| fail(format!("{}: {error}", path.display())))?));
    let load = format!("{file} {arguments}").trim_end().to_string();
    let bench = format!("BENCH {FLOOD}");
    let job = Job {
        files,
        exec: vec![load.clone(), LOAD_SENDER.into(), bench.clone()],
        limit: LIMIT,
        ..Job::default()
    };
    let rig = machine(&card_for(device(nic), arguments), Dos::default())?;
    let report = Qemu { forgiving: true, ..rig }.run(&job)?;
    let resident = told(&report, &load, "[resident ")?;
    Ok(Row { name: format!("{} ({file})", nic.name), resident, cost: cost(&report, &bench)?, closed: closed(&report, &bench)?, ..Row::default() })
}

/// The card at the interrupt and port of Crynwr's positional arguments, if the card's can be set.
fn card_for(device: &str, arguments: &str) -> String {
    let numbers: Vec<&str> = arguments.split_whitespace().filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).collect();
    let put = |device: String, name: &str, value: Option<&&str>| match (property(&device, name), value) {
        (Some(old), Some(value)) => device.replace(&format!("{name}={old}"), &format!("{name}={value}")),
        _ => device,
    };
    let device = put(device.to_string(), "irq", numbers.get(1));
    put(device, "iobase", numbers.get(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_goes_where_a_peer_expects_it() {
        let card = "ne2k_isa,iobase=0x300,irq=10";
        assert_eq!(card_for(card, "0x60 9 0x320"), "ne2k_isa,iobase=0x320,irq=9");
        assert_eq!(card_for(card, "-n 0x60 0x5"), "ne2k_isa,iobase=0x300,irq=0x5");
        assert_eq!(card_for(card, ""), card);
        assert_eq!(card_for("pcnet", "0x60 9 0x320"), "pcnet");
    }
}
