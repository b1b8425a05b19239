//! The IP station of `PKTCTL test`: DHCP, ARP and ICMP echo, by INT 60h only.

use compkt::device::{MAX_FRAME, MacAddr};
use compkt::programs::net::{self, Arp, Echo, EchoAnswer, Frame, Ip, Lease};
use compkt::programs::rt::clock::{Deadline, Stopwatch};
use compkt::programs::rt::{inbox, interrupted, packet::Driver};

/// BIOS ticks to wait for an answer: 2 s.
const PATIENCE: u16 = 36;
/// The most times that a request is sent.
const ATTEMPTS: u8 = 3;

/// Why a request got no answer.
pub enum Failure {
    /// The driver refused to send, with this error.
    Send(u8),
    /// The driver refused to send, with this error, because it rests.
    Rests(u8),
    /// No answer came in time.
    Silence,
    /// The answer to an echo had other data than the request.
    Damaged,
    /// The DHCP server refused.
    Refused,
    /// The user pressed Ctrl-C.
    Interrupted,
}

/// This station.
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

    /// Answers ARP requests for this station, and calls `look` with every frame, until `look` is content or time is over.
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
                    // If this is lost, the other station asks again.
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

    /// Sends the request in the frame, several times if needed, until `look` is content. A driver that refuses a repetition may
    /// still have the first request in the card's ring, and sends it when the link has negotiated.
    #[inline(never)]
    fn ask(&mut self, len: usize, look: &mut dyn FnMut(&Frame, usize) -> bool) -> Result<(), Failure> {
        for attempt in 0..ATTEMPTS {
            match self.send(len) {
                Err(Failure::Send(_)) if attempt != 0 => {}
                sent => sent?,
            }
            match self.wait(look) {
                Err(Failure::Silence) => {}
                end => return end,
            }
        }
        Err(Failure::Silence)
    }

    /// Sends a DHCP message and waits for the answer.
    #[inline(never)]
    fn dhcp(&mut self, kind: u8, id: &[u8; 4], lease: &mut Lease) -> Result<(), Failure> {
        let mac = self.mac;
        net::dhcp(&mut self.frame, kind, &mac, id, lease);
        self.ask(net::DHCP_LEN, &mut |frame, len| match net::read_dhcp(frame, len, &mac, id) {
            // Ignores a late second offer while an acknowledgement is expected.
            Some(said) if (said.kind == net::DHCP_OFFER) == (kind == net::DHCP_DISCOVER) => {
                *lease = said;
                true
            }
            _ => false,
        })
    }

    /// Gets an address from a DHCP server: offer, then acknowledgement.
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

    /// The Ethernet address of a station in the same subnet.
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

    /// Sends an echo; returns the microseconds until its answer.
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
