//! Our own file: its directory, its units, its lines of text.
//!
//! The first read that fails is the last: all later ones fail too, so that no search goes on with a part of the directory,
//! and the kernel says in the end why nothing stands. Each unit and each directory entry has a sum, so that a file that was
//! changed is told from one that knows no such card.

use core::arch::asm;
use core::mem::MaybeUninit;

use super::run::plan;
use super::{Near, Piece, Told, header};
use crate::bus::Addr;
use crate::bus::real::{address, copy_far, own};
use crate::install::dos::{self, fill, peek, poke, regs};
use crate::install::features::{HOOKS, Hook};
use crate::install::header::{Unit, number};
use crate::install::lines::{self, UNREADABLE};
use crate::install::print::{Dec, Hex, Print};
use crate::probe::REASON;

/// Its handle; [`CLOSED`].
static mut HANDLE: u16 = CLOSED;
const CLOSED: u16 = 0xFFFF;
/// A read failed, or what was read is not as the pack step made it.
static mut DAMAGED: bool = false;
/// Fix-ups that are read at a time.
const CHUNK: usize = 32;

/// Opens it, for reading, and lets others read and write.
pub extern "fastcall" fn open(name: *const Near) -> bool {
    let regs = regs(0x3D40);
    // SAFETY: the caller's.
    (regs.ds, regs.dx) = unsafe { ((*name).segment, (*name).at) };
    let opened = regs.interrupt(0x21);
    if opened {
        // SAFETY: the installer is one thread.
        unsafe { HANDLE = regs.ax };
    }
    opened
}

/// Closes it. Says that it is damaged, if it is.
#[inline(never)]
pub fn close() {
    // SAFETY: as above.
    let (handle, damaged) = unsafe { (HANDLE, DAMAGED) };
    if handle != CLOSED {
        let regs = regs(0x3E00);
        regs.bx = handle;
        regs.interrupt(0x21);
    }
    if damaged {
        // SAFETY: as above.
        unsafe { (*plan()).exit = UNREADABLE };
        "3COMPKT: the file is damaged; copy it again\r\n".print();
    }
}

/// Is it known to be damaged?
pub fn is_damaged() -> bool {
    // SAFETY: as above.
    unsafe { DAMAGED }
}

/// Notes that the file is damaged, unless `good`.
#[inline(never)]
fn note(good: bool) -> bool {
    if !good {
        // SAFETY: as above.
        unsafe { DAMAGED = true };
    }
    good
}

/// Reads a piece of it.
#[inline(never)]
pub extern "fastcall" fn read(piece: *const Piece) -> bool {
    // SAFETY: the caller's; a piece that is in memory of ours.
    let (piece, handle) = unsafe { (&*piece, HANDLE) };
    if is_damaged() {
        return false;
    }
    // SAFETY: as above.
    for part in unsafe { &(*plan()).old.kept } {
        if (part.from..part.end).contains(&piece.offset) {
            copy_far(Addr(part.at.0 + piece.offset - part.from), piece.to, piece.len);
            return true;
        }
    }
    let seek = regs(0x4200);
    seek.bx = handle;
    seek.cx = (piece.offset >> 16) as u16;
    seek.dx = piece.offset as u16;
    let mut good = seek.interrupt(0x21);
    if good {
        let read = regs(0x3F00);
        read.bx = handle;
        read.cx = piece.len;
        read.ds = (piece.to.0 >> 4) as u16;
        read.dx = piece.to.0 as u16 & 15;
        good = read.interrupt(0x21) && read.ax == piece.len;
    }
    note(good)
}

/// Reads to a place of ours.
#[inline(never)]
fn fetch(offset: u32, to: *mut u8, len: u16) -> bool {
    read(&Piece { offset, to: own(to), len })
}

/// The sum of `len` bytes, behind others whose sum is `sum`: turned left by a bit and the byte added, for each byte.
#[inline(never)]
fn sum(at: Addr, len: u16, mut sum: u16) -> u16 {
    // SAFETY: reads memory of ours; DS and SI are put back.
    unsafe {
        asm!(
            "push ds", "push si",
            "mov si, ax", "and si, 15", "shr eax, 4", "mov ds, ax",
            "xor ax, ax",
            "test cx, cx", "jz 3f",
            "2:", "lodsb", "rol dx, 1", "add dx, ax", "dec cx", "jnz 2b",
            "3:",
            "pop si", "pop ds",
            inout("eax") at.0 => _, inout("dx") sum, inout("cx") len => _,
        )
    }
    sum
}

