//! The core unit: the statics that asm/ uses by name, and the entries that asm/ calls.
#![no_std]
#![no_main]
#![allow(missing_docs, non_upper_case_globals, reason = "names are asm's; docs are where they are implemented")]

use compkt::info::Info;
use compkt::resident::frame::Frame;
use compkt::resident::handle::{KNOWN, Known};
use compkt::resident::table::{State, Work};
use compkt::resident::{api, receive};

/// # Safety
/// All zero bytes are a valid value of each of these types.
const fn zero<T>() -> T {
    // SAFETY: see above.
    unsafe { core::mem::MaybeUninit::zeroed().assume_init() }
}

macro_rules! statics {
    ($($(#[$place:meta])? $name:ident: $type:ty;)*) => { $(
        #[unsafe(no_mangle)]
        $(#[$place])?
        static mut $name: $type = zero();
    )* };
}

// At places that every unit knows (linker/resident.ld).
statics! {
    #[unsafe(link_section = ".work")] work: Work;
    #[unsafe(link_section = ".work.state")] core_state: State;
    #[unsafe(link_section = ".work.getter")] getter: u16;
    #[unsafe(link_section = ".work.busy")] busy: u8;
    #[unsafe(link_section = ".work.pending")] pending: u8;
    #[unsafe(link_section = ".work.open")] open: u8;
}

statics! {
    info: Info;
    known: [Known; KNOWN];
}

macro_rules! entries {
    ($($name:ident)*) => { $(
        #[unsafe(no_mangle)]
        extern "fastcall" fn $name(frame: &mut Frame) -> api::Error {
            api::$name(frame)
        }
    )* };
}

entries! {
    driver_info access_type release_type send_pkt get_address reset_interface
    get_parameters as_send_pkt as_send_pkt_iocb drop_pkt
    set_rcv_mode get_rcv_mode set_multicast_list get_multicast_list get_statistics set_address
    get_info
}

#[unsafe(no_mangle)]
extern "fastcall" fn catch_up() {
    receive::catch_up()
}

compkt::no_panic!();
