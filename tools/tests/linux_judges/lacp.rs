//! Linux's bonding driver tests src/lacp: our bond is at the other end of two cables of a Linux with a bond in mode 802.3ad.
//! Cables are pulled meanwhile, and both sides' views are compared.
//!
//! The script waits until Linux sees what the step wants, pings our bond, and prints the step's name. Then this side waits until it
//! sees the same, and does the next thing, for which the script waits.

use super::*;
use compkt::lacp::frame::Frame;
use compkt::lacp::{Aggregator, CARRIES, Port, TIMEOUT};
use std::time::{Duration, Instant};
use tools::peer::ip::Identity;
use tools::rig::linux::Wires;

const MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0xB0];
const IP: Identity = Identity { mac: MAC, ip: [10, 0, 2, 2], lease: [10, 0, 2, 15] };
/// Full duplex at 1,000 Mb/s.
const KEY: u8 = 9;
/// A tick of the PC's timer.
const TICK: Duration = Duration::from_millis(55);
/// The type of LACPDUs and markers.
const SLOW: [u8; 2] = [0x88, 0x09];

/// Functions of the script. `sees COUNT FILE PATTERN`: waits until so many lines of a bond's file match. `agreed COUNT [STATE]`:
/// waits until so many ports of bond0 and of their partner are in the state 63: active, short time-outs, together, in sync,
/// collecting, distributing. `step NAME`.
const BONDING: &str = r#"
sees() { until [ "$(grep -c "$3" /proc/net/bonding/$2)" = $1 ]; do sleep 0.1; done; }
agreed() { sees $((2 * $1)) bond0 "port state: ${2:-63}"; }
step() { cat /proc/net/bonding/bond* | grep -E 'Interface|MII|state|Number|Partner Mac'; echo STEP $1; again $1 pings 1000 10.0.2.2 || echo NO ANSWER; echo DONE $1; }
joins() { echo +eth$2 > /sys/class/net/bond$1/bonding/slaves; }
leaves() { echo -eth$2 > /sys/class/net/bond$1/bonding/slaves; }
ip addr add 10.0.2.15/24 dev bond0; ip link set bond0 up; ip link set bond1 up
joins 0 0; joins 0 1
"#;

/// What Linux's script does, by a step's name: what it waits for before it; and what this side does when it sees the same.
struct Step {
    name: &'static str,
    /// Commands before the step.
    script: &'static str,
    /// The ports that carry frames on this side.
    carries: &'static [usize],
    /// What follows.
    then: fn(&mut End, &mut Wires) -> std::io::Result<()>,
}

/// Our end of both cables.
struct End {
    bond: Box<Aggregator>,
    ticked: Instant,
    /// The port whose frames are not sent.
    silent: Option<usize>,
    /// Frames that came on a port that carries none.
    astray: u32,
}

impl End {
    fn new(timeout: u8) -> End {
        let ports: [Port; 2] = std::array::from_fn(|at| Port::new(MAC, at as u8 + 1, timeout, KEY, [0x02, 0, 0, 0, 1, at as u8]));
        let mut end = End { bond: Box::new(Aggregator::<[Port; 2]>::new(ports)), ticked: Instant::now(), silent: None, astray: 0 };
        [0, 1].into_iter().for_each(|port| end.link(port, true));
        end
    }

    fn link(&mut self, port: usize, up: bool) {
        if self.bond.ports[port].set_link(up) {
            self.bond.settle();
        }
    }

    fn carries(&self) -> Vec<usize> {
        (0..2).filter(|port| self.bond.ports[*port].flags.get() & CARRIES != 0).collect()
    }

    fn send(&self, wires: &Wires, port: usize, frame: Frame) {
        if self.silent != Some(port) {
            wires.send(port, &frame.bytes());
        }
    }

    /// What the bond feature does: frames that came, and the timer.
    fn run(&mut self, wires: &Wires) {
        for port in 0..2 {
            while let Some(bytes) = wires.receive(port) {
                if bytes.get(12..14) == Some(&SLOW) {
                    let mut frame = Frame::of(&bytes);
                    let verdict = self.bond.ports[port].receive(&mut frame);
                    self.bond.received(verdict);
                } else if !self.carries().contains(&port) {
                    self.astray += 1;
                } else if let Some(answer) = IP.answer(&bytes) {
                    // Any port that carries will do; the last one, so that it need not be the one on which Linux sends.
                    wires.send(*self.carries().last().unwrap_or(&port), &answer);
                }
            }
        }
        // A busy host loses ticks, and Linux does then.
        if self.ticked.elapsed() >= TICK {
            self.ticked = Instant::now();
            let sends = self.bond.tick();
            for port in 0..2 {
                if !(sends && self.bond.ports[port].sends()) {
                    continue;
                }
                let mut frame = Frame::of(&[]);
                self.bond.ports[port].fill(&mut frame);
                self.send(wires, port, frame);
            }
        }
    }
}

