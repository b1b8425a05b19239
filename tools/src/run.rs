//! `tools/run`: any NIC, any DOS, scripted.

use std::io;
use std::path::Path;

use crate::pack;
use crate::rig::Job;
use crate::rig::dosbox_x::DosboxX;
use crate::rig::given_dos::GivenDos;
use crate::rig::qemu::{Net, Nic, Qemu};
use crate::setup::fail;

/// Runs what the arguments say and prints what DOS printed.
pub fn run(arguments: &[String]) -> io::Result<()> {
    pack::build()?;
    let mut job = Job { capture: true, ..Job::default() };
    for name in ["3COMPKT.SYS", "3COMPKT.EXE", "PKTCTL.EXE"] {
        job.files.push((name.into(), std::fs::read(pack::dist().join(name))?));
    }
    let mut emulator = "qemu".to_string();
    let mut nic = "ne2k_isa,iobase=0x300,irq=10".to_string();
    let mut dos = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().cloned().ok_or_else(|| fail(format!("{word} wants a value")));
        match word.as_str() {
            "--emulator" => emulator = value()?,
            "--nic" => nic = value()?,
            "--config" => job.config.push(value()?),
            "--exec" => job.exec.push(value()?),
            "--dos" => dos = Some(value()?),
            "--copy" => {
                let path = value()?;
                let name = Path::new(&path).file_name().unwrap_or_default().to_string_lossy().to_uppercase();
                job.files.push((name, std::fs::read(&path).map_err(|error| fail(format!("{path}: {error}")))?));
            }
            _ => return Err(fail(format!("{word}: no such option"))),
        }
    }
    let qemu = Qemu { nics: vec![Nic { device: nic, net: Net::User }], ..Qemu::default() };
    let report = match (emulator.as_str(), dos) {
        ("qemu", None) => qemu.run(&job)?,
        // Without commands a person gives them.
        ("qemu", Some(image)) if job.exec.is_empty() => return GivenDos { qemu, image: image.into() }.by_hand(&job),
        ("qemu", Some(image)) => GivenDos { qemu, image: image.into() }.run(&job)?,
        ("dosbox-x", None) => DosboxX::default().run(&job)?,
        ("dosbox-x", Some(_)) => return Err(fail("--dos wants --emulator qemu")),
        (other, _) => return Err(fail(format!("{other}: no such emulator"))),
    };
    print!("{}", report.output);
    if let Some(pcap) = report.pcap {
        println!("frames: {}", pcap.display());
    }
    Ok(())
}
