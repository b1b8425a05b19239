//! Handlers of INT 08h, 1Ch and 28h that call the driver, with the timer at another rate.

use core::arch::asm;

use compkt::programs::rt::packet::Driver;
use compkt::programs::rt::{Far, Regs, Shared, hook, int, uninterrupted, vector};

use crate::sender;

unsafe extern "C" {
    fn field_timer();
    fn field_tick();
    fn field_idle();
    static mut timer_old: u32;
    static timer_ticks: u16;
    static mut timer_divide: u16;
    static mut timer_left: u16;
    static mut timer_when: u8;
    static mut timer_watch: u16;
    fn tick_old();
    fn idle_old();
}

/// What the handlers do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Nothing.
    Nothing,
    /// send_pkt.
    Send,
    /// driver_info and get_rcv_mode; every eighth time send_pkt instead.
    Ask,
}

// When INT 08h calls: before its EOI; after it; after it with interrupts on.
pub const BEFORE: u8 = 1;
pub const AFTER: u8 = 2;
pub const OPEN: u8 = 4;

static DOES: Shared<Does> = Shared::new(Does::Nothing);
static CALLS: Shared<u16> = Shared::new(0);
static ERRORS: Shared<u16> = Shared::new(0);

/// Called by the handlers in asm/field.asm: 0 before the EOI, 1 after it, 2 INT 1Ch, 3 INT 28h.
#[unsafe(no_mangle)]
pub extern "C" fn field_interrupt(which: u32) {
    let calls = CALLS.read().wrapping_add(1);
    CALLS.write(calls);
    match DOES.read() {
        Does::Nothing => {}
        Does::Send => drop(sender::send(sender::BEFORE_EOI + which as usize)),
        Does::Ask if calls % 8 == 0 => drop(sender::send(sender::BEFORE_EOI + which as usize)),
        Does::Ask => {
            let driver = Driver { vector: sender::vector() };
            let good = driver.info().is_ok() && driver.rcv_mode(0).is_ok_and(|mode| mode == 3);
            ERRORS.write(ERRORS.read() + !good as u16);
        }
    }
}

/// BIOS ticks without a [`feed`] after which the machine counts as hanging.
const HUNG: u16 = 730;

/// Restarts the watch: a check has ended.
pub fn feed() {
    // SAFETY: a word that the handler counts down.
    unsafe { (&raw mut timer_watch).write_volatile(HUNG) };
}

/// Called by the timer's handler, on its own stack, when no check has ended for long: a call of the driver does not return.
/// Prints a line by INT 29h and ends the program. (If interrupts stay off, the rig's limit ends the run.)
#[unsafe(no_mangle)]
pub extern "C" fn field_hung() -> ! {
    for byte in b"\r\nFAIL the machine does not come back from what stands above\r\n" {
        int(0x29, &mut Regs { flags: 0, ..Regs::ax(*byte as u16) });
    }
    loop {
        int(0x21, &mut Regs { flags: 0, ..Regs::ax(0x4C01) });
    }
}

/// Keeps the handlers hooked while it exists.
pub struct Hooks {
    timer: Far,
    tick: Far,
    idle: Far,
}

impl Hooks {
    /// Hooks all three. They call nothing yet.
    pub fn new() -> Hooks {
        let hooks = Hooks { timer: vector(8), tick: vector(0x1C), idle: vector(0x28) };
        feed();
        // SAFETY: the handlers are not hooked yet; the variables in the code segment are theirs.
        unsafe {
            (&raw mut timer_old).write_volatile(hooks.timer.0);
            Far::of_code(tick_old).write(&hooks.tick.0.to_le_bytes());
            Far::of_code(idle_old).write(&hooks.idle.0.to_le_bytes());
        }
        hook(0x1C, Far::of_code(field_tick));
        hook(0x28, Far::of_code(field_idle));
        hook(8, Far::of_code(field_timer));
        hooks
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        hook(8, self.timer);
        hook(0x28, self.idle);
        hook(0x1C, self.tick);
    }
}

/// Lets the handlers call the driver while it exists.
pub struct Calling;

impl Calling {
    /// The timer interrupts `rate` times as often as usual; `when` is of [`BEFORE`], [`AFTER`], [`OPEN`].
    pub fn new(rate: u16, when: u8, does: Does) -> Calling {
        DOES.write(does);
        CALLS.write(0);
        ERRORS.write(0);
        // SAFETY: a byte that the handler reads.
        unsafe { (&raw mut timer_when).write_volatile(when) };
        set_rate(rate);
        Calling
    }

    /// Calls by the handlers, and wrong results of these.
    pub fn calls(&self) -> (u16, u16) {
        (CALLS.read(), ERRORS.read())
    }

    /// Timer interrupts.
    pub fn ticks(&self) -> u16 {
        interrupts()
    }
}

/// Timer interrupts so far, modulo 65,536.
pub fn interrupts() -> u16 {
    // SAFETY: a word that the handler writes.
    unsafe { (&raw const timer_ticks).read_volatile() }
}

impl Drop for Calling {
    fn drop(&mut self) {
        set_rate(1);
        // SAFETY: as above.
        unsafe { (&raw mut timer_when).write_volatile(0) };
        DOES.write(Does::Nothing);
    }
}

/// Sets counter 0 of the PIT to mode 2 and `rate` times 18.2 interrupts a second.
fn set_rate(rate: u16) {
    let count = (0x1_0000 / rate as u32) as u16;
    // SAFETY: a new count for the timer, whose handler calls the old one less often.
    uninterrupted(|| unsafe {
        (&raw mut timer_divide).write_volatile(rate);
        (&raw mut timer_left).write_volatile(rate);
        asm!("out 0x43, al", "mov al, cl", "out 0x40, al", "mov al, ch", "out 0x40, al",
            inlateout("al") 0x34u8 => _, in("cx") count, options(nomem, nostack));
    });
}
