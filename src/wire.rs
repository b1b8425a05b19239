//! The test protocol between the test programs on DOS and the peer on the host.
//!
//! A test frame is a MAC header, with type [`ETHERTYPE`] or another; 802.2 bytes if asked for; a [`Header`]; and content
//! that is computed from seed and index, so that both sides can check every byte. Numbers are little endian. A frame that
//! is too short for header and content is cut off at its end.
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
    /// A request for the [`Tally`] of a seed.
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
    /// The op of this number.
    pub fn from_byte(byte: u8) -> Option<Op> {
        [Op::Echo, Op::Data, Op::Report, Op::Ask, Op::EchoReply, Op::ReportReply, Op::Done]
            .into_iter()
            .find(|op| *op as u8 == byte)
    }
}

/// The first bytes of the body of a test frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the frame is for.
    pub op: Op,
    /// The frame's number in its flow, from 0.
    pub index: u16,
    /// The flow's name, from which the content is computed.
    pub seed: u32,
    /// Bytes of the whole frame, MAC header included.
    pub length: u16,
    /// Frames in the flow, for [`Op::Ask`] and [`Op::Report`].
    pub count: u16,
}

impl Header {
    /// The header as bytes.
    pub fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        put(&mut bytes, 0, &[self.op as u8]);
        put(&mut bytes, 2, &self.index.to_le_bytes());
        put(&mut bytes, 4, &self.seed.to_le_bytes());
        put(&mut bytes, 8, &self.length.to_le_bytes());
        put(&mut bytes, 10, &self.count.to_le_bytes());
        bytes
    }

    /// The header at the start of a body; none if the body is too short or the op is unknown.
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

/// How a frame that was asked for states its protocol.
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

/// Describes the frames that the peer is to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Shortest frame, MAC header included: 14 or more.
    pub min: u16,
    /// Longest frame, at most 1,600 bytes; see [`length_of`].
    pub max: u16,
    /// The type, or DSAP (high byte) and SSAP (low byte).
    pub kind: u16,
    /// Where `kind` is in the frame.
    pub framing: Framing,
    /// Destination address; all zeros: the sender of the request.
    pub to: MacAddr,
    /// Time between two frames in microseconds; 0: none.
    pub gap_us: u16,
    /// Time before the first frame in milliseconds.
    pub delay_ms: u16,
}

impl Ask {
    /// The request as bytes.
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

    /// The request behind a header; none if it is too short or out of range.
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

/// What the peer has received of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Distinct frames in which every byte was right.
    pub good: u32,
    /// Frames with a wrong byte or length.
    pub bad: u32,
    /// Good frames that had been received before.
    pub repeated: u32,
    /// Frames of the header's `count` that were not received.
    pub lost: u32,
}

impl Tally {
    /// The tally as bytes.
    pub fn encode(&self) -> [u8; TALLY] {
        let mut bytes = [0; TALLY];
        for (at, number) in [self.good, self.bad, self.repeated, self.lost].into_iter().enumerate() {
            put(&mut bytes, at * 4, &number.to_le_bytes());
        }
        bytes
    }

    /// The tally behind a header.
    pub fn decode(bytes: &[u8]) -> Option<Tally> {
        Some(Tally { good: u32_at(bytes, 0)?, bad: u32_at(bytes, 4)?, repeated: u32_at(bytes, 8)?, lost: u32_at(bytes, 12)? })
    }
}

/// The content computed from a seed and an index: xorshift (13, 17, 5), four bytes a step.
#[derive(Clone, Copy, Debug)]
pub struct Content(u32);

impl Content {
    /// The content of frame `index` of flow `seed`.
    pub fn new(seed: u32, index: u16) -> Content {
        // Any start but 0 works. The multiplication makes the starts of neighbouring frames differ.
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

    /// Writes the content.
    pub fn fill(mut self, bytes: &mut [u8]) {
        for four in bytes.chunks_mut(4) {
            four.iter_mut().zip(self.step().to_le_bytes()).for_each(|(to, from)| *to = from);
        }
    }

    /// Whether `bytes` is the content.
    pub fn matches(mut self, bytes: &[u8]) -> bool {
        bytes.chunks(4).all(|four| four.iter().zip(self.step().to_le_bytes()).all(|(is, should)| *is == should))
    }
}

/// The length of frame `index` of flow `seed`, from `min` to `max`. One frame in 16 has `min`, one in 16 `max`.
pub fn length_of(seed: u32, index: u16, min: u16, max: u16) -> u16 {
    let random = Content::new(!seed, index).step();
    let span = max.saturating_sub(min) as u32 + 1;
    match random >> 28 {
        0 => min,
        1 => max,
        _ => min + (((random & 0xFFFF) * span) >> 16) as u16,
    }
}

/// Writes the body of a frame: its header, the bytes `used`, and content.
pub fn write_body(body: &mut [u8], header: &Header, used: &[u8]) {
    let fixed = header.encode();
    let (start, content) = body.split_at_mut(body.len().min(HEADER + used.len()));
    start.iter_mut().zip(fixed.iter().chain(used)).for_each(|(to, from)| *to = *from);
    Content::new(header.seed, header.index).fill(content);
}

/// Whether `body` is the body of an [`Op::Data`] frame with this header: every byte is compared.
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
