//! Text on the console, without core::fmt.

use super::dos;

/// Something printable.
pub trait Print {
    /// Writes it to the console.
    fn print(&self);
}

impl Print for str {
    fn print(&self) {
        self.bytes().for_each(dos::put);
    }
}

impl Print for [u8] {
    fn print(&self) {
        self.iter().take_while(|byte| **byte != 0).for_each(|byte| dos::put(*byte));
    }
}

impl<T: Print + ?Sized> Print for &T {
    fn print(&self) {
        (**self).print();
    }
}

impl<const N: usize> Print for [u8; N] {
    fn print(&self) {
        self.as_slice().print();
    }
}

/// A decimal number, with commas between its thousands.
pub struct Dec(pub u32);

impl Print for Dec {
    fn print(&self) {
        let mut left = self.0;
        let mut begun = false;
        let powers = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1u32];
        for (at, power) in powers.into_iter().enumerate() {
            let mut digit = 0;
            while left >= power {
                left -= power;
                digit += 1;
            }
            begun |= digit != 0 || power == 1;
            if begun {
                dos::put(b'0' + digit);
                if at % 3 == 0 && power != 1 {
                    dos::put(b',');
                }
            }
        }
    }
}

/// A hexadecimal number without leading zeros.
pub struct Hex(pub u32);

impl Print for Hex {
    fn print(&self) {
        let mut shift = 28;
        while shift > 0 && self.0 >> shift == 0 {
            shift -= 4;
        }
        loop {
            digit((self.0 >> shift) as u8);
            if shift == 0 {
                break;
            }
            shift -= 4;
        }
    }
}

fn digit(value: u8) {
    let value = value & 15;
    dos::put(if value < 10 { b'0' + value } else { b'A' - 10 + value });
}

/// An Ethernet address.
pub struct Mac(pub [u8; 6]);

impl Print for Mac {
    fn print(&self) {
        for (at, byte) in self.0.iter().enumerate() {
            if at != 0 {
                dos::put(b':');
            }
            digit(byte >> 4);
            digit(*byte);
        }
    }
}

/// Prints a line that begins with the driver's name.
#[macro_export]
macro_rules! line {
    ($($part:expr),+) => {{
        $crate::install::print::Print::print("3COMPKT: ");
        $( $crate::install::print::Print::print(&$part); )+
        $crate::install::print::Print::print("\r\n");
    }};
}
