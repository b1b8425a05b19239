//! What the units have in common: each is a binary of its own, linked at offset 0.

/// The panic handler of a unit: one that cannot be reached. The symbol does not exist, so a panic that can be
/// reached fails the link.
#[macro_export]
macro_rules! no_panic {
    () => {
        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo) -> ! {
            unsafe extern "C" {
                fn a_unit_can_panic() -> !;
            }
            // SAFETY: never linked.
            unsafe { a_unit_can_panic() }
        }
    };
}

/// A resident unit: the header of a driver's entry points, and the entries.
#[macro_export]
macro_rules! driver_unit {
    ($device:ty) => {
        mod unit {
            use super::*;
            use $crate::device::{Device as _, Events, Head, MacAddr, RcvMode, Rx, SendError};
            use $crate::resident::table::{Copy, Filter, Send, UNIT_MAGIC, UnitHeader};

            type Dev = $device;

            const fn rx(packed: u32) -> Rx {
                Rx { len: packed as u16, at: (packed >> 16) as u16 }
            }

            #[inline(always)]
            fn dev(near: u32) -> &'static mut Dev {
                // SAFETY: the core hands over the instance that the probe made and the installer placed; each
                // entry lets go of it before it returns.
                unsafe { &mut *(near as *mut Dev) }
            }

            extern "fastcall" fn irq(near: u32) -> u8 {
                let Events(events) = dev(near).irq();
                events
            }
            extern "fastcall" fn unmask(near: u32) {
                dev(near).unmask();
            }
            extern "fastcall" fn peek(near: u32, head: &mut Head) -> u32 {
                dev(near).peek(head).map_or(0, |rx| (rx.at as u32) << 16 | rx.len as u32)
            }
            extern "fastcall" fn copy(near: u32, what: &Copy) {
                dev(near).copy(&what.rx, what.head, what.to, what.len);
            }
            extern "fastcall" fn discard(near: u32, packed: u32) {
                dev(near).discard(rx(packed));
            }
            extern "fastcall" fn send(near: u32, what: &Send) -> u8 {
                match dev(near).send(what.frame, what.len) {
                    Ok(()) => 0,
                    Err(SendError::Busy) => 1,
                    Err(SendError::Failed) => 2,
                }
            }
            extern "fastcall" fn set_rcv_mode(near: u32, what: &Filter) {
                // SAFETY: the core checks the mode (1 to 6) and keeps whole addresses, at most GROUPS.
                let (mode, groups) = unsafe {
                    (
                        core::mem::transmute::<u8, RcvMode>(what.mode),
                        core::slice::from_raw_parts(what.groups.as_ptr(), (what.bytes / 6) as usize),
                    )
                };
                dev(near).set_rcv_mode(mode, groups);
            }
            extern "fastcall" fn set_address(near: u32, address: &MacAddr) {
                dev(near).set_address(address);
            }
            extern "fastcall" fn link(near: u32) -> u8 {
                dev(near).link() as u8
            }
            extern "fastcall" fn stop(near: u32) {
                dev(near).stop();
            }

            #[unsafe(link_section = ".unit_header")]
            #[unsafe(no_mangle)]
            static unit_header: UnitHeader = UnitHeader {
                magic: UNIT_MAGIC,
                instance: size_of::<Dev>() as u16,
                irq,
                unmask,
                peek,
                copy,
                discard,
                send,
                set_rcv_mode,
                set_address,
                link,
                stop,
            };
        }
        $crate::no_panic!();
    };
}

/// A probe unit: the header of its entry points, and the entries.
#[macro_export]
macro_rules! probe_unit {
    ($probe:ty) => {
        mod unit {
            use super::*;
            use $crate::bus::either::Either;
            use $crate::device::Device as _;
            use $crate::install::header::{PROBE_MAGIC, ProbeHeader};
            use $crate::probe::{Ask, Found, Probe, Rings};

            type Dev = <$probe as Probe<Either>>::Device;

            extern "fastcall" fn find(ask: &Ask, found: &mut Found) -> u8 {
                match <$probe as Probe<Either>>::find(&Either, ask) {
                    Ok(card) => {
                        *found = card;
                        0
                    }
                    Err(fault) => fault as u8,
                }
            }
            extern "fastcall" fn start(found: &Found, rings: &Rings, to: *mut u8) -> u8 {
                match <$probe as Probe<Either>>::start(Either, found, rings) {
                    Ok(device) => {
                        // SAFETY: the installer's buffer, aligned to four bytes and longer than any device.
                        unsafe { (to as *mut Dev).write(device) };
                        0
                    }
                    Err(fault) => fault as u8,
                }
            }
            extern "fastcall" fn unmask(near: *mut u8) {
                // SAFETY: the installer's copy of what `start` wrote.
                unsafe { (*(near as *mut Dev)).unmask() };
            }
            extern "fastcall" fn stop(near: *mut u8) {
                // SAFETY: as above.
                unsafe { (*(near as *mut Dev)).stop() };
            }

            #[unsafe(link_section = ".unit_header")]
            #[unsafe(no_mangle)]
            static unit_header: ProbeHeader = ProbeHeader {
                magic: PROBE_MAGIC,
                instance: size_of::<Dev>() as u16,
                find,
                start,
                unmask,
                stop,
                ids: <$probe as Probe<Either>>::IDS,
            };
        }
        $crate::no_panic!();
    };
}
