//! `tools/run` as a person uses it: by names, scripted in three emulators, and at a text screen; one line for each thing that is
//! not possible.

mod terminal;

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use terminal::Terminal;
use tools::nics::NICS;
use tools::process::{Bounded, TempDir};
use tools::{pack, setup};

/// Longest time of a run, with its builds on a slow machine.
const LIMIT: Duration = Duration::from_secs(900);

/// Output, errors, and success of a run.
fn run(arguments: &[&str]) -> (String, String, bool) {
    let folder = TempDir::new("run").unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tools"));
    command.arg("run").args(arguments).current_dir(folder.path());
    command.stdout(File::create(path("out")).unwrap()).stderr(File::create(path("err")).unwrap());
    let status = Bounded::start(&mut command, LIMIT).unwrap().wait().unwrap();
    let text = |name: &str| String::from_utf8_lossy(&fs::read(path(name)).unwrap()).into_owned();
    (text("out"), text("err"), status.success())
}

/// A run that succeeds; its captures are removed.
fn good(arguments: &[&str]) -> String {
    let (out, err, well) = run(arguments);
    assert!(well && err.is_empty(), "{arguments:?}: {err}\n{out}");
    if let Some(path) = out.lines().find_map(|line| line.strip_prefix("frames: ")) {
        assert!(fs::metadata(path).unwrap().len() > 24, "frames were captured");
        fs::remove_file(path).unwrap();
    }
    out
}

/// A run that ends with one line, which has these words, without a machine.
fn refused(arguments: &[&str], words: &str) {
    let (out, err, well) = run(arguments);
    assert!(!well && out.is_empty() && err.lines().count() == 1, "{arguments:?}: {out}{err}");
    assert!(err.contains(words), "{arguments:?}: {err}");
}

#[test]
fn what_cannot_be_is_one_line() {
    let names: Vec<&str> = NICS.iter().filter(|nic| !nic.devices.is_empty()).map(|nic| nic.name).collect();
    refused(&["--nic", "nosuch", "--exec", "MEM"], &format!("nosuch: no such card; the names are {}", names.join(" ")));
    // A QEMU device that is no network card.
    refused(&["--nic", "isa-vga", "--exec", "MEM"], "isa-vga: no such card");
    refused(&["--emulator", "vmware"], "the emulators are qemu, dosbox-x and bochs");
    refused(&["--emulator", "bochs", "--nic", "rtl8139", "--exec", "MEM"], "bochs has no rtl8139; it has ne2000, ne2k_pci and e1000");
    refused(&["--emulator", "dosbox-x", "--nic", "e1000", "--exec", "MEM"], "dosbox-x has no e1000; it has ne2000");
    refused(&["--emulator", "bochs", "--nic", "ne2000", "--nic", "e1000", "--exec", "MEM"], "bochs has one card at most");
    refused(&["--emulator", "bochs"], "bochs has no text screen for a terminal");
    refused(&["--emulator", "dosbox-x", "--dos", "x.img", "--exec", "MEM"], "--dos is for QEMU");
    refused(&["--dos", "nosuch.img", "--exec", "VER"], "nosuch.img: there is no such image");
    refused(&["--nic"], "--nic wants a value");
    refused(&["--nonsense"], "--nonsense: no such option");
    refused(&["--copy", "nosuch.com", "--exec", "MEM"], "nosuch.com: No such file");
    refused(&["--copy", "much_too_long.com", "--exec", "MEM"], "DOS wants a name");
    refused(&["--limit", "0", "--exec", "MEM"], "--limit 0");
    refused(&[], "a text screen wants a terminal");
}

#[test]
fn a_machine_that_does_not_end_is_told_with_what_it_printed() {
    let (out, err, well) = run(&["--nic", "none", "--limit", "5", "--exec", "A20", "--exec", "PAUSE"]);
    assert!(!well, "{out}");
    assert_eq!(out, "> A20\n[a20 0]\n[exit 0]\n> PAUSE\n[pause]\n");
    assert!(err.starts_with("time limit in QEMU\n") && err.contains("EIP="), "{err}");
}

