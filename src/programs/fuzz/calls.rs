//! The random calls of FUZZ. Their pointers are such that a correct driver changes nothing but a small arena.

use compkt::device::MAX_FRAME;
use compkt::programs::net::{self, Arp};
use compkt::programs::rt::packet::{Driver, Handle, error};
use compkt::programs::rt::{CF, DF, Far, IF, Regs, Shared, inbox, int};
use compkt::say;

/// Bytes of the arena, and of the guards on both sides.
const ARENA: usize = 2048;
const GUARD: usize = 256;
const GUARD_BYTE: u8 = 0x96;
const HANDLES: usize = 64;
/// The flags that a caller may have in any state: DF, CF, PF, AF, ZF, SF, OF and IF.
const CALLER_FLAGS: u16 = 0x0ED5;

#[repr(C)]
#[derive(Clone, Copy)]
struct Guarded {
    before: [u8; GUARD],
    bytes: [u8; ARENA],
    after: [u8; GUARD],
}

const NEW: Guarded = Guarded { before: [GUARD_BYTE; GUARD], bytes: [0; ARENA], after: [GUARD_BYTE; GUARD] };
/// The arena, to which the pointers of calls lead.
static WORK: Shared<Guarded> = Shared::new(NEW);
/// The buffer for received frames.
static INPUT: Shared<Guarded> = Shared::new(NEW);
static RECEIVED: Shared<u32> = Shared::new(0);
static UPCALLS: Shared<u32> = Shared::new(0);
static VECTOR: Shared<u8> = Shared::new(0);
/// An ARP request that the gateway answers.
static QUESTION: Shared<[u8; 60]> = Shared::new([0; 60]);

/// The receiver: takes three frames of four, and sends in every sixteenth upcall.
extern "C" fn receive(regs: &mut Regs) {
    let count = UPCALLS.read().wrapping_add(1);
    UPCALLS.write(count);
    if regs.eax as u16 == 1 {
        RECEIVED.write(RECEIVED.read().wrapping_add(1));
    } else {
        let take = count & 3 != 0 && regs.ecx as u16 <= MAX_FRAME;
        // SAFETY: takes the address only.
        let at = if take { Far::of(unsafe { &raw const (*INPUT.get()).bytes }) } else { Far(0) };
        regs.es = at.segment();
        regs.edi = at.offset() as u32;
    }
    if count & 15 == 0 {
        // SAFETY: the request does not change after the start.
        let _ = Driver { vector: VECTOR.read() }.send(unsafe { &*QUESTION.get() });
    }
}

/// The receiver of every handle that has one.
pub fn receiver() -> Far {
    inbox::receiver_with(receive)
}

/// Frames that the receiver took.
pub fn received() -> u32 {
    RECEIVED.read()
}

/// The state of the calls.
pub struct Calls {
    driver: Driver,
    random: u32,
    open: [Handle; HANDLES],
    count: usize,
    last: Regs,
    pub succeeded: u32,
    pub refused: u32,
}

impl Calls {
    pub fn new(driver: Driver, seed: u32) -> Calls {
        VECTOR.write(driver.vector);
        let mac = driver.block().and_then(|block| block.nic(0)).map_or([2, 0, 0, 0, 0, 1], |nic| nic.mac);
        let mut frame = [0; MAX_FRAME as usize];
        let ip = [10, 0, 2, 15];
        net::arp(&mut frame, &Arp { operation: net::ARP_REQUEST, mac, ip, to_mac: [0; 6], to_ip: [10, 0, 2, 2] });
        if let Some(start) = frame.first_chunk() {
            QUESTION.write(*start);
        }
        receiver();
        // The generator would stay at 0.
        Calls { driver, random: seed.wrapping_mul(2) | 1, open: [0; HANDLES], count: 0, last: Regs::ax(0), succeeded: 0, refused: 0 }
    }

    /// The state of the random numbers.
    pub fn state(&self) -> u32 {
        self.random
    }

    /// Continues from such a state.
    pub fn restart(&mut self, state: u32) {
        self.random = state;
    }

    /// xorshift (13, 17, 5).
    fn next(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random >> 3
    }

    fn below(&mut self, limit: u32) -> u32 {
        ((self.next() & 0xFFFF) * limit) >> 16
    }

    /// True once in `many` times.
    fn one_in(&mut self, many: u32) -> bool {
        self.below(many) == 0
    }

    /// A number that is often near a limit.
    fn length(&mut self) -> u16 {
        const EDGES: [u16; 16] = [0, 1, 2, 3, 5, 6, 7, 8, 9, 12, 13, 14, 60, 1514, 1515, 0xFFFF];
        match self.below(8) {
            0 => self.next() as u16,
            1 | 2 => self.below(1600) as u16,
            _ => EDGES.get(self.below(16) as usize).copied().unwrap_or(0),
        }
    }

