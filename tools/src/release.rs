//! `tools/release`: what users download, in `dist/release`: a package for FreeDOS's package manager, a floppy image and a list of
//! checksums. The same sources give the same bytes, on any day and in any folder: every file has one time, lists are sorted.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::pack;
use crate::process::TempDir;
use crate::setup::{self, fail, quiet};

/// Where the three files go.
const FOLDER: &str = "release";
/// The package, whose name FreeDOS also gives to its folders.
const PACKAGE: &str = "3COMPKT.ZIP";
/// The floppy of 1.44 MB.
const FLOPPY: &str = "3COMPKT.IMG";
/// The checksums, for `sha256sum -c`.
const SUMS: &str = "SHA256SUM";
/// What a user runs and reads: the file's name in `dist/`, and its folder in the package.
const FILES: &[(&str, &str)] =
    &[("3COMPKT.SYS", "BIN"), ("3COMPKT.EXE", "BIN"), ("PKTCTL.EXE", "BIN"), ("3COMPKT.TXT", "DOC/3COMPKT")];
/// Files of the repository that a user gets as they are, but for the ends of their lines.
const TEXTS: &[(&str, &str, &str)] = &[
    ("LICENSE", "LICENSE.TXT", "DOC/3COMPKT"),
    ("src/programs/3compkt.h", "3COMPKT.H", "SOURCE/3COMPKT"),
    ("src/programs/3compkt.inc", "3COMPKT.INC", "SOURCE/3COMPKT"),
];

/// Makes the release and prints where it is.
pub fn release(arguments: &[String]) -> io::Result<()> {
    if !arguments.is_empty() {
        return Err(fail("usage: tools/release"));
    }
    pack::build()?;
    let made = make(&pack::dist().join(FOLDER))?;
    print!("{}", fs::read_to_string(made.join(SUMS))?);
    println!("They are in {}", made.canonicalize()?.display());
    Ok(())
}

/// Makes the release of what stands in `dist/`, in an empty folder. Errors: those of the tools that pack.
pub fn make(folder: &Path) -> io::Result<PathBuf> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    let tree = TempDir::new("release")?;
    let day = day()?;
    let package = tree.path().join("package");
    let floppy = tree.path().join("floppy");
    fs::create_dir_all(&floppy)?;
    let put = |name: &str, place: &str, contents: &[u8]| -> io::Result<()> {
        let at = package.join(place);
        fs::create_dir_all(&at)?;
        fs::write(at.join(name), contents)?;
        if place == "BIN" || name.ends_with(".TXT") { fs::write(floppy.join(name), contents) } else { Ok(()) }
    };
    for (name, place) in FILES {
        put(name, place, &fs::read(pack::dist().join(name))?)?;
    }
    for (from, name, place) in TEXTS {
        put(name, place, dos_lines(&fs::read_to_string(setup::root().join(from))?).as_bytes())?;
    }
    put("3COMPKT.LSM", "APPINFO", dos_lines(&lsm(&day.1)).as_bytes())?;
    // Names of sources are longer than DOS allows: they are one archive in the package.
    let sources = tree.path().join("sources");
    for name in tracked()? {
        let at = sources.join(&name);
        fs::create_dir_all(at.parent().unwrap_or(&sources))?;
        fs::copy(setup::root().join(&name), at)?;
    }
    zip(&sources, &package.join("SOURCE/3COMPKT/SOURCES.ZIP"), day.0)?;
    zip(&package, &folder.join(PACKAGE), day.0)?;
    image(&floppy, &folder.join(FLOPPY), day.0)?;
    let mut sums = Command::new("sha256sum");
    let sums = quiet(sums.current_dir(folder).args([PACKAGE, FLOPPY]))?;
    fs::write(folder.join(SUMS), sums)?;
    Ok(folder.to_path_buf())
}

/// The time of the last commit: in seconds since 1970, even, as DOS keeps it; and as a date.
fn day() -> io::Result<(u64, String)> {
    let said = git(&["log", "-1", "--format=%ct %cd", "--date=format-local:%Y-%m-%d"])?;
    let (seconds, date) = said.trim().split_once(' ').ok_or_else(|| fail("git log gives no time"))?;
    Ok((seconds.parse::<u64>().map_err(|_| fail("git log gives no time"))? & !1, date.into()))
}

/// The files under version control, sorted.
fn tracked() -> io::Result<Vec<String>> {
    let mut names: Vec<String> = git(&["ls-files", "-z"])?.split_terminator('\0').map(String::from).collect();
    names.retain(|name| setup::root().join(name).is_file());
    names.sort();
    Ok(names)
}

fn git(arguments: &[&str]) -> io::Result<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(setup::root()).args(arguments).env("TZ", "UTC");
    quiet(&mut command)
}

/// The ends of lines that DOS's editors expect.
fn dos_lines(text: &str) -> String {
    text.lines().map(|line| format!("{line}\r\n")).collect()
}

/// The package's description, as FreeDOS's package manager reads it.
fn lsm(date: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "Begin3\n\
         Title:          3COMPKT\n\
         Version:        {version}\n\
         Entered-date:   {date}\n\
         Description:    Packet driver for network cards of 3Com, Intel, Realtek, Broadcom, AMD, DEC, NE2000 and virtual machines\n\
         Keywords:       packet driver, network, ethernet, INT 60h, mTCP, 3Com, XMS\n\
         Author:         the 3COMPKT authors\n\
         Maintained-by:  the 3COMPKT authors\n\
         Platforms:      DOS, 386 or later\n\
         Copying-policy: MIT License\n\
         End\n"
    )
}

/// Packs a folder by Info-ZIP, which FreeDOS's packages are made with.
fn zip(folder: &Path, to: &Path, seconds: u64) -> io::Result<()> {
    let names = stamped(folder, "", seconds)?;
    let mut command = Command::new(setup::zip()?);
    // -X: no owners and no other times; -D: no entries for folders.
    command.current_dir(folder).env("TZ", "UTC").args(["-q", "-9", "-X", "-D"]).arg(to).args(names);
    quiet(&mut command).map(drop)
}

/// Writes a floppy's image: FAT12, 1.44 MB.
fn image(folder: &Path, to: &Path, seconds: u64) -> io::Result<()> {
    let names = stamped(folder, "", seconds)?;
    let mtools = |program: &str| -> io::Result<Command> {
        let mut command = Command::new(setup::mtools()?.with_file_name(program));
        // mtools takes this for the present time.
        command.current_dir(folder).envs([("TZ", "UTC"), ("MTOOLS_SKIP_CHECK", "1")]).env("SOURCE_DATE_EPOCH", seconds.to_string());
        Ok(command)
    };
    // -N: the serial number is not the clock's.
    quiet(mtools("mformat")?.args(["-C", "-f", "1440", "-N", "03C00509", "-v", "3COMPKT", "-i"]).arg(to).arg("::"))?;
    quiet(mtools("mcopy")?.args(["-m", "-i"]).arg(to).args(names).arg("::")).map(drop)
}

/// The names of all files below a folder, sorted; each file gets the release's time and DOS's usual rights.
fn stamped(folder: &Path, below: &str, seconds: u64) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            names.extend(stamped(folder, &format!("{name}/"), seconds)?);
        } else {
            let path = entry.path();
            let mode = if fs::metadata(&path)?.permissions().mode() & 0o100 != 0 { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
            File::options().append(true).open(&path)?.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))?;
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
