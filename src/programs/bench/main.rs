//! BENCH: counts the instructions that a packet driver takes for a frame.
//!
//! `BENCH [/INT=60] [/BY=61] [/FRAMES=32] [/BURST=16] [/FLOOD=100] [/WAITING=600] [/FLOWS=32] [/SETTLE=30]`, where the time
//! stamp counter counts instructions: in QEMU with `-icount shift=7`. The driver on `/BY`, whose card is on the same cable, sends
//! the frames that the one on `/INT` receives. All interrupts are masked while a frame is sent; afterwards only the measured driver's is unmasked, so that nothing else is
//! counted. Prints `ready` before the first frame, and for each length averages over the frames:
//!
//! - `send LENGTH CALL INTERRUPTS`: in the call of send_pkt, and in the interrupts that it caused.
//! - `receive LENGTH DELIVERED WHOLE`: from the interrupt to the second upcall, and to the interrupt's end.
//! - `burst LENGTH WHOLE INTERRUPTS`, with `/BURST=`: that many frames are in the card before its interrupt is unmasked.
//!   Instructions for each frame, and interrupts for all.
//! - `closed LENGTH LONGEST`, with `/FLOOD=`: the longest time with interrupts off while that many frames come, in instructions.
//!   16 frames are in the card before its interrupt is unmasked; for each frame that is taken another one is sent. The timer
//!   requests an interrupt when the card's interrupt begins, and again when the timer's was served. The longest time that a
//!   request waits is printed, without the time in the receiver.
//! - with `/WAITING=`, and nothing else: `kept WAITING WHOLE`, in the interrupt of a frame of 1,514 bytes that the receiver refuses
//!   while that many frames wait, 10 and the number given; the first of them is offered before it and refused.
//!   `offered WAITING COST`: by how much longer a call of INT 60h takes if the receiver takes one of them.
//!
//! With `/FLOWS=` it prints these lines alone:
//!
//! - `receive LENGTH DELIVERED WHOLE`, as above; `group LENGTH DELIVERED WHOLE`, the same for frames to all stations; with `/BURST=`
//!   also `burst`, as above.
//! - `new LENGTH AVERAGE MOST` and `known LENGTH AVERAGE MOST`: in the call of send_pkt and its interrupts, for UDP frames of so many
//!   flows, when the first frame of each is sent, and later.
//!
//! `/SETTLE=` is the number of BIOS ticks before the first frame. The cost of the receiver and of the measurement is found first and
//! subtracted.
#![no_std]
#![no_main]

use compkt::device::{MAX_FRAME, MIN_FRAME, MacAddr};
use compkt::memory::AllStats;
use compkt::programs::net::{self, Frame};
use compkt::programs::options::{self, same};
use compkt::programs::rt::clock::Deadline;
use compkt::programs::rt::packet::{Driver, error};
use compkt::programs::rt::{self, Far, Shared, console, hook, uninterrupted, vector};
use compkt::say;
use core::arch::asm;
use core::ffi::CStr;

compkt::program!(main);

