//! `PKTCTL status`: prints everything that a packet driver reports.

use crate::{handles, parts};
use compkt::info::{FLAG_DEVICE, FLAG_UPPER, FLAG_V86, NicInfo, STACK_CANARY};
use compkt::programs::commands::{Asked, DONE, NO_DRIVER};
use compkt::programs::rt::packet::{Block, Driver, DriverInfo, error};
use compkt::programs::rt::{Far, inbox};
use compkt::say;
use core::ffi::CStr;

/// IEEE's first type for local experiments, which no protocol uses. A handle for it serves calls that need a handle.
pub const OWN_TYPE: [u8; 2] = [0x88, 0xB5];

#[inline(never)]
pub fn run(asked: &Asked) -> u8 {
    let mut code = NO_DRIVER;
    let mut last = None;
    while let Some(driver) = crate::driver(asked, last) {
        last = Some(driver);
        match driver.info() {
            Ok(info) => {
                show(&driver, &info);
                code = DONE;
            }
            Err(error) => say!(c"INT {x}h: a packet driver that refuses driver_info ({s}). Load it anew.\n",
                driver.vector, error::name(error)),
        }
    }
    code
}

fn show(driver: &Driver, info: &DriverInfo) {
    // Twice: the first call after a loss says that the link is down, even if it is up again.
    let _ = driver.block();
    let block = driver.block();
    let functions = match info.functions {
        1 => c"basic",
        2 => c"basic, extended",
        5 => c"basic, high-performance",
        6 => c"basic, extended, high-performance",
        _ => c"not said",
    };
    let mut nic = None;
    match &block {
        Some(block) => {
            let version = block.info.version;
            say!(c"3COMPKT {d}.{d} on INT {x}h\n", version >> 8, version & 0xFF, driver.vector);
            for i in 0..block.info.nic_count {
                nic = nic.or(block.nic(i).filter(|nic| nic.vector == driver.vector));
            }
        }
        None => say!(c"Packet driver on INT {x}h, not 3COMPKT\n  calls itself {s}, version {d}, class {d}\n",
            driver.vector, &info.name, info.version, info.class),
    }
    if let Some(nic) = &nic {
        place(nic);
    }
    match driver.access(info.class, &OWN_TYPE, inbox::receiver()) {
        Ok(handle) => {
            counters(driver, handle);
            let _ = driver.release(handle);
        }
        Err(error) => say!(c"  address and counters: it gives no handle to ask with ({s})\n", error::name(error)),
    }
    say!(c"  functions    {s}\n", functions);
    if let Ok(parameters) = driver.parameters() {
        say!(c"  buffers      {d} receive, {d} send, {d} multicast addresses\n",
            parameters.rcv_bufs + 1, parameters.xmt_bufs + 1, parameters.multicast_aval / 6);
    } else {
        say!(c"  buffers      it has no get_parameters\n");
    }
    match &block {
        Some(block) => memory(block),
        None => say!(c"  not known    port, IRQ, link, resident bytes: no packet driver call tells\n"),
    }
}

/// Prints where the NIC is, and the state of the link.
fn place(nic: &NicInfo) {
    say!(c"  NIC          {s}", &nic.name);
    if nic.pci != 0xFFFF {
        say!(c", ");
        crate::pci(nic.pci);
    }
    if nic.io != 0 {
        say!(c", port {X}h", nic.io);
    }
    if nic.irq == 0 {
        say!(c", polled");
    } else {
        say!(c", IRQ {d}", nic.irq);
    }
    let link = match nic.link {
        0 => c"down: look at the cable",
        1 => c"up",
        _ => c"this NIC cannot tell",
    };
    say!(c"\n  link         {s}\n", link);
    if nic.rom != nic.mac {
        say!(c"  ROM address  {m}\n", &nic.rom);
    }
}

fn counters(driver: &Driver, handle: u16) {
    let refused = |what, error| say!(c"  {s}it refuses to say ({s})\n", what, error::name(error));
    match driver.address(handle) {
        Ok(mac) => say!(c"  address      {m}\n", &mac),
        Err(error) => refused(c"address      ", error),
    }
    match driver.rcv_mode(handle) {
        Ok(mode) => {
            let text = match mode {
                1 => c"nothing",
                2 => c"own address",
                3 => c"own address, broadcast",
                4 => c"own address, broadcast, multicast list",
                5 => c"own address, broadcast, all multicast",
                6 => c"everything",
                _ => c"in no mode of the specification",
            };
            say!(c"  receives     {s} (mode {d})\n", text, mode);
        }
        Err(error) => refused(c"receives     ", error),
    }
    match driver.statistics(handle) {
        Ok(counts) => say!(
            c"  in           {d} frames, {d} bytes, {d} errors, {d} not taken\n  out          {d} frames, {d} bytes, {d} errors\n",
            counts.packets_in, counts.bytes_in, counts.errors_in, counts.packets_lost,
            counts.packets_out, counts.bytes_out, counts.errors_out),
        Err(error) => refused(c"counters     ", error),
    }
}

fn memory(block: &Block) {
    let info = &block.info;
    let byte = |at: u16| Far::new(block.at.segment(), at).read16() as u8;
    // Bytes with the value from the load were never used. The stack grows down from its top.
    let mut low = info.stack_low;
    while low < info.stack_top && byte(low) == STACK_CANARY {
        low += 1;
    }
    let flag = |flag, text| if info.flags & flag != 0 { text } else { c"" };
    handles::show(block);
    say!(c"  resident     {d} bytes at segment {X}h{s}{s}{s}\n",
        info.paragraphs as u32 * 16, info.segment, flag(FLAG_UPPER, c", upper memory"),
        flag(FLAG_V86, c", V86 mode"), flag(FLAG_DEVICE, c", by DEVICE="));
    if block.rests() {
        say!(c"  it rests     a memory manager came after it: unload that, or load it before the driver\n");
    }
    say!(c"  stack        {d} of {d} bytes never used\n", low - info.stack_low, info.stack_top - info.stack_low);
    parts(block);
    parts::waiting(block);
    parts::counts(block);
}

/// Prints the parts of the resident memory, a few to a line, and those in XMS.
fn parts(block: &Block) {
    /// The most parts in a line.
    const LINE: u8 = 4;
    let mut count = 0u8;
    let mut line = |words: &CStr, name: &CStr, size: u16, unit: &CStr| {
        let before = match count {
            0 => words,
            _ if count % LINE == 0 => c",\n               ",
            _ => c", ",
        };
        say!(c"{s}{s} {d}{s}", before, name, size, unit);
        count += 1;
    };
    parts::low(block, &mut |name, size| line(c"  of it        ", name, size, c""));
    parts::xms(block, &mut |name, size| line(c"", name, size, c" KB in XMS"));
    say!(c"\n");
}
