//! Gets Debian's i386 Linux and iPXE, and builds the models as a QEMU plugin.

use super::{cargo, debian, lock, once, quiet, root};
use std::io;
use std::path::PathBuf;

/// Debian 12's kernel for the 686, its network drivers and modules that two of them need, its packet generator, and busybox: a
/// folder with `boot`, `lib/modules` and `bin`.
pub fn linux() -> io::Result<PathBuf> {
    once("linux-i386-4", |folder| {
        eprintln!("fetching Debian's i386 Linux (53 MB)");
        let files = ["./boot/vmlinuz-*", "*/drivers/net/*.ko", "*/net/core/pktgen.ko", "*/i2c-algo-bit.ko", "*/net/tls/tls.ko", "./bin/busybox", "./usr/bin/busybox"];
        debian::unpack_files(folder, "bookworm", "i386", &["linux-image-686", "busybox-static"], &files)
    })
}

/// Debian 12's iPXE: a folder with `boot/ipxe.lkrn`.
pub fn ipxe() -> io::Result<PathBuf> {
    once("ipxe", |folder| {
        eprintln!("fetching Debian's iPXE (1 MB)");
        debian::unpack_files(folder, "bookworm", "amd64", &["ipxe"], &["./boot/ipxe.lkrn"])
    })
}

/// The models as a library for QEMU: `-plugin PATH`.
pub fn models() -> io::Result<PathBuf> {
    let target = root().join(".rigs/target");
    let _lock = lock()?;
    let mut build = cargo();
    build.args(["build", "-q", "-p", "models", "--manifest-path"]).arg(root().join("Cargo.toml")).arg("--target-dir").arg(&target);
    quiet(&mut build)?;
    target.join("debug/libmodels.so").canonicalize()
}
