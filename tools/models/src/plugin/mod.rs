//! The models as devices of an unmodified QEMU: `-plugin libmodels.so -device el3,netdev=n0,iobase=0x300,irq=10`.
//!
//! The plugin registers QOM types when it is installed. QEMU's objects stay opaque pointers, and classes and instances have their
//! parents' sizes, so that structure sizes do not matter. Each card's state is a [`slot::Slot`]. Tested with QEMU 7.2.22.
//!
//! Properties, all text: `netdev` (id of a backend), `mac`, `iobase`, `irq`, `media`, `fault` (see [`crate::faults`]), `pnp`
//! (`on` or `off`), `wire` (nanoseconds for a byte), `lists` (`on`: the 3C515 offers its list engines; `unasked`: these get the
//! bus even without a DMA channel), `power` (`d3`: a PCI card that has to be woken), `left` (`interrupting`: an earlier driver has left
//! an rtl8169, tg3 or PCH part with its line high; `redirected`: an 8125, of which it left the line unused; `slow`: a PCH part, limited
//! to 10 Mb/s; `holding`: an I219 that holds descriptors), `negotiation` (milliseconds until one of these has its link). Of the PCH
//! parts: `me` (`on`, `off`, `blocking`: the management engine), `ulp` (`off`: the PHY is not in low power), `flash` (`blank`), `k1`
//! (`loses`: an 82577 loses frames while K1 is on at 1 Gb/s). Of the tg3: `partner` (`10`, `100`, `1000`: the other end's highest
//! speed in Mb/s), `address` (`both`, `registers`, `nvram`: where the boot code puts the station address: SRAM and registers,
//! registers alone, nowhere). Complaints go to standard error, each line
//! beginning with `MODEL COMPLAINS:`, and to the file in the plugin's argument `log=`. `-device NAME,help` shows nothing.

mod clock;
pub mod ffi;
mod front;
mod isa;
mod net;
mod pci;
mod slot;
mod types;

use ffi::{Errp, Opaque, TypeInfo, qemu};
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::fs::File;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, Ordering};

/// The version of the plugin interface: 0 to 1 in QEMU 7.2 and 8, 2 to 4 in 10.0, at least 7 in 11.1. [`BEFORE_MAIN`] sets it
/// before QEMU reads it.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
pub static qemu_plugin_version: AtomicI32 = AtomicI32::new(1);

extern "C" fn before_main() {
    if let Some(major) = ffi::major() {
        let version = match major {
            ..9 => 1,
            9..11 => 2,
            _ => 7,
        };
        qemu_plugin_version.store(version, Ordering::Relaxed);
    }
}

/// The dynamic loader calls it when it opens the library. In a host program it finds no QEMU and does nothing.
#[used]
#[unsafe(link_section = ".init_array")]
pub static BEFORE_MAIN: extern "C" fn() = before_main;

static LOG: Mutex<Option<File>> = Mutex::new(None);

/// Writes a line to standard error and to the log.
pub fn log(line: &str) {
    eprintln!("{line}");
    if let Ok(mut file) = LOG.lock()
        && let Some(file) = file.as_mut()
    {
        // If the disk is full the line is missing; there is no other place to report that.
        let _ = writeln!(file, "{line}");
    }
}

/// The properties of a card from `-device`.
pub type Settings = HashMap<String, String>;

/// Settings of objects that are not realized yet, by their address.
static SETTINGS: Mutex<Option<HashMap<usize, Settings>>> = Mutex::new(None);

fn settings<R>(object: Opaque, call: impl FnOnce(&mut Settings) -> R) -> R {
    let mut all = SETTINGS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    call(all.get_or_insert_default().entry(object as usize).or_default())
}

/// Properties of every device.
const PROPERTIES: [&CStr; 18] = [
    c"netdev", c"mac", c"iobase", c"irq", c"media", c"fault", c"pnp", c"wire", c"lists", c"power", c"left", c"negotiation", c"me", c"ulp",
    c"flash", c"k1", c"address", c"partner",
];

unsafe extern "C" fn set(object: Opaque, visitor: Opaque, name: *const c_char, _: Opaque, errp: Errp) {
    let mut text: *mut c_char = std::ptr::null_mut();
    // SAFETY: QEMU calls with its own visitor and a C string; on success the visitor made `text`, which is ours to free.
    unsafe {
        if (qemu().visit_type_str)(visitor, name, &mut text, errp) && !text.is_null() {
            let (name, value) = (CStr::from_ptr(name), CStr::from_ptr(text));
            settings(object, |list| list.insert(name.to_string_lossy().into(), value.to_string_lossy().into()));
            (qemu().g_free)(text.cast());
        }
    }
}

