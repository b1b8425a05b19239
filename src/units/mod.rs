//! Macros for the units. A unit is a binary of its own, linked at offset 0; src/units/ has a file for each.

/// The panic handler of a unit. It calls a symbol that does not exist: a unit with a panic that can be reached does not
/// link.
#[macro_export]
macro_rules! no_panic {
    () => {
        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo) -> ! {
            unsafe extern "C" {
                fn a_unit_can_panic() -> !;
            }
            // SAFETY: never called.
            unsafe { a_unit_can_panic() }
        }
    };
}

/// The resident unit of a driver: the entries that asm/driver.asm lists.
#[macro_export]
macro_rules! driver_unit {
    ($device:ty) => {
        mod unit {
            use super::*;
            use $crate::device::{Device as _, Events, RcvMode, SendError};
            use $crate::resident::table::Work;

            type Dev = $device;

            unsafe extern "C" {
                /// In the core (linker/resident.ld). Entries run with interrupts off, and no client runs meanwhile.
                static mut work: Work;
            }

            #[unsafe(no_mangle)]
            extern "fastcall" fn irq(dev: &mut Dev) -> u8 {
                let Events(events) = dev.irq();
                events
            }
            #[unsafe(no_mangle)]
            extern "fastcall" fn unmask(dev: &mut Dev) {
                dev.unmask();
            }
            #[unsafe(no_mangle)]
            extern "fastcall" fn peek(dev: &mut Dev) {
                // SAFETY: see `work`.
                unsafe { work.job.rx = dev.peek(&mut *(&raw mut work.job.head)) };
            }
            #[unsafe(no_mangle)]
            extern "fastcall" fn copy(dev: &mut Dev) {
                // SAFETY: see `work`.
                dev.copy(unsafe { &*(&raw const work.job) });
                discard(dev);
            }
            #[unsafe(no_mangle)]
            extern "fastcall" fn discard(dev: &mut Dev) {
                // SAFETY: see `work`; the core has peeked at a frame.
                dev.discard(unsafe { work.job.rx.unwrap_unchecked() });
            }
            #[unsafe(no_mangle)]
            extern "fastcall" fn send(dev: &mut Dev) -> u8 {
                // SAFETY: see `work`.
                match dev.send(unsafe { &*(&raw const work.job) }) {
                    Ok(()) => 0,
                    Err(SendError::Busy) => 1,
                    Err(SendError::Failed) => 2,
                }
            }
            #[unsafe(no_mangle)]
            extern "fastcall" fn set_rcv_mode(dev: &mut Dev) {
                // SAFETY: see `work`. The core checks the mode (1 to 6) and keeps at most GROUPS addresses.
                let (mode, groups) = unsafe {
                    (
                        core::mem::transmute::<u8, RcvMode>(work.nic.rcv_mode),
                        core::slice::from_raw_parts(&raw const work.groups as *const _, work.group_count as usize),
                    )
                };
                dev.set_rcv_mode(mode, groups);
            }
            #[unsafe(no_mangle)]
            extern "fastcall" fn set_address(dev: &mut Dev) {
                // SAFETY: see `work`.
                dev.set_address(unsafe { &*(&raw const work.nic.mac) });
            }
            #[unsafe(no_mangle)]
            extern "fastcall" fn link(dev: &mut Dev) -> u8 {
                dev.link() as u8
            }
            #[unsafe(no_mangle)]
            extern "fastcall" fn stop(dev: &mut Dev) {
                dev.stop();
            }
        }
        $crate::no_panic!();
    };
}

