//! PCI cards in QEMU: configuration space, BARs, power states.
//!
//! QEMU's class and device structures are not declared here. The offset of the identifiers in a class is found by comparing with
//! QEMU's own e1000, the configuration space in a device by its content.

use super::ffi::{Errp, Opaque, Realize, RegionOps, qemu};
use super::slot::{Part, Place, REGION_BYTES, Slot, leak};
use super::types::{Make, TYPES, asleep};
use super::{fail, isa, log, net, settings};
use crate::pci::{Identity, Space};
use std::ffi::{CStr, c_int, c_uint};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

/// Time of an access on a 33 MHz PCI bus, in nanoseconds.
const ACCESS_NS: u64 = 300;
/// Ethernet.
const CLASS: u16 = 0x0200;
/// Numbers of capabilities.
const POWER: u8 = 1;
const EXPRESS: u8 = 0x10;
/// Bytes of the PCI Express capability in its first version.
const EXPRESS_BYTES: u8 = 0x14;
/// `PCI_BASE_ADDRESS_SPACE_IO` and `PCI_BASE_ADDRESS_MEM_TYPE_64`.
const IO_SPACE: u8 = 1;
const WIDE: u8 = 4;

static PARENT: OnceLock<Realize> = OnceLock::new();

unsafe extern "C" {
    fn malloc_usable_size(block: Opaque) -> usize;
}

/// The 16-bit words of a block of the heap.
///
/// # Safety
/// malloc made `block`, and no code writes to it meanwhile.
unsafe fn words<'a>(block: Opaque) -> &'a [u16] {
    // SAFETY: malloc tells its size.
    unsafe { std::slice::from_raw_parts(block.cast(), malloc_usable_size(block) / 2) }
}

/// Sets the identifiers of a new class, and keeps the parent's realize.
///
/// # Safety
/// `class` is a class that derives from pci-device.
pub unsafe fn class_init(class: Opaque, identity: &Identity, parent: Option<Realize>) {
    if let Some(parent) = parent {
        // The same function for all types.
        let _ = PARENT.set(parent);
    }
    // SAFETY: both are classes, which QEMU takes from the heap; ours is at least as large as the part in common.
    unsafe {
        let example = (qemu().object_class_by_name)(c"e1000".as_ptr());
        let place = (!example.is_null()).then(|| words(example).windows(4).position(|w| w == [0x8086, 0x100E, 3, CLASS])).flatten();
        let Some(place) = place else {
            log("models: cannot tell where this QEMU keeps PCI identifiers");
            return;
        };
        let own = class.cast::<u16>().add(place);
        let Identity { vendor, device, revision, .. } = *identity;
        let values = [vendor, device, revision as u16, CLASS, vendor, device];
        values.into_iter().enumerate().for_each(|(at, value)| *own.add(at) = value);
        // The pointer before them is the handler of configuration writes; null stands for QEMU's.
        let handler = own.sub(4).cast::<usize>();
        if *handler == 0 {
            *handler = write_config as *const () as usize;
        } else {
            log("models: cannot tell where this QEMU keeps the handler of configuration writes");
        }
    }
}

/// Where the capability of this number is.
fn capability(number: u8, read: impl Fn(u8) -> u8) -> Option<u8> {
    let mut at = read(0x34);
    // No card here has more than two.
    for _ in 0..4 {
        if at < 0x40 {
            return None;
        }
        if read(at) == number {
            return Some(at);
        }
        at = read(at.wrapping_add(1));
    }
    None
}

/// A configuration write. A card that wakes from D3 loses its command register, its BARs and its line.
unsafe extern "C" fn write_config(device: Opaque, at: u32, value: u32, len: c_int) {
    // SAFETY: QEMU calls with one of our devices; these are the standard's own functions.
    unsafe {
        let read = |at: u8| (qemu().pci_default_read_config)(device, at.into(), 1) as u8;
        let asleep = || capability(POWER, read).is_some_and(|at| read(at.wrapping_add(4)) & 3 == 3);
        let before = asleep();
        (qemu().pci_default_write_config)(device, at, value, len);
        if before && !asleep() {
            for (at, len) in [(4, 2), (0x10, 4), (0x14, 4), (0x3C, 1)] {
                (qemu().pci_default_write_config)(device, at, 0, len);
            }
        }
    }
}

/// Finds a device's configuration space and the mask of its writable bits: a pointer in the device to a block that begins with
/// this plugin's identifiers, and the pointer two words behind it.
///
/// # Safety
/// `device` is a realized PCI device of one of this plugin's types.
unsafe fn configuration(device: Opaque, identity: &Identity) -> Option<(*mut u8, *mut u8)> {
    // Pointers are read by the kernel, which refuses wrong ones.
    let memory = File::open("/proc/self/mem").ok()?;
    // SAFETY: the device comes from the heap.
    let words: &[usize] = unsafe { std::slice::from_raw_parts(device.cast(), malloc_usable_size(device) / 8) };
    let [v0, v1] = identity.vendor.to_le_bytes();
    let [d0, d1] = identity.device.to_le_bytes();
    let at = words.iter().position(|word| {
        let mut head = [0; 12];
        memory.read_exact_at(&mut head, *word as u64).is_ok() && head[..4] == [v0, v1, d0, d1] && head[10..] == CLASS.to_le_bytes()
    })?;
    let (config, writable) = (*words.get(at)?, *words.get(at + 2)?);
    let mut line = [0];
    memory.read_exact_at(&mut line, writable as u64 + 0x3C).ok()?;
    (line[0] == 0xFF).then_some((config as *mut u8, writable as *mut u8))
}

