//! Build script of the image's units: assembles each unit's NASM files, and passes its linker script to the linker.
//!
//! On the host it does nothing, because only the library is built there.

mod slots {
    include!("install/slots.rs");
}
use slots::{SLOT_A, SLOT_A_WIDE};

/// A linked binary: name, linker script, assembly files. A resident unit without assembly files is a NIC's driver, as is `undi`.
const UNITS: &[(&str, &str, &[&str])] = &[
    ("core", "resident", &["device", "clock", "int60", "irq", "upcall", "transfer", "terminate"]),
    ("kernel", "kernel", &["kernel"]),
    ("stage_line", "stage", &[]),
    ("stage_unload", "stage", &[]),
    ("stage_search", "stage", &[]),
    ("stage_place", "stage", &[]),
    ("stage_start", "stage", &[]),
    ("stage_stand", "stage", &[]),
    ("stage_take", "stage", &["silence"]),
    ("stage_handover", "stage", &[]),
    ("stage_back", "stage", &["silence"]),
    ("stage_verbose", "stage", &[]),
    ("stage_isa", "stage", &[]),
    ("stage_report", "stage", &[]),
    ("stage_list", "stage", &[]),
    ("stage_gather", "stage", &[]),
    ("stage_join", "stage", &[]),
    ("stage_rest", "stage", &[]),
    ("stage_ready", "stage", &[]),
    ("stage_keep", "stage", &[]),
    ("many", "resident", &["many"]),
    ("ifs", "resident", &["ifs"]),
    ("flat", "resident", &["flat"]),
    ("flati", "resident", &["flati"]),
    ("flatk", "resident", &["flatk"]),
    ("count", "resident", &["count"]),
    ("share", "resident", &["share"]),
    ("reap", "resident", &["reap"]),
    ("shift", "resident", &["shift"]),
    ("ctl", "resident", &["ctl"]),
    ("ctlp", "resident", &["ctlp"]),
    ("lacp", "resident", &["lacp"]),
    ("tick", "resident", &["tick"]),
    ("vds", "resident", &["vds"]),
    ("stats", "resident", &["stats"]),
    ("pool", "resident", &["pool"]),
    ("poolc", "resident", &["poolc"]),
    ("poolv", "resident", &["poolv"]),
    ("xwords", "resident", &["xwords"]),
    ("xbytes", "resident", &["xbytes"]),
    ("xfifo", "resident", &["xfifo"]),
    ("xrings", "resident", &["xrings"]),
    ("xparts", "resident", &["xparts"]),
    ("bond", "resident", &["bond", "service"]),
    ("flows", "resident", &["flows"]),
    ("doubles", "resident", &["doubles"]),
    ("el3", "resident", &[]),
    ("find_el3", "stage", &["visit", "strings", "crc"]),
    ("start_el3", "stage", &["visit", "strings", "crc"]),
    ("ne2000", "resident", &[]),
    ("find_ne2000", "stage", &["visit", "strings", "crc"]),
    ("start_ne2000", "stage", &["visit", "strings", "crc"]),
    ("ne1000", "resident", &[]),
    ("find_ne1000", "stage", &["visit", "strings", "crc"]),
    ("start_ne1000", "stage", &["visit", "strings", "crc"]),
    ("ne2k_pci", "resident", &[]),
    ("find_ne2k_pci", "stage", &["visit", "strings", "crc"]),
    ("start_ne2k_pci", "stage", &["visit", "strings", "crc"]),
    ("e1000", "resident", &[]),
    ("e1000v", "resident", &[]),
    ("find_e1000", "stage", &["visit", "strings", "crc"]),
    ("start_e1000", "stage", &["visit", "strings", "crc"]),
    ("e1000e", "resident", &[]),
    ("e1000ev", "resident", &[]),
    ("find_e1000e", "stage", &["visit", "strings", "crc"]),
    ("start_e1000e", "stage", &["visit", "strings", "crc"]),
    ("igb", "resident", &[]),
    ("igbv", "resident", &[]),
    ("find_igb", "stage", &["visit", "strings", "crc"]),
    ("start_igb", "stage", &["visit", "strings", "crc"]),
    ("pch", "resident", &[]),
    ("pchv", "resident", &[]),
    ("find_pch", "stage", &["visit", "strings", "crc"]),
    ("start_pch", "stage", &["visit", "strings", "crc"]),
    ("rtl8139", "resident", &[]),
    ("rtl8139v", "resident", &[]),
    ("find_rtl8139", "stage", &["visit", "strings", "crc"]),
    ("start_rtl8139", "stage", &["visit", "strings", "crc"]),
    ("rtl8169", "resident", &[]),
    ("rtl8169v", "resident", &[]),
    ("find_rtl8169", "stage", &["visit", "strings", "crc"]),
    ("start_rtl8169", "stage", &["visit", "strings", "crc"]),
    ("rtl8125", "resident", &[]),
    ("rtl8125v", "resident", &[]),
    ("find_rtl8125", "stage", &["visit", "strings", "crc"]),
    ("start_rtl8125", "stage", &["visit", "strings", "crc"]),
    ("tg3", "resident", &[]),
    ("tg3v", "resident", &[]),
    ("find_tg3", "stage", &["visit", "strings", "crc"]),
    ("start_tg3", "stage", &["visit", "strings", "crc"]),
    ("virtio_net", "resident", &[]),
    ("virtio_netv", "resident", &[]),
    ("find_virtio_net", "stage", &["visit", "strings", "crc"]),
    ("start_virtio_net", "stage", &["visit", "strings", "crc"]),
    ("vmxnet3", "resident", &[]),
    ("find_vmxnet3", "stage", &["visit", "strings", "crc"]),
    ("start_vmxnet3", "stage", &["visit", "strings", "crc"]),
    ("pcnet", "resident", &[]),
    ("pcnetv", "resident", &[]),
    ("find_pcnet", "stage", &["visit", "strings", "crc"]),
    ("start_pcnet", "stage", &["visit", "strings", "crc"]),
    ("i8255x", "resident", &[]),
    ("i8255xv", "resident", &[]),
    ("find_i8255x", "stage", &["visit", "strings", "crc"]),
    ("start_i8255x", "stage", &["visit", "strings", "crc"]),
    ("tulip", "resident", &[]),
    ("tulipv", "resident", &[]),
    ("find_tulip", "stage", &["visit", "strings", "crc"]),
    ("start_tulip", "stage", &["visit", "strings", "crc"]),
    ("vortex", "resident", &[]),
    ("find_vortex", "stage", &["visit", "strings", "crc"]),
    ("start_vortex", "stage", &["visit", "strings", "crc"]),
    ("boomerang", "resident", &[]),
    ("boomerangv", "resident", &[]),
    ("find_boomerang", "stage", &["visit", "strings", "crc"]),
    ("start_boomerang", "stage", &["visit", "strings", "crc"]),
    ("corkscrew", "resident", &[]),
    ("corkscrewx", "resident", &[]),
    ("corkscrewv", "resident", &[]),
    ("find_corkscrew", "stage", &["visit", "strings", "crc"]),
    ("start_corkscrew", "stage", &["visit", "strings", "crc"]),
    ("start_corkscrewx", "stage", &["visit", "strings", "crc"]),
    ("undi", "resident", &["driver", "service", "strings", "rom"]),
    ("find_undi", "stage", &["visit", "strings", "rom"]),
    ("start_undi", "stage", &["visit", "strings", "rom", "top"]),
    ("pktctl", "program", &["program"]),
    ("conform", "program", &["program", "conform"]),
    ("control", "program", &["program", "control"]),
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
    println!("cargo:rerun-if-changed=src/programs/3compkt.inc");
    // tools/src/narrow is the linker.
    println!("cargo:rerun-if-changed=tools/src/narrow");
    if std::env::var_os("CARGO_FEATURE_DOS").is_none() {
        return;
    }
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    // The pack step sets this for a build without rules of tools/src/narrow.
    let slot_a = if std::env::var_os("CARGO_CFG_WIDE").is_some() { SLOT_A_WIDE } else { SLOT_A };
    for (unit, script, sources) in UNITS {
        println!("cargo:rustc-link-arg-bin={unit}=--defsym=slot_a={slot_a}");
        println!("cargo:rustc-link-arg-bin={unit}=-T{root}/linker/{script}.ld");
        if *script == "program" || unit.starts_with("pool") || unit.starts_with("ctl") {
            // Sections overlap: a program's code and data begin at 0 both; code that runs once has the tables' place.
            println!("cargo:rustc-link-arg-bin={unit}=--no-check-sections");
        }
        if *unit == "core" {
            // Only the installer uses these, by their symbols.
            for entry in ["int60_entry", "irq_entry"] {
                println!("cargo:rustc-link-arg-bin={unit}=--undefined={entry}");
            }
        }
        let sources = if *script == "resident" && sources.is_empty() { &["driver", "service", "strings", "rings", "crc"] } else { *sources };
        let common: &[&str] = match *script {
            "stage" | "kernel" => &["pci", "memory", "clock"],
            "program" => &["memory"],
            _ => &[],
        };
        for source in sources.iter().chain(common) {
            // nasm-rs would choose flat binary for this target, about which the linker only warns.
            let objects = nasm_rs::Build::new()
                .file(format!("asm/{source}.asm"))
                .flag("-felf32")
                .flag("-Werror")
                // NASM refuses instructions that a 386 does not have.
                .flag("--before")
                .flag("cpu 386")
                .include("asm/")
                .include("src/programs/")
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