/// A unit of the pool feature: its records, its lists, and the entries that asm/pool.inc lists. `$form` is a form of the
/// pool, generic over its [`Store`](crate::memory::Store); `$fields` and `$record` are that form's types.
#[macro_export]
macro_rules! pool_unit {
    ($fields:ty, $record:ty, $form:ident) => {
        use core::ptr::addr_of_mut;
        use $crate::memory::{FRAMES, Store, backlog, filter, queue};
        use $crate::resident::frame::Frame;

        // Not among the tables that are zeroed at load: `once` in asm/pool.inc sets some fields before that.
        // SAFETY: all zeros are a value of the type.
        #[unsafe(no_mangle)]
        #[unsafe(link_section = ".data.table")]
        static mut table: $fields = unsafe { core::mem::MaybeUninit::zeroed().assume_init() };
        // SAFETY: as above.
        #[unsafe(no_mangle)]
        static mut records: [$record; FRAMES] = unsafe { core::mem::MaybeUninit::zeroed().assume_init() };
        // SAFETY: as above.
        #[unsafe(no_mangle)]
        static mut kept_frames: backlog::Fields = unsafe { core::mem::MaybeUninit::zeroed().assume_init() };
        // SAFETY: as above.
        #[unsafe(no_mangle)]
        static mut waiting_frames: queue::Fields = unsafe { core::mem::MaybeUninit::zeroed().assume_init() };

        #[derive(Clone, Copy)]
        struct Mine;

        impl Store for Mine {
            type Fields = $fields;
            #[inline(always)]
            fn fields(self) -> *mut Self::Fields {
                // SAFETY: takes the address only.
                unsafe { addr_of_mut!(table) }
            }
            #[inline(always)]
            fn first(self) -> u16 {
                // SAFETY: takes the address only.
                unsafe { addr_of_mut!(records) as u32 as u16 }
            }
            #[inline(always)]
            fn record<T>(self, at: u16) -> *mut T {
                filter::near(at)
            }
            #[inline(always)]
            fn copy(self, from: u16, to: u16, len: u16) {
                filter::copy_near(from, to, len);
            }
        }

        #[unsafe(no_mangle)]
        extern "fastcall" fn irq() -> u8 {
            filter::irq($form(Mine))
        }
        #[unsafe(no_mangle)]
        extern "fastcall" fn peek() {
            filter::peek($form(Mine));
        }
        #[unsafe(no_mangle)]
        extern "fastcall" fn copy() {
            filter::copy($form(Mine));
        }
        #[unsafe(no_mangle)]
        extern "fastcall" fn discard() {
            filter::discard($form(Mine));
        }
        #[unsafe(no_mangle)]
        extern "fastcall" fn send() -> u8 {
            filter::send($form(Mine))
        }
        #[unsafe(no_mangle)]
        extern "fastcall" fn drop_pkt(frame: &Frame) -> u8 {
            filter::drop_pkt($form(Mine), frame)
        }
        #[unsafe(no_mangle)]
        extern "fastcall" fn release(handle: u16) {
            filter::release($form(Mine), handle);
        }
        $crate::no_panic!();
    };
}

/// How a unit of the pool moves frames to and from XMS: by a flat copy (asm/pool.asm), or, if `$driver` is true, by the XMS
/// driver (asm/poolv.asm).
#[macro_export]
macro_rules! pool_mover {
    ($driver:literal) => {
        impl Mover for Mine {
            #[inline(always)]
            fn busy(self) -> bool {
                unsafe extern "C" {
                    static xms_busy: u8;
                }
                // SAFETY: a byte that changes only while this unit's code does not run.
                $driver && unsafe { xms_busy != 0 }
            }
            #[inline(always)]
            fn ends(self) -> u16 {
                // SAFETY: takes the address only.
                unsafe { addr_of_mut!(table.block.from) as u32 as u16 }
            }
            #[inline(always)]
            fn end(self, at: u16) -> *mut End {
                filter::near(at)
            }
            #[inline(always)]
            fn move_block(self, block: *mut Move) -> bool {
                unsafe extern "fastcall" {
                    fn move_block(block: *mut Move) -> bool;
                }
                // SAFETY: memory of the pool.
                unsafe { move_block(block) }
            }
        }
    };
}

