//! PCI cards in QEMU: configuration space, BARs, power states.
//!
//! QEMU's class and device structures are not declared here. The offset of the identifiers in a class is found by comparing with
//! QEMU's own e1000, the configuration space in a device by its content.

use super::ffi::{Errp, Opaque, Realize, RegionOps, qemu};
use super::slot::{Part, Place, REGION_BYTES, Slot, leak};
use super::types::{self, Make, TYPES};
use super::{fail, isa, log, net, settings};
use crate::pci::{Identity, Space};
use std::ffi::{CStr, c_int, c_uint};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, OnceLock};

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

/// Keeps the parent's realize, which is the same function for all types.
pub fn keep_parent(parent: Realize) {
    let _ = PARENT.set(parent);
}

/// Puts a device on its bus.
///
/// # Safety
/// QEMU realizes the device, which is one of this plugin's types; `errp` is QEMU's.
pub unsafe fn realize_parent(device: Opaque, errp: Errp) {
    if let Some(parent) = PARENT.get() {
        // SAFETY: the caller's.
        unsafe { parent(device, errp) };
    }
}

/// Sets a class's vendor, device and revision; gives where they are.
///
/// # Safety
/// `class` is a class that derives from pci-device.
pub unsafe fn identify(class: Opaque, [vendor, device, revision]: [u16; 3]) -> Option<*mut u16> {
    // SAFETY: both are classes, which QEMU takes from the heap; ours is at least as large as the part in common.
    unsafe {
        let example = (qemu().object_class_by_name)(c"e1000".as_ptr());
        let place = (!example.is_null()).then(|| words(example).windows(4).position(|w| w == [0x8086, 0x100E, 3, CLASS])).flatten();
        let Some(place) = place else {
            log("models: cannot tell where this QEMU keeps PCI identifiers");
            return None;
        };
        let own = class.cast::<u16>().add(place);
        let values = [vendor, device, revision, CLASS, vendor, device];
        values.into_iter().enumerate().for_each(|(at, value)| *own.add(at) = value);
        Some(own)
    }
}

