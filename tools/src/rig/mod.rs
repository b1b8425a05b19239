//! Machines to run the image in. Every rig takes a [`Job`] and gives a [`Report`]; what cannot be set up is an error.

pub mod bochs;
pub mod dosbox_x;
pub mod given_dos;
pub mod image;
pub mod linux;
pub mod qemu;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What a machine is given and asked to do.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// Files on the boot drive: DOS name (8.3, upper case) and contents.
    pub files: Vec<(String, Vec<u8>)>,
    /// CONFIG.SYS lines, as a user would write them: `DEVICE=3COMPKT.SYS /IO=300`, `DEVICEHIGH=…`.
    pub config: Vec<String>,
    /// Command lines, run one after another: `PKTCTL status`.
    pub exec: Vec<String>,
    /// The longest that the machine may run without printing anything; a zero takes the rig's own limit.
    pub limit: Duration,
    /// A frame capture is wanted, where the rig can make one.
    pub capture: bool,
}

/// What became of a [`Job`].
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Everything printed, by CONFIG.SYS lines and by commands, with LF line ends: for each line of `config` and
    /// `exec` a line `> ` and the line itself, then what it printed; after a command a line `[exit N]`.
    pub output: String,
    /// Frames on the wire, if captured (pcap).
    pub pcap: Option<PathBuf>,
}

impl Report {
    /// What a command or a CONFIG.SYS line printed, without its `> ` and `[exit]` lines; the first if it ran more than once.
    pub fn of(&self, line: &str) -> Option<&str> {
        let head = format!("> {line}\n");
        let start = self.output.find(&head)? + head.len();
        let rest = &self.output[start..];
        let end = ["\n> ", "\n[exit "].iter().filter_map(|mark| rest.find(mark)).min();
        Some(if rest.starts_with("> ") || rest.starts_with("[exit ") { "" } else { &rest[..end.unwrap_or(rest.len())] })
    }
}

/// How often something was tried again, as programs and rigs tell it: the sum of all `N … again` between commas,
/// semicolons and line ends.
pub fn retries(text: &str) -> u32 {
    let pieces = text.split(['\n', ',', ';']).map(str::trim).filter_map(|piece| piece.strip_suffix(" again"));
    pieces.filter_map(|piece| piece.split(' ').next()?.parse::<u32>().ok()).sum()
}

/// A name for a new capture, which stays when the machine has gone: `.rigs/captures/RIG-….pcap`. Who asked for it
/// removes it.
pub fn new_pcap(rig: &str) -> std::io::Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let folder = crate::setup::root().join(".rigs/captures");
    std::fs::create_dir_all(&folder)?;
    let name = format!("{rig}-{}-{}.pcap", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    Ok(folder.canonicalize()?.join(name))
}

#[cfg(test)]
mod tests {
    #[test]
    fn retries_are_those_that_are_told() {
        let text = "300 frames, every byte right; 2 batches asked for again, 1 sent again, 5 sends refused\n\
                    ok   reset_interface receives for the old one again\n0 lost, 0 batches again\n4 questions again\n";
        assert_eq!(super::retries(text), 7);
    }
}