#[test]
fn help_names_every_option_and_driver() {
    let text = good(&["--help"]);
    for option in ["--nic", "--emulator", "--dos", "--config", "--copy", "--exec", "--limit"] {
        assert!(text.contains(&format!("\n  {option} ")), "{option}");
    }
    for nic in NICS.iter().filter(|nic| !nic.devices.is_empty()) {
        assert!(text.lines().last().unwrap().split(' ').any(|word| word == nic.name), "{}", nic.name);
    }
}

#[test]
fn every_driver_s_name_is_a_card_that_it_finds() {
    for nic in NICS.iter().filter(|nic| !nic.devices.is_empty()) {
        let text = good(&["--nic", nic.name, "--config", "DEVICE=3COMPKT.SYS", "--exec", "PKTCTL test"]);
        assert!(text.contains(&nic.line_at_load()) && text.contains("\n[exit 0]\n"), "{text}");
    }
}

#[test]
fn cards_as_qemu_and_the_models_name_them() {
    let cards = ["--nic", "ne2k_isa,iobase=0x340,irq=5", "--nic", "el3,iobase=0x280,irq=11"];
    let commands = ["--exec", "3COMPKT /IO=340", "--exec", "3COMPKT /INT=61", "--exec", "PKTCTL test /INT=60"];
    let text = good(&[&cards[..], &commands[..]].concat());
    assert!(text.contains("ne2000 at port 340h, IRQ 5") && text.contains("el3 at port 280h, IRQ 11"), "{text}");
    // Only the newer QEMU has this one.
    let text = good(&["--nic", "igb,addr=6,mac=52:54:00:00:00:07", "--exec", "3COMPKT", "--exec", "PKTCTL test"]);
    assert!(text.contains("at PCI 0:6.0") && text.contains("52:54:00:00:00:07"), "{text}");
}

#[test]
fn files_are_brought_along_and_may_replace_ours() {
    let folder = TempDir::new("copy").unwrap();
    let (program, stand_in) = (folder.path().join("own.com"), folder.path().join("pktctl.exe"));
    fs::write(&program, pack::program::read(&pack::binaries(), "pktctl").unwrap()).unwrap();
    // mov ax, 4C07h; int 21h
    fs::write(&stand_in, [0xB8, 0x07, 0x4C, 0xCD, 0x21]).unwrap();
    let paths = [&program, &stand_in].map(|path| path.display().to_string());
    let text = good(&["--nic", "none", "--copy", &paths[0], "--copy", &paths[1], "--exec", "OWN /?", "--exec", "PKTCTL /?"]);
    assert!(text.contains("> OWN /?\nPKTCTL status") && text.ends_with("> PKTCTL /?\n[exit 7]\n"), "{text}");
}

#[test]
fn dosbox_x_and_bochs_run_the_cards_that_they_have() {
    for (emulator, nic) in [("dosbox-x", "ne2000"), ("bochs", "ne2000"), ("bochs", "ne2k_pci"), ("bochs", "e1000")] {
        let text = good(&["--emulator", emulator, "--nic", nic, "--config", "DEVICE=C:\\3COMPKT.SYS", "--exec", "PKTCTL test"]);
        assert!(text.contains(&format!("3COMPKT: {nic} at ")) && text.contains("\n[exit 0]\n"), "{emulator} {nic}: {text}");
    }
    for emulator in ["dosbox-x", "bochs"] {
        let text = good(&["--emulator", emulator, "--nic", "none", "--exec", "3COMPKT"]);
        assert!(text.contains("3COMPKT: no NIC found") && !text.contains("frames: "), "{emulator}: {text}");
    }
}

