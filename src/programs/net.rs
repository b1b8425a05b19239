//! The frames that the programs exchange: ARP, DHCP and ICMP echo over Ethernet and IPv4. Also tested on the host.
//!
//! A frame lies in a buffer of full size, so that offsets need no check. Numbers are read by 8 and 16 bits: the 32-bit byte
//! swap is an instruction that a 386 does not have.

use crate::device::{MAX_FRAME, MacAddr};

/// A buffer for a frame.
pub type Frame = [u8; MAX_FRAME as usize];
/// An IPv4 address, first byte on the wire first.
pub type Ip = [u8; 4];

/// The broadcast address.
pub const BROADCAST: MacAddr = [0xFF; 6];
/// Bytes of an Ethernet header.
pub const ETHER: usize = 14;
/// Ethernet type of IPv4.
pub const TYPE_IP: u16 = 0x0800;
/// Ethernet type of ARP.
pub const TYPE_ARP: u16 = 0x0806;
/// ARP operation: request.
pub const ARP_REQUEST: u8 = 1;
/// ARP operation: reply.
pub const ARP_REPLY: u8 = 2;
/// Bytes of an ARP frame, without padding.
pub const ARP_LEN: usize = ETHER + 28;
/// Bytes of a DHCP frame as [`dhcp`] writes it: the BOOTP minimum of 300 bytes of UDP data.
pub const DHCP_LEN: usize = IP_DATA + 8 + 300;
/// Bytes of the headers before the data of an echo.
pub const ECHO_HEADERS: usize = IP_DATA + 8;
/// The most data that fits into an echo.
pub const ECHO_MOST: usize = MAX_FRAME as usize - ECHO_HEADERS;

const IP: usize = ETHER;
const IP_DATA: usize = IP + 20;
const BOOTP: usize = IP_DATA + 8;
const BOOTP_OPTIONS: usize = BOOTP + 240;
const PROTOCOL_ICMP: u8 = 1;
const PROTOCOL_UDP: u8 = 17;
const MAGIC: [u8; 4] = [99, 130, 83, 99];

/// The byte at `at`; 0 behind the buffer's end.
fn get8(frame: &Frame, at: usize) -> u8 {
    frame.get(at).copied().unwrap_or(0)
}

/// Four bytes from `at`.
#[inline(never)]
fn get4(frame: &Frame, at: usize) -> [u8; 4] {
    [get8(frame, at), get8(frame, at + 1), get8(frame, at + 2), get8(frame, at + 3)]
}

/// Writes `bytes` from `at`.
#[inline(never)]
fn put(frame: &mut Frame, at: usize, bytes: &[u8]) {
    for (to, byte) in frame.iter_mut().skip(at).zip(bytes) {
        *to = *byte;
    }
}

/// Writes a 16-bit number, high byte first.
fn put16(frame: &mut Frame, at: usize, value: u16) {
    put(frame, at, &value.to_be_bytes());
}

/// The Internet checksum of the bytes `from..to`, added to `start`. It is 0 if a right checksum is among the bytes.
#[inline(never)]
pub fn checksum(frame: &Frame, from: usize, to: usize, start: u16) -> u16 {
    let mut sum = start as u32;
    for (i, byte) in frame.iter().enumerate().take(to).skip(from) {
        sum += if (i ^ from) & 1 == 0 { (*byte as u32) << 8 } else { *byte as u32 };
    }
    sum = (sum & 0xFFFF) + (sum >> 16);
    !((sum & 0xFFFF) + (sum >> 16)) as u16
}

/// The Ethernet type or 802.3 length.
pub fn kind(frame: &Frame) -> u16 {
    u16::from_be_bytes([frame[12], frame[13]])
}

/// Writes the Ethernet header.
#[inline(never)]
pub fn ether(frame: &mut Frame, to: &MacAddr, from: &MacAddr, kind: u16) {
    put(frame, 0, to);
    put(frame, 6, from);
    put16(frame, 12, kind);
}

/// An ARP frame for IPv4 over Ethernet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// [`ARP_REQUEST`] or [`ARP_REPLY`].
    pub operation: u8,
    /// The sender's Ethernet address.
    pub mac: MacAddr,
    /// The sender's IPv4 address.
    pub ip: Ip,
    /// The receiver's Ethernet address in a reply; zeros in a request.
    pub to_mac: MacAddr,
    /// The IPv4 address that is asked for; in a reply, that of the station that asked.
    pub to_ip: Ip,
}

/// Writes an ARP frame of [`ARP_LEN`] bytes. A request is a broadcast.
#[inline(never)]
pub fn arp(frame: &mut Frame, arp: &Arp) {
    let to = if arp.operation == ARP_REQUEST { &BROADCAST } else { &arp.to_mac };
    ether(frame, to, &arp.mac, TYPE_ARP);
    put(frame, 14, &[0, 1, 8, 0, 6, 4, 0, arp.operation]);
    put(frame, 22, &arp.mac);
    put(frame, 28, &arp.ip);
    put(frame, 32, &arp.to_mac);
    put(frame, 38, &arp.to_ip);
}

