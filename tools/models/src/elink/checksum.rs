//! The 3C90xB's checksums of IP, TCP and UDP.
//!
//! Tested by Linux, which lets the card insert those of TCP and UDP, and relies on its check of received ones.

/// Where IP's header begins, behind the MAC header.
const IP: usize = 14;

/// Adds up 16-bit words with end-around carry.
fn sum(data: &[u8], start: u32) -> u16 {
    let words = data.chunks(2).map(|pair| (pair[0] as u32) << 8 | *pair.get(1).unwrap_or(&0) as u32);
    let mut total = words.fold(start, u32::wrapping_add);
    while total >> 16 != 0 {
        total = (total & 0xFFFF) + (total >> 16);
    }
    total as u16
}

/// For an IPv4 packet that is no fragment: protocol, start and end of its data.
fn packet(frame: &[u8]) -> Option<(u8, usize, usize)> {
    if frame.get(12..14)? != [8, 0] || frame.get(IP)? >> 4 != 4 {
        return None;
    }
    let start = IP + (frame[IP] & 15) as usize * 4;
    let end = IP + u16::from_be_bytes([*frame.get(IP + 2)?, *frame.get(IP + 3)?]) as usize;
    let whole = u16::from_be_bytes([*frame.get(IP + 6)?, *frame.get(IP + 7)?]) & 0x3FFF == 0;
    (whole && start <= end && end <= frame.len() && start >= IP + 20).then_some((frame[IP + 9], start, end))
}

/// The sum of the pseudo header of TCP and UDP.
fn pseudo(frame: &[u8], protocol: u8, length: usize) -> u32 {
    sum(&frame[IP + 12..IP + 20], protocol as u32 + length as u32) as u32
}

/// Inserts the checksums that a download's header requests: bit 25 IP, 26 TCP, 27 UDP.
pub(crate) fn insert(frame: &mut [u8], header: u32) {
    let Some((protocol, start, end)) = packet(frame) else { return };
    if header & 1 << 25 != 0 {
        frame[IP + 10..IP + 12].fill(0);
        let value = !sum(&frame[IP..start], 0);
        frame[IP + 10..IP + 12].copy_from_slice(&value.to_be_bytes());
    }
    let (place, wanted) = match protocol {
        6 => (start + 16, header & 1 << 26 != 0),
        17 => (start + 6, header & 1 << 27 != 0),
        _ => return,
    };
    if wanted && place + 2 <= end {
        frame[place..place + 2].fill(0);
        let value = match !sum(&frame[start..end], pseudo(frame, protocol, end - start)) {
            // For UDP, 0 means no checksum.
            0 if protocol == 17 => 0xFFFF,
            value => value,
        };
        frame[place..place + 2].copy_from_slice(&value.to_be_bytes());
    }
}

/// The bits of an upload's status: 29 to 31 IP, TCP, UDP checked; 25 to 27 wrong.
pub(crate) fn verify(frame: &[u8]) -> u32 {
    let Some((protocol, start, end)) = packet(frame) else { return 0 };
    let wrong = |bad: bool, bit: u32| if bad { 1 << bit } else { 0 };
    let mut bits = 1 << 29 | wrong(sum(&frame[IP..start], 0) != 0xFFFF, 25);
    let bad = sum(&frame[start..end], pseudo(frame, protocol, end - start)) != 0xFFFF;
    match protocol {
        6 => bits |= 1 << 30 | wrong(bad, 26),
        17 if frame.get(start + 6..start + 8) != Some(&[0, 0]) => bits |= 1 << 31 | wrong(bad, 27),
        _ => {}
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv4 packet of 3 bytes of data, protocol `protocol`, no checksums.
    fn frame(protocol: u8, header: usize) -> Vec<u8> {
        let length = 20 + header + 3;
        let mut frame = vec![0; IP + length];
        frame[12] = 8;
        frame[IP] = 0x45;
        frame[IP + 3] = length as u8;
        frame[IP + 9] = protocol;
        frame[IP + 12..IP + 20].copy_from_slice(&[10, 0, 2, 15, 10, 0, 2, 2]);
        frame.extend_from_slice(&[0xEE; 6]);
        frame
    }

    #[test]
    fn what_was_inserted_verifies_and_a_flipped_bit_does_not() {
        for (protocol, header, checked, bad) in [(6, 20, 0x6000_0000, 1 << 26), (17, 8, 0xA000_0000, 1 << 27)] {
            let mut frame = frame(protocol, header);
            insert(&mut frame, 7 << 25);
            assert_eq!(verify(&frame), checked);
            frame[IP + 20 + header] ^= 1;
            assert_eq!(verify(&frame), checked | bad);
            frame[IP + 8] ^= 1;
            assert_eq!(verify(&frame), checked | bad | 1 << 25);
        }
    }

    #[test]
    fn the_ip_checksum_is_the_known_one() {
        let mut frame = frame(17, 8);
        insert(&mut frame, 1 << 25);
        // 4500 + 001F + 0011 + 0A00 + 020F + 0A00 + 0202 is 5D41.
        assert_eq!(frame[IP + 10..IP + 12], (!0x5D41u16).to_be_bytes());
    }
}
