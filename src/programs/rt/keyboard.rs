//! The keyboard by INT 16h, and the time slices that a program which waits gives up.

use super::{Far, Regs, int, vector};

/// The zero flag.
const ZF: u16 = 0x40;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Ctrl-C, or Ctrl-Break, for which the BIOS puts a zero into the buffer.
    Break,
    /// Escape.
    Escape,
    /// A letter or another character, letters in upper case.
    Letter(u8),
    /// Any other key.
    Other,
}

/// The next key, if one was pressed. DOS is not asked: it would act on Ctrl-C.
pub fn key() -> Option<Key> {
    let mut regs = Regs::ax(0x0100);
    int(0x16, &mut regs);
    if regs.flags & ZF != 0 {
        return None;
    }
    let mut regs = Regs::ax(0);
    int(0x16, &mut regs);
    Some(match regs.eax as u16 {
        0 => Key::Break,
        code => match code as u8 {
            3 => Key::Break,
            27 => Key::Escape,
            letter @ 32..=126 => Key::Letter(letter.to_ascii_uppercase()),
            _ => Key::Other,
        },
    })
}

/// Gives up the time slice: INT 28h tells resident programs that DOS waits, INT 2Fh AX=1680h tells Windows, OS/2 and DOSBox-X.
pub fn idle() {
    int(0x28, &mut Regs::ax(0));
    if vector(0x2F) != Far(0) {
        int(0x2F, &mut Regs::ax(0x1680));
    }
}
