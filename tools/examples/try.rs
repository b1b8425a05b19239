//! Scratch.
// Scratch: DEV=rtl8139 NET=peer|user|none XMS=3 CFG=... cargo run --example try -- "LINE" "LINE"
use std::time::Duration;
use tools::pack;
use tools::peer::Peer;
use tools::rig::image::{Dos, Xms};
use tools::rig::qemu::{Net, Nic, Qemu};
use tools::rig::Job;
use tools::setup;
fn main() {
    let env = |n: &str, d: &str| std::env::var(n).unwrap_or(d.into());
    if env("BUILD", "1") == "1" { pack::build().unwrap(); }
    let mut files = pack::program::all(&setup::root().join("target/i386-dos/release")).unwrap();
    for name in ["3COMPKT.SYS", "3COMPKT.EXE"] {
        files.push((name.into(), std::fs::read(pack::dist().join(name)).unwrap()));
    }
    let peer = Peer::new().unwrap();
    let net = match &*env("NET", "peer") { "peer" => peer.cable(), "user" => Net::User, _ => Net::Hub(0) };
    let xms = match &*env("XMS", "3") { "0" => Xms::None, _ => Xms::V3 };
    let qemu = Qemu {
        nics: vec![Nic { device: env("DEV", "rtl8139"), net }],
        dos: Dos { xms, ..Dos::default() },
        icount: env("ICOUNT", "0") == "1",
        extra: std::env::var("EXTRA").map(|e| e.split(' ').map(String::from).collect()).unwrap_or_default(),
        ..Qemu::default()
    };
    let job = Job { files, config: vec![env("CFG", "DEVICE=3COMPKT.SYS")], exec: std::env::args().skip(1).collect(), limit: Duration::from_secs(env("LIMIT", "120").parse().unwrap()), capture: env("PCAP", "0") == "1" };
    let mut paused = 0;
    let r = qemu.run_with(&job, &mut |line, monitor| {
        if line == "[pause]" { paused += 1; eprintln!("{}", monitor.command(&env("MON", "info irq"))?); monitor.resume()?; }
        Ok(())
    });
    match r { Ok(r) => { print!("{}", r.output); if let Some(p) = r.pcap { println!("{}", p.display()); } } Err(e) => println!("{e}") }
}