/// Reads an ARP frame of `len` bytes; `None` for everything else.
#[inline(never)]
pub fn read_arp(frame: &Frame, len: usize) -> Option<Arp> {
    if len < ARP_LEN || kind(frame) != TYPE_ARP || get4(frame, 14) != [0, 1, 8, 0] || get4(frame, 18) != [6, 4, 0, frame[21]] {
        return None;
    }
    Some(Arp {
        operation: frame[21],
        mac: [frame[22], frame[23], frame[24], frame[25], frame[26], frame[27]],
        ip: get4(frame, 28),
        to_mac: [frame[32], frame[33], frame[34], frame[35], frame[36], frame[37]],
        to_ip: get4(frame, 38),
    })
}

#[inline(never)]
fn ip_header(frame: &mut Frame, protocol: u8, from: &Ip, to: &Ip, len: usize) {
    let [high, low] = ((len - ETHER) as u16).to_be_bytes();
    put(frame, IP, &[0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0, 0]);
    put(frame, IP + 12, from);
    put(frame, IP + 16, to);
    let sum = checksum(frame, IP, IP_DATA, 0);
    put16(frame, IP + 10, sum);
}

/// The end of the IPv4 packet in a frame of `len` bytes, without padding; 0 if header or length are wrong, or if it is a
/// fragment, has options or is of another protocol.
#[inline(never)]
fn ip_end(frame: &Frame, len: usize, protocol: u8) -> usize {
    let end = ETHER + u16::from_be_bytes([frame[IP + 2], frame[IP + 3]]) as usize;
    let sound = kind(frame) == TYPE_IP
        && frame[IP] == 0x45
        && (frame[IP + 6] & 0x3F) | frame[IP + 7] == 0
        && frame[IP + 9] == protocol
        && end >= IP_DATA + 8
        && end <= len
        && checksum(frame, IP, IP_DATA, 0) == 0;
    if sound { end } else { 0 }
}

/// The UDP checksum of the packet that ends at `end`.
fn udp_sum(frame: &Frame, end: usize) -> u16 {
    let start = (end - IP_DATA) as u16 + PROTOCOL_UDP as u16;
    // The pseudo-header's addresses are right before the UDP header.
    checksum(frame, IP + 12, end, start)
}

// DHCP's message types.
/// A client looks for servers.
pub const DHCP_DISCOVER: u8 = 1;
/// A server offers an address.
pub const DHCP_OFFER: u8 = 2;
/// A client requests that address.
pub const DHCP_REQUEST: u8 = 3;
/// The server confirms it.
pub const DHCP_ACK: u8 = 5;

/// A DHCP server's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// [`DHCP_OFFER`], [`DHCP_ACK`] or a refusal.
    pub kind: u8,
    /// The address offered.
    pub ip: Ip,
    /// Subnet mask; zeros: none given.
    pub mask: Ip,
    /// First router; zeros: none given.
    pub router: Ip,
    /// The server's identifier.
    pub server: Ip,
}

/// Writes a DHCP frame of [`DHCP_LEN`] bytes: [`DHCP_DISCOVER`], or [`DHCP_REQUEST`] for the address in `offer`.
#[inline(never)]
pub fn dhcp(frame: &mut Frame, kind: u8, mac: &MacAddr, id: &[u8; 4], offer: &Lease) {
    // Options 53 (message type), 55 (mask and router wanted), 255 (end); 50 (address) and 54 (server) in a request.
    const DISCOVER: [u8; 8] = [53, 1, 0, 55, 2, 1, 3, 255];
    const REQUEST: [u8; 20] = [53, 1, 0, 55, 2, 1, 3, 50, 4, 0, 0, 0, 0, 54, 4, 0, 0, 0, 0, 255];
    frame.fill(0);
    ether(frame, &BROADCAST, mac, TYPE_IP);
    // Ports 68 and 67, length 308, checksum 0 for now; BOOTP: request, Ethernet, addresses of 6 bytes.
    put(frame, IP_DATA, &[0, 68, 0, 67, 1, 0x34, 0, 0, 1, 1, 6]);
    put(frame, BOOTP + 4, id);
    // Broadcast flag: a unicast to an address that this station does not have yet might be discarded.
    frame[BOOTP + 10] = 0x80;
    put(frame, BOOTP + 28, mac);
    put(frame, BOOTP + 236, &MAGIC);
    if kind == DHCP_DISCOVER {
        put(frame, BOOTP_OPTIONS, &DISCOVER);
    } else {
        put(frame, BOOTP_OPTIONS, &REQUEST);
        put(frame, BOOTP_OPTIONS + 9, &offer.ip);
        put(frame, BOOTP_OPTIONS + 15, &offer.server);
    }
    frame[BOOTP_OPTIONS + 2] = kind;
    ip_header(frame, PROTOCOL_UDP, &[0; 4], &[255; 4], DHCP_LEN);
    let sum = udp_sum(frame, DHCP_LEN);
    // A sum of 0 is written as FFFFh: 0 means that there is no checksum.
    put16(frame, IP_DATA + 6, if sum == 0 { 0xFFFF } else { sum });
}

