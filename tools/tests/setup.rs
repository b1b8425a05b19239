//! The commands on machines that lack something; and texts that must not be in the repository.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use compkt::install::stages::bonds::BOND_SWITCHES;
use compkt::install::stages::switches::SWITCHES;
use tools::nics::NICS;
use tools::process::TempDir;
use tools::setup;

/// A folder for PATH with only these programs of the machine, and these that do nothing.
fn machine(with: &[&str], idle: &[&str]) -> TempDir {
    let folder = TempDir::new("setup").unwrap();
    for program in with {
        let found = ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(program)).find(|path| path.exists());
        symlink(found.unwrap(), folder.path().join(program)).unwrap();
    }
    for program in idle {
        symlink("/bin/true", folder.path().join(program)).unwrap();
    }
    folder
}

/// The output of a command on such a machine, and whether it succeeded.
fn said(command: &str, machine: &TempDir) -> (String, bool) {
    let mut shell = Command::new("/bin/sh");
    shell.arg(setup::root().join("tools").join(command)).env_clear().env("PATH", machine.path()).env("HOME", machine.path());
    let done = shell.output().unwrap();
    assert!(done.stdout.is_empty(), "{}", String::from_utf8_lossy(&done.stdout));
    (String::from_utf8_lossy(&done.stderr).into_owned(), done.status.success())
}

#[test]
fn what_is_missing_and_cannot_be_had_is_one_plain_line() {
    let bare = machine(&["dirname", "id"], &["nasm", "cc"]);
    let no_apt = machine(&["dirname", "id"], &[]);
    for command in ["build", "demo", "test", "bench", "run"] {
        for (machine, words) in [(&bare, "rustup is missing; install it"), (&no_apt, "missing: nasm gcc libc6-dev; install them")] {
            let (text, well) = said(command, machine);
            assert!(!well && text.lines().count() == 1 && text.contains(words), "tools/{command}: {text}");
        }
    }
}

/// Every file of the repository.
fn files(folder: &Path, all: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if [".git", ".rigs", "target", "dist", "Cargo.lock"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            files(&path, all);
        } else if let Ok(text) = fs::read_to_string(&path) {
            all.push((path.display().to_string(), text));
        }
    }
}

#[test]
fn no_host_of_a_registry_is_named() {
    let mut all = Vec::new();
    files(setup::root(), &mut all);
    assert!(all.len() > 100, "{} files", all.len());
    // In two parts, so that this file does not contain the names.
    for (name, top) in [("debian", "org"), ("rustup", "rs"), ("rust-lang", "org"), ("crates", "io"), ("ubuntu", "com"), ("kernel", "org")] {
        let host = format!("{name}.{top}");
        for (path, text) in &all {
            let line = text.lines().find(|line| line.contains(&host));
            assert_eq!(line, None, "{path} names {host}");
        }
    }
}

/// The first column of README's table under a heading.
fn cells(heading: &str) -> Vec<String> {
    let text = fs::read_to_string(setup::root().join("README.md")).unwrap();
    let part = text.split(&format!("\n## {heading}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    part.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_string())).collect()
}

#[test]
fn readme_s_tables_have_every_driver_and_every_switch() {
    let drivers: Vec<&str> = NICS.iter().map(|nic| nic.name).collect();
    let mut listed = cells("Cards");
    assert!(drivers.iter().all(|name| listed.iter().any(|cell| cell == name)), "{drivers:?} against {listed:?}");
    listed.retain(|cell| !drivers.contains(&cell.as_str()));
    assert!(listed.is_empty(), "{listed:?} are no drivers");
    let switches: Vec<String> = SWITCHES.iter().chain(&BOND_SWITCHES).map(|switch| format!("/{}", switch.name)).collect();
    let listed: Vec<String> = cells("Switches").iter().map(|cell| cell.split('=').next().unwrap().to_string()).collect();
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(sorted(listed), sorted(switches));
}
