//! Builds the units of the image: assembles each unit's NASM entries and hands the linker its script.
//!
//! On the host there is nothing to do: the library alone is built there.

/// A linked binary: its name, its linker script, its assembly. A resident unit without any is a NIC's driver.
const UNITS: &[(&str, &str, &[&str])] = &[
    ("core", "resident", &["device", "clock", "int60", "irq", "upcall", "transfer", "terminate"]),
    ("installer", "installer", &["installer", "pci", "memory", "clock"]),
    ("flat", "resident", &["flat"]),
    ("flati", "resident", &["flati"]),
    ("flatk", "resident", &["flatk"]),
    ("poll", "resident", &["poll"]),
    ("vds", "resident", &["vds"]),
    ("stats", "resident", &["stats"]),
    ("pool", "resident", &["pool"]),
    ("poolc", "resident", &["poolc"]),
    ("poolv", "resident", &["poolv"]),
    ("el3", "resident", &[]),
    ("probe_el3", "overlay", &["visit"]),
    ("ne2000", "resident", &[]),
    ("probe_ne2000", "overlay", &["visit"]),
    ("ne1000", "resident", &[]),
    ("probe_ne1000", "overlay", &["visit"]),
    ("ne2k_pci", "resident", &[]),
    ("probe_ne2k_pci", "overlay", &["visit"]),
    ("e1000", "resident", &[]),
    ("probe_e1000", "overlay", &["visit"]),
    ("e1000e", "resident", &[]),
    ("e1000ev", "resident", &[]),
    ("probe_e1000e", "overlay", &["visit"]),
    ("rtl8139", "resident", &[]),
    ("rtl8139v", "resident", &[]),
    ("probe_rtl8139", "overlay", &["visit"]),
    ("virtio_net", "resident", &[]),
    ("virtio_netv", "resident", &[]),
    ("probe_virtio_net", "overlay", &["visit"]),
    ("vmxnet3", "resident", &[]),
    ("probe_vmxnet3", "overlay", &["visit"]),
    ("pcnet", "resident", &[]),
    ("pcnetv", "resident", &[]),
    ("probe_pcnet", "overlay", &["visit"]),
    ("i8255x", "resident", &[]),
    ("i8255xv", "resident", &[]),
    ("probe_i8255x", "overlay", &["visit"]),
    ("tulip", "resident", &[]),
    ("tulipv", "resident", &[]),
    ("probe_tulip", "overlay", &["visit"]),
    ("vortex", "resident", &[]),
    ("probe_vortex", "overlay", &["visit"]),
    ("boomerang", "resident", &[]),
    ("boomerangv", "resident", &[]),
    ("probe_boomerang", "overlay", &["visit"]),
    ("corkscrew", "resident", &[]),
    ("corkscrewx", "resident", &[]),
    ("corkscrewv", "resident", &[]),
    ("probe_corkscrew", "overlay", &["visit"]),
    ("probe_corkscrewx", "overlay", &["visit"]),
    ("pktctl", "program", &["program"]),
    ("conform", "program", &["program", "conform"]),
    ("field", "program", &["program", "field"]),
    ("fuzz", "program", &["program"]),
    ("integrity", "program", &["program"]),
    ("waits", "program", &["program"]),
    ("bulk", "program", &["program"]),
    ("bench", "program", &["program", "bench"]),
];

fn main() {
    println!("cargo:rerun-if-changed=asm");
    println!("cargo:rerun-if-changed=linker");
    // The linker that the pack step names is ours.
    println!("cargo:rerun-if-changed=tools/src/narrow");
    if std::env::var_os("CARGO_FEATURE_DOS").is_none() {
        return;
    }
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    for (unit, script, sources) in UNITS {
        println!("cargo:rustc-link-arg-bin={unit}=-T{root}/linker/{script}.ld");
        if *script == "program" || unit.starts_with("pool") {
            // Code and data are a segment each, and both begin at 0; what runs once lies where the tables are to be.
            println!("cargo:rustc-link-arg-bin={unit}=--no-check-sections");
        }
        if *unit == "core" {
            // Only the installer knows these.
            for entry in ["int60_entry", "irq_entry"] {
                println!("cargo:rustc-link-arg-bin={unit}=--undefined={entry}");
            }
        }
        let sources = if *script == "resident" && sources.is_empty() { &["driver", "service", "strings", "crc"] } else { *sources };
        let common: &[&str] = if *script == "overlay" { &["pci", "memory", "clock", "strings", "crc"] } else { &[] };
        for source in sources.iter().chain(common) {
            // nasm-rs knows no format for this target and would take flat binary, which the linker only warns about.
            let objects = nasm_rs::Build::new()
                .file(format!("asm/{source}.asm"))
                .flag("-felf32")
                .flag("-Werror")
                // What a 386 does not know, NASM refuses.
                .flag("--before")
                .flag("cpu 386")
                .include("asm/")
                .compile_objects()
                .unwrap_or_else(|error| panic!("asm/{source}.asm: {error}"));
            for object in objects {
                println!("cargo:rustc-link-arg-bin={unit}={}", object.display());
            }
        }
    }
    for argument in ["-melf_i386", "--emit-relocs", "--gc-sections", "--fatal-warnings", "--build-id=none", "--no-eh-frame-hdr"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