/// The unit of a stage of the installation: its header and its entry.
#[macro_export]
macro_rules! stage_unit {
    ($stage:ident) => {
        #[unsafe(link_section = ".unit_header")]
        #[unsafe(no_mangle)]
        #[allow(non_upper_case_globals, reason = "the name is the linker script's")]
        static unit_header: $crate::install::header::StageHeader =
            $crate::install::header::StageHeader { run };

        extern "fastcall" fn run(plan: &mut $crate::install::plan::Plan) -> u8 {
            $crate::install::stages::$stage::run(plan)
        }
        $crate::no_panic!();
    };
}

/// The unit that finds a NIC: its header and its entry.
#[macro_export]
macro_rules! find_unit {
    ($probe:ty) => {
        mod unit {
            use super::*;
            use $crate::bus::Bus as _;
            use $crate::bus::either::{Either, a20_gate};
            use $crate::install::header::FindHeader;
            use $crate::probe::{Ask, FLAT_INTX, FLAT_KEYBOARD, Found, NO_XMS, Probe, pci};

            extern "fastcall" fn find(ask: &Ask, found: &mut Found) -> u8 {
                match <$probe as Probe<Either>>::find(&Either, ask) {
                    Ok(card) => {
                        *found = card;
                        found.speed = <$probe as Probe<Either>>::SPEED;
                        if !<$probe as Probe<Either>>::IDS.is_empty() {
                            if pci::has_intx_off(&Either, ask.pci) {
                                found.flat = FLAT_INTX;
                            }
                        } else if (ask.waits || found.rings_xms != 0) && !Either.confined() {
                            match a20_gate() {
                                0 => {}
                                1 => found.flat = FLAT_KEYBOARD,
                                _ => found.rings_xms = NO_XMS,
                            }
                        }
                        0
                    }
                    Err(fault) => fault as u8,
                }
            }

            #[unsafe(link_section = ".unit_header")]
            #[unsafe(no_mangle)]
            static unit_header: FindHeader = FindHeader { find, ids: <$probe as Probe<Either>>::IDS };
        }
        $crate::no_panic!();
    };
}

/// The unit that starts a NIC: its header and its entries.
#[macro_export]
macro_rules! start_unit {
    ($probe:ty) => {
        mod unit {
            use super::*;
            use $crate::bus::either::Either;
            use $crate::device::Device as _;
            use $crate::install::header::{Start, StartHeader};
            use $crate::probe::{Found, Probe};

            type Dev = <$probe as Probe<Either>>::Device;

            extern "fastcall" fn start(found: &Found, how: &Start) -> u8 {
                match <$probe as Probe<Either>>::start(Either, found, &how.rings) {
                    Ok(device) => {
                        // SAFETY: the installer's buffer: aligned to four bytes, with as many bytes as the header states.
                        unsafe { (how.device as *mut Dev).write(device) };
                        0
                    }
                    Err(fault) => fault as u8,
                }
            }
            extern "fastcall" fn line(found: &Found, near: *mut u8) -> u8 {
                // SAFETY: `start` has written the device there.
                <$probe as Probe<Either>>::line(&Either, found, unsafe { &mut *(near as *mut Dev) })
            }
            extern "fastcall" fn unmask(near: *mut u8) {
                // SAFETY: the installer has copied the device there.
                unsafe { (*(near as *mut Dev)).unmask() };
            }
            extern "fastcall" fn stop(near: *mut u8) {
                // SAFETY: as above.
                unsafe { (*(near as *mut Dev)).stop() };
            }
            extern "fastcall" fn speed(near: *mut u8) -> u16 {
                // SAFETY: as above.
                unsafe { (*(near as *mut Dev)).speed() }
            }

            #[unsafe(link_section = ".unit_header")]
            #[unsafe(no_mangle)]
            static unit_header: StartHeader = StartHeader { start, line, unmask, stop, speed, instance: size_of::<Dev>() as u32 };
        }
        $crate::no_panic!();
    };
}
