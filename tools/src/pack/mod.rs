//! Makes `dist/`, the files for users, from cargo's binaries.

pub mod checks;
pub mod elf;
pub mod image;
pub mod manual;
pub mod program;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::process::Bounded;
use crate::setup::{self, fail};
use checks::Role;
use compkt::install::lines::{HELP, LINES};
use compkt::probe::{REASON, REASONS};
use elf::Unit;
use crate::nics::{Found, NICS};
use image::{KIND_DRIVER, KIND_FEATURE, KIND_FIND, KIND_STAGE, KIND_START, KIND_TEXT, Listed};

/// The stages behind the first one, and their slots, in the order of their numbers (src/install/header.rs).
const STAGES: &[(&str, u8)] = &[("unload", 0), ("search", 0), ("place", 2), ("start", 1), ("stand", 1)];
/// Optional features, in the order of their numbers.
const FEATURES: &[&str] = &["flat", "flati", "flatk", "stats", "vds", "pool", "poolv", "poolc", "tick"];

/// The folder for the output of `build`.
pub fn dist() -> PathBuf {
    setup::root().join("dist")
}

/// The folder of the compiled units and programs.
pub fn binaries() -> PathBuf {
    setup::root().join("target/i386-dos/release")
}

/// Compiles the units for the 386; returns the folder of their binaries.
pub fn compile() -> io::Result<PathBuf> {
    setup::nasm()?;
    setup::rust_src()?;
    let target = setup::root().join("target");
    let mut cargo = setup::cargo();
    cargo
        .args(["build", "--quiet", "--release", "--package", "compkt", "--bins", "--features", "dos"])
        .args(["-Zbuild-std=core", "-Zbuild-std-features=compiler-builtins-mem", "-Zjson-target-spec"])
        .args(["--target", "i386-dos.json"])
        .env("CARGO_TARGET_DIR", &target)
        // This program is the linker (narrow/link.rs), which needs rustc's listings.
        .env("CARGO_TARGET_I386_DOS_LINKER", std::env::current_exe()?)
        .env("CARGO_TARGET_I386_DOS_RUSTFLAGS", "--emit=asm")
        .current_dir(setup::root());
    if !Bounded::tool(&mut cargo, setup::LIMIT)?.wait()?.success() {
        return Err(fail("the compiler's messages stand above"));
    }
    Ok(binaries())
}

/// Compiles, packs, and writes `dist/`. Tests call it by the `tools` program, because that is the linker.
pub fn build() -> io::Result<()> {
    if std::env::current_exe()?.file_stem().is_none_or(|name| name != "tools") {
        let mut cargo = setup::cargo();
        cargo.args(["run", "--quiet", "--package", "tools", "--", "build"]).current_dir(setup::root());
        return if Bounded::tool(&mut cargo, setup::LIMIT)?.wait()?.success() { Ok(()) } else { Err(fail("tools/build failed; its messages stand above")) };
    }
    let folder = compile()?;
    fs::create_dir_all(dist())?;
    let units = Units::read(&folder)?;
    units.check()?;
    let driver = units.compose()?;
    put("3COMPKT.SYS", &driver)?;
    put("3COMPKT.EXE", &driver)?;
    let cards: Vec<String> = NICS.iter().map(|nic| format!("  {:<11} {}", nic.name, nic.cards)).collect();
    put("3COMPKT.TXT", manual::text(env!("CARGO_PKG_VERSION"), &cards).as_ref())?;
    put("PKTCTL.EXE", &program::read(&folder, "pktctl")?)
}

/// Replaces a file of `dist/` at once: another test may read it at the same time.
fn put(name: &str, contents: &[u8]) -> io::Result<()> {
    replace(&dist().join(name), contents)
}

fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let part = path.with_extension(format!("part{}", std::process::id()));
    fs::write(&part, contents)?;
    fs::rename(part, path)
}

/// `tools/build`: builds, and prints the table of sizes.
pub fn build_and_tell() -> io::Result<()> {
    build()?;
    print!("{}", checks::table(&Units::read(&binaries())?.all()));
    Ok(())
}

/// The files for a test machine, from the last build, with their DOS names: the driver by both its names, PKTCTL, the test
/// programs.
///
/// # Errors
/// There is no build.
pub fn files() -> io::Result<Vec<(String, Vec<u8>)>> {
    let read = || {
        let mut files = program::all(&binaries())?;
        for name in ["3COMPKT.SYS", "3COMPKT.EXE"] {
            files.push((name.into(), fs::read(dist().join(name))?));
        }
        Ok(files)
    };
    read().map_err(|error: io::Error| fail(format!("{error}: run tools/build first")))
}

/// The units of a build.
pub struct Units {
    /// The core.
    pub core: Unit,
    /// The installer's kernel.
    pub kernel: Unit,
    /// The first stage, which is in the load image.
    pub first: Unit,
    /// The units behind the load image, without texts: kind, bus or slot, name, unit. None: a NIC has no such unit.
    pub others: Vec<(u8, u8, String, Option<Unit>)>,
}

