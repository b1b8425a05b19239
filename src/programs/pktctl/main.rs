//! PKTCTL: the user's program for the resident packet driver, 3COMPKT or another.
#![no_std]
#![no_main]

mod handles;
mod mem;
mod parts;
mod ping;
mod status;
mod test;

use compkt::programs::net::{ECHO_MOST, Ip};
use compkt::programs::options::{self, same};
use compkt::programs::rt::{self, console, packet::Driver};
use compkt::say;

compkt::program!(main);

// Exit codes.
/// Success.
const DONE: u8 = 0;
/// The test got no answer or a wrong one.
const NO_ANSWER: u8 = 1;
/// The command line is wrong.
const BAD_LINE: u8 = 2;
/// There is no packet driver, or it refused a call.
const NO_DRIVER: u8 = 3;

/// The command line's options.
struct Options {
    /// `/INT=`; 0: not given.
    vector: u8,
    /// `/COUNT=`: number of echoes.
    count: u16,
    /// `/SIZE=`: bytes of data in an echo.
    size: u16,
    /// `/IP=`; zeros: by DHCP.
    ip: Ip,
    mask: Ip,
    gateway: Ip,
    /// The address to test; zeros: the gateway.
    target: Ip,
}

fn main() -> u8 {
    let tail = rt::tail();
    let mut words = options::words(&tail);
    let command = words.next().unwrap_or(b"/?");
    let mut asked = Options {
        vector: 0,
        count: 4,
        size: 56,
        ip: [0; 4],
        mask: [255, 255, 255, 0],
        gateway: [0; 4],
        target: [0; 4],
    };
    for word in words {
        if parse(word, &mut asked).is_none() {
            say!(c"PKTCTL cannot use \"");
            console::bytes(word);
            say!(c"\". PKTCTL /? lists what it takes.\n");
            return BAD_LINE;
        }
    }
    if same(command, "status") {
        return status::run(&asked);
    }
    if same(command, "test") {
        return test::run(&asked);
    }
    if same(command, "mem") {
        return mem::run(&asked);
    }
    say!(c"\
PKTCTL status [/INT=60]          every packet driver, or the one on INT 60h
PKTCTL test [ADDRESS] [/...]     DHCP, ARP, echoes; to the gateway if no address
       /COUNT=4    how many      /IP=10.0.0.9         not by DHCP; with it
       /SIZE=56    data bytes    /MASK=255.255.255.0  /GW=10.0.0.1
PKTCTL mem [/INT=60]             memory map of the resident 3COMPKT
ERRORLEVEL 0 done, 1 no answer, 2 bad command line, 3 no driver or it refused
");
    if same(command, "/?") || same(command, "-?") { DONE } else { BAD_LINE }
}

fn parse(word: &[u8], asked: &mut Options) -> Option<()> {
    let Some((name, value)) = options::switch(word) else {
        asked.target = options::ip(word)?;
        return Some(());
    };
    let address = if same(name, "IP") {
        &mut asked.ip
    } else if same(name, "MASK") {
        &mut asked.mask
    } else if same(name, "GW") {
        &mut asked.gateway
    } else if same(name, "INT") {
        asked.vector = options::hex(value).filter(|v| *v >= 0x20 && *v <= 0xFF)? as u8;
        return Some(());
    } else if same(name, "COUNT") {
        asked.count = options::number(value).filter(|v| *v >= 1 && *v <= 9999)? as u16;
        return Some(());
    } else if same(name, "SIZE") {
        asked.size = options::number(value).filter(|v| *v <= ECHO_MOST as u32)? as u16;
        return Some(());
    } else {
        return None;
    };
    *address = options::ip(value)?;
    Some(())
}

/// The next driver after `last` on the vectors that were asked for. Prints a line if there is none at all.
fn driver(asked: &Options, last: Option<Driver>) -> Option<Driver> {
    let found = if asked.vector == 0 {
        Driver::next(last.map_or(0, |driver| driver.vector))
    } else if last.is_none() {
        Driver::on(asked.vector)
    } else {
        None
    };
    if found.is_none() && last.is_none() {
        if asked.vector == 0 {
            say!(c"No packet driver on INT 20h to FFh. Load one, for example: 3COMPKT 0x60\n");
        } else {
            say!(c"No packet driver on INT {x}h. PKTCTL status looks at every vector.\n", asked.vector);
        }
    }
    found
}
