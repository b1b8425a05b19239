//! `tools/run`: any NIC, any DOS, scripted or by hand.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::nics::NICS;
use crate::pack;
use crate::rig::bochs::{self, Bochs};
use crate::rig::dosbox_x::DosboxX;
use crate::rig::given_dos::GivenDos;
use crate::rig::qemu::{self, Net, Nic, PLACE, Qemu};
use crate::rig::{Job, Report};
use crate::setup::{self, fail};

const HELP: &str = "\
tools/run [--nic NAME]… [--emulator qemu|dosbox-x|bochs] [--dos IMG] [--config LINE]… [--copy FILE]… [--exec CMD]…

Starts a PC with the card, with 3COMPKT.SYS, 3COMPKT.EXE and PKTCTL.EXE on its disk.

  --nic NAME       a driver's name (below), or a QEMU device with its properties: ne2k_isa,iobase=0x340,irq=5;
                   `none` for no card; more than once for more cards. Without it: ne2000
  --emulator NAME  qemu (every card), bochs (ne2000, ne2k_pci, e1000) or dosbox-x (ne2000). Without it: qemu
  --dos IMG        boot a copy of this disk or floppy image (FreeDOS, MS-DOS) in QEMU, not the project's small DOS
  --config LINE    a CONFIG.SYS line: 'DEVICE=3COMPKT.SYS /INT=61'
  --copy FILE      a file for the disk
  --exec CMD       a command; when all have run, the machine ends. Without any: a text screen in this terminal, in
                   QEMU; `exit` ends the small DOS, Alt-2 and then `quit` any
  --limit SECONDS  the longest that a machine with commands may run without printing anything. Without it: 60
  --help           this text
";

/// The command line's options.
struct Wish {
    nics: Vec<String>,
    emulator: String,
    dos: Option<String>,
    job: Job,
}

/// Runs what the arguments ask for, and prints DOS's output.
///
/// # Errors
/// One line: a wrong argument, a card or machine that is not available, or a machine that did not reach its end.
pub fn run(arguments: &[String]) -> io::Result<()> {
    let Some(mut wish) = parse(arguments)? else {
        print!("{HELP}\ndrivers: {}\n", names());
        return Ok(());
    };
    let machine = machine(&wish)?;
    pack::build()?;
    for name in ["3COMPKT.SYS", "3COMPKT.EXE", "PKTCTL.EXE"] {
        if !wish.job.files.iter().any(|(other, _)| other == name) {
            wish.job.files.push((name.into(), std::fs::read(pack::dist().join(name))?));
        }
    }
    match machine.run(&wish.job) {
        Ok(Some(report)) => {
            print!("{}", report.output);
            // Without a card there is no network.
            if let Some(pcap) = report.pcap.filter(|path| path.is_file()) {
                println!("frames: {}", pcap.display());
            }
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(error) => {
            // A rig's error has the output so far.
            let text = error.to_string();
            let (why, printed) = text.split_once(", after:\n").unwrap_or((&text, ""));
            // Behind it, after a time limit, where the machine was.
            let (printed, place) = printed.split_at(printed.find(PLACE).unwrap_or(printed.len()));
            print!("{printed}{}", if printed.is_empty() || printed.ends_with('\n') { "" } else { "\n" });
            Err(fail(format!("{why}{place}")))
        }
    }
}

/// `None`: the arguments ask for help.
fn parse(arguments: &[String]) -> io::Result<Option<Wish>> {
    let mut wish = Wish { nics: Vec::new(), emulator: "qemu".into(), dos: None, job: Job { capture: true, ..Job::default() } };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().cloned().ok_or_else(|| fail(format!("{word} wants a value; see tools/run --help")));
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--nic" => wish.nics.push(value()?),
            "--emulator" => wish.emulator = value()?,
            "--dos" => wish.dos = Some(value()?),
            "--config" => wish.job.config.push(value()?),
            "--exec" => wish.job.exec.push(value()?),
            "--copy" => wish.job.files.push(file(&value()?)?),
            "--limit" => {
                let seconds = value()?;
                let number = seconds.parse().ok().filter(|number| *number != 0);
                let number = number.ok_or_else(|| fail(format!("--limit {seconds}: it wants a number of seconds")))?;
                wish.job.limit = Duration::from_secs(number);
            }
            _ => return Err(fail(format!("{word}: no such option; see tools/run --help"))),
        }
    }
    if wish.nics.is_empty() {
        wish.nics.push("ne2000".into());
    }
    wish.nics.retain(|name| name != "none");
    Ok(Some(wish))
}

/// A file for the disk, with its DOS name.
fn file(path: &str) -> io::Result<(String, Vec<u8>)> {
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy().to_uppercase();
    let (stem, extension) = name.split_once('.').unwrap_or((&name, ""));
    let fits = |part: &str, most| part.len() <= most && part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
    if stem.is_empty() || !fits(stem, 8) || !fits(extension, 3) {
        return Err(fail(format!("{path}: DOS wants a name of at most 8 letters, a point and 3 letters")));
    }
    let contents = std::fs::read(path).map_err(|error| fail(format!("{path}: {error}")))?;
    Ok((name, contents))
}