/// Reads a DHCP answer to `mac` and `id` from a frame of `len` bytes; `None` for all other frames.
#[inline(never)]
pub fn read_dhcp(frame: &Frame, len: usize, mac: &MacAddr, id: &[u8; 4]) -> Option<Lease> {
    let end = ip_end(frame, len, PROTOCOL_UDP);
    let ours = end > BOOTP_OPTIONS
        && frame[IP_DATA + 3] == 68
        && frame[BOOTP] == 2
        && get4(frame, BOOTP + 4) == *id
        && frame[BOOTP + 28..BOOTP + 34] == *mac
        && get4(frame, BOOTP + 236) == MAGIC
        && (frame[IP_DATA + 6] | frame[IP_DATA + 7] == 0 || udp_sum(frame, end) == 0);
    if !ours {
        return None;
    }
    let mut lease = Lease { ip: get4(frame, BOOTP + 16), ..Lease::default() };
    let mut at = BOOTP_OPTIONS;
    while at < end && get8(frame, at) != 255 {
        let value = get4(frame, at + 2);
        match get8(frame, at) {
            53 => lease.kind = value[0],
            1 => lease.mask = value,
            3 => lease.router = value,
            54 => lease.server = value,
            _ => {}
        }
        // Option 0 has no length byte.
        at += if get8(frame, at) == 0 { 1 } else { 2 + get8(frame, at + 1) as usize };
    }
    Some(lease)
}

/// An ICMP echo: both stations and its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// This station's Ethernet address.
    pub mac: MacAddr,
    /// This station's IPv4 address.
    pub ip: Ip,
    /// The next hop's Ethernet address.
    pub to_mac: MacAddr,
    /// The IPv4 address of the station that shall answer.
    pub to_ip: Ip,
    /// The program's number.
    pub id: u8,
    /// The echo's number in the program.
    pub sequence: u16,
    /// Bytes of data, 0 to [`ECHO_MOST`].
    pub size: usize,
}

impl Echo {
    /// Bytes of the frame, without padding.
    pub fn frame_len(&self) -> usize {
        ECHO_HEADERS + self.size
    }

    /// The last four bytes of the ICMP header: identifier and sequence.
    fn numbers(&self) -> [u8; 4] {
        let [high, low] = self.sequence.to_be_bytes();
        [b'3', self.id, high, low]
    }

    /// Byte `i` of the frame, which must be in the data.
    fn data(&self, i: usize) -> u8 {
        (i as u8).wrapping_mul(7).wrapping_add(self.sequence as u8)
    }
}

/// Writes an ICMP echo request of [`Echo::frame_len`] bytes.
#[inline(never)]
pub fn echo(frame: &mut Frame, echo: &Echo) {
    let len = echo.frame_len();
    ether(frame, &echo.to_mac, &echo.mac, TYPE_IP);
    put(frame, IP_DATA, &[8, 0, 0, 0]);
    put(frame, IP_DATA + 4, &echo.numbers());
    for (i, byte) in frame.iter_mut().enumerate().take(len).skip(ECHO_HEADERS) {
        *byte = echo.data(i);
    }
    ip_header(frame, PROTOCOL_ICMP, &echo.ip, &echo.to_ip, len);
    let sum = checksum(frame, IP_DATA, len, 0);
    put16(frame, IP_DATA + 2, sum);
}

/// What a frame is to a station that waits for the answer to an [`Echo`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EchoAnswer {
    /// Another frame.
    Other,
    /// The answer, with all data right.
    Right,
    /// The answer, with wrong data, length or checksum.
    Damaged,
}

/// Compares a frame of `len` bytes with the answer to `echo`.
#[inline(never)]
pub fn read_echo(frame: &Frame, len: usize, echo: &Echo) -> EchoAnswer {
    let end = ip_end(frame, len, PROTOCOL_ICMP);
    if end == 0
        || frame[IP_DATA] != 0
        || get4(frame, IP + 12) != echo.to_ip
        || get4(frame, IP_DATA + 4) != echo.numbers()
    {
        return EchoAnswer::Other;
    }
    let whole = end == echo.frame_len()
        && checksum(frame, IP_DATA, end, 0) == 0
        && frame.iter().enumerate().take(end).skip(ECHO_HEADERS).all(|(i, byte)| *byte == echo.data(i));
    if whole { EchoAnswer::Right } else { EchoAnswer::Damaged }
}

/// Whether both addresses are in one subnet with this mask.
pub fn same_net(one: &Ip, other: &Ip, mask: &Ip) -> bool {
    (u32::from_le_bytes(*one) ^ u32::from_le_bytes(*other)) & u32::from_le_bytes(*mask) == 0
}
