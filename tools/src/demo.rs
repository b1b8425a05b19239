//! `tools/demo`: the driver's main use, from nothing. A CONFIG.SYS line loads the driver in DOSBox-X's DOS; it gets an address by
//! DHCP, pings, prints the statistics and is unloaded.

use std::io;

use crate::pack;
use crate::rig::Job;
use crate::rig::dosbox_x::DosboxX;
use crate::setup::fail;

const CONFIG: &str = "DEVICE=C:\\3COMPKT.SYS";
/// Each command, and a text that its output must have.
const STEPS: &[(&str, &str)] = &[
    ("PKTCTL status", "ne2000"),
    ("PKTCTL test", "4 answered"),
    ("PKTCTL status", "frames"),
    ("3COMPKT /U", "stopped"),
];

/// Runs the demonstration. Fails when a step has another result.
pub fn demo() -> io::Result<()> {
    println!("building the driver");
    pack::build()?;
    let mut job = Job { config: vec![CONFIG.into()], capture: true, ..Job::default() };
    for name in ["3COMPKT.SYS", "3COMPKT.EXE", "PKTCTL.EXE"] {
        job.files.push((name.into(), std::fs::read(pack::dist().join(name))?));
    }
    job.exec = STEPS.iter().map(|(command, _)| (*command).to_string()).collect();
    println!("starting DOSBox-X, with {CONFIG} in its CONFIG.SYS");
    let report = DosboxX::default().run(&job)?;
    println!("\n{}", report.output.trim_end());

    let mut rest = report.output.as_str();
    let mut step = |line: &str, wanted: &str| {
        let printed = rest.split_once(&format!("> {line}\n")).map_or("", |(_, after)| after);
        rest = printed;
        let end = printed.find("\n> ").unwrap_or(printed.len());
        if printed[..end].contains(wanted) { Ok(()) } else { Err(fail(format!("{line} did not say \"{wanted}\""))) }
    };
    step(CONFIG, "bytes resident")?;
    for (command, wanted) in STEPS {
        step(command, wanted)?;
    }
    println!("\nThe driver loaded from CONFIG.SYS, took an address by DHCP, pinged, and was unloaded.");
    let frames = report.pcap.ok_or_else(|| fail("no frames were captured"))?;
    println!("The frames are in {}", frames.canonicalize()?.display());
    println!("What a user copies is in {}", pack::dist().canonicalize()?.display());
    Ok(())
}
