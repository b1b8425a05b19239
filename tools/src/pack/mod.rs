//! Makes `dist/`, the files for users, from cargo's binaries.

pub mod checks;
pub mod chips;
pub mod costs;
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
use compkt::install::lines::{CODES, HELP, LINES};
use compkt::probe::{REASON, REASON_CODES, REASONS};
use elf::Unit;
use crate::narrow::link::WITHOUT;
use crate::narrow::rules;
use crate::nics::{Found, NICS};
use image::{KIND_DRIVER, KIND_FEATURE, KIND_FIND, KIND_STAGE, KIND_START, KIND_TEXT, Listed};

/// The stages behind the first one, and their slots, in the order of their numbers (src/install/header.rs).
const STAGES: &[(&str, u8)] = &[("unload", 0), ("search", 0), ("place", 2), ("start", 1), ("stand", 1), ("take", 0), ("back", 0), ("handover", 3), ("verbose", 0), ("report", 1), ("list", 2), ("gather", 2), ("join", 3), ("rest", 2), ("isa", 0), ("ready", 2), ("keep", 2)];
/// Optional features, in the order of their numbers, in which they attach. `tick` is the last: its block is given back where the
/// card interrupts (src/install/stages/state.rs, `give_back`), and only the last block can be.
const FEATURES: &[&str] =
    &["flat", "flati", "flatk", "many", "ifs", "lacp", "bond", "flows", "doubles", "stats", "vds", "pool", "poolv", "poolc", "xwords", "xbytes", "xfifo", "xrings", "xparts", "count", "ctl", "ctlp", "share", "reap", "shift", "tick"];

/// Bytes of a chip's name in the file (src/install/header.rs, `ChipRow`).
const CHIP_NAME: usize = 12;

/// A way of building: the rules of `tools/src/narrow` that are off, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way(String);

impl Way {
    /// With every optional rule off.
    pub fn wide() -> Way {
        Way(rules::WIDE.into())
    }

    /// Without these rules: names with commas between.
    ///
    /// # Errors
    /// No rule has this name.
    pub fn without(names: &str) -> io::Result<Way> {
        rules::Options::named(names).map_err(fail)?;
        Ok(Way(names.into()))
    }

    /// The name of the folder for such a build's files.
    fn folder(&self) -> &str {
        match self.0.as_str() {
            "" => "",
            rules::WIDE => rules::WIDE,
            _ => "without",
        }
    }

    /// Whether the limits of size apply to such a build.
    fn is_limited(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder for the output of `build`.
    pub fn dist(&self) -> PathBuf {
        setup::root().join("dist").join(self.folder())
    }

    /// cargo's target folder.
    fn target(&self) -> PathBuf {
        setup::root().join("target").join(self.folder())
    }

    /// The folder of the compiled units and programs.
    pub fn binaries(&self) -> PathBuf {
        self.target().join("i386-dos/release")
    }
}

/// The folder for the output of `build`.
pub fn dist() -> PathBuf {
    Way::default().dist()
}

/// The folder of the compiled units and programs.
pub fn binaries() -> PathBuf {
    Way::default().binaries()
}

/// Compiles the units for the 386; returns the folder of their binaries.
fn compile(way: &Way) -> io::Result<PathBuf> {
    setup::nasm()?;
    setup::rust_src()?;
    let mut flags = String::from("--emit=asm");
    if !way.is_limited() {
        flags += &format!(" -Clink-arg={WITHOUT}{} --cfg wide", way.0);
    }
    let mut cargo = setup::cargo();
    cargo
        .args(["build", "--quiet", "--release", "--package", "compkt", "--bins", "--features", "dos"])
        .args(["-Zbuild-std=core", "-Zbuild-std-features=compiler-builtins-mem", "-Zjson-target-spec"])
        .args(["--target", "i386-dos.json"])
        .env("CARGO_TARGET_DIR", way.target())
        // This program is the linker (narrow/link.rs), which needs rustc's listings.
        .env("CARGO_TARGET_I386_DOS_LINKER", std::env::current_exe()?)
        .env("CARGO_TARGET_I386_DOS_RUSTFLAGS", flags)
        .current_dir(setup::root());
    if !Bounded::tool(&mut cargo, setup::LIMIT)?.wait()?.success() {
        return Err(fail("the compiler's messages stand above"));
    }
    Ok(way.binaries())
}

/// Compiles, packs, and writes `dist/`. Tests call it by the `tools` program, because that is the linker.
pub fn build() -> io::Result<()> {
    build_by(&Way::default())
}

/// The same in another way.
///
/// # Errors
/// Those of [`build`].
pub fn build_by(way: &Way) -> io::Result<()> {
    if std::env::current_exe()?.file_stem().is_none_or(|name| name != "tools") {
        let mut cargo = setup::cargo();
        let without = if way.is_limited() { &[][..] } else { &["--without", &way.0] };
        cargo.args(["run", "--quiet", "--package", "tools", "--", "build"]).args(without).current_dir(setup::root());
        cargo.stdout(std::process::Stdio::null());
        return if Bounded::tool(&mut cargo, setup::LIMIT)?.wait()?.success() { Ok(()) } else { Err(fail("tools/build failed; its messages stand above")) };
    }
    let (folder, dist) = (compile(way)?, way.dist());
    fs::create_dir_all(&dist)?;
    let put = |name: &str, contents: &[u8]| replace(&dist.join(name), contents);
    let units = Units::read(&folder)?;
    units.check(way)?;
    let driver = units.compose(way)?;
    put("3COMPKT.SYS", &driver)?;
    put("3COMPKT.EXE", &driver)?;
    let cards: Vec<String> = NICS.iter().map(|nic| format!("  {:<11} {}", nic.name, nic.cards)).collect();
    put("3COMPKT.TXT", manual::text(env!("CARGO_PKG_VERSION"), &cards, &units.memory().map_err(fail)?).as_ref())?;
    put("PKTCTL.EXE", &program::read(&folder, "pktctl")?)
}

/// Replaces a file of `dist/` at once: another test may read it at the same time.
fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let part = path.with_extension(format!("part{}", std::process::id()));
    fs::write(&part, contents)?;
    fs::rename(part, path)
}

