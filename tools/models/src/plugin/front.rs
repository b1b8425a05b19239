//! QEMU's own cards with a front: a subclass of QEMU's type, whose region the front covers.

use super::ffi::{Errp, Opaque, Realize, RegionOps, qemu};
use super::pci;
use super::slot::{REGION_BYTES, leak};
use super::types::{Make, TYPES};
use super::{fail, isa, log, settings};
use crate::front::{Front, Inner};
use std::ffi::{CStr, c_int, c_uint};
use std::sync::Mutex;

/// An access of 32 bits, little-endian, in QEMU's numbers.
const LONG: c_int = 2;
/// The base address register of the ports of QEMU's card whose ports the front's part does not have.
const PORTS: usize = 0x18;

/// A card: its front, and the region with QEMU's registers.
struct Cover {
    front: Mutex<Box<dyn Front>>,
    behind: Behind,
}

struct Behind {
    registers: Opaque,
    name: &'static str,
}

// SAFETY: QEMU calls under its big lock, one thread at a time.
unsafe impl Sync for Behind {}

impl Inner for &Behind {
    fn read(&mut self, at: u32) -> u32 {
        let mut value = 0;
        // SAFETY: the region lives as long as the device, and QEMU's lock is held.
        unsafe { (qemu().memory_region_dispatch_read)(self.registers, at.into(), &mut value, LONG, 0) };
        value as u32
    }

    fn write(&mut self, at: u32, value: u32) {
        // SAFETY: as above.
        unsafe { (qemu().memory_region_dispatch_write)(self.registers, at.into(), value.into(), LONG, 0) };
    }

    fn complain(&mut self, what: &str) {
        log(&format!("MODEL COMPLAINS: {}: {what}", self.name));
    }
}

impl Cover {
    fn with<R>(&self, call: impl FnOnce(&mut dyn Front, &mut dyn Inner) -> R) -> R {
        let mut front = self.front.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        call(front.as_mut(), &mut &self.behind)
    }
}

unsafe extern "C" fn read(opaque: Opaque, address: u64, size: c_uint) -> u64 {
    // SAFETY: the opaque of a front's region is its cover.
    let cover = unsafe { &*opaque.cast::<Cover>() };
    cover.with(|front, inner| front.read(inner, address as u32, size as u8)).into()
}

unsafe extern "C" fn write(opaque: Opaque, address: u64, data: u64, size: c_uint) {
    // SAFETY: the opaque of a front's region is its cover.
    let cover = unsafe { &*opaque.cast::<Cover>() };
    cover.with(|front, inner| front.write(inner, address as u32, size as u8, data as u32));
}

static OPS: RegionOps = isa::ops(read, write, 4);

unsafe extern "C" fn reset(opaque: Opaque) {
    // SAFETY: the opaque of the reset handler is the cover.
    let cover = unsafe { &*opaque.cast::<Cover>() };
    cover.with(|front, _| front.hard_reset());
}

/// Sets the identifiers of a new class, if they are not QEMU's.
///
/// # Safety
/// `class` is a class that derives from one of QEMU's cards.
pub unsafe fn class_init(class: Opaque, identity: Option<(u16, u8, bool)>, parent: Option<Realize>) {
    if let Some(parent) = parent {
        pci::keep_parent(parent);
    }
    if let Some((device, revision, _)) = identity {
        // SAFETY: the caller's.
        unsafe { pci::identify(class, [0x8086, device, revision.into()]) };
    }
}

/// Realizes a card: QEMU's, then its front.
///
/// # Safety
/// QEMU calls it with a device of one of this plugin's types.
pub unsafe extern "C" fn realize(device: Opaque, errp: Errp) {
    // SAFETY: every object has a type with a name.
    let name = unsafe { CStr::from_ptr((qemu().object_get_typename)(device)) };
    let Some(kind) = TYPES.iter().find(|kind| kind.name == name) else { return fail(errp, "not a card") };
    let Make::Front { identity, covers: (covered, bytes), registers, make, .. } = &kind.make else {
        return fail(errp, "not a card of QEMU's");
    };
    let front = match settings(device, |list| make(list)) {
        Ok(front) => front,
        Err(error) => return fail(errp, &error),
    };
    // SAFETY: the parent's realize puts the device on its bus; QEMU's errp is null or points at an error pointer.
    unsafe {
        pci::realize_parent(device, errp);
        if !errp.is_null() && !(*errp).is_null() {
            return;
        }
    }
    // SAFETY: the names are C strings.
    let [covered, registers] = [covered, registers].map(|name| unsafe { (qemu().object_resolve_path_component)(device, name.as_ptr()) });
    if covered.is_null() || registers.is_null() {
        return fail(errp, "this QEMU's card has no region of this name");
    }
    if let Some((device_id, _, false)) = *identity {
        // SAFETY: the device is realized.
        let Some((config, writable)) = (unsafe { pci::configuration(device, 0x8086, device_id) }) else {
            return fail(errp, "this QEMU's PCI device has no configuration space that is known");
        };
        for at in PORTS..PORTS + 4 {
            // SAFETY: both have 256 bytes and live as long as the device.
            unsafe { (*config.add(at), *writable.add(at)) = (0, 0) };
        }
    }
    let behind = Behind { registers, name: kind.name.to_str().unwrap_or_default() };
    let opaque: Opaque = std::ptr::from_ref(Box::leak(Box::new(Cover { front: Mutex::new(front), behind }))).cast_mut().cast();
    let region = leak(REGION_BYTES);
    // SAFETY: the region's memory is large enough; it and the cover live for ever. The region has no owner: QEMU refuses an access
    // to a device's region from within another one of the same device.
    unsafe {
        (qemu().memory_region_init_io)(region, std::ptr::null_mut(), &OPS, opaque, kind.name.as_ptr(), (*bytes).into());
        (qemu().memory_region_add_subregion_overlap)(covered, 0, region, 1);
        (qemu().qemu_register_reset)(reset, opaque);
    }
}
