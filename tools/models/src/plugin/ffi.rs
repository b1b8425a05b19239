//! QEMU's functions. They are looked up by name in the running QEMU when the plugin is installed, so that a host test can link
//! this crate without them.
//!
//! Distributions' builds of QEMU export their symbols, because they support modules. QEMU's objects stay opaque.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::OnceLock;

/// A pointer to one of QEMU's objects.
pub type Opaque = *mut c_void;
/// `Error **`.
pub type Errp = *mut Opaque;
/// A property's getter or setter.
pub type Accessor = unsafe extern "C" fn(obj: Opaque, visitor: Opaque, name: *const c_char, opaque: Opaque, errp: Errp);
/// A device's realize.
pub type Realize = unsafe extern "C" fn(dev: Opaque, errp: Errp);

/// `TypeInfo`: the same in every QEMU from 7.2 on.
#[repr(C)]
pub struct TypeInfo {
    /// The type's name.
    pub name: *const c_char,
    /// Its parent's.
    pub parent: *const c_char,
    /// 0: as the parent's.
    pub instance_size: usize,
    /// 0: as malloc's.
    pub instance_align: usize,
    /// Called on a new object.
    pub instance_init: Option<unsafe extern "C" fn(Opaque)>,
    /// Not used.
    pub instance_post_init: Option<unsafe extern "C" fn(Opaque)>,
    /// Not used.
    pub instance_finalize: Option<unsafe extern "C" fn(Opaque)>,
    /// Not used.
    pub is_abstract: bool,
    /// 0: as the parent's.
    pub class_size: usize,
    /// Called on the new class.
    pub class_init: Option<unsafe extern "C" fn(class: Opaque, data: Opaque)>,
    /// Not used.
    pub class_base_init: Option<unsafe extern "C" fn(Opaque, Opaque)>,
    /// Handed to `class_init`.
    pub class_data: Opaque,
    /// Interfaces, ended by a null name.
    pub interfaces: *const *const c_char,
}

// SAFETY: TypeInfo only points at leaked, constant data.
unsafe impl Sync for TypeInfo {}
// SAFETY: as above.
unsafe impl Send for TypeInfo {}

/// `MemoryRegionOps.valid`.
#[repr(C)]
pub struct Valid {
    /// Least and greatest access.
    pub widths: [c_uint; 2],
    /// Unaligned accesses are allowed.
    pub unaligned: bool,
    /// Not used.
    pub accepts: usize,
}

/// `MemoryRegionOps`.
#[repr(C)]
pub struct RegionOps {
    /// Reads.
    pub read: unsafe extern "C" fn(opaque: Opaque, address: u64, size: c_uint) -> u64,
    /// Writes.
    pub write: unsafe extern "C" fn(opaque: Opaque, address: u64, data: u64, size: c_uint),
    /// Not used.
    pub with_attrs: [usize; 2],
    /// 2: little.
    pub endianness: c_int,
    /// What the guest may do.
    pub valid: Valid,
    /// Least and greatest access that the functions take.
    pub implemented: [c_uint; 2],
    /// Unaligned accesses reach the functions.
    pub implemented_unaligned: bool,
}

