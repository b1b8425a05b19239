//! `PKTCTL test`: tests the network by DHCP, ARP and echoes.

use crate::ping::{Failure, Station};
use compkt::programs::commands::{Asked, BAD_LINE, DONE, NO_ANSWER, NO_DRIVER, STOPPED};
use compkt::programs::net::{self, Echo, Ip, Lease};
use compkt::programs::rt::packet::{Driver, error};
use compkt::programs::rt::{clock, inbox};
use compkt::say;
use core::ffi::CStr;

const NOBODY: Ip = [0; 4];

/// Makes the test. The handles are released when the program ends.
#[inline(never)]
pub fn run(asked: &Asked) -> u8 {
    let Some(driver) = crate::driver(asked, None) else { return NO_DRIVER };
    match open(&driver, asked) {
        Ok(mut station) => test(&mut station, asked),
        Err(error::TYPE_INUSE) => {
            say!(c"Another program uses IP on INT {x}h. End it, then test again.\n", driver.vector);
            NO_DRIVER
        }
        Err(code) => {
            say!(c"The driver on INT {x}h refuses: {s}. Load it anew.\n", driver.vector, error::name(code));
            NO_DRIVER
        }
    }
}

fn open(driver: &Driver, asked: &Asked) -> Result<Station, u8> {
    let class = driver.info()?.class;
    driver.access(class, &[8, 0], inbox::receiver())?;
    let handle = driver.access(class, &[8, 6], inbox::receiver())?;
    let mac = driver.address(handle)?;
    say!(c"INT {x}h  {m}\n", driver.vector, &mac);
    Ok(Station::new(*driver, mac, asked.ip))
}

/// Prints why a request got no answer; returns the exit code.
fn failed(why: Failure) -> u8 {
    let text: &CStr = match why {
        Failure::Send(code) => {
            say!(c": not sent ({s}). Look at the cable.\n", error::name(code));
            return NO_DRIVER;
        }
        Failure::Rests(code) => {
            say!(c": not sent ({s}). The driver rests: a memory manager came after it. Unload that first.\n", error::name(code));
            return NO_DRIVER;
        }
        Failure::Silence => c"no answer. Look at the cable and at the IRQ (PKTCTL status)",
        Failure::Damaged => c"the answer came back damaged",
        Failure::Refused => c"the server refuses. Give /IP= /MASK= /GW=",
        Failure::Interrupted => {
            say!(c": stopped.\n");
            return STOPPED;
        }
    };
    say!(c": {s}.\n", text);
    NO_ANSWER
}

fn test(station: &mut Station, asked: &Asked) -> u8 {
    let mut lease = Lease { ip: asked.ip, mask: asked.mask, router: asked.gateway, ..Lease::default() };
    if asked.ip == NOBODY {
        let [a, b] = clock::ticks().to_le_bytes();
        say!(c"DHCP");
        lease = match station.lease([station.mac[4], station.mac[5], a, b]) {
            Ok(lease) => lease,
            Err(why) => return failed(why),
        };
        say!(c"     {i} mask {i} gateway {i} from {i}\n", &lease.ip, &lease.mask, &lease.router, &lease.server);
    }
    let gateway = if lease.router == NOBODY { lease.server } else { lease.router };
    let target = if asked.target == NOBODY { gateway } else { asked.target };
    if target == NOBODY {
        say!(c"No one to ask. Name someone: PKTCTL test 10.0.0.1 /IP=10.0.0.9\n");
        return BAD_LINE;
    }
    let direct = gateway == NOBODY || net::same_net(&target, &lease.ip, &lease.mask);
    let hop = if direct { target } else { gateway };
    say!(c"ARP      {i}", &hop);
    let to_mac = match station.resolve(hop) {
        Ok(mac) => mac,
        Err(why) => return failed(why),
    };
    say!(c" is at {m}\n", &to_mac);
    echoes(station, asked.count, Echo {
        mac: station.mac,
        ip: station.ip,
        to_mac,
        to_ip: target,
        id: clock::ticks() as u8,
        sequence: 0,
        size: asked.size as usize,
    })
}

fn echoes(station: &mut Station, count: u16, mut echo: Echo) -> u8 {
    let (mut good, mut least, mut most, mut sum) = (0, u32::MAX, 0, 0u32);
    let mut stopped = NO_ANSWER;
    while echo.sequence < count {
        echo.sequence += 1;
        say!(c"Echo     {i}, {d} bytes", &echo.to_ip, echo.size as u32);
        match station.echo(&echo) {
            Ok(time) => {
                good += 1;
                least = least.min(time);
                most = most.max(time);
                sum = sum.saturating_add(time);
                say!(c": {d}.{d}{d} ms\n", time / 1000, time / 100 % 10, time / 10 % 10);
            }
            Err(Failure::Interrupted) => {
                stopped = failed(Failure::Interrupted);
                break;
            }
            Err(why) => {
                failed(why);
            }
        }
    }
    say!(c"{d} sent, {d} answered", echo.sequence, good);
    if let Some(mean) = sum.checked_div(good) {
        say!(c", {d}.{d}{d} least, {d}.{d}{d} mean, {d}.{d}{d} ms most", least / 1000, least / 100 % 10, least / 10 % 10,
            mean / 1000, mean / 100 % 10, mean / 10 % 10, most / 1000, most / 100 % 10, most / 10 % 10);
    }
    say!(c"\n");
    if good == echo.sequence as u32 { DONE } else { stopped }
}
