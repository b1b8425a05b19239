//! Checks of upcalls: what a receiver gets, and what it may do. The frames are answers to ARP.

use crate::Machine;
use crate::calls::OTHER_MAC;
use compkt::programs::rt::check::Checks;
use compkt::programs::rt::clock::wait;
use crate::mailbox::{self, AHEAD, EMPTY, OUTGOING, PLAIN, Plan};
use compkt::device::{MAX_FRAME, MacAddr};
use compkt::programs::net::{self, Arp, Ip};
use compkt::programs::rt::packet::{Driver, Handle, release_all};
use compkt::programs::rt::{Far, IF, Regs, uninterrupted};
use compkt::resident::table::{STACK, STACK_CORE};
use compkt::say;
use core::ffi::CStr;

/// This station's address. ARP needs no lease for it.
const OUR_IP: Ip = [10, 0, 2, 15];
/// The station that answers ARP in every rig.
const GATEWAY: Ip = [10, 0, 2, 2];
/// BIOS ticks within which an answer must come, from a busy host as well.
const PATIENCE: u16 = 91;
/// BIOS ticks after which no answer is expected any more.
const SILENCE: u16 = 12;
/// BIOS ticks within which a second copy of a frame would come.
const SETTLE: u16 = 2;
/// The most times that a request without an answer is sent.
const ATTEMPTS: u8 = 3;
const ARP_TYPE: [u8; 2] = [8, 6];

pub fn run(checks: &mut Checks, machine: &Machine) {
    let driver = machine.driver;
    question(machine.mac);
    let receiver = mailbox::receiver(&driver, PLAIN);
    let Some(handle) = checks.succeeds(c"access_type for ARP", driver.access(1, &ARP_TYPE, receiver)) else { return };
    if !ask(&driver, PLAIN) {
        checks.holds(c"10.0.2.2 answers ARP", false, c"an answer: the other checks of receivers need it");
        release_all();
        return;
    }
    contract(checks, machine, handle);
    answers(checks, &driver, handle);
    habits(checks, &driver);
    senders(checks, &driver);
    filters(checks, machine, handle);
    let _ = driver.release(handle);
    matching(checks, &driver);
    direct(checks, machine);
    release_all();
}

/// Writes an ARP request for the gateway, from `mac`, to OUTGOING.
fn question(mac: MacAddr) {
    let mut frame = [0; MAX_FRAME as usize];
    net::arp(&mut frame, &Arp { operation: net::ARP_REQUEST, mac, ip: OUR_IP, to_mac: [0; 6], to_ip: GATEWAY });
    if let Some(start) = frame.first_chunk() {
        OUTGOING.write(*start);
    }
}

fn send(driver: &Driver) -> Result<(), u8> {
    // SAFETY: the frame does not change while it is sent.
    driver.send(unsafe { &*OUTGOING.get() })
}

/// Sends that request with a receiver that follows `plan`, until an upcall comes; then waits for further upcalls.
fn ask(driver: &Driver, plan: Plan) -> bool {
    tried(|| {
        mailbox::reset(driver, plan);
        let heard = send(driver).is_ok() && wait(PATIENCE, || mailbox::firsts() != 0);
        wait(SETTLE, || !heard);
        heard
    })
}

/// Repeats `good` until it is true, and counts the repetitions.
fn tried(mut good: impl FnMut() -> bool) -> bool {
    for attempt in 0..ATTEMPTS {
        if attempt != 0 {
            mailbox::again();
        }
        if good() {
            return true;
        }
    }
    false
}

/// Sends requests when no answer may come, because one frame may get lost; returns whether an answer came.
fn heard(driver: &Driver) -> bool {
    mailbox::reset(driver, PLAIN);
    for _ in 0..ATTEMPTS {
        let _ = send(driver);
        wait(SETTLE, || mailbox::firsts() != 0);
    }
    wait(SILENCE, || mailbox::firsts() != 0)
}

