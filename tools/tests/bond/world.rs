//! A bond of simulated NICs: what the image has as statics and routines is here a struct.

use compkt::bond::bond::{Below, Bond, SENT};
use compkt::bond::doubles::{self, Around, Doubles};
use compkt::bond::flows::{self, Above, Flow, Table};
use compkt::bond::{Arp, BALANCE, Fields, HEAD, Row};
use compkt::device::{Job, Link, MacAddr, Rx};

pub const ROWS: u16 = 0x1000;
pub const TABLE: u16 = 0x2000;
/// The bond's address.
pub const STATION: MacAddr = [2, 0, 0, 0, 0, 0xAA];
/// The frame of the station to which clients send.
pub const OTHER: MacAddr = [2, 0, 0, 0, 0, 0x55];

/// A NIC.
#[derive(Clone, Copy, Debug)]
pub struct Nic {
    pub link: Link,
    /// What it answers when it is to send.
    pub answer: u8,
    /// It has said that its link may have changed.
    pub event: bool,
}

pub struct World {
    pub fields: Fields,
    pub rows: Vec<Row>,
    pub flows: flows::Fields,
    pub table: Vec<[Flow; 2]>,
    pub doubles: doubles::Fields,
    pub job: Job,
    pub nics: Vec<Nic>,
    pub ticks: u16,
    pub clock: u16,
    pub alone: bool,
    pub current: u16,
    /// Whether the flow table chooses.
    pub spreads: bool,
    pub wanted: u16,
    /// The job's frame, which is the client's memory.
    pub frame: Vec<u8>,
    /// Frames by the NICs that have sent them.
    pub sent: Vec<(usize, Vec<u8>)>,
}

/// The near address of a NIC.
pub fn near(nic: usize) -> u16 {
    ROWS + Row::SIZE * nic as u16
}

impl World {
    /// A bond of so many NICs, all well, and a table of so many sets.
    pub fn new(mode: u8, nics: usize, sets: usize) -> Box<World> {
        assert!(sets.is_power_of_two());
        let row = |nic: usize| Row { state: Row::USABLE, own: [2, 0, 0, 0, 0, nic as u8], cost: flows::SLOWEST, slave: 7, ..Row::default() };
        Box::new(World {
            fields: Fields { mode, first: ROWS, end: near(nics), active: ROWS, looked: ROWS, ..Fields::NEW },
            rows: (0..nics).map(row).collect(),
            flows: flows::Fields { table: TABLE, mask: (sets as u16 - 1) * 16, ..flows::Fields::NEW },
            table: vec![[Flow::default(); 2]; sets],
            doubles: doubles::Fields::NEW,
            job: Job::default(),
            nics: vec![Nic { link: Link::Up, answer: SENT, event: false }; nics],
            ticks: 0,
            clock: 0,
            alone: true,
            current: ROWS,
            spreads: mode >= BALANCE,
            wanted: 0,
            frame: vec![],
            sent: vec![],
        })
    }

    pub fn bond(&mut self) -> Bond<Here> {
        Bond(Here(self))
    }

    pub fn flow_table(&mut self) -> Table<Here> {
        Table(Here(self))
    }

    /// The NIC that receives.
    pub fn active(&self) -> usize {
        usize::from((self.fields.active - ROWS) / Row::SIZE)
    }

    pub fn is_usable(&self, nic: usize) -> bool {
        self.rows[nic].state & Row::USABLE != 0
    }

    /// Frames whose flow was new.
    pub fn misses(&self) -> u16 {
        self.rows.iter().map(|row| row.given).sum()
    }

    /// A client sends a frame, which must be as it was behind that. The answer, and the NICs that have sent.
    pub fn send(&mut self, frame: &[u8]) -> (u8, Vec<usize>) {
        self.frame = frame.to_vec();
        self.job.len = frame.len() as u16;
        let before = self.sent.len();
        let answer = self.bond().send();
        assert_eq!(self.frame, frame, "the client's frame was changed");
        (answer, self.sent[before..].iter().map(|sent| sent.0).collect())
    }

    /// A frame by one NIC; the NIC.
    pub fn by(&mut self, frame: &[u8]) -> usize {
        let (answer, nics) = self.send(frame);
        assert_eq!((answer, nics.len()), (SENT, 1));
        nics[0]
    }

    /// A frame comes by a NIC: whether it is offered to clients.
    pub fn receive(&mut self, nic: usize, frame: &[u8]) -> bool {
        self.current = near(nic);
        self.job.head = [0; 24];
        let len = frame.len().min(24);
        self.job.head[..len].copy_from_slice(&frame[..len]);
        self.job.rx = Rx::new(frame.len() as u16);
        self.bond().peeked();
        Doubles(Here(self)).peeked();
        Rx::word(self.job.rx) > 0
    }

    /// Timer ticks.
    pub fn pass(&mut self, ticks: u16) {
        for _ in 0..ticks {
            self.ticks = self.ticks.wrapping_add(1);
            self.bond().tick();
            self.flow_table().tick();
        }
    }
}

#[derive(Clone, Copy)]
pub struct Here(*mut World);

impl Here {
    fn world(self) -> &'static mut World {
        // SAFETY: one thread, and no two references are used at once.
        unsafe { &mut *self.0 }
    }

    fn number(self, near: u16) -> usize {
        let number = usize::from(near.wrapping_sub(ROWS) / Row::SIZE);
        assert!(near >= ROWS && (near - ROWS) % Row::SIZE == 0 && number < self.world().rows.len(), "{near:#x} is no NIC");
        number
    }
}

