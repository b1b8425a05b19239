//! The installer's kernel: the part of the load image that runs the stages.
#![no_std]
#![no_main]
#![allow(non_upper_case_globals, reason = "the name is the linker scripts'")]

use compkt::install::dos::{Call, own_entries};
use compkt::install::kernel::{Kernel, file};

unsafe extern "fastcall" {
    // asm/kernel.asm.
    safe fn far_call(call: *mut Call);
    safe fn move_up(paragraphs: u16);
}

extern "fastcall" fn far(call: *mut Call) {
    far_call(call);
}
extern "fastcall" fn up(paragraphs: u16) {
    move_up(paragraphs);
}

#[unsafe(link_section = ".kernel_table")]
#[unsafe(no_mangle)]
static kernel_table: Kernel = Kernel {
    regs: own_entries::regs,
    interrupt: own_entries::interrupt,
    far_call: far,
    put: own_entries::put,
    open: file::open,
    read: file::read,
    unit: file::unit,
    load: file::load,
    hooks: file::hooks,
    say: file::say,
    move_up: up,
};

/// asm/kernel.asm calls this once DS = ES = SS = CS.
#[unsafe(no_mangle)]
extern "fastcall" fn install() {
    compkt::install::kernel::run::install();
}

compkt::no_panic!();
