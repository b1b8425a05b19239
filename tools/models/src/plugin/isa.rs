//! ISA cards in QEMU: their own ports, mapped at the card's base, and the ports that all cards share.

use super::ffi::{self, Errp, Opaque, RegionOps, Valid, qemu};
use super::slot::{Part, Place, REGION_BYTES, Slot, leak};
use super::types::{Make, TYPES};
use super::{fail, net, settings};
use crate::isa::{PNP_ADDRESS, PNP_WRITE, together};
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_uint};
use std::sync::Mutex;

/// Time of an access on an 8 MHz ISA bus, in nanoseconds.
const ACCESS_NS: u64 = 1_000;

/// All ISA cards, for the ports that they share.
struct Hub {
    cards: Vec<&'static Slot>,
    read_ports: Vec<u16>,
}

// SAFETY: the cards are touched only under QEMU's big lock, one thread at a time.
unsafe impl Send for Hub {}

static HUB: Mutex<Hub> = Mutex::new(Hub { cards: Vec::new(), read_ports: Vec::new() });

fn hub<R>(call: impl FnOnce(&mut Hub) -> R) -> R {
    call(&mut HUB.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

/// A region's opaque: which card, and how far from its base.
struct Block {
    slot: &'static Slot,
    offset: u16,
}

unsafe extern "C" fn read(opaque: Opaque, address: u64, size: c_uint) -> u64 {
    // SAFETY: the opaque of a card's region is its block.
    let block = unsafe { &*opaque.cast::<Block>() };
    block.slot.accessed();
    let at = block.offset + address as u16;
    block.slot.with(|part, env| part.model().read(env, at, size as u8)).unwrap_or(u32::MAX) as u64
}

unsafe extern "C" fn write(opaque: Opaque, address: u64, data: u64, size: c_uint) {
    // SAFETY: the opaque of a card's region is its block.
    let block = unsafe { &*opaque.cast::<Block>() };
    block.slot.accessed();
    let at = block.offset + address as u16;
    block.slot.with(|part, env| part.model().write(env, at, size as u8, data as u32));
}

unsafe extern "C" fn read_shared(opaque: Opaque, _address: u64, _size: c_uint) -> u64 {
    let port = opaque as usize as u16;
    let cards = hub(|hub| hub.cards.clone());
    cards.iter().for_each(|slot| slot.accessed());
    let line = together(cards.iter().map(|slot| slot.with(|part, env| isa(part).offer(env, port)).flatten()));
    for slot in &cards {
        slot.with(|part, env| isa(part).settle(env, port, line));
    }
    line as u64
}

unsafe extern "C" fn write_shared(opaque: Opaque, _address: u64, data: u64, _size: c_uint) {
    let port = opaque as usize as u16;
    for slot in hub(|hub| hub.cards.clone()) {
        slot.accessed();
        let read_port = slot.with(|part, env| {
            let card = isa(part);
            card.hear(env, port, data as u8);
            card.pnp_read_port()
        });
        if let Some(port) = read_port.flatten()
            && hub(|hub| !hub.read_ports.contains(&port))
        {
            hub(|hub| hub.read_ports.push(port));
            share(slot, port);
        }
    }
}

fn isa(part: &mut Part) -> &mut dyn crate::isa::Card {
    match part {
        Part::Isa(card) => card.as_mut(),
        Part::Pci(_) => unreachable!("only ISA cards are in the hub"),
    }
}

static OWN: RegionOps = ops(read, write, 4);
static SHARED: RegionOps = ops(read_shared, write_shared, 1);

/// Little-endian ports, with the access widths that the bus passes on.
pub const fn ops(
    read: unsafe extern "C" fn(Opaque, u64, c_uint) -> u64,
    write: unsafe extern "C" fn(Opaque, u64, u64, c_uint),
    width: c_uint,
) -> RegionOps {
    RegionOps {
        read,
        write,
        with_attrs: [0; 2],
        endianness: 2,
        valid: Valid { widths: [1, 4], unaligned: true, accepts: 0 },
        implemented: [1, width],
        implemented_unaligned: true,
    }
}

/// Maps a shared port, with lower priority than other devices there (the IDE ports 170h and 1F0h are ID ports, too).
fn share(slot: &Slot, port: u16) {
    let region = leak(REGION_BYTES);
    // SAFETY: the region's memory is large enough and lives for ever; its opaque is the port's number, not a pointer.
    unsafe {
        let opaque = port as usize as Opaque;
        (qemu().memory_region_init_io)(region, slot.device, &SHARED, opaque, c"models-shared".as_ptr(), 1);
        (qemu().memory_region_add_subregion_overlap)((qemu().get_system_io)(), port as u64, region, -1);
    }
}

unsafe extern "C" fn read_hole(_: Opaque, _: u64, _: c_uint) -> u64 {
    u64::MAX
}

unsafe extern "C" fn write_hole(_: Opaque, _: u64, _: u64, _: c_uint) {}

unsafe extern "C" fn write_first(opaque: Opaque, _: u64, _: u64, _: c_uint) {
    // SAFETY: the opaque is the type's own list of ports.
    let Some(Make::Holes { ports, .. }) = (unsafe { opaque.cast::<Make>().as_ref() }) else { return };
    ports.iter().for_each(|port| dig(*port, &HOLE, std::ptr::null_mut()));
}

static HOLE: RegionOps = ops(read_hole, write_hole, 1);
static FIRST: RegionOps = ops(read_hole, write_first, 1);

/// Maps a port, with higher priority than other devices there.
fn dig(port: u16, ops: &'static RegionOps, opaque: Opaque) {
    let region = leak(REGION_BYTES);
    // SAFETY: the region's memory is large enough and lives for ever; it has no owner.
    unsafe {
        (qemu().memory_region_init_io)(region, std::ptr::null_mut(), ops, opaque, c"models-hole".as_ptr(), 1);
        (qemu().memory_region_add_subregion_overlap)((qemu().get_system_io)(), u64::from(port), region, 1);
    }
}

/// Realizes a device of ports at which nothing answers.
///
/// # Safety
/// QEMU calls it with a device of one of this plugin's types.
pub unsafe extern "C" fn realize_holes(device: Opaque, errp: Errp) {
    // SAFETY: every object has a type with a name.
    let name = unsafe { CStr::from_ptr((qemu().object_get_typename)(device)) };
    match TYPES.iter().find(|kind| kind.name == name).map(|kind| &kind.make) {
        Some(Make::Holes { ports, from: 0 }) => ports.iter().for_each(|port| dig(*port, &HOLE, std::ptr::null_mut())),
        Some(make @ Make::Holes { from, .. }) => dig(*from, &FIRST, std::ptr::from_ref(make).cast_mut().cast()),
        _ => fail(errp, "a type of another plugin"),
    }
}

unsafe extern "C" fn reset(opaque: Opaque) {
    // SAFETY: the opaque of the reset handler is its slot.
    let slot = unsafe { &*opaque.cast::<Slot>() };
    slot.with(|part, env| part.model().hard_reset(env));
}

/// Realizes an ISA card.
///
/// # Safety
/// QEMU calls it with a device of one of this plugin's types.
pub unsafe extern "C" fn realize(device: Opaque, errp: Errp) {
    // SAFETY: every object has a type with a name.
    let name = unsafe { CStr::from_ptr((qemu().object_get_typename)(device)) };
    let Some(kind) = TYPES.iter().find(|kind| kind.name == name) else {
        return fail(errp, "a type of another plugin");
    };
    let settings = settings(device, |list| list.clone());
    let Make::Isa(make) = kind.make else {
        return fail(errp, "not an ISA card");
    };
    let card = match make(&settings) {
        Ok(card) => card,
        Err(error) => return fail(errp, &error),
    };
    let blocks = card.blocks();
    let place = Place::Isa { regions: RefCell::new(Vec::new()), mapped: Cell::new(None) };
    let title = format!("{}/{}", name.to_string_lossy(), settings.get("netdev").map_or("-", String::as_str));
    let slot = Slot::new(device, title, Part::Isa(card), place, ffi::system_memory(), ACCESS_NS);
    if !net::attach(slot, kind.name, &settings, errp) {
        return;
    }
    for (offset, length) in blocks {
        let region = leak(REGION_BYTES);
        let block = std::ptr::from_mut(Box::leak(Box::new(Block { slot, offset: *offset }))).cast();
        // SAFETY: the region's memory is large enough; it and its block live for ever.
        unsafe { (qemu().memory_region_init_io)(region, device, &OWN, block, kind.name.as_ptr(), *length as u64) };
        if let Place::Isa { regions, .. } = &slot.place {
            regions.borrow_mut().push((*offset, region));
        }
    }
    let first = hub(|hub| {
        hub.cards.push(slot);
        hub.cards.len() == 1
    });
    if first {
        (0x100..=0x1F0).step_by(0x10).chain([PNP_ADDRESS, PNP_WRITE]).for_each(|port| share(slot, port));
    }
    // SAFETY: the slot lives for ever.
    unsafe { (qemu().qemu_register_reset)(reset, slot.opaque()) };
}
