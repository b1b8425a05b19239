//! Lines that the installer prints once its own file is open. They are in the file only; the image has their numbers.
//!
//! The pack step writes them behind [`crate::probe::REASONS`], each padded with zeros to [`crate::probe::REASON`] bytes.

use crate::probe::Fault;

/// The number of the first line: behind the faults, which count from 1.
pub const FIRST: u16 = Fault::Unlocked as u16;
/// Stands for the line's number, in hexadecimal.
pub const HEX: u8 = b'%';
/// Stands for the line's number, in decimal.
pub const DECIMAL: u8 = b'#';

/// Bytes of a line of what `3COMPKT /?` prints, padded with zeros.
pub const HELP: usize = 80;

macro_rules! lines {
    ($($name:ident $text:literal;)*) => {
        /// A line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        #[allow(missing_docs, reason = "the text says what each is")]
        pub enum Line {
            $($name,)*
        }
        /// The texts of all lines.
        #[cfg(not(target_os = "none"))]
        pub const LINES: &[&str] = &[$($text,)*];
    };
}

lines! {
    Taken ": this card belongs to the driver on INT %h; leave /IO= and /NIC= out to take another";
    NoDriver ": no such driver; 3COMPKT /? lists them";
    NoPort "no NIC answers at port %h; check the card's jumpers or leave /IO= out";
    NoCard "/NIC=: no such card is free; leave it out to take the first one";
    NoNic "no NIC found; give /IO= and /IRQ= if there is one";
    NoOther "no other NIC found; give /IO= and /IRQ= if there is one";
    NoRoom "too little memory: # bytes more are needed; load fewer programs before it";
    NoXms "no XMS: frames wait below 1 MB";
}