    fn handle(&mut self) -> u16 {
        if self.count != 0 && !self.one_in(3) {
            let at = self.below(self.count as u32) as usize;
            return self.open.get(at).copied().unwrap_or(0);
        }
        match self.below(4) {
            0 => 0,
            1 => 0xFFFF,
            2 => self.open.first().copied().unwrap_or(0) ^ (1 << self.below(16)) as u16,
            _ => self.next() as u16,
        }
    }

    /// An address in the arena with 64 bytes behind it.
    fn arena(&mut self) -> Far {
        let at = self.below(ARENA as u32 - 64) as u16;
        // SAFETY: takes the address only.
        let start = Far::of(unsafe { &raw const (*WORK.get()).bytes });
        Far::new(start.segment(), start.offset() + at)
    }

    /// An address to read from: in the arena, 0, or anywhere in conventional memory.
    fn anywhere(&mut self) -> Far {
        match self.below(4) {
            0 => Far(0),
            1 => Far::new(self.next() as u16 & 0x7FFF, self.next() as u16),
            _ => self.arena(),
        }
    }

    fn some_receiver(&mut self) -> Far {
        if self.one_in(4) { Far(0) } else { receiver() }
    }

    /// Writes random bytes at an address in the arena.
    fn scribble(&mut self, at: Far, bytes: u16) {
        for i in 0..bytes {
            let byte = self.next() as u8;
            // SAFETY: `arena` leaves 64 bytes, and `bytes` is never more.
            unsafe { (at.offset().wrapping_add(i) as usize as *mut u8).write_volatile(byte) };
        }
    }

    /// An IOCB with this program's upcall or none.
    fn iocb(&mut self) -> Far {
        let at = self.arena();
        self.scribble(at, 24);
        let (buffer, len, upcall) = (self.anywhere(), self.length(), self.some_receiver());
        let start = at.offset() as usize;
        // SAFETY: as in `scribble`; the write needs no alignment.
        unsafe {
            (start as *mut u32).write_unaligned(buffer.0);
            ((start + 4) as *mut u16).write_unaligned(len);
            ((start + 8) as *mut u32).write_unaligned(upcall.0);
        }
        at
    }

    /// Chooses the registers of the next call.
    fn registers(&mut self) -> Regs {
        let function = match self.below(16) {
            0 => 0x80,
            1..=4 => self.next() as u8,
            5 | 6 => 2,
            _ => 1 + self.below(25) as u8,
        };
        let mut regs = Regs {
            eax: self.next() << 16 | (function as u32) << 8 | self.next() & 0xFF,
            ebx: self.next() << 16,
            ecx: self.next() << 16,
            edx: self.next(),
            esi: self.next() << 16,
            edi: self.next() << 16,
            ebp: self.next(),
            fs: self.next() as u16,
            gs: self.next() as u16,
            flags: self.next() as u16 & CALLER_FLAGS & !CF,
            ..Regs::default()
        };
        regs.ebx |= self.handle() as u32;
        regs.ecx |= self.length() as u32;
        let (mut source, mut target) = (self.anywhere(), self.anywhere());
        match function {
            2 => self.access(&mut regs, &mut source, &mut target),
            // With a handle, terminate would unload the driver.
            5 if self.count < 2 => regs.ebx |= 0xFFFF,
            // get_address writes there.
            6 => target = self.arena(),
            // Mostly invalid, because answers from the gateway are rare with another address.
            7 | 25 if !self.one_in(8) => regs.ecx &= 0xFFFF_0000,
            // as_send_pkt calls there.
            11 => target = self.some_receiver(),
            12 => target = self.iocb(),
            20 if !self.one_in(4) => regs.ecx = regs.ecx & 0xFFFF_0000 | (1 + self.below(6)),
            4 if self.one_in(4) => {
                source = Far::of(QUESTION.get());
                regs.ecx = 60;
            }
            _ => {}
        }
        regs.ds = source.segment();
        regs.esi |= source.offset() as u32;
        regs.es = target.segment();
        regs.edi |= target.offset() as u32;
        regs
    }

    /// access_type, with registers that are often right.
    fn access(&mut self, regs: &mut Regs, source: &mut Far, target: &mut Far) {
        *target = self.some_receiver();
        if self.one_in(4) {
            return;
        }
        *source = self.arena();
        self.scribble(*source, 8);
        if self.one_in(3) {
            // SAFETY: as in `scribble`.
            unsafe { (source.offset() as usize as *mut u16).write_unaligned(0x0608) };
        }
        let ieee = self.one_in(4);
        regs.eax = regs.eax & !0xFF | if ieee { 11 } else { 1 };
        regs.ebx |= 0xFFFF;
        regs.ecx = regs.ecx & 0xFFFF_0000 | self.below(if ieee { 9 } else { 3 });
        regs.edx &= !0xFF;
    }

