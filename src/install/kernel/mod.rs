//! The part of the installer that is in memory as long as it runs, and the one table by which stages reach it.
//!
//! A stage is linked by itself, and knows two addresses of the kernel's: the image's header and this table. Any other call
//! into the kernel does not link. An entry takes at most two arguments, of 16 bits each: so it is with every function that is
//! called by its address (asm/abi.inc). A result has 16 bits, too.

pub mod file;
pub mod run;

use super::dos::{Call, Regs};
use super::features::Hook;
use super::header::{Context, ImageHeader, Unit, number};
use super::lines::{self, Line};
use super::plan::Plan;
use crate::bus::Addr;
use crate::probe::Fault;

/// What stages may call.
#[repr(C)]
pub struct Kernel {
    /// [`super::dos::regs`]: their near address.
    pub regs: extern "fastcall" fn(ax: u16) -> u16,
    /// [`Regs::interrupt`].
    pub interrupt: extern "fastcall" fn(regs: *mut Regs, number: u8) -> bool,
    /// [`super::dos::far_call`].
    pub far_call: extern "fastcall" fn(call: *mut Call),
    /// [`super::dos::put`].
    pub put: extern "fastcall" fn(byte: u8),
    /// [`open`].
    pub open: extern "fastcall" fn(name: *const Near) -> bool,
    /// [`read`].
    pub read: extern "fastcall" fn(piece: *const Piece) -> bool,
    /// [`unit`].
    pub unit: extern "fastcall" fn(number: u8, unit: *mut Unit) -> bool,
    /// [`load`].
    pub load: extern "fastcall" fn(unit: *const Unit, to: *const Near) -> bool,
    /// [`hooks`].
    pub hooks: extern "fastcall" fn(unit: *const Unit, to: *mut Hook) -> bool,
    /// [`say`].
    pub say: extern "fastcall" fn(line: u16, told: *const Told),
    /// [`move_up`].
    pub move_up: extern "fastcall" fn(paragraphs: u16),
}

/// A place in a segment.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Near {
    /// The segment.
    pub segment: u16,
    /// The offset.
    pub at: u16,
}

/// A piece of the file.
#[repr(C)]
pub struct Piece {
    /// From this offset.
    pub offset: u32,
    /// To this place.
    pub to: Addr,
    /// So many bytes.
    pub len: u16,
}

/// What a line is told.
#[repr(C)]
pub struct Told {
    /// Stands before it: letters up to the first byte that is not above a blank.
    pub name: *const u8,
    /// The number in it.
    pub number: u16,
}

unsafe extern "C" {
    static image_header: ImageHeader;
    static kernel_table: Kernel;
}

/// What the pack step filled in.
pub fn header() -> &'static ImageHeader {
    // SAFETY: written before the file was, but for what the entry wrote before Rust ran.
    unsafe { &*&raw const image_header }
}

/// Who called.
pub fn caller() -> &'static Context {
    &header().context
}

/// The table.
#[inline(always)]
pub fn kernel() -> &'static Kernel {
    // SAFETY: at a fixed place; nobody writes there.
    unsafe { &*&raw const kernel_table }
}

/// Opens the file with the name at `segment:at`. False: it cannot be opened.
pub fn open(segment: u16, at: u16) -> bool {
    (kernel().open)(&Near { segment, at })
}

/// Reads from the file, unless a read has failed before. None: the file is damaged, which the kernel says in the end.
pub fn read(offset: u32, to: Addr, len: u16) -> Option<()> {
    (kernel().read)(&Piece { offset, to, len }).then_some(())
}

/// The unit of a number. None: as above.
pub fn unit(number: u8) -> Option<Unit> {
    let mut unit = Unit::EMPTY;
    (kernel().unit)(number, &mut unit).then_some(unit)
}

/// Reads a unit to `segment:at` (there are `unit.total` bytes of room) and adds `at` to its fix-ups. None: as above.
pub fn load(unit: &Unit, segment: u16, at: u16) -> Option<()> {
    (kernel().load)(unit, &Near { segment, at }).then_some(())
}

/// Reads how a feature attaches: [`Unit::hooks`] of these, at most [`crate::install::features::HOOKS`]. None: as above.
pub fn hooks(unit: &Unit, to: *mut Hook) -> Option<()> {
    (kernel().hooks)(unit, to).then_some(())
}

/// The number of a unit of the card's NIC.
pub fn of_nic(nic: u8, unit: u8) -> u8 {
    number::FEATURES + header().features + nic * number::UNITS + unit
}

/// Prints a line of the file.
pub fn say(line: Line, name: &[u8], number: u16) {
    (kernel().say)(lines::FIRST + line as u16, &Told { name: name.as_ptr(), number });
}

/// Prints why the plan has failed.
pub fn explain_failure(plan: &mut Plan) {
    if plan.failure != 0 {
        let name = if plan.failure <= lines::FIRST { plan.card.name.as_ptr() } else { b" ".as_ptr() };
        (kernel().say)(plan.failure - 1, &Told { name, number: plan.number });
        plan.failure = 0;
    }
}

/// Moves the kernel, slot B and the stack further up; at least by [`MOVE_LEAST`] paragraphs.
pub fn move_up(paragraphs: u16) {
    (kernel().move_up)(paragraphs);
}

/// The first bytes of the kernel, up to the end of the routine that moves, must not lie where their copy comes to lie: the
/// routine runs there (linker/kernel.ld).
pub const MOVE_LEAST: u16 = 12;

/// Says in one line what is wrong with a card; nothing of a fault that is not worth a line.
#[inline(never)]
pub fn explain(fault: Fault, name: &[u8; 12]) {
    if !matches!(fault, Fault::Nothing | Fault::End | Fault::Master) {
        (kernel().say)(fault as u16 - 1, &Told { name: name.as_ptr(), number: 0 });
    }
}
