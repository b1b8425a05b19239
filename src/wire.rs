//! The test protocol that the DOS test programs and the host's peer speak on the wire.
//!
//! A test frame is: MAC header, with type [`ETHERTYPE`] or any other; 802.2 bytes if asked for; a [`Header`];
//! content that follows from seed and index alone, so that either side can check each byte. Numbers are little
//! endian, as both sides are. A frame too short for its header or content is cut off at its end.
//!
//! | from DOS | the peer |
//! |---|---|
//! | [`Op::Echo`] | sends the same frame back, addresses swapped, the op [`Op::EchoReply`] |
//! | [`Op::Data`] | checks it and counts it under its seed |
//! | [`Op::Report`] | answers [`Op::ReportReply`] with a [`Tally`] of that seed |
//! | [`Op::Ask`] | sends `count` frames [`Op::Data`] as the [`Ask`] says, then one [`Op::Done`] of the same seed |

use crate::device::MacAddr;

/// The type of test frames: IEEE's number for experiments.
pub const ETHERTYPE: u16 = 0x88B5;
/// MAC header, in bytes.
pub const MAC_HEADER: usize = 14;
/// Bytes of a [`Header`].
pub const HEADER: usize = 12;
/// Bytes of an [`Ask`], behind its header.
pub const ASK: usize = 18;
/// Bytes of a [`Tally`], behind its header.
pub const TALLY: usize = 16;

/// What a test frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    /// To be sent back.
    Echo = 1,
    /// Seeded content, to be checked.
    Data = 2,
    /// A request for the tally of a seed.
    Report = 3,
    /// A request for frames.
    Ask = 4,
    /// The answer to [`Op::Echo`].
    EchoReply = 0x81,
    /// The answer to [`Op::Report`].
    ReportReply = 0x83,
    /// All frames that an [`Op::Ask`] wanted have been sent.
    Done = 0x84,
}

impl Op {
    /// The op of a byte.
    pub fn from_byte(byte: u8) -> Option<Op> {
        [Op::Echo, Op::Data, Op::Report, Op::Ask, Op::EchoReply, Op::ReportReply, Op::Done]
            .into_iter()
            .find(|op| *op as u8 == byte)
    }
}

/// The head of every test frame's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it is for.
    pub op: Op,
    /// Its number within its seed, from 0.
    pub index: u16,
    /// Names a flow of frames, and makes their content.
    pub seed: u32,
    /// The whole frame, MAC header included, in bytes.
    pub length: u16,
    /// How many frames the seed has: in [`Op::Ask`] and [`Op::Report`].
    pub count: u16,
}

impl Header {
    /// Its bytes.
    pub fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        put(&mut bytes, 0, &[self.op as u8]);
        put(&mut bytes, 2, &self.index.to_le_bytes());
        put(&mut bytes, 4, &self.seed.to_le_bytes());
        put(&mut bytes, 8, &self.length.to_le_bytes());
        put(&mut bytes, 10, &self.count.to_le_bytes());
        bytes
    }

    /// From the start of a body; none if it is too short or of no known op.
    pub fn decode(body: &[u8]) -> Option<Header> {
        Some(Header {
            op: Op::from_byte(*body.first()?)?,
            index: u16_at(body, 2)?,
            seed: u32_at(body, 4)?,
            length: u16_at(body, 8)?,
            count: u16_at(body, 10)?,
        })
    }
}

/// How an asked-for frame names its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Framing {
    /// A type in the MAC header (DIX).
    Type = 0,
    /// A length in the MAC header, then DSAP and SSAP (the two bytes of the type) and control 03h.
    Llc = 1,
    /// A length in the MAC header, then AA AA 03 00 00 00 and the type.
    Snap = 2,
}

impl Framing {
    /// Bytes between MAC header and body.
    pub const fn extra(self) -> usize {
        match self {
            Framing::Type => 0,
            Framing::Llc => 3,
            Framing::Snap => 8,
        }
    }
}

/// Which frames the peer is to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Shortest frame, MAC header included: 14 or more.
    pub min: u16,
    /// Longest frame, 1,600 at most; see [`length_of`].
    pub max: u16,
    /// The type, or DSAP (high byte) and SSAP (low byte).
    pub kind: u16,
    /// Where that stands.
    pub framing: Framing,
    /// Destination; all zeros: whoever asks.
    pub to: MacAddr,
    /// Time between two frames, in microseconds; 0: as fast as they go.
    pub gap_us: u16,
    /// Time before the first, in milliseconds.
    pub delay_ms: u16,
}

