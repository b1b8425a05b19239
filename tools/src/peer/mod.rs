//! An Ethernet station on the host, at the other end of a NIC's cable in QEMU (`-netdev dgram` on a pair of local
//! datagram sockets). It answers ARP, echo and DHCP, speaks the test protocol ([`compkt::wire`]) and keeps what it heard.
//!
//! Local sockets rather than UDP ports: a full queue holds the sender back instead of dropping, and no two runs
//! can meet on one port.

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

/// How long the peer sleeps when nothing comes.
const IDLE: Duration = Duration::from_millis(10);
/// The same while frames wait to be sent.
const BUSY: Duration = Duration::from_micros(200);
/// Frames that may wait for QEMU; what comes on top of them is lost, as in a switch.
const QUEUE: usize = 4096;
/// Frames that are kept; later ones are only answered.
const KEPT: usize = 200_000;
const LONGEST: usize = 65_536;

/// Which way a kept frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// DOS sent it.
    Dos,
    /// The peer sent it.
    Peer,
}

/// A running peer; it ends with its owner.
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
    /// The usual one: 10.0.2.2, which leases 10.0.2.15, as QEMU's own network does.
    pub fn new() -> io::Result<Peer> {
        Peer::start(Identity { mac: [0x52, 0x55, 10, 0, 2, 2], ip: [10, 0, 2, 2], lease: [10, 0, 2, 15] })
    }

    /// Starts one.
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

    /// The cable to it, for a [`crate::rig::qemu::Nic`].
    pub fn cable(&self) -> Net {
        Net::Peer { qemu: qemu_path(self.folder.path()), peer: peer_path(self.folder.path()) }
    }

    /// Every frame so far, both ways, in order.
    pub fn frames(&self) -> Vec<(From, Frame)> {
        lock(&self.shared).kept.clone()
    }

    /// What was heard of a seed's `count` frames.
    pub fn tally(&self, seed: u32, count: u16) -> Tally {
        lock(&self.shared).flows.tally(seed, count)
    }

    /// Sends a frame as it stands.
    pub fn send(&self, frame: Vec<u8>) {
        lock(&self.shared).queue.push_back(frame);
    }

    /// From now on (or no longer) it only listens: no answer to anything.
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
        // Without a frame: the time is up, or QEMU has not begun or has gone.
        let Ok(count) = socket.recv(&mut buffer) else { continue };
        lock(shared).hear(&buffer[..count], begun);
    }
}

/// Sends what is due, as far as QEMU takes it. Is there more to come?
fn transmit(socket: &UnixDatagram, qemu: &Path, state: &mut State, begun: Instant) -> bool {
    let _ = socket.set_nonblocking(true);
    let mut held = false;
    loop {
        if state.queue.is_empty() {
            let now = Instant::now();
            let mac = state.identity.mac;
            let Some(mut frame) = state.flows.next(&mac, now) else { break };
            // No wire carries a shorter one. Most of QEMU's cards pad what they receive, its tulip does not.
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
            // Nobody there: as with a cable that ends nowhere.
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
