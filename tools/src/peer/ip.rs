//! The peer's Internet side: ARP for its own address, echo, and a DHCP server with one lease.

use compkt::device::MacAddr;

const ARP: u16 = 0x0806;
const IPV4: u16 = 0x0800;
const BROADCAST: MacAddr = [0xFF; 6];
/// Ethernet and IPv4 as ARP writes them, then the operation.
const ARP_KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];
const ICMP: u8 = 1;
const UDP: u8 = 17;
const DHCP_COOKIE: [u8; 4] = [99, 130, 83, 99];
const LEASE_SECONDS: u32 = 3600;

/// The peer's addresses.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// Its Ethernet address.
    pub mac: MacAddr,
    /// Its IPv4 address: also the router and DHCP server.
    pub ip: [u8; 4],
    /// The address that its DHCP server gives to every client.
    pub lease: [u8; 4],
}

impl Identity {
    /// The answer to a frame, if it is ARP, echo or DHCP for the peer.
    pub fn answer(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let to: MacAddr = *frame.first_chunk()?;
        if to != self.mac && to != BROADCAST {
            return None;
        }
        match u16::from_be_bytes(*frame.get(12..14)?.first_chunk()?) {
            ARP => self.arp(frame.get(14..)?),
            IPV4 => self.ipv4(frame),
            _ => None,
        }
    }

    fn arp(&self, body: &[u8]) -> Option<Vec<u8>> {
        let (who, request) = (body.get(8..18)?, *body.get(7)?);
        if body[..6] != ARP_KIND || request != 1 || *body.get(24..28)? != self.ip {
            return None;
        }
        let mut answer = ARP_KIND.to_vec();
        answer.extend([0, 2]);
        answer.extend(self.mac);
        answer.extend(self.ip);
        answer.extend(who);
        Some(self.frame(who.first_chunk()?, ARP, &answer))
    }

    fn ipv4(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let header = usize::from(frame.get(14)? & 15) * 4;
        let total = usize::from(u16::from_be_bytes(*frame.get(16..18)?.first_chunk()?));
        let packet = frame.get(14..14 + total)?;
        let data = packet.get(header..)?;
        // Packets with options and fragments are ignored.
        if packet[0] != 0x45 || sum(&packet[..header]) != 0 || packet[6] & 0x3F != 0 || packet[7] != 0 {
            return None;
        }
        let from: MacAddr = *frame.get(6..12)?.first_chunk()?;
        let (source, destination): ([u8; 4], [u8; 4]) = (*packet.get(12..16)?.first_chunk()?, *packet.get(16..20)?.first_chunk()?);
        match packet[9] {
            ICMP if destination == self.ip && *data.first()? == 8 && sum(data) == 0 => {
                let mut answer = data.to_vec();
                answer[0] = 0;
                answer[2..4].fill(0);
                let check = sum(&answer);
                answer[2..4].copy_from_slice(&check.to_be_bytes());
                Some(self.packet(&from, source, ICMP, &answer))
            }
            UDP if *data.get(2..4)? == [0, 67] => self.dhcp(data.get(8..)?),
            _ => None,
        }
    }

    fn dhcp(&self, request: &[u8]) -> Option<Vec<u8>> {
        if request.len() < 240 || request[0] != 1 || request[236..240] != DHCP_COOKIE {
            return None;
        }
        let kind = option(&request[240..], 53)?.first().copied()?;
        let wanted: [u8; 4] = match option(&request[240..], 50).and_then(|bytes| bytes.first_chunk()) {
            Some(address) => *address,
            None => *request[12..16].first_chunk()?,
        };
        let answer = match kind {
            1 => 2,
            3 if wanted == self.lease => 5,
            3 => 6,
            _ => return None,
        };
        let client: MacAddr = *request[28..34].first_chunk()?;
        let mut reply = request[..236].to_vec();
        reply[0] = 2;
        reply[16..20].copy_from_slice(if answer == 6 { &[0; 4] } else { &self.lease });
        reply[20..24].copy_from_slice(&self.ip);
        reply[44..236].fill(0);
        reply.extend(DHCP_COOKIE);
        reply.extend([53, 1, answer, 54, 4]);
        reply.extend(self.ip);
        if answer != 6 {
            reply.extend([51, 4]);
            reply.extend(LEASE_SECONDS.to_be_bytes());
            reply.extend([1, 4, 255, 255, 255, 0, 3, 4]);
            reply.extend(self.ip);
            reply.extend([6, 4]);
            reply.extend(self.ip);
        }
        reply.push(255);
        reply.resize(reply.len().max(300), 0);

        let mut udp = vec![0, 67, 0, 68];
        udp.extend((8 + reply.len() as u16).to_be_bytes());
        udp.extend([0, 0]);
        udp.extend(reply);
        let broadcast = request[10] & 0x80 != 0 || answer == 6;
        let (mac, ip) = if broadcast { (BROADCAST, [255; 4]) } else { (client, self.lease) };
        Some(self.packet(&mac, ip, UDP, &udp))
    }

    fn packet(&self, to: &MacAddr, destination: [u8; 4], protocol: u8, data: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0];
        packet.extend((20 + data.len() as u16).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
        packet.extend(self.ip);
        packet.extend(destination);
        let check = sum(&packet);
        packet[10..12].copy_from_slice(&check.to_be_bytes());
        packet.extend(data);
        self.frame(to, IPV4, &packet)
    }

    fn frame(&self, to: &MacAddr, kind: u16, body: &[u8]) -> Vec<u8> {
        let mut frame = to.to_vec();
        frame.extend(self.mac);
        frame.extend(kind.to_be_bytes());
        frame.extend(body);
        frame.resize(frame.len().max(60), 0);
        frame
    }
}

/// The Internet checksum; 0 over data that includes a right one.
pub fn sum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low))).sum();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16)
}

/// The bytes of a DHCP option.
fn option(mut options: &[u8], wanted: u8) -> Option<&[u8]> {
    loop {
        let (&code, rest) = options.split_first()?;
        match code {
            0 => options = rest,
            255 => return None,
            _ => {
                let (&length, rest) = rest.split_first()?;
                let (value, rest) = rest.split_at_checked(length.into())?;
                if code == wanted {
                    return Some(value);
                }
                options = rest;
            }
        }
    }
}
