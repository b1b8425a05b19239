//! Changes of mode, list and address while a frame is being delivered, while others are in the card, and while frames are being
//! sent. Such frames must not be affected, or the change must be refused.

use core::ffi::CStr;

use compkt::device::MAX_FRAME;
use compkt::programs::rt::console::Word;
use compkt::programs::rt::packet::error;
use compkt::programs::rt::Far;
use compkt::say;

use crate::client::Client;
use crate::receiver::{Act, EVERYBODY, Flow, PLAIN, Plan};
use crate::sender;

/// So few frames that every card holds them.
const PILE: Flow = Flow { count: 10, min: 60, max: 240, ..EVERYBODY };
/// Longer frames, and fewer.
const LONG: Flow = Flow { count: 4, min: 400, max: MAX_FRAME, ..EVERYBODY };

pub fn run(client: &mut Client) {
    // One handle only: set_address and reset_interface are refused with two.
    if !client.open(true) {
        return;
    }
    client.comes(c"ten frames come", PILE, PLAIN);
    sends(client);
    in_force(client);
    let acts: [(Act, &'static CStr); 6] = [
        (Act::SameMode, c"set_rcv_mode to the mode in force"),
        (Act::OtherMode, c"set_rcv_mode 5"),
        (Act::Promiscuous, c"set_rcv_mode 6"),
        (Act::List, c"set_multicast_list"),
        (Act::Address, c"set_address"),
        (Act::Reset, c"reset_interface"),
    ];
    for (act, what) in acts {
        for in_second in [false, true] {
            let upcall: &'static CStr = if in_second { c"second" } else { c"first" };
            client.checks.about(c"{s} from the {s} upcall: ", [what.into(), upcall.into()]);
            let plan = Plan { act, in_second, gather_us: 30_000, ..PLAIN };
            for flow in [PILE, LONG] {
                let seen = client.comes(c"the frame and those behind it come", flow, plan);
                if seen.refused != 0 {
                    say!(c"   refused {d} times: {s}\n", seen.refused, error::name(seen.error));
                }
                client.restore();
            }
        }
    }
    client.checks.about(c"", [Word(0); 2]);
    terminate(client);
    client.close();
}

/// Frames that were given to send_pkt just before a change.
fn sends(client: &mut Client) {
    let changes: [(Act, &'static CStr); 5] = [
        (Act::SameMode, c"set_rcv_mode to the mode in force"),
        (Act::OtherMode, c"set_rcv_mode"),
        (Act::List, c"set_multicast_list"),
        (Act::Address, c"set_address"),
        (Act::Reset, c"reset_interface"),
    ];
    for (act, what) in changes {
        client.checks.about(c"sends before {s}: ", [what.into(), Word(0)]);
        let seed = client.seed();
        sender::reset(seed);
        for round in 0..8 {
            for _ in 0..3 {
                let _ = sender::send_of(sender::MAIN, MAX_FRAME);
            }
            change(client, act, round & 1 == 0);
        }
        client.restore();
        client.reaches(c"send_pkt takes frames", sender::MAIN, 20);
    }
    client.checks.about(c"", [Word(0); 2]);
}

/// A change that is not made in an upcall.
fn change(client: &mut Client, act: Act, there: bool) {
    let group = [1, 0, 0x5E, 0, 0, 9];
    let other = [2, 0x3C, 0x50, 0x9B, 0, 9];
    let (driver, handle) = (client.driver, client.handle);
    let _ = match act {
        Act::OtherMode => driver.set_rcv_mode(handle, if there { 5 } else { 3 }),
        Act::List => driver.ask(0x1600, handle, if there { 6 } else { 0 }, Far::of(&group)).map(|_| ()),
        Act::Address => driver.ask(0x1900, handle, 6, Far::of(if there { &other } else { &client.mac })).map(|_| ()),
        Act::Reset => driver.ask(0x0700, handle, 0, Far(0)).map(|_| ()),
        _ => driver.set_rcv_mode(handle, 3),
    };
}

/// set_rcv_mode with the present mode, again and again.
fn in_force(client: &mut Client) {
    let flow = Flow { count: 40, gap_us: 2000, ..PILE };
    let lost = client.lost();
    if !client.dead {
        let _ = client.ask(flow, PLAIN);
        let mut calls = 0u16;
        while calls < 2000 && !(crate::receiver::seen().good == flow.count) {
            let _ = client.driver.set_rcv_mode(client.handle, 3);
            calls += 1;
        }
    }
    let seen = client.await_flow(&flow);
    client.mostly(c"set_rcv_mode to the mode in force, all the time: every frame comes", &flow, &seen, lost);
}

/// terminate from an upcall.
fn terminate(client: &mut Client) {
    for in_second in [false, true] {
        let upcall: &'static CStr = if in_second { c"second" } else { c"first" };
        say!(c"   terminate from the {s} upcall\n", upcall);
        client.checks.about(c"terminate from the {s} upcall: ", [upcall.into(), Word(0)]);
        let plan = Plan { act: Act::Terminate, in_second, gather_us: 10_000, ..PLAIN };
        let seen = client.comes(c"the frame and those behind it come", PILE, plan);
        client.checks.equal(c"the driver stays", 0, seen.acted as u32);
        client.checks.equal(c"with CANT_TERMINATE", error::CANT_TERMINATE as u32, seen.error as u32);
        let echoed = !client.dead && client.echo();
        client.checks.holds(c"everything works on", echoed, c"the peer's answer");
    }
    client.checks.about(c"", [Word(0); 2]);
}
