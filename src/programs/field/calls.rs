//! Ways of calling the driver: by INT, and by PUSHF with CALL FAR; with interrupts on and off; from small stacks; while timers
//! call it and frames come. Also the first calls of typical clients.

use core::ffi::CStr;

use compkt::programs::rt::clock::wait;
use compkt::programs::rt::console::Word;
use compkt::programs::rt::packet::{Driver, error, release_all};
use compkt::programs::rt::{CF, Far, IF, Regs, Shared, far, hook, int, vector};
use compkt::say;

use crate::client::Client;
use crate::receiver::{self, Flow, PLAIN, Plan, SHORT};
use crate::sender;
use crate::timer::{AFTER, BEFORE, Calling, Does, feed};

/// The arithmetic flags, which a call need not keep.
const ARITHMETIC: u16 = 0x8D5;

pub fn run(client: &mut Client) {
    asked_first(client);
    opened(client);
    if !client.open(false) {
        return;
    }
    small(client);
    for (far, open, name) in [
        (false, true, c"INT with interrupts on"),
        (false, false, c"INT with interrupts off"),
        (true, false, c"CALL FAR with interrupts off"),
        (true, true, c"CALL FAR with interrupts on"),
    ] {
        many(client, name, far, open);
    }
    client.close();
}

/// Calls before any handle is open.
fn asked_first(client: &mut Client) {
    let driver = client.driver;
    let mut text = [0; 9];
    Far(vector(driver.vector).0 + 3).read(&mut text);
    client.checks.same(c"the signature is nine bytes with its zero", b"PKT DRVR\0", &text);
    let mut regs = Regs::ax(0x01FF);
    let answer = driver.call(&mut regs);
    client.checks.succeeds(c"driver_info with BX = 0 before any handle", answer);
    client.checks.holds(c"  says which functions there are", matches!(regs.eax as u8, 1 | 2 | 5 | 6), c"1, 2, 5 or 6");
    client.checks.equal(c"  and class 1", 1, regs.ecx >> 8 & 0xFF);
}

/// access_type, as clients call it.
fn access(driver: &Driver, len: u16, kind: Far, receiver: Far) -> Result<u16, u8> {
    let mut regs = Regs::ax(0x0201);
    regs.ebx = 0xFFFF;
    regs.ecx = len as u32;
    regs.ds = kind.segment();
    regs.esi = kind.offset() as u32;
    regs.es = receiver.segment();
    regs.edi = receiver.offset() as u32;
    driver.call(&mut regs).map(|()| regs.eax as u16)
}

fn opened(client: &mut Client) {
    let driver = client.driver;
    let receiver = receiver::entry();
    let release = |handle: u16| driver.ask(0x0300, handle, 0, Far(0)).map(|_| ());
    if let Some(all) = client.checks.succeeds(c"access_type with typelen 0 and DS:SI = 0:0", access(&driver, 0, Far(0), receiver)) {
        client.checks.holds(c"  gives no handle 0", all != 0, c"another number");
        let types = Shared::new([[0x90u8, 0x61], [0x90, 0x62]]);
        let one = access(&driver, 2, Far::of(types.get()), receiver);
        let two = access(&driver, 2, Far(Far::of(types.get()).0 + 2), Far(0));
        if let (Some(one), Some(two)) = (
            client.checks.succeeds(c"  and a specific type beside it", one),
            client.checks.succeeds(c"  and another, with receiver 0:0", two),
        ) {
            client.checks.holds(c"  all handles differ, none is 0", one != 0 && two != 0 && one != two && one != all && two != all, c"three numbers");
            client.checks.succeeds(c"  release_type", release(one));
            client.checks.succeeds(c"  release_type", release(two));
        }
        client.checks.succeeds(c"  release_type", release(all));
        client.checks.fails(c"  and once more", error::BAD_HANDLE, release(all));
    }
    null(client);
}