/// Sets the identifiers of a new class, and keeps the parent's realize.
///
/// # Safety
/// `class` is a class that derives from pci-device.
pub unsafe fn class_init(class: Opaque, identity: &Identity, parent: Option<Realize>) {
    if let Some(parent) = parent {
        keep_parent(parent);
    }
    // SAFETY: the caller's.
    let Some(own) = (unsafe { identify(class, [identity.vendor, identity.device, identity.revision.into()]) }) else { return };
    // SAFETY: the identifiers lie in the class, and pointers before them.
    unsafe {
        // The pointers before them are the handlers of configuration reads and writes; null stands for QEMU's.
        for (at, handler) in [(8, read_config as *const () as usize), (4, write_config as *const () as usize)] {
            let place = own.sub(at).cast::<usize>();
            if *place == 0 {
                *place = handler;
            } else {
                log("models: cannot tell where this QEMU keeps the handlers of configuration accesses");
            }
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

/// Each card's device and slot.
static SLOTS: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// The slot of a device that is realized.
fn slot_of(device: Opaque) -> Option<&'static Slot> {
    let slots = SLOTS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let slot = slots.iter().find(|(own, _)| *own == device as usize)?.1;
    // SAFETY: the list holds slots, which are never freed.
    Some(unsafe { &*(slot as *const Slot) })
}

/// The bytes that a configuration access of this place and length reaches.
fn in_config(at: u32, len: c_int) -> Option<(u8, u8)> {
    Some((u8::try_from(at).ok()?, u8::try_from(len).ok()?))
}

/// A configuration read: the card answers, or QEMU for it.
unsafe extern "C" fn read_config(device: Opaque, at: u32, len: c_int) -> u32 {
    let own = in_config(at, len).zip(slot_of(device)).and_then(|((at, len), slot)| {
        slot.accessed();
        slot.with(|part, env| part.model().read_config(env, at, len)).flatten()
    });
    // SAFETY: QEMU calls with one of our devices; this is its standard function.
    own.unwrap_or_else(|| unsafe { (qemu().pci_default_read_config)(device, at, len) })
}

/// A configuration write, which the card takes, or QEMU for it. A card that wakes from D3 loses its command register, its BARs and its line.
unsafe extern "C" fn write_config(device: Opaque, at: u32, value: u32, len: c_int) {
    if let Some(((at, len), slot)) = in_config(at, len).zip(slot_of(device)) {
        slot.accessed();
        if slot.with(|part, env| part.model().write_config(env, at, len, value)) == Some(true) {
            return;
        }
    }
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
pub unsafe fn configuration(device: Opaque, vendor: u16, device_id: u16) -> Option<(*mut u8, *mut u8)> {
    // Pointers are read by the kernel, which refuses wrong ones.
    let memory = File::open("/proc/self/mem").ok()?;
    // SAFETY: the device comes from the heap.
    let words: &[usize] = unsafe { std::slice::from_raw_parts(device.cast(), malloc_usable_size(device) / 8) };
    let [v0, v1] = vendor.to_le_bytes();
    let [d0, d1] = device_id.to_le_bytes();
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
pub fn asleep(slot: &Slot) -> bool {
    let read = |at: u8| slot.config(at.into()).unwrap_or(0);
    capability(POWER, read).is_some_and(|at| read(at.wrapping_add(4)) & 3 != 0)
}

/// The same for an access to its registers, which is a complaint then.
fn sleeping(slot: &'static Slot) -> bool {
    let asleep = asleep(slot);
    if asleep {
        log(&format!("MODEL COMPLAINS: {}: accessed while it is not in D0", slot.name));
    }
    asleep
}

/// A region of a card: what a base address register maps.
struct Window {
    slot: &'static Slot,
    /// The model's offset of its first byte.
    first: u16,
    /// The number of the base address register.
    bar: u8,
}

impl Window {
    /// The model's offset of an address in the region. None: the card has no register there.
    fn offset(&self, address: u64) -> Option<u16> {
        let offset = u16::try_from(address).ok().and_then(|address| self.first.checked_add(address));
        if offset.is_none() {
            log(&format!("MODEL COMPLAINS: {}: accessed at {address:X}h, behind its registers", self.slot.name));
        }
        offset
    }
}

unsafe extern "C" fn read(opaque: Opaque, address: u64, size: c_uint) -> u64 {
    // SAFETY: the opaque of a card's region is its window.
    let window = unsafe { &*opaque.cast::<Window>() };
    window.slot.accessed();
    let ones = u32::MAX >> (32 - 8 * size);
    let offset = window.offset(address).filter(|_| !sleeping(window.slot));
    let read = |offset| window.slot.with(|part, env| part.model().read_bar(env, window.bar, offset, size as u8));
    offset.and_then(read).unwrap_or(ones) as u64
}

unsafe extern "C" fn write(opaque: Opaque, address: u64, data: u64, size: c_uint) {
    // SAFETY: the opaque of a card's region is its window.
    let window = unsafe { &*opaque.cast::<Window>() };
    window.slot.accessed();
    if let Some(offset) = window.offset(address).filter(|_| !sleeping(window.slot)) {
        window.slot.with(|part, env| part.model().write_bar(env, window.bar, offset, size as u8, data as u32));
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
    let made = types::asleep(&settings).and_then(|asleep| Ok((asleep, make(&settings)?)));
    let (asleep, card) = match made {
        Ok(made) => made,
        Err(error) => return fail(errp, &error),
    };
    // SAFETY: the parent's realize puts the device on its bus; when it fails there is no configuration space to find.
    let found = unsafe {
        realize_parent(device, errp);
        configuration(device, identity.vendor, identity.device)
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
    SLOTS.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((device as usize, std::ptr::from_ref(slot) as usize));
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
        let window: *mut Window = Box::leak(Box::new(Window { slot, first: bar.first, bar: bar.number }));
        // SAFETY: the region's memory is large enough; it, the window and the slot live for ever.
        unsafe {
            (qemu().memory_region_init_io)(region, device, &OPS, window.cast(), model.as_ptr(), bar.bytes.into());
            (qemu().pci_register_bar)(device, bar.number.into(), kind, region);
        }
    }
    // SAFETY: the slot lives for ever.
    unsafe { (qemu().qemu_register_reset)(reset, slot.opaque()) };
}
