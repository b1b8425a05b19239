//! The unit of LACP. The bond feature calls the entries, which asm/lacp.asm lists; src/lacp says when. No reference is alive
//! across a call.
#![no_std]
#![no_main]
#![allow(missing_docs, non_upper_case_globals, reason = "names are asm's; docs are where they are implemented")]

use compkt::lacp::frame::Frame;
use compkt::lacp::{Aggregator, Port};
use core::ptr::slice_from_raw_parts_mut;

/// The frame that came, or that is to be sent.
#[unsafe(no_mangle)]
static mut frame: Frame = Frame::ZERO;

/// # Safety
/// `count` is an aggregator's first byte, and tells how many ports lie behind it.
unsafe fn whole<'a>(count: *mut u8) -> &'a mut Aggregator {
    // SAFETY: see above.
    unsafe { &mut *(slice_from_raw_parts_mut(count, *count as usize) as *mut Aggregator) }
}

#[unsafe(no_mangle)]
unsafe extern "fastcall" fn tick(aggregator: *mut u8) -> bool {
    // SAFETY: the caller passes an aggregator.
    unsafe { whole(aggregator).tick() }
}

#[unsafe(no_mangle)]
unsafe extern "fastcall" fn link(port: *mut Port, aggregator: *mut u8) {
    // SAFETY: the caller passes a port and its aggregator.
    unsafe {
        (*port).link();
        whole(aggregator).settle();
    }
}

#[unsafe(no_mangle)]
unsafe extern "fastcall" fn receive(port: *mut Port, aggregator: *mut u8) -> u8 {
    // SAFETY: as above; the frame is this unit's.
    unsafe {
        let verdict = (*port).receive(&mut *(&raw mut frame));
        whole(aggregator).received(verdict);
        verdict as u8
    }
}

#[unsafe(no_mangle)]
unsafe extern "fastcall" fn fill(port: *mut Port) {
    // SAFETY: as above.
    unsafe { (*port).fill(&mut *(&raw mut frame)) }
}
compkt::no_panic!();
