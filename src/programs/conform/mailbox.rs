//! A receiver that records everything of its upcalls, and does what its plan says.

use compkt::device::MAX_FRAME;
use compkt::programs::net::Frame;
use compkt::programs::rt::packet::Driver;
use compkt::programs::rt::{DF, Far, Regs, Shared, enable_interrupts, inbox};

/// The bytes around the buffers.
pub const GUARD: u8 = 0xA7;
/// The bytes in the buffers before they are filled.
pub const EMPTY: u8 = 0x5B;
/// Frames that are recorded; later ones replace the first.
pub const KEPT: usize = 6;
/// Bytes of lookahead that are kept.
pub const AHEAD: usize = 24;
const ROOM: usize = MAX_FRAME as usize;

/// A frame and the registers of its upcalls.
#[derive(Clone, Copy)]
pub struct Mail {
    /// BX of the first upcall.
    pub handle: u16,
    /// CX of the first upcall.
    pub len: u16,
    /// DX of the first upcall, and the bytes at its DS:SI, at most [`AHEAD`].
    pub ahead_len: u16,
    pub ahead: [u8; AHEAD],
    /// FLAGS of the first upcall.
    pub flags: u16,
    /// Number of second upcalls for it; it must be 1.
    pub seconds: u8,
    /// BX, CX and DS:SI of the second upcall.
    pub second_handle: u16,
    pub second_len: u16,
    pub second_at: Far,
    before: [u8; 8],
    pub bytes: Frame,
    after: [u8; 8],
}

const NEW: Mail = Mail {
    handle: 0,
    len: 0,
    ahead_len: 0,
    ahead: [0; AHEAD],
    flags: 0,
    seconds: 0,
    second_handle: 0,
    second_len: 0,
    second_at: Far(0),
    before: [GUARD; 8],
    bytes: [EMPTY; ROOM],
    after: [GUARD; 8],
};

impl Mail {
    /// The address of its buffer.
    pub fn buffer(&self) -> Far {
        Far::of(&raw const self.bytes)
    }

    /// Whether the bytes around the buffer are unchanged.
    pub fn guarded(&self) -> bool {
        self.before == [GUARD; 8] && self.after == [GUARD; 8]
    }

    /// The received bytes.
    pub fn frame(&self) -> &[u8] {
        self.bytes.get(..self.second_len as usize).unwrap_or(&[])
    }
}

/// What the receiver does.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Refuses frames.
    pub refuse: bool,
    /// Returns this in CX; 0: leaves CX unchanged.
    pub room: u16,
    /// Changes all registers that are not results, high halves, FS and GS included.
    pub scramble: bool,
    /// Enables interrupts.
    pub interruptible: bool,
    /// Sends [`OUTGOING`] from the first (bit 0) and the second (bit 1) upcall.
    pub send: u8,
    /// Ends with IRET.
    pub irets: bool,
    /// Releases the handle from within the first upcall.
    pub release: bool,
}

/// A receiver that takes every frame and does nothing unusual.
pub const PLAIN: Plan =
    Plan { refuse: false, room: 0, scramble: false, interruptible: false, send: 0, irets: false, release: false };

/// What a receiver with [`Plan::send`] sends.
pub static OUTGOING: Shared<[u8; 60]> = Shared::new([0; 60]);
static PLAN: Shared<Plan> = Shared::new(PLAIN);
static VECTOR: Shared<u8> = Shared::new(0);
static MAILS: Shared<[Mail; KEPT]> = Shared::new([NEW; KEPT]);
static FIRSTS: Shared<u16> = Shared::new(0);
static SECONDS: Shared<u16> = Shared::new(0);
static SENT: Shared<u16> = Shared::new(0);
static SEND_ERROR: Shared<u8> = Shared::new(0);
static ODD: Shared<u16> = Shared::new(0);
static AGAIN: Shared<u16> = Shared::new(0);

unsafe extern "C" {
    static mut receiver_irets: u8;
}

fn count(counter: &Shared<u16>) {
    counter.write(counter.read().wrapping_add(1));
}

extern "C" fn receive(regs: &mut Regs) {
    let plan = PLAN.read();
    let mut first = false;
    match regs.eax as u16 {
        0 => {
            first = true;
            take(regs, &plan);
        }
        1 => taken(regs),
        _ => count(&ODD),
    }
    if plan.interruptible {
        enable_interrupts();
    }
    // One frame only: its answer also comes here.
    if plan.send & (if first { 1 } else { 2 }) != 0 && SENT.read() == 0 {
        // SAFETY: the main program changes the frame only while no receiver sends it.
        let frame = unsafe { &*OUTGOING.get() };
        match (Driver { vector: VECTOR.read() }).send(frame) {
            Ok(()) => count(&SENT),
            Err(code) => SEND_ERROR.write(code),
        }
    }
    if plan.release && first {
        let _ = Driver { vector: VECTOR.read() }.release(regs.ebx as u16);
    }
    if plan.scramble {
        regs.eax = 0xDEAD_0A0A;
        regs.ebx = 0xDEAD_0B0B;
        regs.edx = 0xDEAD_0D0D;
        regs.esi = 0xDEAD_0E0E;
        regs.ebp = 0xDEAD_0F0F;
        regs.edi |= 0xDEAD_0000;
        regs.ecx |= 0xDEAD_0000;
        regs.fs = 0x4321;
        regs.gs = 0x1234;
        if !first {
            regs.edi = 0xDEAD_0101;
            regs.ecx = 0xDEAD_0202;
            regs.es = 0x5678;
        }
    }
}

