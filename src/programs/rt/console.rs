//! Prints text on standard output (INT 21h AH=40h, which can be redirected), without `core::fmt`.
//!
//! One call prints a whole line by a pattern: in 16-bit code a call for each part would take more bytes than the parts.

use super::{Far, Regs, Shared, int};
use core::ffi::CStr;

const SIZE: usize = 256;
static BUFFER: Shared<[u8; SIZE]> = Shared::new([0; SIZE]);
static USED: Shared<usize> = Shared::new(0);
static FAILED: Shared<bool> = Shared::new(false);

/// Whether output was lost: the disk is full, or the device does not take it.
pub fn failed() -> bool {
    FAILED.read()
}

/// Writes the buffer's contents.
#[inline(never)]
pub fn flush() {
    let mut regs = Regs::ax(0x4000);
    regs.ebx = 1;
    regs.ecx = USED.read() as u32;
    regs.edx = Far::of(BUFFER.get()).offset() as u32;
    if regs.ecx != 0 {
        int(0x21, &mut regs);
        if regs.carry() || (regs.eax as u16 as usize) < USED.read() {
            FAILED.write(true);
        }
    }
    USED.write(0);
}

/// Prints a byte; LF prints CR LF and empties the buffer. Not from a receiver: DOS is not re-entrant.
#[inline(never)]
pub fn byte(byte: u8) {
    if byte == b'\n' {
        self::byte(b'\r');
    }
    let used = USED.read();
    // SAFETY: `used` is below SIZE, because a full buffer is emptied at once; receivers do not print.
    unsafe { BUFFER.get().cast::<u8>().add(used).write(byte) };
    USED.write(used + 1);
    if byte == b'\n' || used + 1 == SIZE {
        flush();
    }
}

/// Prints bytes as they are.
pub fn bytes(bytes: &[u8]) {
    for b in bytes {
        byte(*b);
    }
}

/// Prints a decimal number, with leading blanks to `columns` (0 to 10).
#[inline(never)]
pub fn decimal(mut value: u32, columns: u32) {
    let mut text = [b' '; 10];
    let mut length = 0;
    for place in &mut text {
        if length == 0 || value != 0 {
            *place = b'0' + (value % 10) as u8;
        } else if length >= columns {
            break;
        }
        value /= 10;
        length += 1;
    }
    for digit in text.iter().rev().skip(10 - length as usize) {
        byte(*digit);
    }
}

/// Prints a number with `digits` (1 to 8) hexadecimal digits.
#[inline(never)]
pub fn hex(value: u32, digits: u32) {
    let mut place = digits * 4;
    while place != 0 {
        place -= 4;
        let digit = (value >> place) as u8 & 15;
        byte(if digit < 10 { b'0' + digit } else { b'A' - 10 + digit });
    }
}

/// An argument of [`say!`](crate::say): a number or a near address.
#[derive(Clone, Copy)]
pub struct Word(pub u32);

impl From<u32> for Word {
    fn from(value: u32) -> Word {
        Word(value)
    }
}

impl From<u16> for Word {
    fn from(value: u16) -> Word {
        Word(value as u32)
    }
}

impl From<u8> for Word {
    fn from(value: u8) -> Word {
        Word(value as u32)
    }
}

impl<const N: usize> From<&[u8; N]> for Word {
    fn from(value: &[u8; N]) -> Word {
        Word(value.as_ptr() as usize as u32)
    }
}

impl From<&CStr> for Word {
    fn from(value: &CStr) -> Word {
        Word(value.as_ptr() as usize as u32)
    }
}

/// A byte of the program's data segment.
fn near(at: u32) -> u8 {
    // SAFETY: every offset of the segment can be read. A pattern that does not fit its arguments prints wrong text.
    unsafe { (at as u16 as usize as *const u8).read_volatile() }
}

/// Prints an ASCIZ text.
#[inline(never)]
pub fn text(text: &CStr) {
    asciz(Word::from(text).0);
}

#[inline(never)]
fn asciz(mut at: u32) {
    while near(at) != 0 {
        byte(near(at));
        at += 1;
    }
}

/// The number of words that a pattern has places for.
pub const fn places(pattern: &CStr) -> usize {
    let bytes = pattern.to_bytes();
    let (mut at, mut count) = (0, 0);
    while at < bytes.len() {
        count += (bytes[at] == b'{') as usize;
        at += 1;
    }
    count
}

/// Prints a pattern, in which `{d}` stands for a decimal number, `{5}` for one right-aligned in 5 columns, `{x}`, `{X}` and
/// `{L}` for 2, 4 and 8 hexadecimal digits, `{s}` for an ASCIZ text, `{m}` for an Ethernet address and `{i}` for an IPv4
/// address.
///
/// # Safety
/// There are as many words as [`places`] says. [`say!`](crate::say) sees to it.
#[inline(never)]
pub unsafe fn pattern(pattern: &CStr, mut words: *const Word) {
    let mut at = Word::from(pattern).0;
    loop {
        let next = near(at);
        at += 1;
        if next != b'{' {
            if next == 0 {
                return;
            }
            byte(next);
            continue;
        }
        // SAFETY: as the caller promises.
        let mut word = unsafe {
            let word = (*words).0;
            words = words.add(1);
            word
        };
        let code = near(at);
        at += 2;
        match code {
            b'x' => hex(word, 2),
            b'X' => hex(word, 4),
            b'L' => hex(word, 8),
            b's' => asciz(word),
            b'm' | b'i' => {
                let end = word + if code == b'm' { 6 } else { 4 };
                loop {
                    if code == b'm' { hex(near(word) as u32, 2) } else { decimal(near(word) as u32, 0) }
                    word += 1;
                    if word == end {
                        break;
                    }
                    byte(if code == b'm' { b':' } else { b'.' });
                }
            }
            b'd' => decimal(word, 0),
            columns => decimal(word, (columns - b'0') as u32),
        }
    }
}

/// Prints a [pattern](console::pattern) (a C string literal) with its arguments, or a text.
///
/// [console::pattern]: crate::programs::rt::console::pattern
#[macro_export]
macro_rules! say {
    ($text:expr $(,)?) => {
        $crate::programs::rt::console::text($text)
    };
    ($pattern:literal $(, $word:expr)+ $(,)?) => {{
        const { assert!($crate::programs::rt::console::places($pattern) == [$(stringify!($word)),+].len(), "places and words") };
        let words = [$($crate::programs::rt::console::Word::from($word)),+];
        // SAFETY: as many words as places.
        unsafe { $crate::programs::rt::console::pattern($pattern, words.as_ptr()) }
    }};
}
