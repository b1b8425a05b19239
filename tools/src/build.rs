//! Compiles the C header for client programs, so that a test can compare its layout with the driver's source.

fn main() {
    let header = "../src/programs/3compkt.h";
    println!("cargo:rerun-if-changed={header}");
    println!("cargo:rerun-if-changed=src/header.c");
    cc::Build::new()
        .file("src/header.c")
        .include("../src/programs")
        .std("c89")
        .flag("-pedantic-errors")
        .warnings_into_errors(true)
        .compile("compkt_header");
}
