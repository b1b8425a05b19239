//! The rigs: machines that run the image. Every rig takes a [`Job`] and returns a [`Report`]; if it cannot be set up, an error.

pub mod bochs;
pub mod dosbox_x;
pub mod given_dos;
pub mod image;
pub mod ipxe;
pub mod linux;
pub mod qemu;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The files of a machine, and what it executes.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// Files on the boot drive: DOS name (8.3, upper case) and contents.
    pub files: Vec<(String, Vec<u8>)>,
    /// CONFIG.SYS lines, as a user would write them: `DEVICE=3COMPKT.SYS /IO=300`, `DEVICEHIGH=…`.
    pub config: Vec<String>,
    /// Command lines, run one after another: `PKTCTL status`.
    pub exec: Vec<String>,
    /// Longest time without output; zero: the rig's own limit.
    pub limit: Duration,
    /// Capture frames, if the rig can.
    pub capture: bool,
}

/// The result of a [`Job`].
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// All output, with LF line ends. For each line of `config` and `exec` there is `> ` and the line, then its output; after
    /// that of a command `[exit N]`.
    pub output: String,
    /// The captured frames (pcap).
    pub pcap: Option<PathBuf>,
}

impl Report {
    /// The output of a command or CONFIG.SYS line, without `> ` and `[exit]`; of the first one if there are several.
    pub fn of(&self, line: &str) -> Option<&str> {
        let head = format!("> {line}\n");
        let start = self.output.find(&head)? + head.len();
        let rest = &self.output[start..];
        let end = ["\n> ", "\n[exit "].iter().filter_map(|mark| rest.find(mark)).min();
        Some(if rest.starts_with("> ") || rest.starts_with("[exit ") { "" } else { &rest[..end.unwrap_or(rest.len())] })
    }
}

/// The number of repetitions that programs and rigs report: the sum of all `N … again` between commas, semicolons and line
/// ends.
pub fn retries(text: &str) -> u32 {
    let pieces = text.split(['\n', ',', ';']).map(str::trim).filter_map(|piece| piece.strip_suffix(" again"));
    pieces.filter_map(|piece| piece.split(' ').next()?.parse::<u32>().ok()).sum()
}

/// The name of a new capture, `.rigs/captures/RIG-….pcap`, which remains after the run. The caller removes it.
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
