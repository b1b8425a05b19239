//! Checksums of TCP, UDP and IP that a descriptor asks for. Linux asks; the drivers here do not.

use super::Generation;

/// What a descriptor asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    ip: bool,
    tcp: bool,
    udp: bool,
}

/// What the two words of a descriptor ask for. None: bits that mean something else, segmentation among them.
pub fn wanted(generation: Generation, status: u32, options: u32) -> Option<Wanted> {
    let bit = |word: u32, at: u32| word >> at & 1 != 0;
    let rest = status >> 16 & 0xFFF;
    if generation < Generation::Second {
        let wanted = Wanted { ip: bit(status, 18), udp: bit(status, 17), tcp: bit(status, 16) };
        return (rest & !7 == 0 && options == 0).then_some(wanted);
    }
    // Bits 27:18 say where TCP or UDP begins; bit 28 that the packet is IPv6.
    let wanted = Wanted { ip: bit(options, 29), tcp: bit(options, 30), udp: bit(options, 31) };
    (rest == 0 && options & 0x3_FFFF == 0).then_some(wanted)
}

/// Adds up 16-bit words with end-around carry.
fn sum(data: &[u8], start: u32) -> u16 {
    let words = data.chunks(2).map(|pair| (pair[0] as u32) << 8 | *pair.get(1).unwrap_or(&0) as u32);
    let mut total = words.fold(start, u32::wrapping_add);
    while total >> 16 != 0 {
        total = (total & 0xFFFF) + (total >> 16);
    }
    total as u16
}

/// Inserts the checksums.
pub fn insert(frame: &mut [u8], wanted: Wanted) {
    if wanted == Wanted::default() || frame.len() < 54 {
        return;
    }
    let word = |frame: &[u8], at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]) as usize;
    let (addresses, start, end) = match word(frame, 12) {
        0x0800 => (26..34, 14 + (frame[14] & 15) as usize * 4, 14 + word(frame, 16)),
        0x86DD => (22..54, 54, 54 + word(frame, 18)),
        _ => return,
    };
    if wanted.ip && word(frame, 12) == 0x0800 && start <= frame.len() {
        frame[24..26].fill(0);
        let value = !sum(&frame[14..start], 0);
        frame[24..26].copy_from_slice(&value.to_be_bytes());
    }
    let (protocol, place) = match wanted {
        Wanted { tcp: true, .. } => (6, start + 16),
        Wanted { udp: true, .. } => (17, start + 6),
        _ => return,
    };
    if place + 2 > end || end > frame.len() {
        return;
    }
    frame[place..place + 2].fill(0);
    let pseudo = sum(&frame[addresses], protocol + (end - start) as u32) as u32;
    let value = match !sum(&frame[start..end], pseudo) {
        // For UDP, 0 means no checksum.
        0 if protocol == 17 => 0xFFFF,
        value => value,
    };
    frame[place..place + 2].copy_from_slice(&value.to_be_bytes());
}