/// Longest wait for text on the screen, or for a process to end.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn without_commands_a_person_types_them_at_a_text_screen() {
    setup::qemu().unwrap();
    let folder = TempDir::new("screen").unwrap();
    let arguments = ["run", "--nic", "e1000", "--config", "DEVICE=3COMPKT.SYS"];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_tools"), &arguments, folder.path(), PATIENCE);
    terminal.wait("3COMPKT: e1000");
    // Backspace removes a letter.
    terminal.type_line("A>", "PKTCTL memx\x7F");
    terminal.wait("stack");
    terminal.type_line("A>", "dir");
    terminal.wait("PKTCTL.EXE");
    terminal.type_line("A>", "exit");
    assert_eq!(terminal.end().code(), Some(0));
}

/// A process and when it began, which tells it from a later one of the same number.
type Process = (u32, String);

/// The state, the parent and the beginning of a process: fields 3, 4 and 22 of its `stat`, behind its name in brackets.
fn stat(process: u32) -> Option<(String, u32, String)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    Some((fields.first()?.to_string(), fields.get(1)?.parse().ok()?, fields.get(19)?.to_string()))
}

/// What a process has started.
fn children(of: u32) -> Vec<Process> {
    let all = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    all.filter_map(|id| stat(id).filter(|process| process.1 == of).map(|process| (id, process.2))).collect()
}

/// What a process has started, and what those have.
fn descendants(of: u32) -> Vec<Process> {
    let mut all = children(of);
    let mut next = 0;
    while let Some((id, _)) = all.get(next) {
        all.extend(children(*id));
        next += 1;
    }
    all
}

/// Is it a machine in QEMU?
fn is_machine(process: &Process) -> bool {
    fs::read_to_string(format!("/proc/{}/cmdline", process.0)).is_ok_and(|line| line.split('\0').any(|word| word == "-nodefaults"))
}

/// Waits until `what` holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(50));
    }
}

/// Waits until all of these have ended. One whose status nobody has taken yet has.
fn have_ended(processes: &[Process]) {
    let runs = |(id, begun): &Process| stat(*id).is_some_and(|now| now.2 == *begun && now.0 != "Z");
    until(&format!("{processes:?} were left running"), || !processes.iter().any(runs));
}

#[test]
fn a_program_at_a_text_screen_that_is_killed_leaves_no_machine_running() {
    setup::qemu().unwrap();
    let folder = TempDir::new("screen").unwrap();
    // A shell starts it, and stays when it has gone.
    let arguments = ["-c", "\"$0\" run --nic none; exec sleep 1000", env!("CARGO_BIN_EXE_tools")];
    let mut terminal = Terminal::start("sh", &arguments, folder.path(), PATIENCE);
    terminal.wait("A>");
    let [program] = &children(terminal.id())[..] else { panic!("the shell starts one program") };
    let started = descendants(program.0);
    assert!(started.iter().any(is_machine));
    assert!(Command::new("kill").args(["-KILL", &program.0.to_string()]).status().unwrap().success());
    have_ended(&started);
}

/// The variable that has a test be the one that is killed.
const VICTIM: &str = "KILLED_IN_THE_MIDDLE";

#[test]
fn a_test_program_that_is_killed_in_the_middle_leaves_nothing_running() {
    if std::env::var_os(VICTIM).is_some() {
        run(&["--nic", "none", "--limit", "600", "--exec", "PAUSE"]);
        return;
    }
    setup::qemu().unwrap();
    let folder = TempDir::new("killed").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_test_program_that_is_killed_in_the_middle_leaves_nothing_running"]);
    command.env(VICTIM, "1").env("TMPDIR", folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut program = Bounded::start(&mut command, LIMIT).unwrap();
    let mut started = Vec::new();
    until("no machine was started", || {
        assert!(program.poll().unwrap().is_none(), "the test ended before its machine ran");
        started = descendants(program.id());
        started.iter().any(is_machine)
    });
    // What it has started is in sessions of their own.
    program.kill();
    have_ended(&started);
}