fn contract(checks: &mut Checks, machine: &Machine, handle: Handle) {
    let mail = mailbox::mail(0);
    checks.equal(c"upcall: one first upcall for one frame", 1, mailbox::firsts() as u32);
    checks.equal(c"upcall: one second upcall", 1, mailbox::seconds() as u32);
    checks.equal(c"upcall: no upcall with another AX", 0, mailbox::odd() as u32);
    checks.equal(c"upcall: BX of the first is the handle", handle as u32, mail.handle as u32);
    checks.equal(c"upcall: BX of the second is the handle", handle as u32, mail.second_handle as u32);
    checks.holds(c"upcall: CX is a frame's length", (60..=MAX_FRAME).contains(&mail.len), c"60 to 1,514");
    checks.equal(c"upcall: CX of the second is the same", mail.len as u32, mail.second_len as u32);
    checks.equal(c"upcall: DS:SI of the second is the buffer", mail.buffer().linear(), mail.second_at.linear());
    checks.holds(c"upcall: nothing is written outside the buffer", mail.guarded(), c"the guards as they were");
    let rest = mail.bytes.get(mail.len as usize..).unwrap_or(&[]);
    checks.holds(c"upcall: nothing is written behind the frame", rest.iter().all(|b| *b == EMPTY), c"bytes as they were");
    checks.holds(c"upcall: DF is clear", mailbox::upward(mail), c"DF = 0");
    let arp = net::read_arp(&mail.bytes, mail.len as usize);
    let right = arp.is_some_and(|arp| arp.operation == net::ARP_REPLY && arp.ip == GATEWAY && arp.to_mac == machine.mac);
    checks.holds(c"upcall: the frame is the answer", right, c"the gateway's ARP reply");
    if machine.ours || mail.ahead_len != 0 {
        let ahead = (mail.ahead_len as usize).min(AHEAD);
        checks.holds(c"upcall: lookahead holds the header", ahead >= 14, c"14 bytes or more");
        checks.holds(c"upcall: lookahead is within the frame", mail.ahead_len <= mail.len, c"DX <= CX");
        checks.same(c"upcall: lookahead is the frame's start", mail.frame().get(..ahead).unwrap_or(&[]),
            mail.ahead.get(..ahead).unwrap_or(&[]));
    }
}

/// What one answer adds to the counters of received and lost frames. Repeated if another frame came at the same time.
fn counted(driver: &Driver, handle: Handle, plan: Plan, lost: u32) -> (u32, u32, u32) {
    let mut differences = (0, 0, 0);
    tried(|| {
        let before = driver.statistics(handle).unwrap_or_default();
        ask(driver, plan);
        let after = driver.statistics(handle).unwrap_or_default();
        differences = (
            after.packets_in.wrapping_sub(before.packets_in),
            after.bytes_in.wrapping_sub(before.bytes_in),
            after.packets_lost.wrapping_sub(before.packets_lost),
        );
        differences.0 == 1 && differences.2 == lost
    });
    differences
}

/// Checks the values that a receiver may return from its first upcall.
fn answers(checks: &mut Checks, driver: &Driver, handle: Handle) {
    let (packets, bytes, lost) = counted(driver, handle, PLAIN, 0);
    checks.equal(c"packets_in counts a frame", 1, packets);
    checks.equal(c"bytes_in counts its bytes", mailbox::mail(0).len as u32, bytes);
    checks.equal(c"packets_lost does not count it", 0, lost);
    let (_, _, lost) = counted(driver, handle, Plan { refuse: true, ..PLAIN }, 1);
    checks.equal(c"a frame that is refused has no second upcall", 0, mailbox::seconds() as u32);
    checks.equal(c"  and is counted lost", 1, lost);
    // Drivers ignore CX, and clients leave any value in it.
    for room in [1, 3, 14, 59, 61, 0xFFFF] {
        ask(driver, Plan { room, ..PLAIN });
        let mail = mailbox::mail(0);
        checks.equal(c"a receiver that leaves something in CX gets the frame's length", mail.len as u32, mail.second_len as u32);
        let start = mail.ahead.get(..14).unwrap_or(&[]);
        checks.same(c"  and the frame's start", start, mail.bytes.get(..14).unwrap_or(&[]));
        // The answer is short, so its last byte is padding: 0.
        let end = mail.bytes.get((mail.len as usize).wrapping_sub(1)..).unwrap_or(&[]);
        let ends = end.iter().enumerate().all(|(at, byte)| (*byte == EMPTY) == (at != 0));
        checks.holds(c"  and all of it, and no byte behind", ends, c"the whole frame");
    }
}

