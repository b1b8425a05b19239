//! A card's end of a network backend.

use super::ffi::{self, Opaque, qemu};
use super::slot::{Slot, leak};
use super::{Settings, fail};
use std::ffi::{CStr, CString};

/// `NET_CLIENT_DRIVER_NIC`.
const NIC: u32 = 1;
/// QEMU allocates so much for its NICState, of which it uses 40 bytes.
const STATE_BYTES: usize = 256;
/// Offset of the first peer in `NICConf`, behind six bytes of address and two of padding.
const FIRST_PEER: usize = 8;
/// More than the 8 KB of peers that NICConf holds.
const CONF_BYTES: usize = 16384;
/// Offset of `link_down` in `NetClientState`, behind a pointer.
const LINK_DOWN: usize = 8;

/// `NetClientInfo`, as far as it is used. Slots that a version has, or has not, are set when it is known.
#[repr(C)]
struct Info {
    kind: u32,
    size: usize,
    slots: [usize; 40],
}

unsafe extern "C" fn receive(queue: Opaque, data: *const u8, len: usize) -> isize {
    // SAFETY: QEMU calls with the queue of a NIC that `attach` made, and `len` bytes.
    let (slot, data) = unsafe { (slot_of(queue), std::slice::from_raw_parts(data, len)) };
    let mut frame = data.to_vec();
    frame.resize(len.max(60), 0);
    slot.with(|part, env| part.model().receive(env, &frame));
    // A frame that the card had no room for is lost, as on a real wire.
    len as isize
}

unsafe extern "C" fn can_receive(queue: Opaque) -> bool {
    // SAFETY: QEMU calls with the queue of a NIC that `attach` made.
    unsafe { slot_of(queue) }.ready()
}

unsafe extern "C" fn cleanup(_queue: Opaque) {}

unsafe extern "C" fn link_changed(queue: Opaque) {
    // SAFETY: QEMU calls with the queue of a NIC that `attach` made; its second field is an int.
    let (slot, down) = unsafe { (slot_of(queue), *queue.cast::<u8>().add(LINK_DOWN).cast::<i32>()) };
    slot.with(|part, env| part.model().set_link(env, down == 0));
}

/// # Safety
/// `queue` belongs to a NIC that `attach` made.
unsafe fn slot_of(queue: Opaque) -> &'static Slot {
    // SAFETY: `attach` gave the slot as the NIC's opaque.
    unsafe { &*(qemu().qemu_get_nic_opaque)(queue).cast::<Slot>() }
}

/// Connects a card with the backend that `netdev` names, if any. False: the error was filled in.
pub fn attach(slot: &'static Slot, model: &CStr, settings: &Settings, errp: ffi::Errp) -> bool {
    let Some(id) = settings.get("netdev") else { return true };
    let name = CString::new(id.as_str()).unwrap_or_default();
    // SAFETY: the name is a C string.
    let peer = unsafe { (qemu().qemu_find_netdev)(name.as_ptr()) };
    if peer.is_null() {
        fail(errp, &format!("netdev={id}: no such backend"));
        return false;
    }
    let mut info = Info { kind: NIC, size: STATE_BYTES, slots: [0; 40] };
    // Up to version 9, `receive_raw` follows `receive`. Then: receive_iov, can_receive, start, load, stop, cleanup,
    // link_status_changed.
    let rest = if ffi::major().unwrap_or(0) < 10 { 2 } else { 1 };
    info.slots[0] = receive as *const () as usize;
    info.slots[rest + 1] = can_receive as *const () as usize;
    info.slots[rest + 5] = cleanup as *const () as usize;
    info.slots[rest + 6] = link_changed as *const () as usize;
    let info = std::ptr::from_mut(Box::leak(Box::new(info))).cast();
    let conf = leak(CONF_BYTES);
    // SAFETY: conf is large enough for any NICConf; info, conf and slot live for ever.
    unsafe {
        *conf.cast::<u8>().add(FIRST_PEER).cast::<Opaque>() = peer;
        let nic = (qemu().qemu_new_nic)(info, conf, model.as_ptr(), std::ptr::null(), slot.opaque(), slot.opaque());
        slot.queue.set((qemu().qemu_get_queue)(nic));
    }
    true
}
