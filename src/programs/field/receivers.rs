//! Receivers that behave as those of existing clients: interrupts, registers, IRET, CX, sending.

use core::ffi::CStr;

use compkt::device::MAX_FRAME;
use compkt::programs::rt::console::Word;

use crate::client::Client;
use crate::receiver::{Act, Flow, PLAIN, Plan, SHORT};
use crate::sender;

/// So few frames, and so slow, that every card holds them.
const FLOW: Flow = Flow { count: 12, min: 60, max: MAX_FRAME, gap_us: 4000, ..SHORT };

pub fn run(client: &mut Client) {
    if !client.open(false) {
        return;
    }
    let open = Plan { opens: true, ..PLAIN };
    let all = Plan { scramble: true, irets: true, stay_us: 1000, ..open };
    let habits: [(Plan, &'static CStr); 8] = [
        (PLAIN, c"a plain receiver"),
        (open, c"a receiver that does STI and RETF"),
        (Plan { irets: true, ..PLAIN }, c"a receiver that ends with IRET"),
        (Plan { scramble: true, ..PLAIN }, c"a receiver that changes every register but SS:SP"),
        (Plan { stay_us: 20_000, ..open }, c"a receiver that stays 20 ms with interrupts on"),
        (Plan { gather_us: 20_000, ..open }, c"a receiver that stays 20 ms in a first upcall with interrupts on"),
        (all, c"a receiver that does all of this"),
        (PLAIN, c"a plain receiver after them"),
    ];
    for (plan, name) in habits {
        client.comes(name, FLOW, plan);
    }
    for cx in [0u16, 1, 3, 14, 60, 1515, 0x8000, 0xFFFF] {
        client.checks.about(c"CX = {X}h after the first upcall: ", [cx.into(), Word(0)]);
        client.comes(c"every frame comes whole", Flow { count: 6, ..FLOW }, Plan { cx: Some(cx), ..PLAIN });
    }
    for (in_second, plan, which, name) in [
        (false, PLAIN, sender::FIRST, c"send_pkt from the first upcall"),
        (true, PLAIN, sender::SECOND, c"send_pkt from the second upcall"),
        (false, open, sender::FIRST, c"send_pkt from the first upcall, interrupts on"),
        (true, all, sender::SECOND, c"send_pkt from the second upcall that does everything"),
    ] {
        client.checks.about(c"{s}: ", [name.into(), Word(0)]);
        let seed = client.seed();
        sender::reset(seed);
        client.comes(c"every frame comes", FLOW, Plan { act: Act::Send, in_second, ..plan });
        client.reaches(c"the driver takes frames", which, FLOW.count);
    }
    client.checks.about(c"", [Word(0); 2]);
    client.close();
}