/// Fills in QEMU's error.
fn fail(errp: Errp, message: &str) {
    let message = CString::new(message).unwrap_or_default();
    // SAFETY: errp is QEMU's, and the format takes one C string.
    unsafe {
        (qemu().error_setg_internal)(errp, c"models".as_ptr(), 0, c"realize".as_ptr(), c"%s".as_ptr(), message.as_ptr());
    }
}

unsafe extern "C" fn class_init(class: Opaque, data: Opaque) {
    // SAFETY: QEMU calls with the new class; the class data is the type's own, given in `register`.
    unsafe {
        let kind = &*data.cast::<types::Type>();
        // A card of QEMU's has the others of its own.
        let properties = if matches!(kind.make, types::Make::Front { .. }) { &[c"left", c"fault"][..] } else { &PROPERTIES };
        for name in properties {
            let text = c"str".as_ptr();
            (qemu().object_class_property_add)(class, name.as_ptr(), text, None, Some(set), 0, std::ptr::null_mut());
        }
        let mut parent = None;
        match kind.make {
            types::Make::Isa(_) => (qemu().device_class_set_parent_realize)(class, isa::realize, &mut parent),
            types::Make::Holes { .. } => (qemu().device_class_set_parent_realize)(class, isa::realize_holes, &mut parent),
            types::Make::Front { identity, .. } => {
                (qemu().device_class_set_parent_realize)(class, front::realize, &mut parent);
                front::class_init(class, identity, parent);
            }
            types::Make::Pci(identity, _) => {
                (qemu().device_class_set_parent_realize)(class, pci::realize, &mut parent);
                pci::class_init(class, &identity, parent);
            }
        }
    }
}

/// The devices' names, for `-device`.
pub fn names() -> impl Iterator<Item = &'static str> {
    types::TYPES.iter().filter_map(|kind| kind.name.to_str().ok())
}

fn register(kind: &'static types::Type) {
    // QEMU ends when a type's parent is missing.
    if matches!(kind.make, types::Make::Front { newer: true, .. }) && ffi::major().is_none_or(|major| major < 8) {
        return;
    }
    let info = Box::leak(Box::new(TypeInfo {
        name: kind.name.as_ptr(),
        parent: match kind.make {
            types::Make::Isa(_) | types::Make::Holes { .. } => c"isa-device".as_ptr(),
            types::Make::Pci(..) => c"pci-device".as_ptr(),
            types::Make::Front { card, .. } => card.as_ptr(),
        },
        instance_size: 0,
        instance_align: 0,
        instance_init: None,
        instance_post_init: None,
        instance_finalize: None,
        is_abstract: false,
        class_size: 0,
        class_init: Some(class_init),
        class_base_init: None,
        class_data: std::ptr::from_ref(kind).cast_mut().cast(),
        interfaces: match kind.make {
            types::Make::Isa(_) | types::Make::Holes { .. } | types::Make::Front { .. } => std::ptr::null(),
            types::Make::Pci(..) => Box::leak(Box::new([c"conventional-pci-device".as_ptr(), std::ptr::null()])).as_ptr(),
        },
    }));
    // SAFETY: the type's description lives for ever.
    unsafe { (qemu().type_register_static)(info) };
}

/// QEMU's entry: registers the types. 0 if all went well.
///
/// # Safety
/// QEMU calls it once with `argc` C strings in `argv`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(_id: u64, _info: Opaque, argc: c_int, argv: *const *const c_char) -> c_int {
    for at in 0..argc.max(0) as usize {
        // SAFETY: the caller has put argc C strings there.
        let argument = unsafe { CStr::from_ptr(*argv.add(at)) }.to_string_lossy().into_owned();
        let Some(path) = argument.strip_prefix("log=") else {
            eprintln!("models: unknown plugin argument {argument}");
            return 1;
        };
        match File::create(path) {
            Ok(file) => *LOG.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(file),
            Err(error) => {
                eprintln!("models: {path}: {error}");
                return 1;
            }
        }
    }
    if let Err(error) = ffi::load() {
        eprintln!("models: {error}");
        return 1;
    }
    types::TYPES.iter().for_each(register);
    0
}