/// Checks that a handle with receiver 0:0 is never called, with a catch-all open.
fn null(client: &mut Client) {
    if !client.open(false) {
        return;
    }
    client.close();
    let driver = client.driver;
    let opened = driver.access(1, &[], receiver::entry()).and_then(|all| {
        driver.access(1, &receiver::KIND.to_be_bytes(), Far(0))?;
        Ok(all)
    });
    if let Some(all) = client.checks.succeeds(c"a wildcard, and receiver 0:0 for the type", opened) {
        client.handle = all;
        let lost = client.lost();
        let flow = Flow { count: 5, gap_us: 3000, ..SHORT };
        if !client.dead && client.ask(flow, PLAIN).is_ok() {
            let echoed = {
                wait(crate::client::PATIENCE, || receiver::seen().done);
                client.echo()
            };
            client.checks.holds(c"  the wildcard's frames come", echoed, c"the peer's answer");
            client.checks.equal(c"  those of the type go to nobody", 0, receiver::seen().good as u32);
            client.checks.equal(c"  and are counted lost", 5, client.lost().wrapping_sub(lost));
        }
    }
    release_all();
}

/// Calls in all these ways, while the timer calls, too, and frames come.
fn many(client: &mut Client, name: &'static CStr, by_far: bool, open: bool) {
    const CALLS: u16 = 2000;
    say!(c"   {s}, 2,000 times, timer at 4 kHz, frames coming\n", name);
    let driver = client.driver;
    let seed = client.seed();
    sender::reset(seed);
    let flow = Flow { count: 200, gap_us: 1000, ..SHORT };
    let (lost, nested) = (client.lost(), receiver::nested());
    if !client.dead {
        let _ = client.ask(flow, Plan { opens: true, ..PLAIN });
    }
    let (mut wrong_if, mut changed, mut failed) = (0u32, 0u32, 0u32);
    let mac = Shared::new([0u8; 6]);
    let entry = vector(driver.vector);
    let (calls, errors, ticks) = {
        let hooks = Calling::new(220, BEFORE | AFTER, Does::Ask);
        let ticks = hooks.ticks();
        for number in 0..CALLS {
            feed();
            let mut regs = Regs::ax(if number % 2 == 0 { 0x0600 } else { 0x1500 });
            regs.eax |= 0xA1A2_0000;
            regs.ebx = 0xB1B2_0000 | client.handle as u32;
            regs.ecx = 0xC1C2_0006;
            regs.edx = 0xD1D2_D3D4;
            regs.esi = 0x5152_5354;
            regs.edi = 0x6162_0000 | Far::of(mac.get()).offset() as u32;
            regs.ebp = 0x7172_7374;
            regs.fs = 0x1111;
            regs.gs = 0x2222;
            regs.flags = if open { IF } else { 0 };
            let before = regs;
            if by_far { far(entry, &mut regs) } else { int(driver.vector, &mut regs) };
            let good = regs.flags & CF == 0 && (number % 2 == 0 && mac.read() == client.mac || number % 2 != 0 && regs.eax as u16 == 3);
            failed += !good as u32;
            wrong_if += ((regs.flags ^ before.flags) & !ARITHMETIC & IF != 0) as u32;
            let same = Regs { ss: before.ss, esp: before.esp, flags: before.flags, eax: regs.eax & 0xFFFF | before.eax & 0xFFFF_0000, ..regs };
            let eax = regs.eax >> 16 == before.eax >> 16;
            let expected = Regs { eax: same.eax, ..before };
            changed += (same != expected || !eax || regs.esp >> 16 != 0) as u32;
            if number % 16 == 0 {
                sender::by_far_call(by_far && open);
                let _ = sender::send(sender::MAIN);
                sender::by_far_call(false);
            }
            if open {
                compkt::programs::rt::enable_interrupts();
            }
        }
        let (calls, errors) = hooks.calls();
        (calls, errors, hooks.ticks().wrapping_sub(ticks))
    };
    say!(c"   {d} timer interrupts, {d} calls from them\n", ticks, calls);
    client.checks.about(c"{s}: ", [name.into(), Word(0)]);
    client.checks.equal(c"every call is answered right", 0, failed);
    client.checks.equal(c"IF is afterwards as it was", 0, wrong_if);
    client.checks.equal(c"high halves, FS, GS and the rest are as they were", 0, changed);
    client.checks.equal(c"the calls of the timer's handler are answered right", 0, errors as u32);
    if !client.dead {
        let seen = client.await_flow(&flow);
        client.mostly(c"every frame comes", &flow, &seen, lost);
        client.right(&seen, nested);
    }
    client.reaches(c"send_pkt", sender::MAIN, 1);
    client.checks.about(c"{s}, from the timer: ", [name.into(), Word(0)]);
    client.reaches(c"send_pkt before EOI", sender::BEFORE_EOI, 1);
    client.reaches(c"send_pkt after EOI", sender::AFTER_EOI, 1);
    client.checks.about(c"", [Word(0); 2]);
}

