//! Counts the accesses of a driver to its card's registers, in QEMU's trace of a run of BENCH.
//!
//! Each access is an exit to the hypervisor in a virtual machine, and a bus cycle in a real one. QEMU's trace event
//! `memory_region_ops_*` prints a line for each, for ports and memory. BENCH's own output is in the same trace.

use std::collections::BTreeMap;
use std::ops::Range;

use super::BURST;
use crate::nics::{Found, Nic};

/// The monitor's command that begins the trace.
pub const TRACE: &str = "log trace:memory_region_ops_*";
/// The port of QEMU's `-debugcon`.
const CONSOLE: u64 = 0xE9;
/// Lowest port that the firmware gives to PCI cards; a PC's own are below.
const PCI_PORTS: u64 = 0xC000;
/// Addresses of a PC's interrupt controllers in memory.
const APICS: Range<u64> = 0xFEC0_0000..0xFEF0_0000;
/// Ports of ISA cards; and among them, of the card that sends.
const ISA_PORTS: Range<u64> = 0x200..0x3F0;
const SENDER_PORTS: Range<u64> = 0x340..0x360;

/// Frames of 60 bytes of each kind in BENCH, including those before the first that counts.
const FRAMES: u32 = 4 + 32;
/// Frames in bursts, all of which count: whole bursts, and at least as many frames as of another kind.
const IN_BURSTS: u32 = 32u32.next_multiple_of(BURST);

/// Register accesses in all frames of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accesses {
    send: u32,
    receive: u32,
    burst: u32,
}

impl Accesses {
    /// For each frame: sent, received with an interrupt of its own, and received in a burst.
    pub fn per_frame(self) -> [f32; 3] {
        [(self.send, FRAMES), (self.receive, FRAMES), (self.burst, IN_BURSTS)].map(|(count, frames)| count as f32 / frames as f32)
    }

}

/// Whether this address is a register of the NIC.
fn is_register(nic: &Nic, at: u64) -> bool {
    match nic.found {
        Found::Pci | Found::Rom => at >= PCI_PORTS && !APICS.contains(&at),
        Found::Isa(_) => ISA_PORTS.contains(&at) && !SENDER_PORTS.contains(&at),
    }
}

/// Counts the accesses in a trace. `None`: BENCH did not reach its end.
pub fn counted(nic: &Nic, trace: &str) -> Option<Accesses> {
    let (mut line, mut here) = (String::new(), 0);
    let mut sections = BTreeMap::new();
    for access in trace.lines() {
        let word = |name: &str| access.split_once(name)?.1.split(' ').next().and_then(number);
        let Some(at) = word(" addr ") else { continue };
        if at == CONSOLE {
            let byte = word(" value ")? as u8 as char;
            if byte != '\n' {
                line.push(byte);
                continue;
            }
            let name: Vec<&str> = line.split(' ').take(2).collect();
            sections.insert(name.join(" "), here);
            line.clear();
            here = 0;
        } else if is_register(nic, at) {
            here += 1;
        }
    }
    let section = |name: &str| sections.get(name).copied();
    Some(Accesses { send: section("send 60")?, receive: section("receive 60")?, burst: section("burst 60")? })
}

/// A number in QEMU's format.
fn number(word: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nics::NICS;

    /// The trace of BENCH's line, and of accesses to one address.
    fn trace(parts: &[(&str, u64, usize)]) -> String {
        let line = |at: u64, value: u8| format!("memory_region_ops_write cpu 0 mr 0x55d0 addr 0x{at:x} value 0x{value:x} size 1 name 'x'\n");
        let part = |(text, at, count): &(&str, u64, usize)| {
            let accesses = line(*at, 0).repeat(*count);
            accesses + &text.bytes().map(|byte| line(CONSOLE, byte)).collect::<String>()
        };
        parts.iter().map(part).collect()
    }

    #[test]
    fn accesses_are_those_before_the_line_that_tells_of_the_frames() {
        let nic = |name: &str| NICS.iter().find(|nic| nic.name == name).unwrap();
        let parts = [("ready\r\n", 0xC100, 50), ("send 60 1 2\n", 0xFEBF_0600, 72), ("receive 60 3 4\n", 0xC100, 36), ("burst 60 5 1\n", 0xC110, 4)];
        let counts = counted(nic("pcnet"), &trace(&parts)).unwrap();
        assert_eq!(counts.per_frame(), [2.0, 1.0, 0.125]);
        assert_eq!(counted(nic("ne2000"), &trace(&parts)).unwrap().per_frame(), [0.0; 3]);
        assert_eq!(counted(nic("pcnet"), &trace(&parts[..3])), None);
    }

    #[test]
    fn interrupt_controllers_and_the_sender_are_not_the_nic() {
        let nic = |name: &str| NICS.iter().find(|nic| nic.name == name).unwrap();
        assert!(!is_register(nic("pcnet"), 0x20) && !is_register(nic("pcnet"), 0xFEE0_0000) && is_register(nic("pcnet"), 0xC000));
        assert!(!is_register(nic("el3"), 0x34F) && !is_register(nic("el3"), 0xA1) && is_register(nic("el3"), 0x300));
    }
}