/// Whether the card is in a power state in which its registers do not answer.
fn sleeping(slot: &'static Slot) -> bool {
    let read = |at: u8| slot.config(at.into()).unwrap_or(0);
    let asleep = capability(POWER, read).is_some_and(|at| read(at.wrapping_add(4)) & 3 != 0);
    if asleep {
        log(&format!("MODEL COMPLAINS: {}: accessed while it is not in D0", slot.name));
    }
    asleep
}

unsafe extern "C" fn read(opaque: Opaque, address: u64, size: c_uint) -> u64 {
    // SAFETY: the opaque of a card's region is its slot.
    let slot = unsafe { &*opaque.cast::<Slot>() };
    slot.accessed();
    let ones = u32::MAX >> (32 - 8 * size);
    if sleeping(slot) {
        return ones as u64;
    }
    slot.with(|part, env| part.model().read(env, address as u16, size as u8)).unwrap_or(ones) as u64
}

unsafe extern "C" fn write(opaque: Opaque, address: u64, data: u64, size: c_uint) {
    // SAFETY: the opaque of a card's region is its slot.
    let slot = unsafe { &*opaque.cast::<Slot>() };
    slot.accessed();
    if !sleeping(slot) {
        slot.with(|part, env| part.model().write(env, address as u16, size as u8, data as u32));
    }
}

static OPS: RegionOps = isa::ops(read, write, 4);

unsafe extern "C" fn reset(opaque: Opaque) {
    // SAFETY: the opaque of the reset handler is its slot.
    let slot = unsafe { &*opaque.cast::<Slot>() };
    slot.with(|part, env| part.model().hard_reset(env));
}

/// Realizes a PCI card.
///
/// # Safety
/// QEMU calls it with a device of one of this plugin's types.
pub unsafe extern "C" fn realize(device: Opaque, errp: Errp) {
    // SAFETY: every object has a type with a name.
    let name = unsafe { CStr::from_ptr((qemu().object_get_typename)(device)) };
    let Some((Make::Pci(identity, make), model)) = TYPES.iter().find(|kind| kind.name == name).map(|kind| (&kind.make, kind.name)) else {
        return fail(errp, "not a PCI card");
    };
    let settings = settings(device, |list| list.clone());
    let made = asleep(&settings).and_then(|asleep| Ok((asleep, make(&settings)?)));
    let (asleep, card) = match made {
        Ok(made) => made,
        Err(error) => return fail(errp, &error),
    };
    // SAFETY: the parent's realize puts the device on its bus; when it fails there is no configuration space to find.
    let found = unsafe {
        if let Some(parent) = PARENT.get() {
            parent(device, errp);
        }
        configuration(device, identity)
    };
    // SAFETY: QEMU's errp is null or points at an error pointer.
    if !errp.is_null() && !unsafe { *errp }.is_null() {
        return;
    }
    let Some((config, writable)) = found else {
        return fail(errp, "this QEMU's PCI device has no configuration space that is known");
    };
    // SAFETY: both have 256 bytes and live as long as the device.
    unsafe {
        *config.add(0x3D) = 1;
        *config.add(0x3E) = identity.bus_times[0];
        *config.add(0x3F) = identity.bus_times[1];
        if let Some((at, abilities)) = identity.power
            && (qemu().pci_add_capability)(device, POWER, at, 8, errp) >= 0
        {
            // Version 1 of the capability; the power state can be written.
            *config.add(at as usize + 2) = 0x01;
            *config.add(at as usize + 3) = abilities;
            *config.add(at as usize + 4) = if asleep { 3 } else { 0 };
            *writable.add(at as usize + 4) = 3;
        }
        if let Some(at) = identity.express
            && (qemu().pci_add_capability)(device, EXPRESS, at, EXPRESS_BYTES, errp) >= 0
        {
            // Version 1, a legacy endpoint; its link of one lane can sleep (L0s, L1), and firmware has allowed both.
            for (offset, value) in [(2, 0x11), (0xC, 0x11), (0xD, 0x0C), (0x10, 0x03), (0x12, 0x11)] {
                *config.add(at as usize + offset) = value;
            }
            *writable.add(at as usize + 0x10) = 0x43;
        }
    }
    // SAFETY: the device is on its bus.
    let memory = unsafe { (qemu().pci_device_iommu_address_space)(device) };
    let title = format!("{}/{}", name.to_string_lossy(), settings.get("netdev").map_or("-", String::as_str));
    let slot = Slot::new(device, title, Part::Pci(card), Place::Pci { config }, memory, ACCESS_NS);
    if !net::attach(slot, model, &settings, errp) {
        return;
    }
    for bar in identity.bars.into_iter().flatten() {
        let region = leak(REGION_BYTES);
        let kind = match bar.space {
            Space::Ports => IO_SPACE,
            Space::Memory => 0,
            Space::Memory64 => WIDE,
        };
        // SAFETY: the region's memory is large enough; it and the slot live for ever.
        unsafe {
            (qemu().memory_region_init_io)(region, device, &OPS, slot.opaque(), model.as_ptr(), bar.bytes.into());
            (qemu().pci_register_bar)(device, bar.number.into(), kind, region);
        }
    }
    // SAFETY: the slot lives for ever.
    unsafe { (qemu().qemu_register_reset)(reset, slot.opaque()) };
}
