//! Gets what the rigs and the build need. Each function returns at once if that is there already, prints a line if it takes
//! long, and fails with one line that names the command with which a person can help.
//!
//! Emulators that the machine's distribution does not have, or has in another version, are unpacked into `.rigs/` and run
//! there. Outside the repository only a few packages change, which apt installs if they are missing.

mod debian;
mod linux;

pub use linux::{ipxe, linux, models};

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::process;

/// The repository's top folder.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// An error of one line.
pub fn fail(line: impl Into<String>) -> io::Error {
    io::Error::other(line.into())
}

/// The nightly toolchain of this process, by rustup's name.
pub fn toolchain() -> String {
    std::env::var("RUSTUP_TOOLCHAIN").ok().filter(|name| name.contains("nightly")).unwrap_or_else(|| "nightly".into())
}

/// `cargo` of that toolchain.
pub fn cargo() -> Command {
    rust("cargo")
}

/// `rustc` of that toolchain.
pub fn rustc() -> Command {
    rust("rustc")
}

/// The commit of that `rustc`.
pub fn compiler() -> io::Result<String> {
    let text = quiet(rustc().arg("-vV"))?;
    Ok(text.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown").to_string())
}

fn rust(program: &str) -> Command {
    let mut command = Command::new(program);
    // An outer cargo sets variables that would make an inner one use the outer package.
    for name in ["CARGO", "RUSTC", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH"] {
        command.env_remove(name);
    }
    command.env("RUSTUP_TOOLCHAIN", toolchain());
    command
}

/// Limit of a download, an installation or a build.
pub const LIMIT: Duration = Duration::from_secs(3600);

/// Runs a command and returns its output; the text on standard error is the error.
pub fn quiet(command: &mut Command) -> io::Result<String> {
    let done = process::output(command, LIMIT)?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let error = String::from_utf8_lossy(&done.stderr);
    let line = error.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message");
    Err(fail(format!("{}: {line}", command.get_program().to_string_lossy())))
}

/// Lets one process at a time continue; the lock ends with the file.
fn lock() -> io::Result<File> {
    let rigs = root().join(".rigs");
    fs::create_dir_all(&rigs)?;
    let file = File::create(rigs.join(".lock"))?;
    file.lock()?;
    Ok(file)
}

/// The folder `.rigs/NAME`, which `make` makes if it is missing. It gets its name when it is complete.
fn once(name: &str, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<PathBuf> {
    let path = root().join(".rigs").join(name);
    if path.is_dir() {
        return Ok(path);
    }
    let _lock = lock()?;
    if path.is_dir() {
        return Ok(path);
    }
    let part = root().join(".rigs").join(format!("{name}.part"));
    let _ = fs::remove_dir_all(&part);
    fs::create_dir_all(&part)?;
    if let Err(error) = make(&part) {
        let _ = fs::remove_dir_all(&part);
        return Err(error);
    }
    fs::rename(&part, &path)?;
    path.canonicalize()
}

/// The path of a program in PATH.
fn find_program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Where a shared library of Debian's stands.
fn find_library(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/local/lib"];
    folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// The assembler.
pub fn nasm() -> io::Result<PathBuf> {
    installed("nasm", "nasm")
}

/// QEMU for the PC.
pub fn qemu() -> io::Result<PathBuf> {
    installed("qemu-system-i386", "qemu-system-x86")
}

/// QEMU 10, from Debian trixie: a command that starts it, with its own firmware and modules.
///
/// # Errors
/// It is missing and cannot be fetched.
pub fn qemu_10() -> io::Result<Command> {
    // Libraries for users, sound, smart cards, Braille and the like, which are never loaded.
    const NEVER_LOADED: &[&str] = &[
        "libpam", "libasound", "libsemanage", "libdb5", "libsystemd", "libdebconfclient", "libsqlite", "libnss3", "libnspr4",
        "libcacard", "libaudit", "libbrlapi", "libpcsclite", "libsepol",
    ];
    let root = once("qemu-10", |folder| {
        eprintln!("fetching QEMU 10 (30 MB)");
        debian::unpack(folder, "trixie", &["qemu-system-x86", "qemu-system-data", "qemu-system-common", "seabios"], NEVER_LOADED)
    })?;
    let emulator = Private { root, program: "qemu-system-i386".into() };
    let mut command = emulator.command();
    // Otherwise it takes those of the machine's own QEMU.
    command.env("QEMU_MODULE_DIR", emulator.root.join("usr/lib/x86_64-linux-gnu/qemu"));
    for folder in ["qemu", "seabios"] {
        command.arg("-L").arg(emulator.root.join("usr/share").join(folder));
    }
    Ok(command)
}

/// mtools; the path is `mcopy`'s.
pub fn mtools() -> io::Result<PathBuf> {
    installed("mcopy", "mtools")
}

/// Info-ZIP's `zip`.
pub fn zip() -> io::Result<PathBuf> {
    installed("zip", "zip")
}

/// Info-ZIP's `unzip`; only tests need it.
pub fn unzip() -> io::Result<PathBuf> {
    installed("unzip", "unzip")
}

/// The library of the Unicorn engine, which runs single functions; only tests need it.
pub fn unicorn() -> io::Result<PathBuf> {
    found_or_installed("libunicorn.so.2", "libunicorn2", find_library)
}

fn installed(program: &str, package: &str) -> io::Result<PathBuf> {
    found_or_installed(program, package, find_program)
}

/// What `find` finds, after the package is installed if it has to be.
fn found_or_installed(name: &str, package: &str, find: fn(&str) -> Option<PathBuf>) -> io::Result<PathBuf> {
    if let Some(path) = find(name) {
        return Ok(path);
    }
    let _lock = lock()?;
    if find(name).is_none() {
        eprintln!("installing {package}");
        debian::install(package)?;
    }
    find(name).ok_or_else(|| fail(format!("{name} is missing; as root: apt-get install {package}")))
}

/// An unpacked program, which runs with the libraries that were unpacked with it.
#[derive(Clone, Debug)]
pub struct Private {
    /// The folder with the files: `root/usr/bin/…`.
    pub root: PathBuf,
    program: String,
}

impl Private {
    /// A command that starts the program by its own loader.
    pub fn command(&self) -> Command {
        self.command_with(None)
    }

    /// The same, with a shared library to load before all others.
    pub fn command_with(&self, preload: Option<&Path>) -> Command {
        let libraries = self.root.join("usr/lib/x86_64-linux-gnu");
        let old = self.root.join("lib/x86_64-linux-gnu");
        let loader = [&libraries, &old].map(|folder| folder.join("ld-linux-x86-64.so.2"));
        let loader = loader.iter().find(|path| path.exists()).unwrap_or(&loader[0]);
        let path = [libraries.clone(), libraries.join("pulseaudio"), old];
        let mut command = Command::new(loader);
        command.arg("--library-path").arg(std::env::join_paths(path).unwrap_or_default());
        if let Some(library) = preload {
            command.arg("--preload").arg(library);
        }
        command.arg(self.root.join("usr/bin").join(&self.program));
        command
    }
}

/// DOSBox-X 2025.02, from Debian trixie.
pub fn dosbox_x() -> io::Result<Private> {
    // Libraries for windows, a GPU or a synthesizer, which are never loaded: two thirds of the bytes.
    const NEVER_LOADED: &[&str] =
        &["libllvm", "libz3", "libgl1-mesa", "libvulkan", "libdrm-amdgpu", "libdrm-intel", "libdrm-common", "libsensors", "libx11-data"];
    let root = once("dosbox-x", |folder| {
        eprintln!("fetching DOSBox-X (35 MB)");
        debian::unpack(folder, "trixie", &["dosbox-x"], NEVER_LOADED)
    })?;
    Ok(Private { root, program: "dosbox-x".into() })
}

/// Bochs 2.7 with its BIOS, from Debian bookworm.
pub fn bochs() -> io::Result<Private> {
    // Libraries for other displays, sound, printing and the like, which are never loaded.
    const NEVER_LOADED: &[&str] = &[
        "libicu", "libperl", "libgtk-3-common", "libwx", "libssl", "libsystemd-shared", "libgnutls", "libgdk-pixbuf2.0-common",
        "libxml2", "libdb5", "libunistring", "libx11-data", "libp11", "libkrb5", "libpam", "libavahi", "libcups", "libtiff",
        "libsepol", "liblerc", "libcolord", "libcryptsetup", "libwebp", "libthai-data",
    ];
    let root = once("bochs", |folder| {
        eprintln!("fetching Bochs (25 MB)");
        debian::unpack(folder, "bookworm", &["bochs", "bochsbios", "vgabios"], NEVER_LOADED)
    })?;
    Ok(Private { root, program: "bochs-bin".into() })
}

/// The library between emulators and their libraries (`tools/wiretap`); loaded by [`Private::command_with`].
pub fn wiretap() -> io::Result<PathBuf> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(library) = BUILT.get() {
        return Ok(library.clone());
    }
    let target = root().join(".rigs/target");
    let manifest = root().join("Cargo.toml");
    let _lock = lock()?;
    let mut build = cargo();
    build.args(["build", "-q", "-p", "wiretap", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(&target);
    quiet(&mut build)?;
    Ok(BUILT.get_or_init(|| target.join("debug/libwiretap.so")).clone())
}

/// The sources of Rust's library in the place for `-Zbuild-std`. The path is `…/library`.
pub fn rust_src() -> io::Result<PathBuf> {
    let sysroot = PathBuf::from(quiet(rustc().args(["--print", "sysroot"]))?.trim());
    let library = sysroot.join("lib/rustlib/src/rust/library");
    let there = |library: &Path| library.join("core/src/lib.rs").is_file() && library.join("Cargo.lock").is_file();
    if there(&library) {
        return Ok(library);
    }
    let guard = lock()?;
    if there(&library) {
        return Ok(library);
    }
    eprintln!("fetching the sources of Rust's library");
    let name = toolchain();
    if quiet(Command::new("rustup").args(["component", "add", "rust-src", "--toolchain", &name])).is_ok() && there(&library) {
        return Ok(library);
    }
    // Two other sources have version 1.97.1, which 1.97.0-nightly compiles.
    drop(guard);
    let unpacked = once("rust-src", |folder| debian::unpack(folder, "forky", &["rust-src"], &[])).and_then(|folder| {
        let versions = fs::read_dir(folder.join("usr/src"))?;
        let ours = versions.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("rustc-1.97."));
        let found = ours.map(|entry| entry.path().join("library")).find(|path| there(path));
        found.ok_or_else(|| fail("Debian's rust-src is of another version"))
    });
    let archive = root().join("../shared/facts/rust-library-1.97.1.tar.xz");
    let unpacked = unpacked.or_else(|error| if archive.is_file() { from_archive(&archive, there) } else { Err(error) });
    let source = unpacked.map_err(|error| {
        fail(format!("{error}; the sources of Rust's library are missing: rustup component add rust-src --toolchain {name}"))
    })?;
    let _lock = lock()?;
    fs::create_dir_all(sysroot.join("lib/rustlib/src/rust"))?;
    let _ = fs::remove_file(&library);
    std::os::unix::fs::symlink(source.canonicalize()?, &library)?;
    Ok(library)
}

fn from_archive(archive: &Path, there: impl Fn(&Path) -> bool) -> io::Result<PathBuf> {
    let folder = once("rust-library", |folder| quiet(Command::new("tar").arg("-C").arg(folder).arg("-xJf").arg(archive)).map(drop))?;
    let inner = fs::read_dir(&folder)?.flatten().map(|entry| entry.path());
    let mut places = inner.flat_map(|path| [path.join("library"), path]).chain([folder.clone()]);
    places.find(|path| there(path)).ok_or_else(|| fail("the archive holds no library"))
}
