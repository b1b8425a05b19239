//! The frames of the slow protocols: LACPDU (802.1AX, 6.4.2) and marker (6.5.3). Each is 124 bytes long without its CRC, and
//! its numbers are big endian.

/// Where LACPDUs and markers go. A bridge does not forward them. Each NIC of a bond has to receive this address.
pub const GROUP: [u8; 6] = [1, 0x80, 0xC2, 0, 0, 2];
/// The type of the slow protocols.
pub const TYPE: [u8; 2] = [0x88, 0x09];
/// Bytes of a frame.
pub const LEN: usize = 124;

/// Subtypes.
pub const LACPDU: u8 = 1;
/// See [`LACPDU`].
pub const MARKER: u8 = 2;

/// The first two bytes of an LACPDU's information: its kind, and its length. Of the actor,
pub const ACTOR: [u8; 2] = [1, 20];
/// of the partner,
pub const PARTNER: [u8; 2] = [2, 20];
/// and of the collector.
pub const COLLECTOR: [u8; 2] = [3, 16];
/// The same of a marker,
pub const REQUEST: [u8; 2] = [1, 22];
/// and of its answer.
pub const RESPONSE: [u8; 2] = [2, 22];

/// What an LACPDU says of one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Info {
    /// The system's priority (2 bytes) and address (6), the key (2), the port's priority (2) and number (2).
    pub id: [u8; 14],
    /// Bits (src/lacp/mod.rs).
    pub state: u8,
}

/// A frame that came, or one that is to be sent.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Frame {
    /// Bytes of the frame that came; it may have been longer or shorter than [`LEN`].
    pub len: u16,
    /// [`GROUP`].
    pub to: [u8; 6],
    /// The port's own address ([`super::Port::own`]).
    pub from: [u8; 6],
    /// [`TYPE`].
    pub kind: [u8; 2],
    /// [`LACPDU`], [`MARKER`].
    pub subtype: u8,
    /// 1. A later one has more information behind [`Frame::collector`].
    pub version: u8,
    /// [`ACTOR`]; of a marker [`REQUEST`] or [`RESPONSE`].
    pub first: [u8; 2],
    /// The sender.
    pub actor: Info,
    /// Zeros.
    pub pad: [u8; 3],
    /// [`PARTNER`].
    pub second: [u8; 2],
    /// What the sender has heard of the receiver.
    pub partner: Info,
    /// Zeros.
    pub pad_2: [u8; 3],
    /// [`COLLECTOR`].
    pub third: [u8; 2],
    /// Zeros: the collector delays no frames, and nothing follows.
    pub rest: [u8; 66],
}

impl Frame {
    /// Nothing but zeros.
    pub const ZERO: Frame = Frame {
        len: 0,
        to: [0; 6],
        from: [0; 6],
        kind: [0; 2],
        subtype: 0,
        version: 0,
        first: [0; 2],
        actor: Info { id: [0; 14], state: 0 },
        pad: [0; 3],
        second: [0; 2],
        partner: Info { id: [0; 14], state: 0 },
        pad_2: [0; 3],
        third: [0; 2],
        rest: [0; 66],
    };
}

#[cfg(not(target_os = "none"))]
impl Frame {
    /// A frame that came; of a longer one the first bytes.
    pub fn of(bytes: &[u8]) -> Frame {
        let mut all = [0; size_of::<Frame>()];
        let (len, rest) = all.split_at_mut(2);
        len.copy_from_slice(&(bytes.len() as u16).to_ne_bytes());
        rest.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        // SAFETY: every value of these bytes is a frame.
        unsafe { core::mem::transmute(all) }
    }

    /// Its bytes.
    pub fn bytes(self) -> [u8; LEN] {
        // SAFETY: it has no padding.
        let all: [u8; size_of::<Frame>()] = unsafe { core::mem::transmute(self) };
        core::array::from_fn(|at| all[2 + at])
    }
}

const _: () = assert!(size_of::<Frame>() == 2 + LEN);
