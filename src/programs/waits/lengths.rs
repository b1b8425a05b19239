//! `/LENGTHS`: a frame of every length from 60 to 1,514 bytes that is refused at first, and then one of every length by
//! as_send_pkt, as many at once as the driver takes. With `/GAP=0` five come at once, otherwise one.

use core::ffi::CStr;

use compkt::programs::rt::clock::{Deadline, wait};
use compkt::programs::rt::packet::error;
use compkt::programs::rt::{Far, Regs, Shared, inbox};
use compkt::say;
use compkt::wire::{self, Ask, ETHERTYPE, Framing, Header, MAC_HEADER, Op};

use crate::tick::ROOM;
use crate::{Client, MAX, MIN, OUT, Outcome, PATIENCE, refuse};

/// Ticks after which a frame that did not come is asked for again.
const AGAIN: u16 = 20;
/// What the receiver's buffer holds before a frame comes, and then behind it.
const OLD: u8 = 0xA5;
/// Frames in the second half.
const COUNT: u16 = MAX - MIN + 1;

/// Room for the peer's other frames. If one was refused, those behind it would wait.
type Answer = [u8; 60];
static ANSWER: Shared<Answer> = Shared::new([0; 60]);
/// Frames that are asked for at once, the seed of the first, and its length. Each has its own seed, and a length of one more.
const BATCH: u16 = 5;
static SEED: Shared<u32> = Shared::new(0);
static FIRST: Shared<u16> = Shared::new(0);
/// A bit for each that was refused, and for each that came; frames that were wrong.
static REFUSED: Shared<u16> = Shared::new(0);
static CAME: Shared<u16> = Shared::new(0);
static WRONG: Shared<u16> = Shared::new(0);
/// Upcalls of as_send_pkt, and those of them with an error.
static TOLD: Shared<u16> = Shared::new(0);
static ERRORS: Shared<u16> = Shared::new(0);

/// The number in its batch of the frame at `at`, if it is one's.
fn number(at: Far) -> Option<u16> {
    let mut head = [0; 24];
    at.read(&mut head);
    let [.., op, _, _, _, s0, s1, s2, s3, _, _] = head;
    let number = u32::from_le_bytes([s0, s1, s2, s3]).wrapping_sub(SEED.read());
    (op == Op::Data as u8 && number < BATCH as u32).then_some(number as u16)
}

extern "C" fn receive(regs: &mut Regs) {
    let Some(number) = number(Far::new(regs.ds, regs.esi as u16)) else {
        let room = if regs.ecx as u16 <= size_of::<Answer>() as u16 { Far::of(ANSWER.get()) } else { Far(0) };
        regs.es = room.segment();
        regs.edi = room.offset() as u32;
        return;
    };
    let bit = 1 << number;
    if regs.eax as u16 == 0 {
        let room = if REFUSED.read() & bit != 0 { Far::of(ROOM.get()) } else { Far(0) };
        REFUSED.write(REFUSED.read() | bit);
        // SAFETY: upcalls do not nest.
        unsafe { (*ROOM.get()).fill(OLD) };
        regs.es = room.segment();
        regs.edi = room.offset() as u32;
        return;
    }
    let length = FIRST.read() + number;
    let header = Header { op: Op::Data, index: 0, seed: SEED.read() + number as u32, length, count: 1 };
    // SAFETY: upcalls do not nest.
    let (frame, behind) = unsafe { (&*ROOM.get()).split_at_checked(length as usize) }.unwrap_or_default();
    let body = frame.get(MAC_HEADER..).unwrap_or(&[]);
    let right = regs.ecx as u16 == length && !body.is_empty() && wire::check_body(body, &header) && behind.iter().all(|byte| *byte == OLD);
    WRONG.write(WRONG.read() + (!right || CAME.read() & bit != 0) as u16);
    CAME.write(CAME.read() | bit);
}

/// For as_send_pkt; a received frame comes to this hook, too.
extern "C" fn sent(regs: &mut Regs) {
    if Far::new(regs.es, regs.edi as u16).linear() == Far::of(OUT.get()).linear() {
        TOLD.write(TOLD.read() + 1);
        ERRORS.write(ERRORS.read() + (regs.eax as u8 != 0) as u16);
        return;
    }
    refuse::receive(regs);
}

