//! LACP of the image against Linux's bonding driver: DOS and Linux run at the same time, and this side carries the frames between
//! their cables.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use super::bonds::{FLOWS, by_nic, cable, sent, within};
use super::machine::Lab;
use super::runner::{Test, Verdict};
use super::several::{mac, machine, run};
use crate::peer::Peer;
use crate::rig::linux::{Linux, Wires};

/// The longest time for what Linux is to see: it boots first, on a busy host.
const PATIENCE: Duration = Duration::from_secs(200);
/// DOS looks at one NIC at each tick, and each end waits for some before it uses a port.
const SETTLED: Duration = Duration::from_millis(500);

/// What Linux does. `agreed COUNT`: waits until so many of its ports and of their partners' are active, with short time-outs, in one
/// group, in sync, collecting and distributing: state 63.
const SCRIPT: &str = r#"
agreed() { until [ "$(grep -c 'port state: 63' /proc/net/bonding/bond0)" = $((2 * $1)) ]; do sleep 0.1; done; }
step() { grep -E 'Number of ports|Partner Mac' /proc/net/bonding/bond0; echo AGREED $1; }
ip addr add 10.0.7.1/24 dev bond0; ip link set bond0 up
echo +eth0 > /sys/class/net/bond0/bonding/slaves; echo +eth1 > /sys/class/net/bond0/bonding/slaves
agreed 2; step 1
agreed 1; step 2
agreed 2; step 3
until [ $(cat /sys/class/net/eth*/carrier | tr -d '\n') = 00 ]; do sleep 0.1; done
"#;

/// The test.
pub fn tests() -> Vec<Test> {
    vec![Test::new("qemu/bond/lacp-with-linux", with_linux).takes(40)]
}

/// The cables between both machines.
#[derive(Default)]
struct Cables {
    /// Steps that Linux has seen.
    seen: AtomicUsize,
    ends: AtomicBool,
}

impl Cables {
    /// Carries what has come since the last time. `carried`: frames of DOS that Linux has, by cable.
    fn carry(&self, peers: &[Peer], carried: &mut [usize; 2], wires: &mut Wires) -> io::Result<()> {
        for (number, peer) in peers.iter().enumerate() {
            while let Some(frame) = wires.receive(number) {
                peer.send(frame);
            }
            let frames = sent(peer);
            frames[carried[number]..].iter().for_each(|frame| wires.send(number, frame));
            carried[number] = frames.len();
        }
        let seen = self.seen.load(Ordering::Relaxed);
        if wires.printed(&format!("AGREED {}", seen + 1)) {
            self.seen.store(seen + 1, Ordering::Relaxed);
        }
        if self.ends.swap(false, Ordering::Relaxed) {
            wires.plug(0, false)?;
            wires.plug(1, false)?;
        }
        Ok(())
    }

    /// Waits until Linux has seen so many steps.
    fn until(&self, steps: usize) {
        within(PATIENCE, || self.seen.load(Ordering::Relaxed) >= steps);
        sleep(SETTLED);
    }
}

/// Both agree on both links, on one while the other's cable is out of DOS's card, and on both again; echoes are answered all the
/// time, and DOS's flows go by the links that Linux has.
fn with_linux(lab: &Lab) -> Verdict {
    let (rig, peers) = machine(&["e1000", "e1000e"])?;
    let line = "3COMPKT /MODE=LACP /LB=ROUND_ROBIN";
    let pings = ["PKTCTL test 10.0.7.1 --ip=10.0.7.15 --count=3", "PKTCTL test 10.0.7.1 --ip=10.0.7.15 --count=4", "PKTCTL test 10.0.7.1 --ip=10.0.7.15 --count=5"];
    let script = [line, "pause", pings[0], "FLOWS", "pause", "PKTCTL bond --csv", pings[1], "FLOWS", "pause", pings[2], "FLOWS2", "PKTCTL bond", "3COMPKT /U"];
    let job = lab.job(&[], &script)?;
    let linux = Linux {
        cards: vec!["e1000,mac=02:00:00:00:07:01".into(), "e1000,mac=02:00:00:00:07:02".into()],
        modules: vec!["tls".into(), "bonding mode=802.3ad miimon=100 lacp_rate=fast".into(), "e1000".into()],
        kernel: "ipv6.disable=1".into(),
        script: SCRIPT.into(),
        wired: true,
        ..Linux::default()
    };
    let cables = Cables::default();
    let (mut pauses, mut sums) = (0, Vec::new());
    let (steps, console) = scope(|scope| {
        let linux = scope.spawn(|| {
            let mut carried = [0; 2];
            linux.run_with(&mut |wires| cables.carry(&peers, &mut carried, wires))
        });
        let steps = run(&rig, &job, &mut |said, monitor| {
            if said == "[pause]" {
                pauses += 1;
                match pauses {
                    1 => {}
                    2 => cable(monitor, 1, false),
                    _ => cable(monitor, 1, true),
                }
                cables.until(pauses);
                sums.push(by_nic(&peers));
                let _ = monitor.resume();
            }
        });
        cables.ends.store(true, Ordering::Relaxed);
        let console = linux.join().map_err(|_| "the cables' thread has failed".to_string())?.map_err(|error| error.to_string());
        Ok::<_, String>((steps?, console?.console))
    })?;
    for line in [line, pings[0], pings[1], pings[2], "FLOWS", "FLOWS2", "3COMPKT /U"] {
        steps.exits(line, 0)?;
    }
    sums.push(by_nic(&peers));
    let shares: Vec<[usize; 2]> = sums.windows(2).map(|both| [both[1][0] - both[0][0], both[1][1] - both[0][1]]).collect();
    let half = FLOWS / 2;
    steps.holds(shares == [[half, half], [FLOWS, 0], [half, half]], format!("flows by the links that both ends have: {shares:?}"))?;
    steps.prints("PKTCTL bond --csv", "no link or partner")?;
    steps.holds(steps.first("PKTCTL bond")?.text.matches("sends and receives").count() == 2, "DOS uses both links again")?;
    let partner = mac(0).map(|byte| format!("{byte:02x}")).join(":");
    let named = console.matches(&format!("Partner Mac Address: {partner}")).count();
    steps.holds(named == 3 && console.contains("Number of ports: 2"), format!("Linux names DOS as its partner, with two ports:\n{console}"))
}