impl Below for Here {
    fn fields(self) -> *mut Fields {
        &raw mut self.world().fields
    }

    fn row(self, near: u16) -> *mut Row {
        let number = self.number(near);
        &raw mut self.world().rows[number]
    }

    fn job(self) -> *mut Job {
        &raw mut self.world().job
    }

    fn now(self) -> u16 {
        self.world().ticks
    }

    fn clock(self) -> u16 {
        self.world().clock
    }

    fn is_alone(self) -> bool {
        self.world().alone
    }

    fn current(self) -> u16 {
        self.world().current
    }

    fn has_event(self, nic: u16) -> bool {
        self.world().nics[self.number(nic)].event
    }

    fn link(self, nic: u16) -> u8 {
        self.world().nics[self.number(nic)].link as u8
    }

    fn send(self, nic: u16) -> u8 {
        let (number, world) = (self.number(nic), self.world());
        let answer = world.nics[number].answer;
        if answer == SENT {
            world.sent.push((number, world.frame[..usize::from(world.job.len)].to_vec()));
        }
        answer
    }

    fn exchange(self, row: *mut Row) {
        // SAFETY: one of the rows.
        self.world().frame[6..12].swap_with_slice(unsafe { &mut (*row).own });
    }

    fn fetch(self) {
        let world = self.world();
        // What lies behind a short frame is anything.
        let mut bytes = [0x5A; HEAD];
        let len = world.frame.len().min(HEAD);
        bytes[..len].copy_from_slice(&world.frame[..len]);
        let words: Vec<u16> = bytes.chunks(2).map(|word| u16::from_le_bytes([word[0], word[1]])).collect();
        world.fields.head = words.try_into().unwrap();
    }

    fn choose(self) -> u16 {
        let world = self.world();
        if world.spreads { Table(self).choose() } else { world.fields.active }
    }

    fn compose(self) {
        let world = self.world();
        world.fields.arp.from = STATION;
        world.fields.arp.sender = STATION;
        let arp = world.fields.arp;
        // SAFETY: all of it is bytes.
        world.frame = unsafe { std::mem::transmute::<Arp, [u8; 42]>(arp) }.to_vec();
        world.job.len = 42;
    }
}

impl Above for Here {
    fn fields(self) -> *mut flows::Fields {
        &raw mut self.world().flows
    }

    fn bond(self) -> *mut Fields {
        &raw mut self.world().fields
    }

    fn row(self, near: u16) -> *mut Row {
        Below::row(self, near)
    }

    fn flow(self, near: u16) -> *mut Flow {
        let (set, way) = ((near - TABLE) / 16, (near - TABLE) % 16 / 8);
        assert_eq!((near - TABLE) % 8, 0);
        &raw mut self.world().table[usize::from(set)][usize::from(way)]
    }

    fn set(self, near: u16) -> *mut [Flow; 2] {
        assert_eq!((near - TABLE) % 16, 0);
        &raw mut self.world().table[usize::from((near - TABLE) / 16)]
    }

    fn job(self) -> *mut Job {
        &raw mut self.world().job
    }

    fn now(self) -> u16 {
        self.world().ticks
    }

    fn wanted(self) -> u16 {
        self.world().wanted
    }
}

impl Around for Here {
    fn fields(self) -> *mut doubles::Fields {
        &raw mut self.world().doubles
    }

    fn bond(self) -> *mut Fields {
        &raw mut self.world().fields
    }

    fn job(self) -> *mut Job {
        &raw mut self.world().job
    }

    fn address(self) -> *const MacAddr {
        &STATION
    }

    fn now(self) -> u16 {
        self.world().ticks
    }

    fn current(self) -> u16 {
        self.world().current
    }
}

/// A frame to the other station, with a type and what follows.
pub fn ethernet(to: &MacAddr, kind: u16, body: &[u8]) -> Vec<u8> {
    [to, &STATION, &kind.to_be_bytes()[..], body].concat()
}

/// An IPv4 frame: fragment field, protocol, addresses' last bytes, ports.
pub fn ipv4(fragment: u16, protocol: u8, hosts: [u8; 2], ports: [u16; 2]) -> Vec<u8> {
    let mut body = vec![0; 20];
    body[0] = 0x45;
    body[6..8].copy_from_slice(&fragment.to_be_bytes());
    body[9] = protocol;
    body[12..16].copy_from_slice(&[10, 0, 0, hosts[0]]);
    body[16..20].copy_from_slice(&[10, 0, 7, hosts[1]]);
    body.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    body.resize(100, 0xEE);
    ethernet(&OTHER, 0x0800, &body)
}

/// An IPv6 frame.
pub fn ipv6(next: u8, hosts: [u8; 2], ports: [u16; 2]) -> Vec<u8> {
    let mut body = vec![0; 40];
    body[0] = 0x60;
    body[6] = next;
    (body[23], body[39]) = (hosts[0], hosts[1]);
    body.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    body.resize(100, 0xEE);
    ethernet(&OTHER, 0x86DD, &body)
}

/// An ARP frame of a client with this address.
pub fn arp(ip: [u8; 4]) -> Vec<u8> {
    let mut body = vec![0, 1, 8, 0, 6, 4, 0, 1];
    body.extend(STATION);
    body.extend(ip);
    body.extend([0; 6]);
    body.extend([10, 0, 0, 99]);
    ethernet(&[0xFF; 6], 0x0806, &body)
}