/// Receives and sends a frame of each length.
pub fn run(client: &mut Client) -> Outcome {
    inbox::receiver_with(receive);
    let again = client.again;
    let batch = if client.gap_us == 0 { BATCH } else { 1 };
    let outcome = (MIN..=MAX).step_by(batch as usize).try_for_each(|first| come(client, first, batch));
    inbox::receiver_with(refuse::receive);
    outcome?;
    say!(c"a frame of each length came when it was offered again; {d} batches were asked for again\n", again - client.again);
    let waited = go(client)?;
    say!(c"{d} frames sent by as_send_pkt, {d} of them waited\n", COUNT, waited);
    Ok(())
}

/// Frames of `first` bytes and of the next lengths come, and are refused at first.
fn come(client: &mut Client, first: u16, batch: u16) -> Outcome {
    let count = batch.min(MAX + 1 - first);
    loop {
        client.seed = client.seed.wrapping_add(BATCH as u32);
        SEED.write(client.seed);
        FIRST.write(first);
        REFUSED.write(0);
        CAME.write(0);
        for number in 0..count {
            let (seed, length) = (client.seed + number as u32, first + number);
            let ask = Ask { min: length, max: length, kind: ETHERTYPE, framing: Framing::Type, to: [0; 6], gap_us: 0, delay_ms: 0 };
            client.send(&Header { op: Op::Ask, index: 0, seed, length: MIN, count: 1 }, &ask.encode())?;
        }
        // Each call of INT 60h offers them again.
        let patience = if client.again != 0 { AGAIN } else { PATIENCE };
        let all = wait(patience, || client.driver.parameters().is_ok() && CAME.read() == (1 << count) - 1);
        if WRONG.read() != 0 {
            say!(c"among the frames from {d} bytes on: ", first);
            return Err(c"one came twice, has a wrong byte or length, or something was written behind it");
        }
        if all {
            return Ok(());
        }
        if client.again == 0 {
            return Err(c"a frame did not come");
        }
        client.again -= 1;
    }
}

/// Sends frames from one buffer: the driver copies a frame before the call returns. Returns how many waited.
fn go(client: &mut Client) -> Result<u16, &'static CStr> {
    client.seed = client.seed.wrapping_add(2);
    let seed = client.seed;
    let upcall = inbox::receiver_with(sent);
    // SAFETY: nobody else looks at it.
    let frame = unsafe { &mut *OUT.get() };
    let mut waited = 0;
    let mut outcome = Ok(());
    for length in MIN..=MAX {
        client.write(frame, &Header { op: Op::Data, index: length - MIN, seed, length, count: COUNT }, &[]);
        let deadline = Deadline::after(PATIENCE);
        loop {
            let before = TOLD.read();
            let mut regs = Regs::ax(0x0B00);
            regs.esi = Far::of(OUT.get()).offset() as u32;
            regs.ecx = length as u32;
            regs.es = upcall.segment();
            regs.edi = upcall.offset() as u32;
            match client.driver.call(&mut regs) {
                Ok(()) => {
                    waited += (TOLD.read() == before) as u16;
                    break;
                }
                Err(error::CANT_SEND) if !deadline.over() => {}
                Err(why) => {
                    outcome = Err(error::name(why));
                    break;
                }
            }
        }
    }
    wait(PATIENCE, || TOLD.read() == COUNT);
    inbox::receiver_with(refuse::receive);
    outcome?;
    if TOLD.read() != COUNT || ERRORS.read() != 0 {
        return Err(c"upcalls are missing, too many, or say an error");
    }
    let tally = client.tally(seed, COUNT)?;
    if tally.good != COUNT as u32 || tally.bad != 0 || tally.repeated != 0 {
        say!(c"the peer heard {d} of {d}, {d} bad, {d} twice\n", tally.good, COUNT, tally.bad, tally.repeated);
        return Err(c"what was taken is not what was sent");
    }
    Ok(waited)
}