/// `VersionInfo` of `query-version`.
#[repr(C)]
pub struct Version {
    /// Major, minor, micro.
    pub triple: *const [i64; 3],
    /// The distribution's name for it.
    pub package: *const c_char,
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        /// The functions of the running QEMU.
        pub struct Qemu {
            $($(#[$doc])* pub $name: $type,)*
        }

        impl Qemu {
            fn load() -> Result<Qemu, String> {
                Ok(Qemu {
                    $($name: {
                        let name = concat!(stringify!($name), "\0");
                        let found = symbol(name).ok_or_else(|| format!("this QEMU does not export {}", stringify!($name)))?;
                        // SAFETY: QEMU's symbol of this name has this type, in all versions that `version` accepts.
                        unsafe { std::mem::transmute_copy::<*mut c_void, $type>(&found) }
                    },)*
                })
            }
        }
    };
}

functions! {
    /// Registers a type.
    type_register_static: unsafe extern "C" fn(*const TypeInfo) -> Opaque,
    /// Adds a property to a class.
    object_class_property_add: unsafe extern "C" fn(Opaque, *const c_char, *const c_char, Option<Accessor>, Option<Accessor>, usize, Opaque) -> Opaque,
    /// An object's type by its name.
    object_get_typename: unsafe extern "C" fn(Opaque) -> *const c_char,
    /// A class by its name.
    object_class_by_name: unsafe extern "C" fn(*const c_char) -> Opaque,
    /// Visits a string.
    visit_type_str: unsafe extern "C" fn(Opaque, *const c_char, *mut *mut c_char, Errp) -> bool,
    /// Frees what the visitor made.
    g_free: unsafe extern "C" fn(Opaque),
    /// Sets realize and returns the parent's.
    device_class_set_parent_realize: unsafe extern "C" fn(Opaque, Realize, *mut Option<Realize>),
    /// Makes a region of ports or memory with these functions.
    memory_region_init_io: unsafe extern "C" fn(Opaque, Opaque, *const RegionOps, Opaque, *const c_char, u64),
    /// Maps a region over others of lower priority.
    memory_region_add_subregion_overlap: unsafe extern "C" fn(Opaque, u64, Opaque, c_int),
    /// Unmaps it.
    memory_region_del_subregion: unsafe extern "C" fn(Opaque, Opaque),
    /// Reads a region, with the same lock held and around regions that cover it. 2: 32 bits, little-endian.
    memory_region_dispatch_read: unsafe extern "C" fn(Opaque, u64, *mut u64, c_int, u64) -> u32,
    /// Writes it.
    memory_region_dispatch_write: unsafe extern "C" fn(Opaque, u64, u64, c_int, u64) -> u32,
    /// An object's child.
    object_resolve_path_component: unsafe extern "C" fn(Opaque, *const c_char) -> Opaque,
    /// The ports.
    get_system_io: unsafe extern "C" fn() -> Opaque,
    /// A line of the ISA bus.
    isa_get_irq: unsafe extern "C" fn(Opaque, c_uint) -> Opaque,
    /// Sets a line.
    qemu_set_irq: unsafe extern "C" fn(Opaque, c_int),
    /// A network backend by its id.
    qemu_find_netdev: unsafe extern "C" fn(*const c_char) -> Opaque,
    /// A NIC. Newer ones take a guard before the opaque; six arguments serve both.
    qemu_new_nic: unsafe extern "C" fn(Opaque, Opaque, *const c_char, *const c_char, Opaque, Opaque) -> Opaque,
    /// Its only queue.
    qemu_get_queue: unsafe extern "C" fn(Opaque) -> Opaque,
    /// The opaque of a NIC.
    qemu_get_nic_opaque: unsafe extern "C" fn(Opaque) -> Opaque,
    /// Sends a frame.
    qemu_send_packet: unsafe extern "C" fn(Opaque, *const u8, c_int),
    /// Says that the NIC has room again.
    qemu_flush_queued_packets: unsafe extern "C" fn(Opaque),
    /// A clock; 1 is the virtual one.
    qemu_clock_get_ns: unsafe extern "C" fn(c_int) -> i64,
    /// Makes a timer.
    timer_init_full: unsafe extern "C" fn(Opaque, Opaque, c_int, c_int, c_int, unsafe extern "C" fn(Opaque), Opaque),
    /// Sets it.
    timer_mod_ns: unsafe extern "C" fn(Opaque, i64),
    /// Stops it.
    timer_del: unsafe extern "C" fn(Opaque),
    /// Reads or writes guest memory.
    address_space_rw: unsafe extern "C" fn(Opaque, u64, u32, Opaque, u64, bool) -> u32,
    /// Called at each reset.
    qemu_register_reset: unsafe extern "C" fn(unsafe extern "C" fn(Opaque), Opaque),
    /// Fills in an error.
    error_setg_internal: unsafe extern "C" fn(Errp, *const c_char, c_int, *const c_char, *const c_char, ...),
    /// A BAR.
    pci_register_bar: unsafe extern "C" fn(Opaque, c_int, u8, Opaque),
    /// INTA.
    pci_set_irq: unsafe extern "C" fn(Opaque, c_int),
    /// The address space for the device's bus mastering.
    pci_device_iommu_address_space: unsafe extern "C" fn(Opaque) -> Opaque,
    /// Adds a capability.
    pci_add_capability: unsafe extern "C" fn(Opaque, u8, u8, u8, Errp) -> c_int,
    /// QEMU's handler for a configuration write.
    pci_default_write_config: unsafe extern "C" fn(Opaque, u32, u32, c_int),
    /// QEMU's handler for a configuration read.
    pci_default_read_config: unsafe extern "C" fn(Opaque, u32, c_int) -> u32,
}

unsafe extern "C" {
    fn dlsym(handle: Opaque, name: *const c_char) -> Opaque;
}

/// A symbol of the running program; `name` ends with a zero byte.
pub fn symbol(name: &str) -> Option<Opaque> {
    let name = CStr::from_bytes_with_nul(name.as_bytes()).ok()?;
    // SAFETY: the name is a C string; a null handle is RTLD_DEFAULT: the program and what it was linked with.
    let found = unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()) };
    (!found.is_null()).then_some(found)
}

/// Major version of the QEMU that this runs in; None outside QEMU.
pub fn major() -> Option<i64> {
    let query = symbol("qmp_query_version\0")?;
    // SAFETY: this is QEMU's function of that name: it takes an Error ** and gives a VersionInfo, which is leaked.
    unsafe {
        let query: unsafe extern "C" fn(Errp) -> *const Version = std::mem::transmute(query);
        let version = query(std::ptr::null_mut());
        Some((*(*version).triple)[0])
    }
}

static QEMU: OnceLock<Qemu> = OnceLock::new();

/// Looks the functions up; once, before the first use of [`qemu`].
pub fn load() -> Result<(), String> {
    let qemu = Qemu::load()?;
    QEMU.set(qemu).map_err(|_| "loaded twice".into())
}

/// The functions of the running QEMU.
pub fn qemu() -> &'static Qemu {
    QEMU.get().expect("QEMU's functions are loaded before any type is registered")
}

/// The guest's memory, for ISA bus masters.
pub fn system_memory() -> Opaque {
    symbol("address_space_memory\0").expect("every QEMU exports address_space_memory")
}

/// The processor's ports.
pub fn system_ports() -> Opaque {
    symbol("address_space_io\0").expect("every QEMU exports address_space_io")
}
