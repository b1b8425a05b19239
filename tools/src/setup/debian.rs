//! Debian packages: installed by the machine's own apt, or fetched and unpacked into a folder without touching the machine.

use super::{fail, quiet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs a package as root or through sudo. The package lists may be missing.
pub fn install(package: &str) -> io::Result<()> {
    let hint = || fail(format!("{package} is missing; as root: apt-get install {package}"));
    let root = quiet(Command::new("id").arg("-u"))?.trim() == "0";
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(if root { "env" } else { "sudo" });
        if !root {
            command.args(["-n", "env"]);
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=300"]);
        quiet(command.args(arguments))
    };
    let install = ["--no-install-recommends", "install", package];
    if apt(&install).is_err() {
        apt(&["update"]).map_err(|_| hint())?;
        apt(&install).map_err(|_| hint())?;
    }
    Ok(())
}

/// Unpacks `packages` of a Debian suite and every library that they depend on, libc included, into `folder`; leaves
/// out what begins with one of `without`. The machine's own mirrors are asked, and its own keys verify the suite.
pub fn unpack(folder: &Path, suite: &str, packages: &[&str], without: &[&str]) -> io::Result<()> {
    from_mirrors(suite, packages, |mirror| unpack_from(mirror, folder, suite, packages, without))
}

/// Tries the machine's Debian mirrors in turn.
fn from_mirrors(suite: &str, packages: &[&str], unpack: impl Fn(&str) -> io::Result<()>) -> io::Result<()> {
    // The addresses that an update would ask, `'http://…/debian/dists/bookworm/InRelease' …`: known without lists, too.
    let all = quiet(Command::new("apt-get").args(["-q", "--print-uris", "update"]))?;
    let bases = all.lines().filter_map(|line| line.strip_prefix('\'')?.split_once("/dists/")).map(|(base, _)| base);
    let mut mirrors: Vec<&str> = bases.filter(|base| base.ends_with("/debian")).collect();
    mirrors.sort_unstable();
    mirrors.dedup();
    let mut last = fail("apt knows no Debian mirror");
    for mirror in mirrors {
        match unpack(mirror) {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(fail(format!("cannot fetch {} of Debian {suite} ({last}); try: apt-get update", packages.join(" "))))
}

fn unpack_from(mirror: &str, folder: &Path, suite: &str, packages: &[&str], without: &[&str]) -> io::Result<()> {
    let apt = Apt::new(mirror, folder, suite, "amd64")?;
    let plan = quiet(apt.get().args(["-s", "install"]).args(packages))?;
    let closure = plan.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next());
    let library = |name: &str| name.starts_with("lib") && !without.iter().any(|prefix| name.starts_with(prefix));
    let wanted: Vec<&str> = closure.filter(|name| packages.contains(name) || library(name)).collect();
    quiet(apt.get().arg("download").args(&wanted))?;
    for deb in fs::read_dir(apt.work.join("debs"))? {
        quiet(Command::new("dpkg-deb").arg("-x").arg(deb?.path()).arg(folder))?;
    }
    fs::remove_dir_all(&apt.work)
}

/// Unpacks from `packages` of a Debian suite for `architecture`, and from what they depend on, what matches one of the
/// shell patterns `files`; of the closure only packages whose names begin as one of `packages` does.
pub fn unpack_files(folder: &Path, suite: &str, architecture: &str, packages: &[&str], files: &[&str]) -> io::Result<()> {
    from_mirrors(suite, packages, |mirror| {
        let apt = Apt::new(mirror, folder, suite, architecture)?;
        let plan = quiet(apt.get().args(["-s", "install"]).args(packages))?;
        let closure = plan.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next());
        let stems = packages.iter().map(|name| name.rsplit_once('-').map_or(*name, |(stem, _)| stem)).collect::<Vec<_>>();
        let wanted: Vec<&str> = closure.filter(|name| stems.iter().any(|stem| name.starts_with(stem))).collect();
        quiet(apt.get().arg("download").args(&wanted))?;
        for deb in fs::read_dir(apt.work.join("debs"))? {
            let archive = apt.work.join("archive.tar");
            let mut list = Command::new("dpkg-deb");
            list.arg("--fsys-tarfile").arg(deb?.path()).stdout(fs::File::create(&archive)?);
            if !list.status()?.success() {
                return Err(fail("dpkg-deb cannot read what was fetched"));
            }
            // A package that has none of the files is no error; a missing file is found by whoever needs it.
            let mut tar = Command::new("tar");
            let _ = quiet(tar.arg("-C").arg(folder).arg("-xf").arg(&archive).arg("--wildcards").args(files));
        }
        fs::remove_dir_all(&apt.work)
    })
}

/// An apt of its own, in `.apt` of a folder: one mirror, one suite, one architecture, nothing installed.
struct Apt {
    work: PathBuf,
}

impl Apt {
    fn new(mirror: &str, folder: &Path, suite: &str, architecture: &str) -> io::Result<Apt> {
        let work = folder.join(".apt");
        for sub in ["none", "state/lists/partial", "cache/archives/partial", "debs"] {
            fs::create_dir_all(work.join(sub))?;
        }
        // An empty status file, so that the closure has libc, too.
        fs::write(work.join("status"), "")?;
        fs::write(work.join("sources.list"), format!("deb {mirror} {suite} main\n"))?;
        // The machine's proxies stay in force; its hooks and preferences do not.
        let dump = quiet(Command::new("apt-config").args(["dump", "Acquire"]))?;
        let mut config: String = dump.lines().filter(|line| line.contains("Proxy")).map(|line| format!("{line}\n")).collect();
        let path = |name: &str| work.join(name).display().to_string();
        // An old list serves as well, if it is signed: mirrors lag, and clocks are wrong.
    config.push_str("Acquire::Check-Valid-Until \"false\";\n");
    for (key, value) in [
            ("Dir::State", path("state")),
            ("Dir::State::status", path("status")),
            ("Dir::Cache", path("cache")),
            ("Dir::Etc::SourceList", path("sources.list")),
            ("Dir::Etc::SourceParts", path("none")),
            ("Dir::Etc::Main", path("none")),
            ("Dir::Etc::Parts", path("none")),
            ("Dir::Etc::Preferences", path("none")),
            ("Dir::Etc::PreferencesParts", path("none")),
            ("APT::Architecture", architecture.into()),
            ("APT::Install-Recommends", "false".into()),
            ("APT::Sandbox::User", String::new()),
            ("Acquire::Languages", "none".into()),
            ("Acquire::Retries", "3".into()),
        ] {
            config.push_str(&format!("{key} \"{value}\";\n"));
        }
        fs::write(work.join("apt.conf"), config)?;
        let apt = Apt { work };
        // A suite that is not there is only a warning to apt; the simulation then fails.
        quiet(apt.get().arg("update"))?;
        Ok(apt)
    }

    /// `apt-get`, quiet, in the folder for what is downloaded.
    fn get(&self) -> Command {
        let mut command = Command::new("apt-get");
        command.env("APT_CONFIG", self.work.join("apt.conf")).current_dir(self.work.join("debs")).arg("-qq");
        command
    }
}
