//! The control interrupt of `/CTL`: INT 2Dh by the Alternate Multiplex Interrupt Specification (AMIS 3.6). AH is the multiplex
//! number, [`crate::info::Info::amis`]; AL is the function. asm/ctl.inc answers; PKTCTL and the tests ask.
//!
//! `src/programs/3compkt.h` and `3compkt.inc` say the same for C and for NASM; tools/tests/header.rs compares the three. The
//! manual's tables are made from this file (tools/src/pack/manual.rs).

/// The interrupt.
pub const INTERRUPT: u8 = 0x2D;
/// What the installation check's DX:DI points to: the maker and the product, 8 bytes each, padded with blanks.
pub const PRODUCT: [u8; 16] = *b"3COMPKT PKTDRVR ";

macro_rules! numbers {
    ($(#[$doc:meta])* $list:ident $type:ty; $($name:ident = $value:literal, $what:literal;)*) => {
        $(#[doc = $what] pub const $name: $type = $value;)*
        $(#[$doc])*
        #[cfg(not(target_os = "none"))]
        pub const $list: &[(&str, $type, &str)] = &[$((stringify!($name), $value, $what)),*];
    };
}

numbers! {
    /// The functions in AL that are this driver's own: name, number, registers.
    FUNCTIONS u8;
    GET = 0x10, "BX = parameter. Gives CX = value, ES:DI = where it is. Of a pending one CX = the wanted value, DX = that in force";
    SET = 0x11, "BX = parameter, CX = value; or ES:DI = bytes, CX = their number";
    APPLY = 0x12, "FILE: 3COMPKT /APPLY puts the wanted values in force";
    ROLLBACK = 0x13, "forget the wanted values";
    REGISTER = 0x14, "ES:DI = callback, BX = parameter, or 0 for all";
    REMOVE = 0x15, "ES:DI = callback";
    LOG = 0x16, "gives ES:DI = log, DX = entries ever written (it wraps)";
}

numbers! {
    /// What these functions give in AL.
    RESULTS u8;
    DONE = 0xFF, "done";
    NOT_IMPLEMENTED = 0, "there is no such function";
    UNKNOWN = 1, "there is no such parameter or callback";
    FIXED = 2, "fixed at load, by the switches or by the card's driver";
    REFUSED = 3, "the card has no line of its own to change to";
    BUSY = 5, "called from a receiver; try again later";
    FILE = 6, "the driver in memory cannot do it; its file can";
    RANGE = 8, "the value is out of range";
    NO_ROOM = 9, "too many bytes or callbacks";
    SHARED = 13, "several handles are open";
    BAD_ADDRESS = 14, "no valid address";
}

numbers! {
    /// Events of the log. The parameter LOG is the greatest one that is written.
    EVENTS u8;
    LINK_DOWN = 1, "the link was lost";
    LINK_UP = 2, "the link is there";
    APPLY_FAILED = 3, "wanted values were refused; all is as before";
    DROPPED = 4, "a callback's code was overwritten; it is called no more";
    CHANGED = 5, "a parameter was set; the detail is its number";
    SEND_FAILED = 6, "frames could not be sent";
    OVERRUN = 7, "the card lost frames";
    SPURIOUS = 8, "interrupts came without a cause";
}

/// An entry of the log. Entry `n` of those ever written, counted from 0, lies at place `n % LOG_ENTRIES`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Entry {
    /// The BIOS's count of timer ticks since midnight.
    pub ticks: [u8; 3],
    /// The event; 0: the entry was never written.
    pub event: u8,
    /// The event's detail, or 0.
    pub detail: u8,
}
/// Entries of the log.
pub const LOG_ENTRIES: usize = 16;

const _: () = assert!(size_of::<Entry>() == 5);

/// In front of a callback's code: the address that [`REGISTER`] gets is four bytes behind the first of these. The driver looks
/// at them before each call. Where they have changed, it drops the callback.
///
/// A callback is called by a far call, with BX = parameter, DS = the driver's segment, interrupts off, on the stack of the
/// program that has set the parameter. It may change EAX to EBP, ES and DS, enable interrupts, and call INT 60h and INT 2Dh. It
/// is not told of what is set before it has returned. One that never returns is not called again until it is removed and
/// registered again.
pub const CALLBACK: [u8; 4] = *b"3CCB";
/// Callbacks that may be registered.
pub const CALLBACKS: usize = 4;

/// The class of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// [`SET`] puts it in force at once.
    Live = 0,
    /// [`SET`] notes it; it is in force after [`APPLY`].
    Pending = 1,
    /// Only the switches at load set it, or the card's driver has one value of it.
    Fixed = 2,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its number, for BX.
    pub number: u8,
    /// Its name; where a switch sets it at load, the switch's.
    pub name: &'static str,
    /// When a new value is in force.
    pub class: Class,
    /// Its least value; of [`ADDRESS`] and [`MULTICAST`] the least number of bytes. The driver itself looks at the values of
    /// live and pending parameters.
    pub low: u16,
    /// Its greatest value.
    pub high: u16,
    /// What it is.
    #[cfg(not(target_os = "none"))]
    pub what: &'static str,
}

macro_rules! parameters {
    ($($constant:ident $number:literal $name:literal $class:ident $low:literal $high:literal, $what:literal;)*) => {
        $(#[doc = $what] pub const $constant: u8 = $number;)*
        /// All parameters, in the order of their numbers, which begin with 1.
        pub static PARAMETERS: [Parameter; [$($number),*].len()] = [$(Parameter {
            number: $number,
            name: $name,
            class: Class::$class,
            low: $low,
            high: $high,
            #[cfg(not(target_os = "none"))]
            what: $what,
        }),*];
        /// The names of their numbers, in the same order.
        #[cfg(not(target_os = "none"))]
        pub const CONSTANTS: &[&str] = &[$(stringify!($constant)),*];
    };
}

parameters! {
    MODE      1 "MODE"      Live    1 6, "receive mode: 1 off, 2 direct, 3 broadcast, 4 multicast, 5 all multicast, 6 promiscuous";
    ADDRESS   2 "ADDRESS"   Live    6 6, "the card's address, at ES:DI";
    MULTICAST 3 "MULTICAST" Live    0 48, "multicast list. GET: CX = number of addresses; at ES:DI that word, then the addresses";
    BURST     4 "BURST"     Live    1 64, "frames before other interrupts";
    POLL      5 "POLL"      Live    0 1, "1: the driver polls; 0: the card interrupts";
    LEVEL     6 "LOG"       Live    0 8, "the greatest event that is logged";
    INTERVAL  7 "INTERVAL"  Live    0 255, "seconds between two readings of PKTCTL stats";
    HOLD      8 "HOLD"      Live    1 250, "ticks for which a refused frame waits";
    MEDIA     9 "MEDIA"     Pending 0 255, "medium and duplex, as /MEDIA= numbers them";
    XMS       10 "XMS"      Pending 16 16384, "KB of XMS for frames that wait, in real mode";
    MIGRATE   11 "MIGRATE"  Live    1536 32768, "waiting bytes above which frames go to XMS, in V86 mode, at most CACHE";
    HANDLES   12 "HANDLES"  Fixed   1 64, "handles";
    CACHE     13 "CACHE"    Fixed   1536 32768, "bytes of conventional memory before XMS, in V86 mode";
    STACK     14 "STACK"    Fixed   192 2048, "bytes of stack for receivers";
    DELAY     15 "DELAY"    Fixed   0 65535, "microseconds that the card delays its interrupts: always 0";
    RX_RING   16 "RXRING"   Fixed   1 256, "frames in the receive ring, as the card's driver has it";
    TX_RING   17 "TXRING"   Fixed   1 256, "frames in the transmit ring, as the card's driver has it";
}

const _: () = {
    let mut index = 0;
    while index < PARAMETERS.len() {
        assert!(PARAMETERS[index].number as usize == index + 1);
        index += 1;
    }
};
