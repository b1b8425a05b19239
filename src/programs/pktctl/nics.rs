//! `PKTCTL nics`: the cards, one a line, of every packet driver.

use crate::csv::Row;
use crate::status::OWN_TYPE;
use compkt::info::{NOT_PCI, NicInfo};
use compkt::programs::commands::{Asked, CSV, DONE, NO_DRIVER};
use compkt::programs::rt::packet::{Block, Driver};
use compkt::programs::rt::{console, inbox};
use compkt::device::MacAddr;
use compkt::say;

#[inline(never)]
pub fn run(asked: &Asked) -> u8 {
    let csv = asked.has(CSV);
    let mut last = None;
    while let Some(driver) = crate::driver(asked, last) {
        if last.is_none() {
            say!(if csv { c"int,driver,ours,place,port,irq,link,mode,address\n" } else { c"INT  driver           place       port   IRQ     link  mode  address\n" });
        }
        last = Some(driver);
        let block = driver.block();
        if csv { values(&driver, block.as_ref()) } else { row(&driver, block.as_ref()) }
    }
    if last.is_some() { DONE } else { NO_DRIVER }
}

/// What a driver tells by calls that every packet driver has: address and receive mode.
fn told(driver: &Driver) -> (Option<MacAddr>, Option<u16>) {
    let Ok(info) = driver.info() else { return (None, None) };
    let Ok(handle) = driver.access(info.class, &OWN_TYPE, inbox::receiver()) else { return (None, None) };
    let told = (driver.address(handle).ok(), driver.rcv_mode(handle).ok());
    let _ = driver.release(handle);
    told
}

/// The NIC, whose link is asked twice: one that was lost since the last call may be down once.
fn nic(driver: &Driver, block: Option<&Block>) -> Option<NicInfo> {
    let _ = driver.block();
    crate::nic(driver, block?)
}

fn link(nic: &NicInfo) -> &'static core::ffi::CStr {
    match nic.link {
        0 => c"down",
        1 => c"up",
        _ => c"unknown",
    }
}

#[inline(never)]
fn row(driver: &Driver, block: Option<&Block>) {
    let name = crate::name(driver, block);
    say!(c"{x}   {s}", driver.vector, &name);
    crate::pad(name.iter().take_while(|letter| **letter != 0).count(), 17);
    let Some(nic) = nic(driver, block) else {
        let (address, mode) = told(driver);
        say!(c"not 3COMPKT                      ");
        if let Some(mode) = mode { say!(c"{4}  ", mode) } else { say!(c"   -  ") }
        if let Some(address) = &address { say!(c"{m}\n", address) } else { say!(c"it does not tell\n") }
        return;
    };
    if block.is_some_and(|block| block.bond().is_some()) {
        say!(c"several     ");
    } else if nic.pci == NOT_PCI {
        say!(c"ISA         ");
    } else {
        crate::pci(nic.pci);
        say!(c" ");
    }
    if nic.io != 0 { say!(c"{X}h  ", nic.io) } else { say!(c"   -   ") }
    if nic.irq != 0 { say!(c"{4}  ", nic.irq) } else { say!(c"none  ") }
    let link = link(&nic);
    for _ in link.count_bytes()..7 {
        console::byte(b' ');
    }
    say!(c"{s}  {4}  {m}\n", link, nic.rcv_mode, &nic.mac);
}

#[inline(never)]
fn values(driver: &Driver, block: Option<&Block>) {
    let mut row = Row::new();
    row.value(|| say!(c"{x}", driver.vector));
    row.text(&crate::name(driver, block));
    row.number(block.is_some());
    let Some(nic) = nic(driver, block) else {
        let (address, mode) = told(driver);
        (0..4).for_each(|_| row.unknown());
        if let Some(mode) = mode { row.number(mode) } else { row.unknown() }
        if let Some(address) = &address { row.value(|| say!(c"{m}", address)) } else { row.unknown() }
        return row.end();
    };
    if block.is_some_and(|block| block.bond().is_some()) {
        row.text(b"several");
    } else if nic.pci == NOT_PCI {
        row.text(b"ISA");
    } else {
        row.value(|| {
            say!(c"\"");
            crate::pci(nic.pci);
            say!(c"\"");
        });
    }
    if nic.io != 0 { row.value(|| say!(c"{X}", nic.io)) } else { row.unknown() }
    row.number(nic.irq);
    row.text(link(&nic).to_bytes());
    row.number(nic.rcv_mode);
    row.value(|| say!(c"{m}", &nic.mac));
    row.end();
}