/// The drivers' names in a line.
fn names() -> String {
    NICS.iter().filter(|nic| !nic.devices.is_empty()).map(|nic| nic.name).collect::<Vec<_>>().join(" ")
}

/// A machine that can be started.
#[derive(Debug)]
enum Machine {
    Qemu(Qemu),
    GivenDos(GivenDos),
    DosboxX(DosboxX),
    Bochs(Bochs),
}

/// The machine that the options ask for.
fn machine(wish: &Wish) -> io::Result<Machine> {
    let emulator = wish.emulator.as_str();
    if !["qemu", "dosbox-x", "bochs"].contains(&emulator) {
        return Err(fail(format!("{emulator}: the emulators are qemu, dosbox-x and bochs")));
    }
    if emulator == "qemu" {
        let qemu = with_cards(&wish.nics)?;
        return Ok(match &wish.dos {
            Some(image) if !Path::new(image).is_file() => return Err(fail(format!("{image}: there is no such image"))),
            Some(image) => Machine::GivenDos(GivenDos { qemu, image: image.into() }),
            None => Machine::Qemu(qemu),
        });
    }
    if wish.dos.is_some() {
        return Err(fail(format!("--dos is for QEMU; {emulator} runs a DOS of its own here")));
    }
    if wish.job.exec.is_empty() {
        return Err(fail(format!("{emulator} has no text screen for a terminal: give commands by --exec, or take qemu")));
    }
    let card = match &wish.nics[..] {
        [] => "none",
        [one] => one,
        _ => return Err(fail(format!("{emulator} has one card at most"))),
    };
    Ok(match (emulator, card) {
        ("dosbox-x", "ne2000") => Machine::DosboxX(DosboxX::default()),
        ("dosbox-x", "none") => Machine::DosboxX(DosboxX { ne2000: None, ..DosboxX::default() }),
        ("dosbox-x", _) => return Err(fail(format!("dosbox-x has no {card}; it has ne2000"))),
        // Its network answers only if the machine's clock does not run faster than the host's.
        _ => Machine::Bochs(Bochs { nic: in_bochs(card)?, real_time: true, ..Bochs::default() }),
    })
}

fn in_bochs(card: &str) -> io::Result<bochs::Nic> {
    Ok(match card {
        "ne2000" => Bochs::default().nic,
        "ne2k_pci" => bochs::Nic::Ne2000Pci,
        "e1000" => bochs::Nic::E1000,
        "none" => bochs::Nic::None,
        _ => return Err(fail(format!("bochs has no {card}; it has ne2000, ne2k_pci and e1000"))),
    })
}

/// QEMU with these cards, and with the plugin if one of them is a model.
fn with_cards(nics: &[String]) -> io::Result<Qemu> {
    let mut qemu = Qemu::default();
    for name in nics {
        let (device, plugin) = device(name)?;
        if plugin && qemu.plugins.is_empty() {
            qemu.plugins.push(setup::models()?.display().to_string());
        }
        qemu.nics.push(Nic { device, net: Net::User });
    }
    Ok(qemu)
}

/// The `-device` of a card, and whether it is one of the models.
fn device(name: &str) -> io::Result<(String, bool)> {
    if let Some(nic) = NICS.iter().find(|nic| nic.name == name) {
        let first = nic.devices.first().ok_or_else(|| fail(format!("{name}: no emulator has such a card")))?;
        return Ok((first.to_string(), nic.plugin));
    }
    let stem = name.split(',').next().unwrap_or_default();
    if models::plugin::names().any(|model| model == stem) {
        return Ok((name.into(), true));
    }
    // The newer QEMU cannot list its devices: that would load modules of the machine's own one.
    if qemu::is_newer(name) {
        return Ok((name.into(), false));
    }
    let known = Command::new(setup::qemu()?).args(["-nodefaults", "-device", "help"]).output()?;
    if network_devices(&String::from_utf8_lossy(&known.stdout)).contains(stem) {
        return Ok((name.into(), false));
    }
    Err(fail(format!("{name}: no such card; the names are {}, or a device of QEMU's", names())))
}

/// The cards in QEMU's list of devices: `name "e1000", bus PCI, …`, under `Network devices:`.
fn network_devices(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().skip_while(|line| *line != "Network devices:").skip(1).take_while(|line| !line.is_empty());
    lines.flat_map(|line| line.split('"').nth(1).into_iter().chain(alias(line))).collect()
}

/// `alias "…"`.
fn alias(line: &str) -> Option<&str> {
    line.split_once("alias \"")?.1.split('"').next()
}

impl Machine {
    /// Runs the job, or lets a person use the machine.
    fn run(&self, job: &Job) -> io::Result<Option<Report>> {
        match self {
            Machine::Qemu(qemu) if job.exec.is_empty() => qemu.run_by_hand(job).map(|()| None),
            Machine::GivenDos(dos) if job.exec.is_empty() => dos.by_hand(job).map(|()| None),
            Machine::Qemu(qemu) => qemu.run(job).map(Some),
            Machine::GivenDos(dos) => dos.run(job).map(Some),
            Machine::DosboxX(dosbox) => dosbox.run(job).map(Some),
            Machine::Bochs(bochs) => bochs.run(job).map(Some),
        }
    }
}