/// The unit of a number.
pub extern "fastcall" fn unit(number: u8, unit: *mut Unit) -> bool {
    const SIZE: u16 = size_of::<Unit>() as u16;
    if !fetch(header().directory + number as u32 * SIZE as u32, unit as *mut u8, SIZE) {
        return false;
    }
    // SAFETY: the caller's, and read.
    let check = unsafe { (*unit).check };
    note(sum(own(unit as *mut u8), SIZE - 2, 0) == check)
}

/// Reads how a feature attaches.
pub extern "fastcall" fn hooks(unit: *const Unit, to: *mut Hook) -> bool {
    // SAFETY: the caller's.
    let unit = unsafe { &*unit };
    let at = unit.offset + unit.bytes as u32 + 2 * (unit.fixes16 + unit.fixes32) as u32;
    let len = unit.hooks.min(HOOKS as u8) as u16 * size_of::<Hook>() as u16;
    fetch(at, to as *mut u8, len) && note(sum(own(to as *mut u8), len, 0) == unit.hook_sum)
}

/// Reads a unit to a place and fixes it up.
pub extern "fastcall" fn load(unit: *const Unit, to: *const Near) -> bool {
    // SAFETY: the caller's.
    let (unit, Near { segment, at }) = unsafe { (&*unit, *to) };
    let base = address(segment, at);
    if !read(&Piece { offset: unit.offset, to: base, len: unit.bytes }) {
        return false;
    }
    let mut total = sum(base, unit.bytes, 0);
    fill(base.plus(unit.bytes), 0, unit.total - unit.bytes);
    let mut next = unit.offset + unit.bytes as u32;
    let mut left = unit.fixes16 + unit.fixes32;
    let mut chunk = [0u16; CHUNK];
    while left != 0 {
        let count = left.min(CHUNK as u16);
        let list = chunk.as_mut_ptr() as *mut u8;
        if !fetch(next, list, count * 2) {
            return false;
        }
        total = sum(own(list), count * 2, total);
        next += count as u32 * 2;
        left -= count;
        for fix in chunk.iter().take(count as usize) {
            // Within 64 KB the high half of a 32-bit offset stays zero.
            let place = base.plus(*fix);
            poke(place, &peek::<u16>(place).wrapping_add(at));
        }
    }
    note(total == unit.sum)
}

/// Prints a line of it, with a name before it and a number in it. The first line with an exit code sets that of the program.
/// Nothing is printed when the line cannot be read.
pub extern "fastcall" fn say(line: u16, told: *const Told) {
    // Not filled before it is read: that would take code.
    let mut text = MaybeUninit::<[u8; REASON]>::uninit();
    let mut texts = Unit::EMPTY;
    if !unit(number::LINES, &mut texts) || !fetch(texts.offset + (line * REASON as u16) as u32, text.as_mut_ptr() as *mut u8, REASON as u16) {
        return;
    }
    // SAFETY: the caller's; all of the text was read; the installer is one thread.
    let (told, text, exit) = unsafe { (&*told, &*text.as_ptr(), &raw mut (*plan()).exit) };
    // SAFETY: as above.
    unsafe {
        if *exit == 0 {
            *exit = text[REASON - 1];
        }
    }
    "3COMPKT: ".print();
    let mut name = told.name;
    loop {
        // SAFETY: a name ends with a byte that is not above a blank.
        let letter = unsafe { *name };
        if letter <= b' ' {
            break;
        }
        dos::put(letter);
        name = name.wrapping_add(1);
    }
    for byte in text.iter().take_while(|byte| **byte != 0) {
        match *byte {
            lines::HEX => Hex(told.number).print(),
            lines::DECIMAL => Dec(told.number).print(),
            letter => dos::put(letter),
        }
    }
    "\r\n".print();
}
