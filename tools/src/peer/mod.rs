//! The peer: an Ethernet station on the host at the other end of a NIC's cable in QEMU (`-netdev dgram` with a pair of local
//! datagram sockets). It answers ARP, echo and DHCP, speaks the test protocol ([`compkt::wire`]) and keeps received frames.
//!
//! It uses local sockets, not UDP: a full queue makes the sender wait and drops nothing, and two runs cannot use the same
//! port.

pub mod flows;
pub mod ip;
pub mod pcap;

use crate::process::TempDir;
use crate::rig::qemu::Net;
use compkt::device::MIN_FRAME;
use compkt::wire::Tally;
use flows::Flows;
use ip::Identity;
use pcap::Frame;
use std::collections::VecDeque;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

/// Time that the peer sleeps if no frame comes.
const IDLE: Duration = Duration::from_millis(10);
/// The same while frames wait to be sent.
const BUSY: Duration = Duration::from_micros(200);
/// The most frames that wait for QEMU; further ones are lost, as in a switch.
const QUEUE: usize = 4096;
/// The most frames that are kept; later ones are answered only.
const KEPT: usize = 200_000;
const LONGEST: usize = 65_536;

/// The sender of a kept frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// DOS sent it.
    Dos,
    /// The peer sent it.
    Peer,
}

/// A running peer. It ends when it is dropped.
pub struct Peer {
    folder: TempDir,
    shared: Arc<Mutex<State>>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    identity: Identity,
    flows: Flows,
    kept: Vec<(From, Frame)>,
    queue: VecDeque<Vec<u8>>,
    silent: bool,
}

impl Peer {
    /// Starts the usual peer: 10.0.2.2, which leases 10.0.2.15, like QEMU's own network.
    pub fn new() -> io::Result<Peer> {
        Peer::start(Identity { mac: [0x52, 0x55, 10, 0, 2, 2], ip: [10, 0, 2, 2], lease: [10, 0, 2, 15] })
    }

    /// Starts a peer.
    pub fn start(identity: Identity) -> io::Result<Peer> {
        let folder = TempDir::new("peer")?;
        let socket = UnixDatagram::bind(peer_path(folder.path()))?;
        let state = State { identity, flows: Flows::default(), kept: Vec::new(), queue: VecDeque::new(), silent: false };
        let shared = Arc::new(Mutex::new(state));
        let end = Arc::new(AtomicBool::new(false));
        let (inner, stop, qemu) = (shared.clone(), end.clone(), qemu_path(folder.path()));
        let thread = spawn(move || serve(&socket, &qemu, &inner, &stop));
        Ok(Peer { folder, shared, end, thread: Some(thread) })
    }

    /// The cable to the peer, for a [`crate::rig::qemu::Nic`].
    pub fn cable(&self) -> Net {
        Net::Peer { qemu: qemu_path(self.folder.path()), peer: peer_path(self.folder.path()) }
    }

    /// All frames so far, in both directions, in order.
    pub fn frames(&self) -> Vec<(From, Frame)> {
        lock(&self.shared).kept.clone()
    }

    /// The tally of a flow.
    pub fn tally(&self, seed: u32, count: u16) -> Tally {
        lock(&self.shared).flows.tally(seed, count)
    }

    /// Sends a frame as it is.
    pub fn send(&self, frame: Vec<u8>) {
        lock(&self.shared).queue.push_back(frame);
    }

    /// Switches answers off or on.
    pub fn silence(&self, silent: bool) {
        lock(&self.shared).silent = silent;
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn qemu_path(folder: &Path) -> PathBuf {
    folder.join("qemu")
}

fn peer_path(folder: &Path) -> PathBuf {
    folder.join("peer")
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(socket: &UnixDatagram, qemu: &Path, shared: &Mutex<State>, end: &AtomicBool) {
    let begun = Instant::now();
    let mut buffer = vec![0; LONGEST];
    while !end.load(Ordering::Relaxed) {
        let busy = transmit(socket, qemu, &mut lock(shared), begun);
        let _ = socket.set_read_timeout(Some(if busy { BUSY } else { IDLE }));
        // No frame: time is up, or QEMU has not begun or has ended.
        let Ok(count) = socket.recv(&mut buffer) else { continue };
        lock(shared).hear(&buffer[..count], begun);
    }
}

/// Sends frames that are due, as far as QEMU takes them; returns whether some are left.
fn transmit(socket: &UnixDatagram, qemu: &Path, state: &mut State, begun: Instant) -> bool {
    let _ = socket.set_nonblocking(true);
    let mut held = false;
    loop {
        if state.queue.is_empty() {
            let now = Instant::now();
            let mac = state.identity.mac;
            let Some(mut frame) = state.flows.next(&mac, now) else { break };
            // No wire has a shorter frame. Most of QEMU's cards pad what they receive; its tulip does not.
            frame.resize(frame.len().max(MIN_FRAME.into()), 0);
            state.queue.push_back(frame);
        }
        let Some(frame) = state.queue.front() else { break };
        match socket.send_to(frame, qemu) {
            Ok(_) => {
                let bytes = state.queue.pop_front().unwrap_or_default();
                state.keep(From::Peer, bytes, begun);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                held = true;
                break;
            }
            // QEMU does not listen: the frame is lost, as with a cable that is not plugged in.
            Err(_) => drop(state.queue.pop_front()),
        }
    }
    let _ = socket.set_nonblocking(false);
    held || state.flows.pending()
}

impl State {
    fn hear(&mut self, frame: &[u8], begun: Instant) {
        self.keep(From::Dos, frame.to_vec(), begun);
        if self.silent {
            return;
        }
        let mac = self.identity.mac;
        let answer = self.identity.answer(frame).or_else(|| self.flows.hear(&mac, frame, Instant::now()));
        if let Some(answer) = answer
            && self.queue.len() < QUEUE
        {
            self.queue.push_back(answer);
        }
    }

    fn keep(&mut self, from: From, bytes: Vec<u8>, begun: Instant) {
        if self.kept.len() < KEPT {
            self.kept.push((from, Frame { at: begun.elapsed(), bytes }));
        }
    }
}