/// Checks that both upcalls are made for a plan that does not change their registers.
fn works(checks: &mut Checks, driver: &Driver, name: &CStr, plan: Plan) {
    let mut good = 0;
    for _ in 0..3 {
        good += tried(|| {
            ask(driver, plan);
            let mail = mailbox::mail(0);
            mailbox::firsts() == 1 && mailbox::seconds() == 1 && mail.second_len == mail.len && mail.guarded()
        }) as u32;
    }
    checks.equal(name, 3, good);
}

/// Checks receivers that behave as those of existing clients.
fn habits(checks: &mut Checks, driver: &Driver) {
    works(checks, driver, c"a receiver that ends with IRET", Plan { irets: true, ..PLAIN });
    works(checks, driver, c"a receiver that changes every register", Plan { scramble: true, ..PLAIN });
    works(checks, driver, c"a receiver that lets interrupts in", Plan { interruptible: true, ..PLAIN });
    let everything = Plan { irets: true, scramble: true, interruptible: true, ..PLAIN };
    works(checks, driver, c"a receiver that does all three", everything);
    works(checks, driver, c"a plain receiver after them", PLAIN);
    let sent = row(driver, 12, send, |send| send());
    checks.equal(c"twelve questions in a row are sent", 12, sent as u32);
    checks.equal(c"  and their answers received", 12, mailbox::seconds() as u32);
    let sent = row(driver, 4, quiet, |send| uninterrupted(send));
    checks.equal(c"four questions with interrupts off are sent", 4, sent as u32);
    checks.equal(c"  and their answers received", 4, mailbox::seconds() as u32);
}

/// Sends `count` requests by `send`, all at once, in `within`. If answers are missing, sends them again, each after the answer
/// to the one before: a small ring does not hold as many answers. Returns how many were sent.
fn row(driver: &Driver, count: u16, send: fn(&Driver) -> Result<(), u8>, within: impl Fn(&mut dyn FnMut() -> u16) -> u16) -> u16 {
    let question = || send(driver).is_ok() as u16;
    let mut sent = 0;
    let mut at_once = true;
    tried(|| {
        mailbox::reset(driver, PLAIN);
        if at_once {
            sent = within(&mut || (0..count).map(|_| question()).sum());
        } else {
            sent = 0;
            for number in 0..count {
                sent += within(&mut || question());
                wait(PATIENCE, || mailbox::seconds() > number);
            }
        }
        // If several come at once, a lost one does not come later: no long wait.
        let patience = if at_once { SILENCE } else { PATIENCE };
        let mut seen = 0;
        while mailbox::seconds() < count && wait(patience, || mailbox::seconds() != seen) {
            seen = mailbox::seconds();
        }
        wait(SETTLE, || false);
        at_once = false;
        mailbox::seconds() == count
    });
    sent
}

/// Sends with interrupts off.
fn quiet(driver: &Driver) -> Result<(), u8> {
    let mut regs = Regs::ax(0x0400);
    regs.esi = Far::of(OUTGOING.get()).offset() as u32;
    regs.ecx = 60;
    regs.flags &= !IF;
    driver.call(&mut regs)
}

