//! Checksums over all that a packet driver must not change: interrupt vectors, BIOS data, DOS and all programs.

use compkt::programs::rt::{Far, Shared};

/// Paragraphs with one checksum: 1 KB.
const PIECE: u16 = 64;
const PIECES: usize = 640;
/// Paragraphs of vectors and BIOS data, before the first piece with a checksum of its own.
const LOW: u16 = 0x50;

/// BIOS data that changes by itself: offset in segment 40h, number of bytes.
const ALIVE: [(u16, u16); 4] = [
    (0x17, 0x29), // the keyboard and its buffer; floppy motors
    (0x40, 0x01), // floppy motor time-out
    (0x6C, 0x05), // the clock
    (0x70, 0x02), // midnight, Ctrl-Break
];

#[derive(Clone, Copy)]
struct Kept {
    /// The ranges that are left out, by first and last paragraph: the driver, and this program's data and stack.
    holes: [(u16, u16); 2],
    /// Paragraphs of conventional memory.
    end: u16,
    low: u32,
}

static KEPT: Shared<Kept> = Shared::new(Kept { holes: [(0, 0); 2], end: 0, low: 0 });
static SUMS: Shared<[u32; PIECES]> = Shared::new([0; PIECES]);

unsafe extern "C" {
    static __data_start: u8;
    static __bss_end: u8;
}

/// Stores the checksums. The driver has `paragraphs` from `segment` on.
pub fn keep(segment: u16, paragraphs: u16) {
    let own = Far::of(&raw const __data_start).linear() >> 4;
    // The stack lies behind the BSS, in the same 64 KB.
    let own_end = (Far::of(&raw const __bss_end).linear() >> 4) + compkt::programs::STACK as u32 / 16;
    let holes = [(segment, segment + paragraphs), (own as u16, own_end as u16 + 1)];
    KEPT.write(Kept { holes, end: Far::new(0x40, 0x13).read16() * PIECE, low: 0 });
    keep_again();
}

/// Stores the checksums again, with the same exceptions.
pub fn keep_again() {
    let kept = KEPT.read();
    KEPT.write(Kept { low: low(), ..kept });
    for piece in 0..PIECES {
        let sum = sum(&kept, piece as u16);
        // SAFETY: the index is below the table's length.
        unsafe { SUMS.get().cast::<u32>().add(piece).write(sum) };
    }
}

/// The segment of a kilobyte that has changed; `None`: no change.
pub fn changed() -> Option<u16> {
    let kept = KEPT.read();
    if low() != kept.low {
        return Some(0);
    }
    for piece in 0..PIECES {
        // SAFETY: the index is below the table's length.
        let was = unsafe { SUMS.get().cast::<u32>().add(piece).read() };
        if sum(&kept, piece as u16) != was {
            return Some(piece as u16 * PIECE);
        }
    }
    None
}

/// Changes a byte in the last kilobyte of conventional memory.
pub fn poke() {
    let at = Far::new(KEPT.read().end - PIECE, 0x2A5);
    // SAFETY: memory that DOS has not allocated, or the end of this program's.
    unsafe { at.write(&[at.read16() as u8 ^ 0x40]) };
}

/// The checksum of vectors and BIOS data.
fn low() -> u32 {
    let mut sum = Far::new(0, 0).sum(0x100, 0);
    let mut at = 0;
    for (start, bytes) in ALIVE {
        sum = odd(at, start, sum);
        at = start + bytes;
    }
    odd(at, 0x100, sum)
}

/// The checksum of the bytes of segment 40h from `from` to `to`.
fn odd(from: u16, to: u16, mut sum: u32) -> u32 {
    for at in from..to {
        let byte = Far::new(0x40, at).read16() as u8;
        sum = (sum ^ byte as u32).rotate_left(5);
    }
    sum
}

/// The checksum of a piece, without the ranges that are left out.
fn sum(kept: &Kept, piece: u16) -> u32 {
    let first = (piece * PIECE).max(LOW);
    let last = (piece * PIECE + PIECE).min(kept.end);
    if first >= last {
        return 0;
    }
    if kept.holes.iter().all(|hole| last <= hole.0 || first >= hole.1) {
        return Far::new(first, 0).sum((last - first) * 4, 0);
    }
    let mut sum = 0;
    for paragraph in first..last {
        if kept.holes.iter().all(|hole| paragraph < hole.0 || paragraph >= hole.1) {
            sum = Far::new(paragraph, 0).sum(4, sum);
        }
    }
    sum
}
