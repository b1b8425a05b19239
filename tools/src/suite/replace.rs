//! `3COMPKT /REPLACE`: another copy takes over from the one that is loaded; its clients keep their handles.

use super::machine::{Lab, Steps, ne2000, peer, qemu_on, watched};
use super::runner::{Test, Verdict};
use crate::nics::Nic;
use crate::peer::Peer;
use crate::rig::Job;

/// Frames for the client before and after each replacement.
const FRAMES: usize = 10;
/// The type that CLIENT receives.
const KIND: [u8; 2] = [0x90, 0x71];

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![Test::new("qemu/ne2000/replace", |lab| replaced(lab, ne2000(), "3COMPKT", &["3COMPKT /REPLACE"]))]
}

fn frame() -> Vec<u8> {
    let mut frame = vec![0xA5; 100];
    frame[..6].fill(0xFF);
    frame[6] = 2;
    frame[12..14].copy_from_slice(&KIND);
    frame
}

/// Sends the client's frames.
fn feed(peer: &Peer) {
    (0..FRAMES).for_each(|_| peer.send(frame()));
}

/// A resident client keeps its handle's number and gets its frames through every replacement.
fn replaced(lab: &Lab, nic: &Nic, load: &str, lines: &[&str]) -> Verdict {
    let peer = peer()?;
    let mut script: Vec<String> = vec![load.into(), "CLIENT".into(), "pause".into(), format!("SEEN {FRAMES}")];
    for (round, line) in lines.iter().enumerate() {
        script.extend([line.to_string(), "PKTCTL status".into(), "pause".into(), format!("SEEN {}", (round + 2) * FRAMES)]);
    }
    let job = Job { limit: std::time::Duration::from_secs(180), ..lab.job(&[], &script.iter().map(String::as_str).collect::<Vec<_>>())? };
    let steps: Steps = watched(&qemu_on(nic, peer.cable())?, &job, &mut |line, monitor| {
        if line == "[pause]" {
            feed(&peer);
            let _ = monitor.resume();
        }
    })?;
    for line in lines {
        steps.exits(line, 0)?;
        steps.prints(line, nic.name)?;
    }
    for round in 0..=lines.len() {
        steps.exits(&format!("SEEN {}", (round + 1) * FRAMES), 0)?;
    }
    Ok(())
}