/// The first upcall.
fn take(regs: &mut Regs, plan: &Plan) {
    let index = FIRSTS.read() as usize % KEPT;
    count(&FIRSTS);
    // SAFETY: upcalls do not nest; the main program reads mails only when no frame is on its way.
    let slot = unsafe { &mut *MAILS.get() }.get_mut(index);
    let len = regs.ecx as u16;
    let mut at = Far(0);
    if let Some(mail) = slot {
        mail.handle = regs.ebx as u16;
        mail.len = len;
        mail.ahead_len = regs.edx as u16;
        mail.flags = regs.flags;
        let ahead = (regs.edx as u16 as usize).min(AHEAD);
        if regs.esi as u16 <= 0xFF00 {
            Far::new(regs.ds, regs.esi as u16).read(mail.ahead.get_mut(..ahead).unwrap_or(&mut []));
        }
        if !plan.refuse && len <= MAX_FRAME {
            at = mail.buffer();
        }
    }
    regs.es = at.segment();
    regs.edi = at.offset() as u32;
    if plan.room != 0 {
        regs.ecx = plan.room as u32;
    }
}

/// The second upcall. Its DS:SI names the mail; a wrong address is recorded in the last mail, whose check then fails.
fn taken(regs: &Regs) {
    count(&SECONDS);
    let at = Far::new(regs.ds, regs.esi as u16);
    let last = (FIRSTS.read() as usize).wrapping_sub(1) % KEPT;
    // SAFETY: as in `take`.
    let mails = unsafe { &mut *MAILS.get() };
    let index = mails.iter().position(|mail| mail.buffer().linear() == at.linear()).unwrap_or(last);
    if let Some(mail) = mails.get_mut(index) {
        mail.seconds += 1;
        mail.second_handle = regs.ebx as u16;
        mail.second_len = regs.ecx as u16;
        mail.second_at = at;
    }
}

/// The receiver, with nothing recorded yet.
pub fn receiver(driver: &Driver, plan: Plan) -> Far {
    reset(driver, plan);
    inbox::receiver_with(receive)
}

/// Clears the records, and sets the plan.
pub fn reset(driver: &Driver, plan: Plan) {
    VECTOR.write(driver.vector);
    PLAN.write(plan);
    FIRSTS.write(0);
    SECONDS.write(0);
    SENT.write(0);
    SEND_ERROR.write(0);
    ODD.write(0);
    // SAFETY: the main program calls this when no frame is on its way to the old plan's receiver.
    for mail in unsafe { &mut *MAILS.get() } {
        mail.seconds = 0;
        mail.before = [GUARD; 8];
        mail.bytes.fill(EMPTY);
        mail.after = [GUARD; 8];
    }
    // SAFETY: a byte that the receiver's entry reads.
    unsafe { (&raw mut receiver_irets).write_volatile(plan.irets as u8) };
}

/// First upcalls since then.
pub fn firsts() -> u16 {
    FIRSTS.read()
}

/// Second upcalls since then.
pub fn seconds() -> u16 {
    SECONDS.read()
}

/// Frames that the receiver sent, and the last error, 0: none.
pub fn sent() -> (u16, u8) {
    (SENT.read(), SEND_ERROR.read())
}

/// Upcalls in which AX was neither 0 nor 1.
pub fn odd() -> u16 {
    ODD.read()
}

/// Counts a request that is sent again because its answer did not come, or not alone. A busy host, or a ring for few frames,
/// is no fault of the driver's.
pub fn again() {
    count(&AGAIN);
}

/// The number of such requests since the program began.
pub fn retries() -> u16 {
    AGAIN.read()
}

/// Mail `index` (below [`KEPT`]) since the last reset.
pub fn mail(index: usize) -> &'static Mail {
    static NONE: Mail = NEW;
    // SAFETY: the caller reads it only when no frame is on its way into it.
    unsafe { &*MAILS.get() }.get(index).unwrap_or(&NONE)
}

/// Whether the direction flag was clear, so that the receiver's string instructions go upwards.
pub fn upward(mail: &Mail) -> bool {
    mail.flags & DF == 0
}
