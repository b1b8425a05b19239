//! The example configurations in `dosbox/`.

mod fixtures;

use fixtures::{SENT, back, check_nic, echo, fixture, nic};
use std::fs;
use std::process::Stdio;
use std::time::Duration;
use tools::process::{Bounded, TempDir};
use tools::rig::qemu::Qemu;
use tools::setup;

#[test]
fn qemu_has_the_card_and_reaches_the_host() {
    let file = setup::root().join("dosbox/qemu.cfg").display().to_string();
    let rig = Qemu { extra: vec!["-readconfig".into(), file], ..Qemu::default() };
    check_nic(0x300, false, |job| rig.run(job).unwrap());
}

#[test]
fn dosbox_x_loads_the_driver_from_dist() {
    let folder = TempDir::new("example").unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("dist")).unwrap();
    // Programs in place of the driver and PKTCTL: the file's lines must find them, and the card.
    let (port, echo) = echo();
    fs::write(path("dist/3COMPKT.EXE"), fixture("probe.asm", &[])).unwrap();
    fs::write(path("dist/PKTCTL.COM"), nic(0x300, port)).unwrap();
    let mut command = setup::dosbox_x().unwrap().command();
    command.arg("-conf").arg(setup::root().join("dosbox/dosbox-x.conf"));
    command.args(["-nogui", "-nomenu", "-fastlaunch", "-exit"]);
    for setting in ["dosbox quit warning=false", "log logfile=log", "dos log console=quiet", "sdl output=surface"] {
        command.args(["-set", setting]);
    }
    command.envs([("SDL_VIDEODRIVER", "dummy"), ("SDL_AUDIODRIVER", "dummy")]).env("HOME", folder.path());
    command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    Bounded::start(&mut command, Duration::from_secs(300)).unwrap().wait().unwrap();
    let log = fs::read(path("log")).unwrap();
    let log = String::from_utf8_lossy(&log);
    let driver = log.find("tail [] PE 0000").unwrap_or_else(|| panic!("{log}"));
    assert!(log[driver..].contains(&back()), "{log}");
    assert_eq!(echo.join().unwrap(), SENT);
}