/// Checks receivers that call the driver.
fn senders(checks: &mut Checks, driver: &Driver) {
    const PLANS: [(Plan, &CStr); 5] = [
        (Plan { send: 2, ..PLAIN }, c"send_pkt from the second upcall, own stack"),
        (Plan { send: 1, ..PLAIN }, c"send_pkt from the first upcall, own stack"),
        (Plan { send: 2, interruptible: true, ..PLAIN }, c"send_pkt from the second upcall, own stack, interrupts on"),
        (Plan { send: 1, interruptible: true, ..PLAIN }, c"send_pkt from the first upcall, own stack, interrupts on"),
        (Plan { send: 3, interruptible: true, scramble: true, irets: true, ..PLAIN }, c"send_pkt from an upcall that does everything"),
    ];
    for (plan, name) in PLANS {
        tried(|| {
            ask(driver, plan);
            wait(PATIENCE, || mailbox::seconds() >= 2 || mailbox::sent().1 != 0) && mailbox::seconds() == 2
        });
        let (sent, error) = mailbox::sent();
        checks.equal(name, 1, sent as u32 | (error as u32) << 16);
        checks.equal(c"  and its answer is received", 2, mailbox::seconds() as u32);
    }
    works(checks, driver, c"a plain receiver after them", PLAIN);
}

/// Checks receive modes and addresses, as far as answers to ARP can show them.
fn filters(checks: &mut Checks, machine: &Machine, handle: Handle) {
    let driver = machine.driver;
    for (mode, expected, name) in [
        (1, false, c"mode 1 receives nothing"),
        (2, true, c"mode 2 receives for the own address"),
        (4, true, c"mode 4 receives for the own address"),
        (5, true, c"mode 5 receives for the own address"),
        (6, true, c"mode 6 receives for the own address"),
        (3, true, c"mode 3 receives for the own address"),
    ] {
        let _ = driver.set_rcv_mode(handle, mode);
        checks.equal(name, expected as u32, if expected { ask(&driver, PLAIN) } else { heard(&driver) } as u32);
    }
    question(OTHER_MAC);
    checks.equal(c"mode 3 receives nothing for another address", 0, heard(&driver) as u32);
    let _ = driver.set_rcv_mode(handle, 6);
    checks.equal(c"mode 6 receives for another address", 1, ask(&driver, PLAIN) as u32);
    let _ = driver.set_rcv_mode(handle, 3);
    let set = driver.ask(0x1900, 0, 6, Far::of(&OTHER_MAC));
    if checks.succeeds(c"set_address to another address", set).is_some() {
        if machine.fixed {
            say!(c"   this card receives only for the address in its ROM: not checked\n");
        }
        if !machine.fixed {
            checks.equal(c"  receives for it", 1, ask(&driver, PLAIN) as u32);
            question(machine.mac);
            checks.equal(c"  and no longer for the old one", 0, heard(&driver) as u32);
        }
        question(machine.mac);
        let _ = driver.ask(0x0700, handle, 0, Far(0));
        checks.equal(c"reset_interface receives for the old one again", 1, ask(&driver, PLAIN) as u32);
    }
    question(machine.mac);
}

/// Checks which handle gets a frame.
fn matching(checks: &mut Checks, driver: &Driver) {
    let receiver = mailbox::receiver(driver, PLAIN);
    let open = |class, kind: &[u8], receiver| driver.access(class, kind, receiver).unwrap_or(0);
    let alone = || ask(driver, PLAIN) && mailbox::firsts() == 1;
    let who = || if tried(alone) { mailbox::mail(0).handle as u32 } else { 0 };

    let all = open(1, &[], receiver);
    checks.equal(c"a handle for every frame gets it", all as u32, who());
    open(11, &[], receiver);
    checks.equal(c"a handle for class 11 does not", all as u32, who());
    let arp = open(1, &ARP_TYPE, receiver);
    checks.equal(c"a handle for its type gets it before one for every frame", arp as u32, who());
    let _ = driver.release(arp);
    let prefix = open(1, &[8], receiver);
    checks.equal(c"a handle for its first byte gets it before one for every frame", prefix as u32, who());
    let _ = driver.release(prefix);
    open(1, &[8, 7], receiver);
    checks.equal(c"a handle for another type does not get it", all as u32, who());
    release_all();

    let beside = open(1, &[8, 7], receiver);
    for (kind, name) in [(ARP_TYPE, c"a frame for a null receiver is counted lost"), ([8, 8], c"a frame for no handle is counted lost")] {
        let handle = open(1, &kind, Far(0));
        let mut lost = 0;
        tried(|| {
            let count = || driver.statistics(beside).unwrap_or_default().packets_lost;
            let before = count();
            mailbox::reset(driver, PLAIN);
            let _ = send(driver);
            wait(PATIENCE, || count() != before);
            lost = count().wrapping_sub(before);
            lost == 1
        });
        checks.equal(name, 1, lost);
        checks.equal(c"  and no one is called", 0, mailbox::firsts() as u32);
        let _ = driver.release(handle);
    }
    release_all();
    let handle = open(1, &ARP_TYPE, mailbox::receiver(driver, PLAIN));
    ask(driver, Plan { release: true, ..PLAIN });
    checks.holds(c"a receiver may release its handle", driver.address(handle).is_err(), c"a released handle");
    release_all();
    let handle = open(1, &ARP_TYPE, mailbox::receiver(driver, PLAIN));
    checks.equal(c"  and the next one receives", handle as u32, who());
    release_all();
}