impl Units {
    /// Reads the units of the last build.
    ///
    /// # Errors
    /// There is no build, or a unit is not as the linker scripts make it.
    pub fn read(folder: &Path) -> io::Result<Units> {
        let read = |name: String| Unit::read(folder, &name);
        let mut others = Vec::new();
        for (name, slot) in STAGES {
            others.push((KIND_STAGE, *slot, name.to_string(), Some(read(format!("stage_{name}"))?)));
        }
        for name in FEATURES {
            others.push((KIND_FEATURE, 0, name.to_string(), Some(read(name.to_string())?)));
        }
        for nic in NICS {
            let name = nic.name;
            let order = match nic.found {
                Found::Pci => 0,
                Found::Isa(order) => order,
            };
            let mut add = |kind, there: bool, unit: String| {
                let unit = there.then(|| read(unit)).transpose()?;
                others.push((kind, order, name.to_string(), unit));
                Ok::<_, io::Error>(())
            };
            add(KIND_FIND, true, format!("find_{name}"))?;
            add(KIND_START, true, format!("start_{name}"))?;
            add(KIND_DRIVER, true, name.to_string())?;
            add(KIND_DRIVER, nic.memory, format!("{name}v"))?;
            add(KIND_START, nic.plain, format!("start_{name}x"))?;
            add(KIND_DRIVER, nic.plain, format!("{name}x"))?;
        }
        Ok(Units { core: read("core".into())?, kernel: read("kernel".into())?, first: read("stage_line".into())?, others })
    }

    /// Every unit and its kind.
    pub fn all(&self) -> Vec<(&Unit, Role)> {
        let role = |kind| if matches!(kind, KIND_DRIVER | KIND_FEATURE) { Role::Resident } else { Role::Discarded };
        let others = self.others.iter().filter_map(|(kind, _, _, unit)| Some((unit.as_ref()?, role(*kind))));
        [(&self.core, Role::Resident), (&self.kernel, Role::Kernel), (&self.first, Role::Discarded)].into_iter().chain(others).collect()
    }

    /// Checks all units.
    fn check(&self) -> io::Result<()> {
        let exact = setup::compiler()? == checks::COMPILER;
        for (unit, role) in self.all() {
            checks::check(unit, role).map_err(fail)?;
            match checks::fits(unit, role) {
                Err(why) if exact => return Err(fail(why)),
                Err(why) => eprintln!("{why}; but the compiler is another one"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// The driver's file.
    fn compose(&self) -> io::Result<Vec<u8>> {
        let names: Vec<&str> = NICS.iter().map(|nic| nic.name).collect();
        let lines: Vec<&str> = REASONS.iter().chain(LINES).copied().collect();
        let texts = [
            Unit::data("lines", padded(&lines, REASON)?.into_bytes()),
            Unit::data("help", padded(&manual::help(&names), HELP)?.into_bytes()),
            Unit::data("pci", self.pci_rows()),
        ];
        let mut listed: Vec<Listed> =
            texts.iter().map(|unit| Listed { kind: KIND_TEXT, bus: 0, name: &unit.name, unit: Some(unit) }).collect();
        listed.extend(self.others.iter().map(|(kind, bus, name, unit)| Listed { kind: *kind, bus: *bus, name, unit: unit.as_ref() }));
        image::compose(&self.core, &self.kernel, &self.first, &listed)
    }

    /// The table of PCI functions: identity and NIC.
    fn pci_rows(&self) -> Vec<u8> {
        let finds = self.others.iter().filter(|(kind, ..)| *kind == KIND_FIND);
        let row = |nic: usize, id: &[u8]| [id, &(nic as u32).to_le_bytes()].concat();
        finds.enumerate().flat_map(|(nic, (.., unit))| unit.iter().flat_map(move |unit| image::ids(unit).chunks(4).flat_map(move |id| row(nic, id)))).collect()
    }
}

/// Joins lines, each padded with zeros to `size` bytes.
fn padded(lines: &[impl AsRef<str>], size: usize) -> io::Result<String> {
    if let Some(long) = lines.iter().find(|line| line.as_ref().len() > size) {
        return Err(fail(format!("more than {size} bytes: {}", long.as_ref())));
    }
    Ok(lines.iter().map(|line| format!("{:\0<size$}", line.as_ref())).collect())
}

#[cfg(test)]
mod tests {
    use super::replace;
    use crate::process::TempDir;
    use std::fs;
    use std::thread::scope;

    #[test]
    fn a_build_beside_a_test_that_reads_dist_leaves_whole_files() {
        let folder = TempDir::new("dist").unwrap();
        let path = folder.path().join("3COMPKT.SYS");
        let contents = |round: u8| vec![round; 100_000];
        replace(&path, &contents(0)).unwrap();
        scope(|scope| {
            let writer = scope.spawn(|| (0..200).for_each(|round| replace(&path, &contents(round)).unwrap()));
            while !writer.is_finished() {
                let read = fs::read(&path).unwrap();
                assert!(read.len() == 100_000 && read.iter().all(|byte| *byte == read[0]), "{} bytes", read.len());
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
