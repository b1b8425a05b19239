//! Gets Debian packages: installs them by the machine's apt, or unpacks them into a folder without changing the machine.

use super::{fail, quiet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs a package as root or by sudo. The machine's package lists may be missing.
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

/// Where packages are downloaded from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    uri: String,
    suite: String,
    components: &'static str,
}

/// Unpacks `packages` of a Debian suite and all libraries that they need, libc included, into `folder`; leaves out packages
/// whose names begin with one of `without`. Uses the machine's mirrors, and its keys to verify the suite.
pub fn unpack(folder: &Path, suite: &str, packages: &[&str], without: &[&str]) -> io::Result<()> {
    from_mirrors(suite, packages, |source| unpack_from(source, folder, packages, without))
}

/// Tries the machine's mirrors in turn.
fn from_mirrors(suite: &str, packages: &[&str], unpack: impl Fn(&Source) -> io::Result<()>) -> io::Result<()> {
    // The machine's lists; if it has none yet, those that an update would download.
    let lists = quiet(Command::new("apt-get").args(["-q", "indextargets", "--format", "$(REPO_URI)"])).unwrap_or_default();
    let update = quiet(Command::new("apt-get").args(["-q", "--print-uris", "update"])).unwrap_or_default();
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let mut last = fail("apt knows no mirror");
    for source in sources(&lists, &update, &release, suite) {
        match unpack(&source) {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(fail(format!("cannot fetch {} of Debian {suite} ({last}); try: apt-get update", packages.join(" "))))
}

/// The suite at every mirror, whatever the mirror's name; then, if the machine is no Debian, its own release, which may have
/// other versions of the packages.
fn sources(lists: &str, update: &str, release: &str, suite: &str) -> Vec<Source> {
    // `'http://…/dists/bookworm/InRelease' …`
    let asked = update.lines().filter_map(|line| Some(line.strip_prefix('\'')?.split_once("/dists/")?.0));
    let mut mirrors: Vec<&str> = lists.lines().chain(asked).map(|uri| uri.trim().trim_end_matches('/')).collect();
    mirrors.retain(|uri| !uri.is_empty());
    // Short names first: a longer one beside it is for security updates or the like.
    mirrors.sort_unstable_by_key(|uri| (uri.len(), *uri));
    mirrors.dedup();
    let value = |name: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"').to_string()
    };
    let (distribution, own) = (value("ID"), value("VERSION_CODENAME"));
    let at = |uri: &&str, suite: &str, components| Source { uri: uri.to_string(), suite: suite.into(), components };
    let mut all: Vec<Source> = mirrors.iter().map(|uri| at(uri, suite, "main")).collect();
    if distribution != "debian" && !own.is_empty() {
        all.extend(mirrors.iter().map(|uri| at(uri, &own, "main universe")));
    }
    all
}

fn unpack_from(source: &Source, folder: &Path, packages: &[&str], without: &[&str]) -> io::Result<()> {
    let apt = Apt::new(source, folder, "amd64")?;
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

/// Unpacks files that match one of the shell patterns `files`, from `packages` of a Debian suite for `architecture` and from
/// packages that these need and whose names begin with one of `packages`.
pub fn unpack_files(folder: &Path, suite: &str, architecture: &str, packages: &[&str], files: &[&str]) -> io::Result<()> {
    from_mirrors(suite, packages, |source| {
        let apt = Apt::new(source, folder, architecture)?;
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
            // A package without such files is no error; the caller notices a missing file.
            let mut tar = Command::new("tar");
            let _ = quiet(tar.arg("-C").arg(folder).arg("-xf").arg(&archive).arg("--wildcards").args(files));
        }
        fs::remove_dir_all(&apt.work)
    })
}

/// An apt in `.apt` of a folder: one mirror, one suite, one architecture, no package installed.
struct Apt {
    work: PathBuf,
}

impl Apt {
    fn new(source: &Source, folder: &Path, architecture: &str) -> io::Result<Apt> {
        let work = folder.join(".apt");
        let Source { uri, suite, components } = source;
        // Removes what another mirror has left.
        let _ = fs::remove_dir_all(&work);
        for sub in ["none", "state/lists/partial", "cache/archives/partial", "debs"] {
            fs::create_dir_all(work.join(sub))?;
        }
        fs::write(work.join("sources.list"), format!("deb {uri} {suite} {components}\n"))?;
        // No package counts as installed, so that libc is unpacked, too.
        fs::write(work.join("status"), "")?;
        // Uses the machine's proxies, but not its hooks and preferences.
        let dump = quiet(Command::new("apt-config").args(["dump", "Acquire"]))?;
        let mut config: String = dump.lines().filter(|line| line.contains("Proxy")).map(|line| format!("{line}\n")).collect();
        let path = |name: &str| work.join(name).display().to_string();
        // An old list is accepted if it is signed: mirrors lag, and clocks may be wrong.
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
        // For apt a missing suite is only a warning; the simulation fails then.
        quiet(apt.get().arg("update"))?;
        Ok(apt)
    }

    /// `apt-get` with few messages, in the download folder.
    fn get(&self) -> Command {
        let mut command = Command::new("apt-get");
        command.env("APT_CONFIG", self.work.join("apt.conf")).current_dir(self.work.join("debs")).arg("-qq");
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(all: &[Source]) -> Vec<String> {
        all.iter().map(|Source { uri, suite, components }| format!("{uri} {suite} {components}")).collect()
    }

    #[test]
    fn mirrors_of_any_name_are_asked_once() {
        let lists = "http://a.example/debian/\nhttp://a.example/debian/\nhttp://a.example/debian-security/\n";
        let update = "'http://a.example/debian/dists/bookworm/InRelease' a_InRelease 0 \n'https://b.example/x/dists/y/InRelease' b 0 \n";
        let release = "PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_CODENAME=bookworm\n";
        let all = sources(lists, update, release, "trixie");
        assert_eq!(
            plain(&all),
            ["https://b.example/x trixie main", "http://a.example/debian trixie main", "http://a.example/debian-security trixie main"]
        );
        assert_eq!(plain(&sources("", update, release, "trixie")), plain(&all)[..2]);
        assert!(sources("", "", release, "trixie").is_empty());
    }

    #[test]
    fn another_distribution_s_own_release_comes_last() {
        let release = "ID=ubuntu\nVERSION_CODENAME=noble\n";
        let all = sources("http://a.example/ubuntu/\n", "", release, "trixie");
        assert_eq!(plain(&all), ["http://a.example/ubuntu trixie main", "http://a.example/ubuntu noble main universe"]);
    }
}