/// Counts of the time stamp counter for an instruction.
const TICKS: u32 = 128;
/// The frames' type.
const KIND: u16 = 0x9070;
/// Lines of the two interrupt controllers.
const LINES: u8 = 16;
const CASCADE: u16 = 1 << 2;
/// Lines that stay unmasked for the machine: the timer and the keyboard.
const MACHINE: u16 = 3;
const TIMER: u16 = 1;
/// Instructions of asm/bench.asm between the timer's request and the time stamp in its handler.
const BESIDE: u32 = 7;
/// Frames of a flood that are sent before the card's interrupt is unmasked: more than a driver takes with interrupts off. The
/// fewest frames of a flood.
const AHEAD: u16 = 16;
/// The longest time of a flood, in calls of [`wait`].
const FLOOD_WHILES: u16 = 200;
/// Control words of the PIT for counter 0: mode 0, a count of one byte; mode 2, of two.
const ONCE: u8 = 0x10;
const AGAIN: u8 = 0x34;
/// Frames before the first that counts: some drivers take longer for their first.
const WARM_UP: u32 = 4;
/// The most frames in a burst: the number of deliveries is a byte.
const MOST_IN_BURST: u32 = 100;
/// BIOS ticks before the first frame: QEMU's cards receive nothing for a second after they were set up.
const SETTLE: u16 = 30;
/// The most flows, the port of the first one's sender, and that of the frames before them.
const MOST_FLOWS: u32 = 256;
const FIRST_PORT: u16 = 4000;
const WARM_PORT: u16 = 3999;
/// A station that is not there.
const NOWHERE: MacAddr = [2, 0, 0, 0, 0, 1];
/// The type and the headers of IPv4 and UDP up to the port of the sender: 10.0.0.1 sends to 10.0.0.2.
const UDP: [u8; 22] = [8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
/// Frames that wait at the first measurement of [`Bench::waiting`], and the most at the second.
const FEW_WAITING: u32 = 10;
const MOST_WAITING: u32 = 10_000;
/// Functions of INT 60h.
const SEND_PKT: u8 = 4;
const GET_PARAMETERS: u8 = 10;
/// Turns of an empty loop: 10 ms on such a machine.
const A_WHILE: u32 = 40_000;

static OUT: Shared<Frame> = Shared::new([0; MAX_FRAME as usize]);

unsafe extern "C" {
    fn bench_start();
    fn bench_receiver();
    fn bench_nothing();
    fn bench_hand_over();
    fn bench_return();
    fn bench_send(handler: u32, frame: u32, length: u32) -> u32;
    fn bench_upcall(receiver: u32, ax: u32) -> u32;
    fn bench_old();
    fn bench_spent();
    fn bench_delivered();
    fn bench_fired();
    fn bench_deliveries();
    fn bench_length();
    fn bench_failed();
    fn bench_left();
    fn bench_flood();
    fn bench_sender();
    fn bench_frame();
    fn bench_size();
    fn bench_own();
    fn bench_apart();
    fn bench_longest();
    fn bench_tick();
    fn bench_takes();
    fn bench_refused();
    fn bench_function();
    static bench_stubs: [u32; LINES as usize];
    static bench_buffer: Frame;
}

/// The cost of the measurement and of the receiver, in counts.
#[derive(Clone, Copy, Default)]
struct Own {
    send: u32,
    interrupt: u32,
    delivery: u32,
    first: u32,
    /// A first upcall that refuses.
    refused: u32,
    second: u32,
}

struct Bench {
    entry: Far,
    sender: Driver,
    mac: MacAddr,
    mask: u16,
    sender_line: u16,
    own: Own,
    frames: u32,
    /// Frames in a burst; 0: no bursts.
    burst: u32,
}

/// The far address of a label in the code segment.
fn place(label: unsafe extern "C" fn()) -> Far {
    Far::of_code(label)
}

fn count(label: unsafe extern "C" fn()) -> u8 {
    place(label).read16() as u8
}

fn clear() {
    for (label, size) in [(bench_spent as unsafe extern "C" fn(), 4), (bench_delivered, 4), (bench_fired, 1), (bench_deliveries, 1), (bench_refused, 1)] {
        // SAFETY: variables of asm/bench.asm, with no other user now.
        unsafe { place(label).write([0u8; 4].get(..size).unwrap_or(&[])) };
    }
}

/// Writes a variable of asm/bench.asm.
fn put(label: unsafe extern "C" fn(), bytes: &[u8]) {
    // SAFETY: the variable has as many bytes; the interrupts that use it are masked.
    unsafe { place(label).write(bytes) };
}

/// Writes a control word for counter 0 of the PIT, and for [`AGAIN`] the count that it has by default.
fn timer_mode(control: u8) {
    uninterrupted(|| {
        // SAFETY: the timer's line is masked, or its old handler serves it.
        unsafe {
            asm!("out 0x43, al", in("al") control, options(nomem, nostack));
            if control == AGAIN {
                asm!("out 0x40, al", "out 0x40, al", in("al") 0u8, options(nomem, nostack));
            }
        }
    });
}

fn masks() -> u16 {
    let (low, high): (u8, u8);
    // SAFETY: reads the masks of the two interrupt controllers.
    unsafe {
        asm!("in al, 0x21", out("al") low, options(nomem, nostack));
        asm!("in al, 0xA1", out("al") high, options(nomem, nostack));
    }
    u16::from_le_bytes([low, high])
}

fn set_masks(masks: u16) {
    let [low, high] = masks.to_le_bytes();
    // SAFETY: a masked interrupt stays pending.
    unsafe {
        asm!("out 0x21, al", in("al") low, options(nomem, nostack));
        asm!("out 0xA1, al", in("al") high, options(nomem, nostack));
    }
}

fn wait() {
    // SAFETY: only counts a register down, with interrupts on.
    unsafe { asm!("2: dec {0:e}", "jnz 2b", inout(reg) A_WHILE => _, options(nostack)) };
}

/// The interrupt's number of a line.
fn interrupt_of(line: u8) -> u16 {
    if line < 8 { 8 + line as u16 } else { 0x68 + line as u16 }
}

fn main() -> u8 {
    let tail = rt::tail();
    let (mut measured, mut by, mut frames, mut burst, mut flood, mut waiting) = (0x60, 0x61, 32, 0, 0, 0);
    let (mut flows, mut settle) = (0, SETTLE as u32);
    for word in options::words(&tail) {
        let good = match options::switch(word) {
            Some((name, value)) if same(name, "INT") => set(&mut measured, options::hex(value).map(|v| v as u8)),
            Some((name, value)) if same(name, "BY") => set(&mut by, options::hex(value).map(|v| v as u8)),
            Some((name, value)) if same(name, "FRAMES") => set(&mut frames, options::number(value).filter(|v| *v != 0)),
            Some((name, value)) if same(name, "BURST") => set(&mut burst, options::number(value).filter(|v| *v <= MOST_IN_BURST)),
            Some((name, value)) if same(name, "FLOOD") => set(&mut flood, options::number(value).filter(|v| (AHEAD as u32..=MOST_IN_BURST).contains(v))),
            Some((name, value)) if same(name, "WAITING") => set(&mut waiting, options::number(value).filter(|v| *v <= MOST_WAITING)),
            Some((name, value)) if same(name, "FLOWS") => set(&mut flows, options::number(value).filter(|v| *v <= MOST_FLOWS)),
            Some((name, value)) if same(name, "SETTLE") => set(&mut settle, options::number(value).filter(|v| *v <= u16::MAX as u32 / 2)),
            _ => false,
        };
        if !good {
            say!(c"BENCH cannot use \"");
            console::bytes(word);
            say!(c"\". It takes /INT=60 /BY=61 /FRAMES=32 /BURST=16 /FLOOD=100 /WAITING=600 /FLOWS=32 /SETTLE=30.\n");
            return 2;
        }
    }
    let (Some(driver), Some(sender)) = (Driver::on(measured), Driver::on(by)) else {
        say!(c"BENCH needs a packet driver on INT {x}h and one on INT {x}h.\n", measured, by);
        return 2;
    };
    let Some(line) = sender.block().and_then(|block| block.nic(0)).map(|nic| nic.irq) else {
        say!(c"The driver on INT {x}h must be 3COMPKT.\n", by);
        return 2;
    };
    let settled = Deadline::after(settle as u16);
    while !settled.over() {}
    // SAFETY: stores the segments for the receiver.
    unsafe { bench_start() };
    let handle = match driver.access(1, &KIND.to_be_bytes(), place(bench_receiver)) {
        Ok(handle) => handle,
        Err(code) => {
            say!(c"FAIL access_type: {s}\n", error::name(code));
            return 1;
        }
    };
    let mac = driver.address(handle).unwrap_or_default();
    let mask = masks() | MACHINE;
    let mut bench =
        Bench { entry: vector(measured), sender, mac, mask, sender_line: 1 << line, own: Own::default(), frames, burst };
    let old: [Far; LINES as usize] = core::array::from_fn(|line| vector(interrupt_of(line as u8) as u8));
    bench.calibrate();
    uninterrupted(|| bench.hook(&old, true));
    say!(c"ready\n");
    let good = if waiting != 0 {
        let mut there = 0;
        [FEW_WAITING, waiting].into_iter().all(|number| bench.waiting(&driver, &mut there, number))
    } else if flows != 0 {
        bench.receive(c"receive", &bench.mac, MIN_FRAME) && bench.receive(c"group", &net::BROADCAST, MIN_FRAME) && bench.flows(flows)
            && (burst == 0 || bench.in_burst(MIN_FRAME))
    } else {
        bench.all() && (flood == 0 || [MIN_FRAME, MAX_FRAME].into_iter().all(|length| bench.flood(length, flood as u16)))
    };
    set_masks(mask);
    uninterrupted(|| bench.hook(&old, false));
    set_masks(mask & !MACHINE);
    !good as u8
}

fn set<T>(place: &mut T, value: Option<T>) -> bool {
    value.map(|value| *place = value).is_some()
}

impl Bench {
    /// Installs the stubs before the handlers of all lines, or removes them.
    fn hook(&self, old: &[Far; LINES as usize], stubs: bool) {
        for (line, handler) in (0..LINES).zip(old) {
            if stubs {
                // SAFETY: the table of asm/bench.asm; no stub is in use yet.
                unsafe { Far(place(bench_old).0 + line as u32 * 4).write(&handler.0.to_le_bytes()) };
            }
            let target = if stubs { stub(line) } else { *handler };
            // SAFETY: interrupts are off; the stub calls the old handler.
            unsafe { Far::new(0, interrupt_of(line) * 4).write(&target.0.to_le_bytes()) };
        }
    }

    /// Measures the cost of the measurement and of the receiver.
    fn calibrate(&mut self) {
        set_masks(0xFFFF);
        let through_stub = |handler: unsafe extern "C" fn()| {
            clear();
            // SAFETY: the table of asm/bench.asm; the stub is not hooked.
            unsafe { place(bench_old).write(&place(handler).0.to_le_bytes()) };
            // SAFETY: the stub and the handler keep all registers.
            unsafe { bench_send(stub(0).0, 0, 0) }
        };
        through_stub(bench_nothing);
        // The IRET of the handler and the far call to the receiver belong to the driver.
        let interrupt = place(bench_spent).read32() - TICKS;
        through_stub(bench_hand_over);
        let delivery = place(bench_delivered).read32() - TICKS;
        // SAFETY: bench_nothing returns at once.
        let send = unsafe { bench_send(place(bench_nothing).0, 0, 0) } - TICKS;
        let upcall = |ax| {
            // SAFETY: the receivers of asm/bench.asm keep what C keeps, or bench_upcall does.
            unsafe { bench_upcall(place(bench_receiver).0, ax) - bench_upcall(place(bench_return).0, ax) + TICKS }
        };
        let (first, second) = (upcall(0), upcall(1));
        put(bench_takes, &[0; 2]);
        let refused = upcall(0);
        put(bench_takes, &[0xFF; 2]);
        self.own = Own { send, interrupt, delivery, first, refused, second };
        set_masks(self.mask & !MACHINE);
    }

    fn all(&self) -> bool {
        let single = [MIN_FRAME, MAX_FRAME].into_iter().all(|length| self.send(length) && self.receive(c"receive", &self.mac, length));
        single && (self.burst == 0 || self.in_burst(MIN_FRAME))
    }

    /// A frame for `to`.
    fn frame(&self, to: &MacAddr, length: u16, number: u32) -> &'static mut [u8] {
        // SAFETY: the only user; drivers read it during a call only.
        let frame = unsafe { &mut *OUT.get() };
        for (at, byte) in frame.iter_mut().enumerate() {
            *byte = (at as u32 + number) as u8;
        }
        net::ether(frame, to, &self.mac, KIND);
        frame.get_mut(..length as usize).unwrap_or(&mut [])
    }

    /// Unmasks all lines but those in `held`.
    fn let_through(&self, held: u16) {
        set_masks(self.mask | held);
        wait();
        set_masks(0xFFFF);
    }

    /// Sends a frame: counts in the call, and in the interrupts that it causes. None: the driver refused it.
    fn sent(&self, frame: &[u8], number: u32) -> Option<(u32, u32)> {
        clear();
        set_masks(0xFFFF);
        // SAFETY: the driver's handler, called as INT does.
        let ticks = unsafe { bench_send(self.entry.0, frame.as_ptr() as u32, frame.len() as u32) };
        if count(bench_failed) != 0 {
            say!(c"FAIL frame {d} of {d} bytes was not sent\n", number, frame.len() as u16);
            return None;
        }
        self.let_through(self.sender_line);
        Some((ticks - self.own.send, place(bench_spent).read32() - count(bench_fired) as u32 * self.own.interrupt))
    }

    fn send(&self, length: u16) -> bool {
        let (mut call, mut interrupts) = (0, 0);
        for number in 0..WARM_UP + self.frames {
            // The other card ignores the frame.
            let Some((called, interrupted)) = self.sent(self.frame(&NOWHERE, length, number), number) else { return false };
            if number < WARM_UP {
                continue;
            }
            call += called;
            interrupts += interrupted;
        }
        say!(c"send {d} {d} {d}\n", length, self.average(call), self.average(interrupts));
        true
    }

    /// Sends a frame of each of so many flows, twice.
    fn flows(&self, flows: u32) -> bool {
        for number in 0..WARM_UP {
            if self.sent(self.udp(WARM_PORT), number).is_none() {
                return false;
            }
        }
        for name in [c"new", c"known"] {
            let (mut all, mut most) = (0, 0);
            for number in 0..flows {
                let Some((called, interrupted)) = self.sent(self.udp(FIRST_PORT + number as u16), number) else { return false };
                all += called + interrupted;
                most = most.max(called + interrupted);
            }
            say!(c"{s} {d} {d} {d}\n", name, MIN_FRAME, (all / TICKS + flows / 2) / flows, most / TICKS);
        }
        true
    }

    /// A UDP frame from this port.
    fn udp(&self, port: u16) -> &'static [u8] {
        let frame = self.frame(&NOWHERE, MIN_FRAME, 0);
        let headers = UDP.into_iter().chain(port.to_be_bytes());
        frame.iter_mut().skip(net::ETHER - 2).zip(headers).for_each(|(byte, value)| *byte = value);
        frame
    }

    fn receive(&self, name: &CStr, to: &MacAddr, length: u16) -> bool {
        let (mut delivered, mut whole) = (0, 0);
        for number in 0..WARM_UP + self.frames {
            let frame = self.frame(to, length, number);
            if *to == net::BROADCAST {
                // A bond takes no frame to all stations from its own address.
                frame.iter_mut().skip(to.len()).zip(NOWHERE).for_each(|(byte, value)| *byte = value);
            }
            if !self.put_into_card(frame, number) {
                return false;
            }
            clear();
            self.let_through(self.sender_line);
            // SAFETY: no frame is on its way.
            let same = unsafe { &*&raw const bench_buffer }.iter().zip(frame.iter()).all(|(a, b)| a == b);
            if count(bench_deliveries) != 1 || place(bench_length).read16() != length || !same {
                say!(c"FAIL frame {d} of {d} bytes: handed over {d} times, {d} bytes\n",
                    number, length, count(bench_deliveries), place(bench_length).read16());
                return false;
            }
            if number < WARM_UP {
                continue;
            }
            delivered += place(bench_delivered).read32() - self.own.delivery - self.own.first;
            let clocks = count(bench_fired) as u32 * self.own.interrupt;
            whole += place(bench_spent).read32() - clocks - self.own.first - self.own.second;
        }
        say!(c"{s} {d} {d} {d}\n", name, length, self.average(delivered), self.average(whole));
        true
    }

    /// Lets the other driver send a frame while the measured driver's interrupt is masked.
    fn put_into_card(&self, frame: &[u8], number: u32) -> bool {
        set_masks(0xFFFF);
        if self.sender.send(frame).is_err() {
            say!(c"FAIL the other driver could not send frame {d} of {d} bytes\n", number, frame.len() as u16);
            return false;
        }
        self.let_through(!(self.sender_line | CASCADE));
        true
    }

    /// Measures as many bursts as are needed for [`Bench::frames`] frames.
    fn in_burst(&self, length: u16) -> bool {
        let bursts = self.frames.div_ceil(self.burst);
        let (mut whole, mut interrupts) = (0, 0);
        for number in 0..bursts {
            for index in 0..self.burst {
                if !self.put_into_card(self.frame(&self.mac, length, index), index) {
                    return false;
                }
            }
            clear();
            self.let_through(self.sender_line);
            let deliveries = count(bench_deliveries) as u32;
            if deliveries != self.burst {
                say!(c"FAIL burst {d}: of {d} frames {d} were handed over\n", number, self.burst, deliveries);
                return false;
            }
            let clocks = count(bench_fired) as u32 * self.own.interrupt;
            whole += place(bench_spent).read32() - clocks - deliveries * (self.own.first + self.own.second);
            interrupts += count(bench_fired) as u32;
        }
        let all = bursts * self.burst;
        say!(c"burst {d} {d} {d}\n", length, (whole / TICKS + all / 2) / all, interrupts.div_ceil(bursts));
        true
    }

    /// Has `number` frames wait, `there` of which do already, and measures one more and a round.
    fn waiting(&self, driver: &Driver, there: &mut u32, number: u32) -> bool {
        put(bench_takes, &[0; 2]);
        let frame = self.frame(&self.mac, MAX_FRAME, 0);
        while *there <= number {
            if !self.put_into_card(frame, *there) {
                return false;
            }
            clear();
            self.let_through(self.sender_line);
            *there += 1;
        }
        let clocks = count(bench_fired) as u32 * self.own.interrupt;
        let refused = count(bench_refused) as u32;
        let kept = place(bench_spent).read32() - clocks - refused * self.own.refused;
        // This calls INT 60h, where one more is offered.
        let waits = waiting(driver);
        if waits != *there || refused != 2 {
            say!(c"FAIL of {d} frames {d} wait, {d} were offered and not 2\n", *there, waits, refused);
            return false;
        }
        let (Some(refused), Some(taken)) = (self.round(0), self.round(1)) else { return false };
        *there -= 1;
        say!(c"kept {d} {d}\noffered {d} {d}\n", number, kept / TICKS, number, (taken - refused) / TICKS);
        true
    }

    /// A call of INT 60h, in which the receiver takes so many frames and refuses the next one: what the call takes.
    fn round(&self, takes: u16) -> Option<u32> {
        put(bench_takes, &takes.to_le_bytes());
        put(bench_function, &[GET_PARAMETERS]);
        clear();
        // SAFETY: the driver's handler, called as INT does. The function takes no arguments.
        let ticks = unsafe { bench_send(self.entry.0, 0, 0) };
        put(bench_function, &[SEND_PKT]);
        if count(bench_deliveries) as u16 != takes || count(bench_refused) != 1 || takes != 0 && place(bench_length).read16() != MAX_FRAME {
            say!(c"FAIL {d} frames were taken and {d} refused, not {d} and 1\n", count(bench_deliveries) as u32, count(bench_refused) as u32, takes);
            return None;
        }
        Some(ticks - self.own.send - self.own.refused - takes as u32 * (self.own.first + self.own.second))
    }

    /// Measures the longest time with interrupts off while frames of this length come without a pause.
    fn flood(&self, length: u16, frames: u16) -> bool {
        let frame = self.frame(&self.mac, length, 0);
        let zero = |label| put(label, &[0; 4]);
        put(bench_sender, &vector(self.sender.vector).0.to_le_bytes());
        put(bench_frame, &Far::of(frame.as_ptr()).0.to_le_bytes());
        put(bench_size, &length.to_le_bytes());
        for number in 0..AHEAD {
            if !self.put_into_card(frame, number as u32) {
                return false;
            }
        }
        put(bench_flood, &[1]);
        zero(bench_own);
        zero(bench_apart);
        zero(bench_longest);
        put(bench_left, &[0; 2]);
        // SAFETY: the receiver keeps what C keeps, or bench_upcall does.
        let ticks = unsafe { bench_upcall(place(bench_receiver).0, 0) - bench_upcall(place(bench_return).0, 0) + TICKS };
        put(bench_own, &(ticks - place(bench_apart).read32()).to_le_bytes());
        put(bench_left, &(frames - AHEAD).to_le_bytes());
        clear();
        set_masks(0xFFFF);
        let timer = hook(8, place(bench_tick));
        timer_mode(ONCE);
        set_masks(self.mask & !TIMER | self.sender_line);
        for _ in 0..FLOOD_WHILES {
            wait();
            if place(bench_left).read16() == 0 {
                break;
            }
        }
        set_masks(0xFFFF);
        timer_mode(AGAIN);
        hook(8, timer);
        put(bench_flood, &[0]);
        let (deliveries, left) = (count(bench_deliveries), place(bench_left).read16());
        if left != 0 {
            say!(c"FAIL flood of {d} bytes: {d} frames were handed over, {d} not sent\n", length, deliveries, left);
            return false;
        }
        self.let_through(0);
        say!(c"closed {d} {d}\n", length, place(bench_longest).read32() / TICKS - BESIDE);
        true
    }

    /// Instructions for a frame, rounded, from the counts for all.
    fn average(&self, ticks: u32) -> u32 {
        (ticks / TICKS + self.frames / 2) / self.frames
    }
}

/// Frames in the driver's pool.
fn waiting(driver: &Driver) -> u32 {
    let pool = driver.block().filter(|block| block.info.pool != 0);
    // SAFETY: it is made of integers.
    pool.map_or(0, |block| unsafe { Far::new(block.at.segment(), block.info.pool).read_as::<AllStats>() }.waiting() as u32)
}

fn stub(line: u8) -> Far {
    // SAFETY: a table of constants.
    let offset = unsafe { (&raw const bench_stubs).cast::<u32>().add(line as usize % LINES as usize).read() };
    Far::new(place(bench_return).segment(), offset as u16)
}