impl Ask {
    /// Its bytes.
    pub fn encode(&self) -> [u8; ASK] {
        let mut bytes = [0; ASK];
        put(&mut bytes, 0, &self.min.to_le_bytes());
        put(&mut bytes, 2, &self.max.to_le_bytes());
        put(&mut bytes, 4, &self.kind.to_le_bytes());
        put(&mut bytes, 6, &[self.framing as u8]);
        put(&mut bytes, 8, &self.to);
        put(&mut bytes, 14, &self.gap_us.to_le_bytes());
        put(&mut bytes, 16, &self.delay_ms.to_le_bytes());
        bytes
    }

    /// From a body behind its header; none if it is too short or out of range.
    pub fn decode(bytes: &[u8]) -> Option<Ask> {
        let framing = match *bytes.get(6)? {
            0 => Framing::Type,
            1 => Framing::Llc,
            2 => Framing::Snap,
            _ => return None,
        };
        let ask = Ask {
            min: u16_at(bytes, 0)?,
            max: u16_at(bytes, 2)?,
            kind: u16_at(bytes, 4)?,
            framing,
            to: *bytes.get(8..14)?.first_chunk()?,
            gap_us: u16_at(bytes, 14)?,
            delay_ms: u16_at(bytes, 16)?,
        };
        let good = ask.min as usize >= MAC_HEADER && ask.min <= ask.max && ask.max <= 1600;
        good.then_some(ask)
    }
}

/// What the peer heard of a seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Different frames whose every byte was right.
    pub good: u32,
    /// Frames with a wrong byte or length.
    pub bad: u32,
    /// Good frames that had come before.
    pub repeated: u32,
    /// Of the header's `count`, how many never came.
    pub lost: u32,
}

impl Tally {
    /// Its bytes.
    pub fn encode(&self) -> [u8; TALLY] {
        let mut bytes = [0; TALLY];
        for (at, number) in [self.good, self.bad, self.repeated, self.lost].into_iter().enumerate() {
            put(&mut bytes, at * 4, &number.to_le_bytes());
        }
        bytes
    }

    /// From a body behind its header.
    pub fn decode(bytes: &[u8]) -> Option<Tally> {
        Some(Tally { good: u32_at(bytes, 0)?, bad: u32_at(bytes, 4)?, repeated: u32_at(bytes, 8)?, lost: u32_at(bytes, 12)? })
    }
}

/// The bytes that follow from a seed and an index: xorshift (13, 17, 5), four bytes a step.
#[derive(Clone, Copy, Debug)]
pub struct Content(u32);

impl Content {
    /// For frame `index` of flow `seed`.
    pub fn new(seed: u32, index: u16) -> Content {
        // Any start but 0 will do; neighbours should not look alike.
        let mut content = Content((seed ^ (index as u32 + 1).wrapping_mul(0x9E37_79B9)) | 1);
        content.step();
        content
    }

    /// The next 32 bits.
    pub fn step(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// Writes them.
    pub fn fill(mut self, bytes: &mut [u8]) {
        for four in bytes.chunks_mut(4) {
            four.iter_mut().zip(self.step().to_le_bytes()).for_each(|(to, from)| *to = from);
        }
    }

    /// Are these the bytes?
    pub fn matches(mut self, bytes: &[u8]) -> bool {
        bytes.chunks(4).all(|four| four.iter().zip(self.step().to_le_bytes()).all(|(is, should)| *is == should))
    }
}

/// The length of frame `index` of flow `seed` when lengths go from `min` to `max`: both ends come often.
pub fn length_of(seed: u32, index: u16, min: u16, max: u16) -> u16 {
    let random = Content::new(!seed, index).step();
    let span = max.saturating_sub(min) as u32 + 1;
    match random >> 28 {
        0 => min,
        1 => max,
        _ => min + (((random & 0xFFFF) * span) >> 16) as u16,
    }
}

/// Writes the body of a frame: its header, and content behind the `used` bytes that follow the header.
pub fn write_body(body: &mut [u8], header: &Header, used: &[u8]) {
    let fixed = header.encode();
    let (start, content) = body.split_at_mut(body.len().min(HEADER + used.len()));
    start.iter_mut().zip(fixed.iter().chain(used)).for_each(|(to, from)| *to = *from);
    Content::new(header.seed, header.index).fill(content);
}

/// Is this the body of a frame [`Op::Data`] with this header, in every byte?
pub fn check_body(body: &[u8], header: &Header) -> bool {
    let fixed = header.encode();
    let (start, content) = body.split_at(body.len().min(HEADER));
    start.iter().zip(fixed).all(|(is, should)| *is == should) && Content::new(header.seed, header.index).matches(content)
}

fn put(bytes: &mut [u8], at: usize, from: &[u8]) {
    bytes.iter_mut().skip(at).zip(from).for_each(|(to, from)| *to = *from);
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