unsafe extern "C" {
    fn small_call(top: u32, vector: u32, regs: *mut Regs);
    fn field_nothing();
}

/// Bytes of a client's small stack, and as many below it that must stay unchanged.
const STACK: usize = 128;
/// Bytes of it that int_call and small_call use, so that 128 are left for the driver.
const OURS: usize = 64;
/// A vector that no program uses.
const UNUSED: u8 = 0x79;
const PAINT: u8 = 0xC3;
type Stack = [u8; STACK * 2 + OURS];
static SMALL: Shared<Stack> = Shared::new([PAINT; STACK * 2 + OURS]);

/// Bytes of the small stack that a call used, with those of its caller.
fn used(vector: u8, regs: &mut Regs) -> usize {
    SMALL.write([PAINT; STACK * 2 + OURS]);
    let top = Far::of(SMALL.get()).offset() as u32 + size_of::<Stack>() as u32;
    // SAFETY: the stack is as large as a client's, with as much memory below it.
    unsafe { small_call(top, vector as u32, regs) };
    let untouched = SMALL.read().iter().take_while(|byte| **byte == PAINT).count();
    size_of::<Stack>() - untouched
}

/// Calls from a stack of 128 bytes, first alone, then while frames come. IRQ 0 is masked meanwhile, because its handlers are
/// not the driver's.
fn small(client: &mut Client) {
    let vector = client.driver.vector;
    let frame = Shared::new([0x3Cu8; 60]);
    let mac = Shared::new([0u8; 6]);
    let old = hook(UNUSED, Far::of_code(field_nothing));
    let bare = used(UNUSED, &mut Regs { flags: 0, ..Regs::ax(0) });
    hook(UNUSED, old);
    let mut most = 0;
    let mut failed = 0;
    for open in [false, true] {
        let flow = Flow { count: 60, gap_us: 2000, ..SHORT };
        if open && !client.dead {
            let _ = client.ask(flow, PLAIN);
        }
        let lost = client.lost();
        let timer = if open { mask(1) } else { 0 };
        for _ in 0..if open { 2000 } else { 1 } {
            // A change of mode may lose frames: none while frames come.
            let functions: &[u16] = if open { &[0x01FF, 0x0400, 0x0600, 0x1500, 0x1800] } else { &[0x01FF, 0x0400, 0x0600, 0x1500, 0x1800, 0x1400, 0x1600] };
            for function in functions.iter().copied() {
                let mut regs = Regs { flags: if open { IF } else { 0 }, ..Regs::ax(function) };
                regs.ebx = client.handle as u32;
                regs.ecx = match function {
                    0x0600 => 6,
                    0x1400 => 3,
                    0x1600 => 0,
                    _ => 60,
                };
                regs.edi = Far::of(mac.get()).offset() as u32;
                regs.esi = Far::of(frame.get()).offset() as u32;
                most = most.max(used(vector, &mut regs));
                failed += regs.carry() as u32;
            }
            feed();
            if receiver::seen().done {
                break;
            }
        }
        if open {
            mask(timer);
            let seen = if client.dead { receiver::seen() } else { client.await_flow(&flow) };
            client.mostly(c"calls from a stack of 128 bytes: every frame comes meanwhile", &flow, &seen, lost);
        }
        let taken = (most - bare + 6) as u32;
        say!(c"   {d} bytes of the caller's stack\n", taken);
        client.checks.holds(if open { c"calls from a stack of 128 bytes, frames coming" } else { c"calls from a stack of 128 bytes" },
            taken <= STACK as u32, c"at most 128 bytes of it");
    }
    client.checks.equal(c"  all of them are answered", 0, failed);
}

/// Masks IRQ 0 (1) or unmasks it (0); returns the old mask.
fn mask(on: u8) -> u8 {
    let old: u8;
    // SAFETY: changes the timer's mask, which the caller restores.
    unsafe {
        core::arch::asm!("in al, 0x21", out("al") old, options(nomem, nostack));
        core::arch::asm!("out 0x21, al", in("al") old & !1 | on, options(nomem, nostack));
    }
    old & 1
}