/// `tools/build`: builds, and prints the table of sizes. With `--without` and names of rules of `tools/src/narrow`, or with
/// `--wide` (no optional rule), the files go to another folder.
///
/// # Errors
/// Those of [`build`], or wrong arguments.
pub fn build_and_tell(arguments: &[String]) -> io::Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let way = match words[..] {
        [] => Way::default(),
        ["--wide"] => Way::wide(),
        ["--without", names] => Way::without(names)?,
        ["--rules"] => {
            rules::RULES.iter().for_each(|(_, name, what)| println!("{name:<12} {what}"));
            return Ok(());
        }
        _ => return Err(fail("the options are --wide, --without RULE[,RULE…] and --rules")),
    };
    build_by(&way)?;
    print!("{}", checks::table(&Units::read(&way.binaries())?.all()));
    if !way.is_limited() {
        println!("without {}, and without limits of size, in {}", way.0, way.dist().canonicalize()?.display());
    }
    Ok(())
}

/// The files for a test machine, from the last build, with their DOS names: the driver by both its names, PKTCTL, the test
/// programs.
///
/// # Errors
/// There is no build.
pub fn files() -> io::Result<Vec<(String, Vec<u8>)>> {
    files_by(&Way::default())
}

/// The same, from a build in another way.
///
/// # Errors
/// Those of [`files`].
pub fn files_by(way: &Way) -> io::Result<Vec<(String, Vec<u8>)>> {
    let read = || {
        let mut files = program::all(&way.binaries())?;
        for name in ["3COMPKT.SYS", "3COMPKT.EXE"] {
            files.push((name.into(), fs::read(way.dist().join(name))?));
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
                Found::Pci | Found::Rom => 0,
                Found::Isa(order) => order,
            };
            let mut add = |kind, there: bool, unit: String| {
                let unit = there.then(|| read(unit)).transpose()?;
                others.push((kind, order, name.to_string(), unit));
                Ok::<_, io::Error>(())
            };
            add(KIND_FIND, true, format!("find_{name}"))?;
            add(KIND_START, true, format!("start_{name}"))?;
            // A ROM and its buffers lie below 1 MB: its only unit has the place of a driver with rings there.
            let rom = nic.found == Found::Rom;
            add(KIND_DRIVER, !rom, name.to_string())?;
            add(KIND_DRIVER, nic.memory || rom, if rom { name.to_string() } else { format!("{name}v") })?;
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
    fn check(&self, way: &Way) -> io::Result<()> {
        let exact = setup::compiler()? == checks::COMPILER;
        if !exact {
            eprintln!("the sizes were measured with another compiler ({})", checks::COMPILER);
        }
        for (unit, role) in self.all() {
            checks::check(unit, role).map_err(fail)?;
            if exact && way.is_limited() {
                checks::fits(unit, role).map_err(fail)?;
            }
        }
        Ok(())
    }

    /// The load image that these units make.
    ///
    /// # Errors
    /// It is too large.
    pub fn image(&self) -> io::Result<image::Image> {
        image::layout(&self.core, &self.kernel, &self.first, &self.listed(), image::LOAD_IMAGE_LIMIT)
    }

    /// The units behind the load image, without the texts.
    fn listed(&self) -> Vec<Listed<'_>> {
        self.others.iter().map(|(kind, bus, name, unit)| Listed { kind: *kind, bus: *bus, name, unit: unit.as_ref() }).collect()
    }

    /// The driver's file.
    fn compose(&self, way: &Way) -> io::Result<Vec<u8>> {
        let names: Vec<&str> = NICS.iter().map(|nic| nic.name).collect();
        let lines: Vec<&str> = REASONS.iter().chain(LINES).copied().collect();
        // One zero ends a text, the last byte is its exit code.
        let mut told: Vec<u8> = Vec::new();
        for (text, code) in padded_each(&lines, REASON - 2)?.iter().zip(REASON_CODES.iter().chain(CODES)) {
            told.extend(text.bytes().chain([0, *code]));
        }
        let texts = [
            Unit::data("lines", told),
            Unit::data("help", padded(&manual::help(&names), HELP)?.into_bytes()),
            Unit::data("pci", self.pci_rows()),
            Unit::data("chips", self.chip_rows()?),
        ];
        let mut listed: Vec<Listed> =
            texts.iter().map(|unit| Listed { kind: KIND_TEXT, bus: 0, name: &unit.name, unit: Some(unit) }).collect();
        listed.extend(self.listed());
        image::compose(&self.core, &self.kernel, &self.first, &listed, if way.is_limited() { image::LOAD_IMAGE_LIMIT } else { image::SEGMENT })
    }

    /// The table of network chips: identity and name.
    fn chip_rows(&self) -> io::Result<Vec<u8>> {
        let mut rows = Vec::new();
        for (id, name) in chips::all() {
            if name.len() > CHIP_NAME {
                return Err(fail(format!("more than {CHIP_NAME} letters: {name}")));
            }
            rows.extend(id.to_le_bytes());
            rows.extend(name.bytes().chain(std::iter::repeat(0)).take(CHIP_NAME));
        }
        Ok(rows)
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
    Ok(padded_each(lines, size)?.concat())
}

/// Lines, each padded with zeros to `size` bytes.
fn padded_each(lines: &[impl AsRef<str>], size: usize) -> io::Result<Vec<String>> {
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
