//! Checksums and segmentation by a context descriptor. Linux asks for them; the drivers here do not.

/// What a context descriptor says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// First byte, place of the sum, and last byte (0: the frame's last one) of the IP header and of what is behind it.
    ip: (usize, usize, usize),
    inner: (usize, usize, usize),
    v4: bool,
    tcp: bool,
    /// Bytes of headers, and of data in each segment.
    headers: usize,
    segment: usize,
}

impl Context {
    /// From the four double words of a descriptor.
    pub fn new(words: [u32; 4]) -> Context {
        let area = |word: u32| ((word & 0xFF) as usize, (word >> 8 & 0xFF) as usize, (word >> 16) as usize);
        Context {
            ip: area(words[0]),
            inner: area(words[1]),
            v4: words[2] >> 25 & 1 != 0,
            tcp: words[2] >> 24 & 1 != 0,
            headers: (words[3] >> 8 & 0xFF) as usize,
            segment: (words[3] >> 16) as usize,
        }
    }
}

/// Sum with end-around carry.
fn sum(data: &[u8], start: u32) -> u16 {
    let words = data.chunks(2).map(|pair| (pair[0] as u32) << 8 | *pair.get(1).unwrap_or(&0) as u32);
    let mut total = words.fold(start, u32::wrapping_add);
    while total >> 16 != 0 {
        total = (total & 0xFFFF) + (total >> 16);
    }
    total as u16
}

/// Inserts a sum over an area, in which the driver has left the sum of what else counts. False: the area is not in the frame.
pub fn insert(frame: &mut [u8], (first, place, last): (usize, usize, usize)) -> bool {
    let end = if last == 0 { frame.len() } else { last + 1 };
    if first > end || end > frame.len() || place + 2 > frame.len() {
        return false;
    }
    let value = !sum(&frame[first..end], 0);
    frame[place..place + 2].copy_from_slice(&value.to_be_bytes());
    true
}

/// Checksums that a data descriptor asks for: bit 0 for IP, bit 1 for TCP or UDP. False: they cannot be.
pub fn checksums(frame: &mut [u8], context: &Context, options: u8) -> bool {
    if options & 1 != 0 && context.v4 {
        if let Some(place) = frame.get_mut(context.ip.1..context.ip.1 + 2) {
            place.fill(0);
        }
        if !insert(frame, context.ip) {
            return false;
        }
    }
    options & 2 == 0 || insert(frame, context.inner)
}

/// Cuts a frame into segments, each with its headers. None: the headers are not in it, or they are not TCP's.
pub fn cut(frame: &[u8], context: &Context, options: u8) -> Option<Vec<Vec<u8>>> {
    let (ip, tcp) = (context.ip.0, context.inner.0);
    if !context.tcp || context.segment == 0 || context.headers < tcp + 20 || context.headers >= frame.len() || tcp < ip + 20 {
        return None;
    }
    let (headers, data) = frame.split_at(context.headers);
    let word = |at: usize| u16::from_be_bytes([headers[at], headers[at + 1]]);
    let sequence = u32::from_be_bytes(headers[tcp + 4..tcp + 8].try_into().ok()?);
    let last = data.len().div_ceil(context.segment) - 1;
    let mut frames = Vec::new();
    for (number, part) in data.chunks(context.segment).enumerate() {
        let mut frame = [headers, part].concat();
        let mut put = |at: usize, value: u16| frame[at..at + 2].copy_from_slice(&value.to_be_bytes());
        if context.v4 {
            put(ip + 2, (context.headers - ip + part.len()) as u16);
            put(ip + 4, word(ip + 4).wrapping_add(number as u16));
        } else {
            put(ip + 4, (context.headers - ip - 40 + part.len()) as u16);
        }
        // The driver has left the sum of the addresses and the protocol, without the length.
        let length = (context.headers - tcp + part.len()) as u32;
        let place = context.inner.1;
        put(place, sum(headers.get(place..place + 2)?, length));
        frame[tcp + 4..tcp + 8].copy_from_slice(&sequence.wrapping_add((number * context.segment) as u32).to_be_bytes());
        if number != last {
            // FIN and PSH are for the last one.
            frame[tcp + 13] &= !0x09;
        }
        let whole = Context { inner: (tcp, place, 0), ..*context };
        if !checksums(&mut frame, &whole, options) {
            return None;
        }
        frames.push(frame);
    }
    Some(frames)
}
