//! Work that the transmitter does on a frame: checksums and segments of TCP over IPv4.

/// The one's complement sum of 16-bit words.
fn sum(bytes: &[u8]) -> u32 {
    let total = bytes.chunks(2).map(|pair| (pair[0] as u32) << 8 | *pair.get(1).unwrap_or(&0) as u32).sum::<u32>();
    (0..2).fold(total, |sum, _| (sum & 0xFFFF) + (sum >> 16))
}

fn store(frame: &mut [u8], at: usize, value: u16) {
    if let Some(place) = frame.get_mut(at..at + 2) {
        place.copy_from_slice(&value.to_be_bytes());
    }
}

/// Where the headers behind MAC and IP begin, and the protocol.
fn inner(frame: &[u8]) -> Option<(usize, u8)> {
    match frame.get(12..14)? {
        [8, 0] => Some((14 + 4 * (*frame.get(14)? as usize & 0xF), *frame.get(23)?)),
        [0x86, 0xDD] => Some((54, *frame.get(20)?)),
        _ => None,
    }
}

/// The header's checksum of IPv4, and that of TCP or UDP, whose place has the sum of the pseudo header.
pub fn sums(frame: &mut [u8], ip: bool, protocol: bool) {
    let Some((at, kind)) = inner(frame) else { return };
    if ip && frame[13] == 0 {
        store(frame, 24, 0);
        let value = !sum(&frame[14..at.min(frame.len())]) as u16;
        store(frame, 24, value);
    }
    if protocol && at < frame.len() {
        let place = at + if kind == 6 { 16 } else { 6 };
        let value = match !sum(&frame[at..]) as u16 {
            0 => 0xFFFF,
            value => value,
        };
        store(frame, place, value);
    }
}

/// Cuts a frame into segments of TCP with `size` bytes of data.
pub fn segments(frame: &[u8], size: usize) -> Vec<Vec<u8>> {
    let Some((tcp, 6)) = inner(frame) else { return vec![frame.to_vec()] };
    let Some(data) = frame.get(tcp + 12).map(|byte| tcp + 4 * (*byte as usize >> 4)) else { return vec![frame.to_vec()] };
    if size == 0 || data > frame.len() {
        return vec![frame.to_vec()];
    }
    let count = (frame.len() - data).div_ceil(size);
    let word = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    let sequence = u32::from_be_bytes([frame[tcp + 4], frame[tcp + 5], frame[tcp + 6], frame[tcp + 7]]);
    let mut all = Vec::new();
    for (number, part) in frame[data..].chunks(size).enumerate() {
        let mut one = frame[..data].to_vec();
        one.extend_from_slice(part);
        let length = one.len() - 14;
        store(&mut one, 16, length as u16);
        store(&mut one, 18, word(18).wrapping_add(number as u16));
        let place = sequence.wrapping_add((number * size) as u32).to_be_bytes();
        one[tcp + 4..tcp + 8].copy_from_slice(&place);
        if number + 1 < count {
            // No FIN and no PSH before the last one.
            one[tcp + 13] &= !0x09;
        }
        let pseudo = sum(&one[26..34]) + 6 + (one.len() - tcp) as u32;
        store(&mut one, tcp + 16, ((pseudo & 0xFFFF) + (pseudo >> 16)) as u16);
        sums(&mut one, true, true);
        all.push(one);
    }
    all
}
