//! `tools/bench --screen`: the text screen of `PKTCTL stats --watch` as a picture for the README, with three cards whose frames a
//! client sends back.

use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::screen;
use crate::pack;
use crate::peer::Peer;
use crate::rig::Job;
use crate::rig::qemu::{Nic, Qemu};
use crate::setup::fail;
use crate::suite::machine::fixture;
use crate::suite::watch;

const LINE: &str = "PKTCTL stats --watch";
/// Rows of the screen.
const ROWS: usize = 25;
/// The cards: a device of QEMU's, the driver's switches, and after how many [`STEP`]s each of two frames comes, and its bytes. The
/// first one is taken, the second one not.
const CARDS: [(&str, &str, [(usize, usize); 2]); 3] = [
    ("e1000", "3COMPKT /NIC=e1000 /INT=60", [(2, 1514), (8, 200)]),
    ("rtl8139", "3COMPKT /NIC=rtl8139 /INT=61", [(5, 640), (20, 60)]),
    ("ne2k_isa,iobase=0x300,irq=5", "3COMPKT /NIC=ne2000 /INT=62", [(12, 400), (50, 60)]),
];
const STEP: Duration = Duration::from_millis(10);
/// For how long frames come before the picture is taken. In the end half as many come, so that bars are not all full.
const TIME: Duration = Duration::from_secs(16);
const FEWER: Duration = Duration::from_secs(10);
/// ECHO's type, and one that no client wants.
const TAKEN: [u8; 2] = [0x90, 0x71];
const UNWANTED: [u8; 2] = [0x90, 0x7F];

/// Runs the machine; returns the picture.
///
/// # Errors
/// A driver does not load, or PKTCTL shows no screen.
pub fn picture() -> io::Result<String> {
    let peers = CARDS.iter().map(|_| Peer::new()).collect::<io::Result<Vec<Peer>>>()?;
    peers.iter().for_each(|peer| peer.silence(true));
    let nics = CARDS.iter().zip(&peers).map(|((device, ..), peer)| Nic { device: device.to_string(), net: peer.cable() }).collect();
    let rig = Qemu { nics, extra: vec!["-device".into(), "isa-vga".into()], ..Qemu::default() };
    let (mut files, mut exec) = (pack::files()?, Vec::new());
    for (number, (_, line, _)) in CARDS.iter().enumerate() {
        let echo = format!("ECHO{number}");
        files.push((format!("{echo}.COM"), fixture("echo", &[&format!("VECTOR=0x{:X}", 0x60 + number)])?));
        exec.extend([line.to_string(), echo]);
    }
    exec.push(LINE.into());
    let mut memory = Vec::new();
    rig.run_with(&Job { files, exec, ..Job::default() }, &mut |line, monitor| {
        if line == format!("> {LINE}") {
            watch::until(monitor, ROWS, "its last row", &|rows| rows[ROWS - 1].starts_with(watch::FOOT))?;
            send(&peers);
            memory = watch::cells(monitor, ROWS)?;
            watch::press(monitor, "esc")?;
        }
        Ok(())
    })?;
    if memory.is_empty() { Err(fail(format!("{LINE} did not run"))) } else { Ok(screen::svg(LINE, &memory)) }
}

/// Sends frames to all cards.
fn send(peers: &[Peer]) {
    let begun = Instant::now();
    let mut number = 0;
    while begun.elapsed() < TIME {
        number += 1;
        let rare = if begun.elapsed() > FEWER { 2 } else { 1 };
        for (peer, (.., kinds)) in peers.iter().zip(CARDS) {
            for ((steps, len), kind) in kinds.into_iter().zip([TAKEN, UNWANTED]) {
                if number % (steps * rare) == 0 {
                    peer.send(frame(kind, len));
                }
            }
        }
        sleep(STEP);
    }
}

fn frame(kind: [u8; 2], len: usize) -> Vec<u8> {
    let mut frame = vec![0; len];
    frame[..6].fill(0xFF);
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    frame[12..14].copy_from_slice(&kind);
    frame
}
