//! The core unit: the statics that asm/ names, and the entries that asm/ calls.
#![no_std]
#![no_main]
#![allow(missing_docs, non_upper_case_globals, reason = "names are asm's; docs are where they are implemented")]

use compkt::resident::frame::{Frame, Upcall};
use compkt::resident::state::{Core, InfoArea};
use compkt::resident::{api, receive};

/// # Safety
/// All zero bytes are a valid value of each of these types.
const fn zero<T>() -> T {
    // SAFETY: see above.
    unsafe { core::mem::MaybeUninit::zeroed().assume_init() }
}

#[unsafe(no_mangle)]
static mut core_state: Core = zero();
#[unsafe(no_mangle)]
static mut info: InfoArea = zero();
#[unsafe(no_mangle)]
static mut call_frame: Upcall = zero();
#[unsafe(no_mangle)]
static mut busy: u8 = 0;

macro_rules! entries {
    ($($name:ident)*) => { $(
        #[unsafe(no_mangle)]
        extern "fastcall" fn $name(frame: &mut Frame) -> api::Error {
            api::$name(frame)
        }
    )* };
}

entries! {
    driver_info access_type release_type send_pkt terminate get_address reset_interface
    get_parameters as_send_pkt as_send_pkt_iocb drop_pkt
    set_rcv_mode get_rcv_mode set_multicast_list get_multicast_list get_statistics set_address
    get_info
}

#[unsafe(no_mangle)]
extern "fastcall" fn irq() -> bool {
    receive::irq()
}

compkt::no_panic!();
