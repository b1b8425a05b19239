//! A station with just enough IP for `PKTCTL test`: DHCP, ARP and echo through INT 60h alone.

use compkt::device::{MAX_FRAME, MacAddr};
use compkt::programs::net::{self, Arp, Echo, EchoAnswer, Frame, Ip, Lease};
use compkt::programs::rt::clock::{Deadline, Stopwatch};
use compkt::programs::rt::{inbox, interrupted, packet::Driver};

/// BIOS ticks to wait for an answer: 2 s.
const PATIENCE: u16 = 36;
/// How often a question is asked.
const ATTEMPTS: u8 = 3;

/// Why a question has no answer.
pub enum Failure {
    /// The driver refused to send, with this error.
    Send(u8),
    /// The same, because it rests.
    Rests(u8),
    /// No answer within the time.
    Silence,
    /// An answer to an echo that was not what had been sent.
    Damaged,
    /// The DHCP server said no.
    Refused,
    /// Ctrl-C.
    Interrupted,
}

/// Us.
pub struct Station {
    driver: Driver,
    pub mac: MacAddr,
    pub ip: Ip,
    frame: Frame,
}

impl Station {
    pub fn new(driver: Driver, mac: MacAddr, ip: Ip) -> Station {
        Station { driver, mac, ip, frame: [0; MAX_FRAME as usize] }
    }

    #[inline(never)]
    fn send(&self, len: usize) -> Result<(), Failure> {
        let sent = self.driver.send(self.frame.get(..len).unwrap_or(&[]));
        let rests = || self.driver.block().is_some_and(|block| block.rests());
        sent.map_err(|code| if rests() { Failure::Rests(code) } else { Failure::Send(code) })
    }

    /// Tells everyone who asks for our address, and gives every frame to `look` until it is content or the time is over.
    #[inline(never)]
    fn wait(&mut self, look: &mut dyn FnMut(&Frame, usize) -> bool) -> Result<(), Failure> {
        let deadline = Deadline::after(PATIENCE);
        while !deadline.over() {
            let seen = inbox::take(|frame| (net::read_arp(frame.bytes, frame.len), look(frame.bytes, frame.len)));
            if let Some((arp, found)) = seen {
                if let Some(arp) = arp.filter(|arp| arp.operation == net::ARP_REQUEST && arp.to_ip == self.ip) {
                    let mut frame = [0; MAX_FRAME as usize];
                    net::arp(&mut frame, &Arp {
                        operation: net::ARP_REPLY,
                        mac: self.mac,
                        ip: self.ip,
                        to_mac: arp.mac,
                        to_ip: arp.ip,
                    });
                    // Who asked will ask again if this is lost.
                    let _ = self.driver.send(frame.get(..net::ARP_LEN).unwrap_or(&[]));
                }
                if found {
                    return Ok(());
                }
            }
            if interrupted() {
                return Err(Failure::Interrupted);
            }
        }
        Err(Failure::Silence)
    }

    /// Asks what stands in the frame, several times.
    #[inline(never)]
    fn ask(&mut self, len: usize, look: &mut dyn FnMut(&Frame, usize) -> bool) -> Result<(), Failure> {
        for _ in 0..ATTEMPTS {
            self.send(len)?;
            match self.wait(look) {
                Err(Failure::Silence) => {}
                end => return end,
            }
        }
        Err(Failure::Silence)
    }

    /// One question to the DHCP server.
    #[inline(never)]
    fn dhcp(&mut self, kind: u8, id: &[u8; 4], lease: &mut Lease) -> Result<(), Failure> {
        let mac = self.mac;
        net::dhcp(&mut self.frame, kind, &mac, id, lease);
        self.ask(net::DHCP_LEN, &mut |frame, len| match net::read_dhcp(frame, len, &mac, id) {
            // An offer that comes late answers the first question once more.
            Some(said) if (said.kind == net::DHCP_OFFER) == (kind == net::DHCP_DISCOVER) => {
                *lease = said;
                true
            }
            _ => false,
        })
    }

    /// An address from a DHCP server, offered and then acknowledged.
    pub fn lease(&mut self, id: [u8; 4]) -> Result<Lease, Failure> {
        let mut lease = Lease::default();
        self.dhcp(net::DHCP_DISCOVER, &id, &mut lease)?;
        self.dhcp(net::DHCP_REQUEST, &id, &mut lease)?;
        if lease.kind != net::DHCP_ACK {
            return Err(Failure::Refused);
        }
        self.ip = lease.ip;
        Ok(lease)
    }

    /// The Ethernet address of a station on our net.
    pub fn resolve(&mut self, ip: Ip) -> Result<MacAddr, Failure> {
        let mut found = [0; 6];
        net::arp(&mut self.frame, &Arp {
            operation: net::ARP_REQUEST,
            mac: self.mac,
            ip: self.ip,
            to_mac: found,
            to_ip: ip,
        });
        self.ask(net::ARP_LEN, &mut |frame, len| {
            let reply = net::read_arp(frame, len).filter(|arp| arp.operation == net::ARP_REPLY && arp.ip == ip);
            reply.map(|arp| found = arp.mac).is_some()
        })?;
        Ok(found)
    }

    /// One echo; microseconds until its answer.
    pub fn echo(&mut self, echo: &Echo) -> Result<u32, Failure> {
        net::echo(&mut self.frame, echo);
        let mut answer = EchoAnswer::Other;
        let mut watch = Stopwatch::start();
        self.send(echo.frame_len())?;
        self.wait(&mut |frame, len| {
            answer = net::read_echo(frame, len, echo);
            answer != EchoAnswer::Other
        })?;
        if answer == EchoAnswer::Damaged { Err(Failure::Damaged) } else { Ok(watch.microseconds()) }
    }
}