unsafe extern "C" {
    fn direct_receiver();
    static mut direct_vector: u8;
    static mut direct_sends: u8;
    static mut direct_frame: [u8; 60];
    static direct_upcalls: u16;
    static mut direct_sent: u16;
    static direct_sp: u16;
}

/// Checks receivers that stay on the driver's stack.
fn direct(checks: &mut Checks, machine: &Machine) {
    let driver = machine.driver;
    // SAFETY: no handle has this receiver yet; the receiver reads these variables when it is called.
    unsafe {
        (&raw mut direct_vector).write_volatile(driver.vector);
        (&raw mut direct_frame).write_volatile(OUTGOING.read());
    }
    let Ok(_) = driver.access(1, &ARP_TYPE, Far::of_code(direct_receiver)) else { return };
    // SAFETY: counters that only the receiver writes.
    let upcalls = || unsafe { (&raw const direct_upcalls).read_volatile() };
    // SAFETY: as above.
    let sent = || unsafe { (&raw const direct_sent).read_volatile() };
    let answered = tried(|| send(&driver).is_ok() && wait(PATIENCE, || upcalls() != 0));
    checks.holds(c"a receiver that takes 240 bytes of the driver's stack", answered, c"its second upcall");
    wait(SETTLE, || false);
    // SAFETY: no frame is on its way.
    unsafe { (&raw mut direct_sends).write_volatile(1) };
    let mut before = 0;
    let answered = tried(|| {
        // SAFETY: no frame is on its way: the receiver sends one more.
        unsafe { (&raw mut direct_sent).write_volatile(0) };
        before = upcalls();
        send(&driver).is_ok() && wait(PATIENCE, || upcalls().wrapping_sub(before) >= 2)
    });
    checks.equal(c"send_pkt and set_multicast_list from upcalls that have taken 104 bytes", 1, sent() as u32);
    checks.holds(c"  and its answer is received", answered, c"one upcall for each question");
    if let Some(block) = driver.block() {
        let (low, top) = (block.info.stack_low, block.info.stack_top);
        let used = |at: &u16| Far::new(block.at.segment(), *at).read16() as u8 == compkt::info::STACK_CANARY;
        let free = (low..top).take_while(used).count();
        say!(c"   {d} of the driver's {d} bytes of stack were never used\n", free as u32, top - low);
        checks.holds(c"the driver's stack has a margin", free >= 16, c"16 bytes or more");
        // SAFETY: only the receiver writes it.
        let depth = top - unsafe { (&raw const direct_sp).read_volatile() };
        say!(c"   {d} of them when a receiver is called\n", depth);
        // /STACK= and features make the stack larger; its end is that of a paragraph.
        let is_smallest = top - low < STACK_CORE + STACK + 16;
        checks.holds(c"a receiver finds all of its share of the stack", !is_smallest || depth <= STACK_CORE, c"the share below what the core takes");
    }
}