/// Runs the steps, both sides with short or long time-outs; returns Linux's console.
fn bonds(rate: &str, steps: &[Step]) -> String {
    let mut script = BONDING.to_string();
    for step in steps {
        writeln!(script, "{}; step {}", step.script, step.name).unwrap();
    }
    // This side pulls both cables when it has seen the last step, too.
    script += "until [ $(cat /sys/class/net/eth*/carrier | tr -d '\\n') = 00 ]; do sleep 0.1; done\n";
    let linux = Linux {
        cards: vec!["e1000,mac=52:54:00:12:34:56".into(), "e1000,mac=52:54:00:12:34:57".into()],
        modules: vec!["tls".into(), format!("bonding mode=802.3ad miimon=100 lacp_rate={rate} max_bonds=2"), "e1000".into()],
        kernel: "ipv6.disable=1".into(),
        script,
        wired: true,
        ..Linux::default()
    };
    let mut end = End::new(if rate == "fast" { TIMEOUT } else { 0 });
    let mut waiting = steps.iter().peekable();
    let mut seen = Vec::new();
    let verdict = linux.run_with(&mut |wires| {
        end.run(wires);
        if let Some(step) = waiting.next_if(|step| end.carries() == step.carries && wires.printed(&format!("DONE {}", step.name))) {
            seen.push(step.name);
            (step.then)(&mut end, wires)?;
            if waiting.peek().is_none() {
                wires.plug(0, false)?;
                wires.plug(1, false)?;
            }
        }
        Ok(())
    });
    let verdict = verdict.unwrap_or_else(|error| panic!("{error}\nthis side: {:#?}\nsteps: {seen:?}", end.bond));
    assert!(waiting.next().is_none(), "seen on both sides: {seen:?}, then {:#?}\n{}", end.bond, verdict.console);
    assert!(!verdict.console.contains("NO ANSWER"), "{}", verdict.console);
    assert_eq!(end.bond.dropped, 0, "Linux's frames are good");
    println!("        {} frames came on a port that carried none", end.astray);
    verdict.console
}

fn nothing(_: &mut End, _: &mut Wires) -> std::io::Result<()> {
    Ok(())
}

/// Both agree on both links; on one while the other's cable is pulled; on both again.
#[test]
fn lacp_agrees_and_survives_a_pulled_cable() {
    let console = bonds("fast", &[
        Step {
            name: "both",
            script: "agreed 2",
            carries: &[0, 1],
            then: |end, wires| {
                end.link(0, false);
                wires.plug(0, false)
            },
        },
        Step {
            name: "one",
            // Linux 6.1 keeps a card without a link in its group, in the state 63.
            script: "sees 1 bond0 'MII Status: down'",
            carries: &[1],
            then: |end, wires| {
                end.link(0, true);
                wires.plug(0, true)
            },
        },
        Step { name: "again", script: "sees 0 bond0 'MII Status: down'; agreed 2", carries: &[0, 1], then: nothing },
    ]);
    // Linux names its partner.
    assert!(console.contains("Partner Mac Address: 02:00:00:00:00:b0"), "{console}");
}

/// A bond that goes silent on one port; a port that Linux takes out, and gives to another bond; that bond when the first one's cable
/// is pulled.
#[test]
fn long_lacp_with_silence_and_two_partners() {
    bonds("fast", &[
        Step {
            name: "both",
            script: "agreed 2",
            carries: &[0, 1],
            then: |end, _| {
                end.silent = Some(1);
                Ok(())
            },
        },
        Step {
            name: "silent",
            script: "agreed 1",
            carries: &[0],
            then: |end, _| {
                end.silent = None;
                Ok(())
            },
        },
        Step { name: "speaks", script: "agreed 2", carries: &[0, 1], then: nothing },
        Step { name: "left", script: "leaves 0 1", carries: &[0], then: nothing },
        Step {
            name: "two",
            // It is told that this side does not use the link: active, short time-outs, together.
            script: "joins 1 1; sees 1 bond1 'port state: 7$'",
            carries: &[0],
            then: |end, wires| {
                end.link(0, false);
                wires.plug(0, false)
            },
        },
        Step {
            name: "over",
            script: "ip addr del 10.0.2.15/24 dev bond0; ip addr add 10.0.2.15/24 dev bond1; sees 2 bond1 'port state: 63'",
            carries: &[1],
            then: nothing,
        },
    ]);
}

/// Long time-outs: one frame each 30 seconds is enough for both sides.
#[test]
fn long_lacp_with_long_time_outs() {
    bonds("slow", &[
        Step { name: "both", script: "agreed 2 61", carries: &[0, 1], then: nothing },
        Step { name: "later", script: "sleep 100; agreed 2 61", carries: &[0, 1], then: nothing },
    ]);
}
