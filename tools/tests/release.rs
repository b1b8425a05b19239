//! `tools/release`: what is in it, and that the same sources give the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;
use tools::process::TempDir;
use tools::setup::{self, quiet};
use tools::{pack, release};

/// A release in a folder of its own.
fn made(folder: &TempDir) -> std::path::PathBuf {
    pack::build().unwrap();
    release::make(&folder.path().join("release")).unwrap()
}

fn run(command: &mut Command) -> String {
    quiet(command).unwrap()
}

/// The files of an unpacked archive, by their names.
fn files(folder: &Path, below: &str) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder.join(below)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            all.extend(files(folder, &format!("{name}/")));
        } else {
            all.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    all
}

fn unpacked(archive: &Path, to: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::create_dir_all(to).unwrap();
    run(Command::new(setup::unzip().unwrap()).arg("-q").arg(archive).arg("-d").arg(to));
    files(to, "")
}

/// FreeDOS's package manager wants names of 8.3 in capitals, the description in APPINFO, and folders with the package's name.
#[test]
fn the_package_is_as_freedos_expects() {
    let folder = TempDir::new("package").unwrap();
    let package = unpacked(&made(&folder).join("3COMPKT.ZIP"), &folder.path().join("package"));
    for name in package.keys() {
        for part in name.split('/') {
            let (stem, extension) = part.split_once('.').unwrap_or((part, ""));
            let allowed = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            assert!((1..=8).contains(&stem.len()) && extension.len() <= 3 && allowed(stem) && allowed(extension), "{name}");
        }
    }
    for (name, dist) in [("BIN/3COMPKT.SYS", "3COMPKT.SYS"), ("BIN/3COMPKT.EXE", "3COMPKT.EXE"), ("BIN/PKTCTL.EXE", "PKTCTL.EXE"), ("DOC/3COMPKT/3COMPKT.TXT", "3COMPKT.TXT")] {
        assert!(package[name] == fs::read(pack::dist().join(dist)).unwrap(), "{name} is what the build made");
    }
    let text = |name: &str| String::from_utf8(package[name].clone()).unwrap();
    let lsm = text("APPINFO/3COMPKT.LSM");
    let lines: Vec<&str> = lsm.split("\r\n").collect();
    assert_eq!((lines[0], lines[lines.len() - 2]), ("Begin3", "End"), "{lsm}");
    for field in ["Title:", "Version:", "Entered-date:", "Description:", "Author:", "Copying-policy:"] {
        let value = lines.iter().find_map(|line| line.strip_prefix(field)).map(str::trim);
        assert!(value.is_some_and(|value| !value.is_empty()), "{field} in {lsm}");
    }
    for name in ["DOC/3COMPKT/LICENSE.TXT", "SOURCE/3COMPKT/3COMPKT.H", "SOURCE/3COMPKT/3COMPKT.INC"] {
        let text = text(name);
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{name} has the line ends of DOS");
    }
    let archive = folder.path().join("sources.zip");
    fs::write(&archive, &package["SOURCE/3COMPKT/SOURCES.ZIP"]).unwrap();
    let sources = unpacked(&archive, &folder.path().join("sources"));
    let tracked = run(Command::new("git").arg("-C").arg(setup::root()).args(["ls-files", "-z"]));
    let there: Vec<&str> = tracked.split_terminator('\0').filter(|name| setup::root().join(name).is_file()).collect();
    assert_eq!(sources.len(), there.len());
    for name in there {
        assert!(sources[name] == fs::read(setup::root().join(name)).unwrap(), "{name}");
    }
}

/// The floppy has the files in its root, and the checksums are those of the files.
#[test]
fn the_floppy_has_what_a_user_copies() {
    let folder = TempDir::new("floppy").unwrap();
    let made = made(&folder);
    let image = made.join("3COMPKT.IMG");
    assert_eq!(fs::metadata(&image).unwrap().len(), 1440 * 1024);
    for name in ["3COMPKT.SYS", "3COMPKT.EXE", "PKTCTL.EXE", "3COMPKT.TXT"] {
        let to = folder.path().join(name);
        run(Command::new(setup::mtools().unwrap()).args(["-n", "-i"]).arg(&image).arg(format!("::{name}")).arg(&to));
        assert!(fs::read(to).unwrap() == fs::read(pack::dist().join(name)).unwrap(), "{name}");
    }
    run(Command::new("sha256sum").current_dir(&made).args(["--quiet", "-c", "SHA256SUM"]));
}

/// Later, with files that were copied anew and in another order.
#[test]
fn a_release_made_again_has_the_same_bytes() {
    let (first, second) = (TempDir::new("first").unwrap(), TempDir::new("second").unwrap());
    let sums = |folder: &TempDir| fs::read_to_string(made(folder).join("SHA256SUM")).unwrap();
    let before = sums(&first);
    // A time in an archive has steps of two seconds.
    sleep(Duration::from_millis(2100));
    assert_eq!(before, sums(&second));
}

/// A clone in another folder builds everything anew, from the same commit, and makes the same release.
#[test]
fn long_a_clone_makes_the_same_release() {
    let folder = TempDir::new("clone").unwrap();
    let clone = folder.path().join("elsewhere");
    run(Command::new("git").args(["clone", "-q"]).arg(setup::root()).arg(&clone));
    let changed = run(Command::new("git").arg("-C").arg(setup::root()).args(["diff", "--name-only", "-z", "HEAD"]));
    for name in changed.split_terminator('\0') {
        fs::copy(setup::root().join(name), clone.join(name)).unwrap();
    }
    run(Command::new(clone.join("tools/release")).env_remove("CARGO_TARGET_DIR"));
    let sums = |folder: &Path| fs::read_to_string(folder.join("SHA256SUM")).unwrap();
    assert_eq!(sums(&made(&folder)), sums(&clone.join("dist/release")));
}
