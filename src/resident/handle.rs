//! Handles: 16 bytes each, and which of them a frame belongs to.

use crate::device::{Head, LOOKAHEAD};

/// Longest type that `access_type` takes, in bytes (802.2 with SNAP).
pub const MAX_TYPE: usize = 8;

/// The specification's classes that this driver serves.
pub const CLASS_DIX: u8 = 1;
/// 802.3 with 802.2 headers.
pub const CLASS_8023: u8 = 11;

/// A slot of the handle table. A type of more than two bytes lies in a slot of its own, taken by [`Handle::ASIDE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Handle {
    /// Far address of the receiver, segment in the high half; 0: registered, but never called.
    pub receiver: u32,
    /// [`Handle::IN_USE`], [`Handle::IS_8023`], [`Handle::ASIDE`]; the length of the type in bits 3:0.
    pub flags: u8,
    /// Bits 3:0: the NIC. Bits 7:4 are zero.
    pub nic: u8,
    /// First bytes of the type, as on the wire; slot of the rest (from its first byte) when it is longer than two.
    pub kind: [u8; 2],
    /// Frames that this handle's receiver took.
    pub taken: u32,
    /// Frames that it refused.
    pub refused: u32,
}

const _: () = assert!(size_of::<Handle>() == 16);

impl Handle {
    /// The slot is a handle.
    pub const IN_USE: u8 = 0x80;
    /// Its class is 11, else 1.
    pub const IS_8023: u8 = 0x40;
    /// The slot holds another handle's type, in [`Handle::aside`].
    pub const ASIDE: u8 = 0x20;
    /// Mask of the type's length.
    pub const LENGTH: u8 = 0x0F;

    /// Length of the type, 0 to [`MAX_TYPE`].
    pub fn type_len(&self) -> u8 {
        self.flags & Handle::LENGTH
    }
}

/// The bytes of a type, those beyond its length zero.
pub type Type = [u8; MAX_TYPE];

/// What `access_type` found wrong; the specification's error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AccessError {
    /// Length of the type out of range for the class.
    BadType = 5,
    /// No slot left.
    NoSpace = 9,
    /// A handle with an equal type, over the shorter of both lengths, is open.
    TypeInUse = 10,
}

fn type_of(table: &[Handle], handle: &Handle) -> Type {
    let mut bytes = [0; MAX_TYPE];
    if handle.type_len() <= 2 {
        bytes[0] = handle.kind[0];
        bytes[1] = handle.kind[1];
    } else if let Some(slot) = table.get(handle.kind[0] as usize) {
        bytes[..4].copy_from_slice(&slot.taken.to_le_bytes());
        bytes[4..].copy_from_slice(&slot.refused.to_le_bytes());
    }
    bytes
}

fn same(a: &[u8], b: &[u8], len: u8) -> bool {
    a.iter().zip(b).take(len as usize).all(|(a, b)| a == b)
}

fn free_slot(table: &[Handle]) -> Option<usize> {
    table.iter().position(|slot| slot.flags == 0)
}

/// Opens a handle and gives its slot.
pub fn access(table: &mut [Handle], class: u8, len: u16, kind: &Type, receiver: u32) -> Result<u8, AccessError> {
    let longest = if class == CLASS_8023 { MAX_TYPE as u16 } else { 2 };
    if len > longest {
        return Err(AccessError::BadType);
    }
    let len = len as u8;
    let class_flag = if class == CLASS_8023 { Handle::IS_8023 } else { 0 };
    for handle in table.iter() {
        if handle.flags & (Handle::IN_USE | Handle::IS_8023) != Handle::IN_USE | class_flag {
            continue;
        }
        let other = handle.type_len();
        // A catch-all lives beside every type, but not beside another catch-all.
        if (len == 0) == (other == 0) && same(&type_of(table, handle), kind, len.min(other)) {
            return Err(AccessError::TypeInUse);
        }
    }
    let slot = free_slot(table).ok_or(AccessError::NoSpace)?;
    let mut bytes = [kind[0], kind[1]];
    if let Some(handle) = table.get_mut(slot) {
        handle.flags = Handle::IN_USE;
    }
    if len > 2 {
        let Some(aside) = free_slot(table) else {
            release(table, slot as u8);
            return Err(AccessError::NoSpace);
        };
        if let Some(handle) = table.get_mut(aside) {
            handle.flags = Handle::ASIDE;
            handle.taken = u32::from_le_bytes([kind[0], kind[1], kind[2], kind[3]]);
            handle.refused = u32::from_le_bytes([kind[4], kind[5], kind[6], kind[7]]);
        }
        bytes = [aside as u8, 0];
    }
    if let Some(handle) = table.get_mut(slot) {
        *handle = Handle { receiver, flags: Handle::IN_USE | class_flag | len, kind: bytes, ..Handle::default() };
    }
    Ok(slot as u8)
}

/// Closes a handle; what is no open handle stays as it is.
pub fn release(table: &mut [Handle], slot: u8) {
    let Some(handle) = table.get_mut(slot as usize) else { return };
    let aside = handle.kind[0];
    let long = handle.type_len() > 2;
    handle.flags = 0;
    if long && let Some(handle) = table.get_mut(aside as usize) {
        handle.flags = 0;
    }
}

/// The handle that gets a frame: class 11 before class 1, a type before a catch-all.
pub fn find(table: &[Handle], head: &Head) -> Option<u8> {
    // 1500 is the longest 802.3 length; the specification counts types from 05EFh.
    let is_8023 = u16::from_be_bytes([head[12], head[13]]) < 0x5EF;
    let mut best = None;
    let mut best_rank = 0;
    for (slot, handle) in table.iter().enumerate() {
        if handle.flags & Handle::IN_USE == 0 {
            continue;
        }
        let class_8023 = handle.flags & Handle::IS_8023 != 0;
        if class_8023 && !is_8023 {
            continue;
        }
        let at = if class_8023 { 14 } else { 12 };
        let len = handle.type_len();
        let rank = (class_8023 as u8) << 4 | (len + 1);
        if rank > best_rank && same(&type_of(table, handle), head.get(at..LOOKAHEAD).unwrap_or(&[]), len) {
            best = Some(slot as u8);
            best_rank = rank;
        }
    }
    best
}
