//! `/ALONE`, without a test peer: sends long echoes to the emulator's network. Their answers have to wait, and are more than a
//! cache holds.

use compkt::programs::net::{self, ARP_LEN, ARP_REPLY, ARP_REQUEST, Arp, Echo, EchoAnswer, Ip};
use compkt::programs::rt::clock::{Deadline, rest, wait};
use compkt::programs::rt::packet::error;
use compkt::programs::rt::{Shared, inbox};
use compkt::say;

use crate::refuse::{self, Mood};
use crate::{Client, Outcome, PATIENCE};

/// The addresses in an emulator's network.
const OURS: Ip = [10, 0, 2, 15];
const GATEWAY: Ip = [10, 0, 2, 2];
/// Echoes at once, and rounds.
const ECHOES: u16 = 6;
const ROUNDS: u16 = 20;
/// The most tries of a round, because the driver drops a refused frame when the machine is paused for two ticks; and the ticks
/// after which a round is tried again.
const TRIES: u16 = 8;
const AGAIN: u16 = 36;
/// Bytes of data.
const SIZE: usize = 1400;

static FRAME: Shared<net::Frame> = Shared::new([0; 1514]);

/// Sends the echoes and checks the answers.
pub fn run(client: &Client) -> Outcome {
    let receiver = inbox::receiver_with(refuse::receive);
    for kind in [net::TYPE_IP, net::TYPE_ARP] {
        client.driver.access(1, &kind.to_be_bytes(), receiver).map_err(error::name)?;
    }
    let ask = Arp { operation: ARP_REQUEST, mac: client.mac, ip: OURS, to_mac: [0; 6], to_ip: GATEWAY };
    // SAFETY: no receiver looks at it.
    let frame = unsafe { &mut *FRAME.get() };
    net::arp(frame, &ask);
    client.driver.send(frame.get(..ARP_LEN).unwrap_or(&[])).map_err(error::name)?;
    let deadline = Deadline::after(PATIENCE);
    let to_mac = loop {
        let answer = inbox::take(|frame| net::read_arp(frame.bytes, frame.len)).flatten();
        if let Some(arp) = answer.filter(|arp| arp.operation == ARP_REPLY && arp.ip == GATEWAY) {
            break arp.mac;
        }
        if deadline.over() {
            return Err(c"the gateway does not answer");
        }
    };
    let echo = |sequence| Echo { mac: client.mac, ip: OURS, to_mac, to_ip: GATEWAY, id: b'W', sequence, size: SIZE };
    let (mut first, mut again) = (0, 0u16);
    for _ in 0..ROUNDS {
        let mut tries = 0;
        loop {
            refuse::be(Mood::Everybody);
            for sequence in first..first + ECHOES {
                net::echo(frame, &echo(sequence));
                client.driver.send(frame.get(..echo(sequence).frame_len()).unwrap_or(&[])).map_err(error::name)?;
            }
            wait(1, || false);
            refuse::be(Mood::Nobody);
            tries += 1;
            let patience = if tries == TRIES { PATIENCE } else { AGAIN };
            let came = answers(patience, |index| echo(first + index))?;
            first += ECHOES;
            if came == (1 << ECHOES) - 1 {
                break;
            }
            if tries == TRIES {
                return Err(c"an answer did not come");
            }
            again += 1;
        }
    }
    say!(c"{d} long answers came, every byte right; {d} rounds again\n", ROUNDS * ECHOES, again);
    Ok(())
}

/// The answers to this round that come within `patience` ticks: a bit for each echo.
fn answers(patience: u16, echo: impl Fn(u16) -> Echo) -> Result<u16, &'static core::ffi::CStr> {
    let mut came = 0;
    let deadline = Deadline::after(patience);
    while came != (1 << ECHOES) - 1 && !deadline.over() {
        let answer = inbox::take(|frame| {
            let read = |index: &u16| (*index, net::read_echo(frame.bytes, frame.len, &echo(*index)));
            (0..ECHOES).map(|index| read(&index)).find(|(_, answer)| *answer != EchoAnswer::Other)
        });
        match answer.flatten() {
            Some((index, EchoAnswer::Right)) => came |= 1 << index,
            Some(_) => return Err(c"an answer is wrong"),
            None => rest(),
        }
    }
    Ok(came)
}
