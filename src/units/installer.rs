//! The installer: the part of the load image that is thrown away.
#![no_std]
#![no_main]

/// asm/installer.asm calls this once DS = ES = SS = CS.
#[unsafe(no_mangle)]
extern "fastcall" fn install() {
    compkt::install::run::install();
}

compkt::no_panic!();