    /// Makes a call. False: the driver did what it must not do; a line about that was printed.
    pub fn one(&mut self) -> bool {
        let mut regs = self.registers();
        let before = regs;
        self.last = before;
        int(self.driver.vector, &mut regs);
        let function = before.ah();
        if regs.carry() {
            self.refused += 1;
        } else {
            self.succeeded += 1;
        }
        let fault = if before.ebp != regs.ebp || before.fs != regs.fs || before.gs != regs.gs {
            c"EBP, FS or GS changed"
        } else if (before.flags ^ regs.flags) & (DF | IF) != 0 {
            c"DF or IF changed"
        } else if regs.esp >> 16 != 0 || [before.eax ^ regs.eax, before.ebx ^ regs.ebx, before.ecx ^ regs.ecx, before.edx ^ regs.edx,
            before.esi ^ regs.esi, before.edi ^ regs.edi].iter().any(|changed| changed >> 16 != 0)
        {
            c"the high half of a register changed"
        } else if regs.carry() && !(1..=16).contains(&regs.dh()) {
            c"DH is no error code"
        } else if matches!(function, 0 | 8 | 9 | 14..=19 | 26..=0x7F | 0x81..) && (!regs.carry() || regs.dh() != error::BAD_COMMAND) {
            c"an unknown function is not BAD_COMMAND"
        } else if matches!(function, 3 | 5 | 6 | 7 | 20) && !regs.carry() && !self.is_open(before.ebx as u16) {
            c"a handle was taken that was not open"
        } else if function == 5 && !regs.carry() {
            c"the driver left with handles open"
        } else if !self.guarded() {
            c"bytes beside the arena changed"
        } else {
            self.note(function, &before, &regs);
            return true;
        };
        say!(c"FAIL {s}:\n", fault);
        self.show();
        say!(c"     came back as EAX {L} EBX {L} ECX {L} EDX {L} DS:ESI {X}:{L} ES:EDI {X}:{L} FLAGS {X} ESP {L}\n",
            regs.eax, regs.ebx, regs.ecx, regs.edx, regs.ds, regs.esi, regs.es, regs.edi, regs.flags, regs.esp);
        false
    }

    fn is_open(&self, handle: Handle) -> bool {
        self.open.iter().take(self.count).any(|open| *open == handle)
    }

    /// Updates the list of handles.
    fn note(&mut self, function: u8, before: &Regs, after: &Regs) {
        if after.carry() {
            return;
        }
        if function == 2 {
            if let Some(place) = self.open.get_mut(self.count) {
                *place = after.eax as u16;
                self.count += 1;
            }
        } else if function == 3 {
            let handle = before.ebx as u16;
            let last = self.open.get(self.count - 1).copied().unwrap_or(0);
            if let Some(place) = self.open.iter_mut().take(self.count).find(|open| **open == handle) {
                *place = last;
                self.count -= 1;
            }
        }
    }

    fn guarded(&self) -> bool {
        let whole = |at: *const Guarded| {
            // SAFETY: only a faulty driver writes the guards.
            let (before, after) = unsafe { (&(*at).before, &(*at).after) };
            Far::of(before).sum(GUARD as u16 / 4, 0) == Far::of(after).sum(GUARD as u16 / 4, 0)
                && before.first() == Some(&GUARD_BYTE)
        };
        whole(WORK.get()) && whole(INPUT.get())
    }

    /// Prints the last call.
    pub fn show(&self) {
        let r = &self.last;
        say!(c"     EAX {L} EBX {L} ECX {L} EDX {L} DS:ESI {X}:{L} ES:EDI {X}:{L} FLAGS {X}\n",
            r.eax, r.ebx, r.ecx, r.edx, r.ds, r.esi, r.es, r.edi, r.flags);
    }

    /// Sends the request.
    pub fn send_good(&self, driver: &Driver) -> bool {
        // SAFETY: the request does not change after the start.
        driver.send(unsafe { &*QUESTION.get() }).is_ok()
    }

    /// Releases every handle that a call opened, and restores address, mode and multicast list.
    pub fn end(&mut self) {
        for handle in self.open.iter().take(self.count) {
            let _ = self.driver.release(*handle);
        }
        self.count = 0;
        if let Ok(handle) = self.driver.access(1, &[0x90, 0x71], Far(0)) {
            let _ = self.driver.ask(0x0700, handle, 0, Far(0));
            let _ = self.driver.release(handle);
        }
    }
}
