//! Text on the console, without core::fmt.

use super::dos;

/// Something printable.
pub trait Print {
    /// Writes it to the console.
    fn print(&self);
}

impl Print for str {
    #[inline(never)]
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

/// A decimal number, with a comma before its last three digits.
pub struct Dec(pub u16);

impl Print for Dec {
    fn print(&self) {
        let mut place = 10_000;
        let mut begun = false;
        while place != 0 {
            let digit = (self.0 / place % 10) as u8;
            begun |= digit != 0 || place == 1;
            if begun {
                dos::put(b'0' + digit);
                if place == 1000 {
                    dos::put(b',');
                }
            }
            place /= 10;
        }
    }
}

/// A hexadecimal number without leading zeros.
pub struct Hex(pub u16);

impl Print for Hex {
    #[inline(never)]
    fn print(&self) {
        let mut shift = 12;
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

/// A PCI function's place (bus in bits 15:8, device 7:3, function 2:0), as `/NIC=` takes it.
pub struct Place(pub u16);

impl Print for Place {
    fn print(&self) {
        Hex(self.0 >> 8).print();
        dos::put(b':');
        Hex(self.0 >> 3 & 31).print();
        dos::put(b'.');
        Hex(self.0 & 7).print();
    }
}

/// A PCI function's identity: vendor (in the low half) and device, four digits each.
pub struct Identity(pub u32);

impl Print for Identity {
    fn print(&self) {
        let mut rest = self.0.rotate_left(16);
        for place in 0..8u8 {
            if place == 4 {
                dos::put(b':');
            }
            rest = rest.rotate_left(4);
            digit(rest as u8);
        }
    }
}

#[inline(never)]
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
