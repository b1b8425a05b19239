//! The DOS programs' own network code and command lines, on the host.

use compkt::device::MAX_FRAME;
use compkt::programs::net::*;
use compkt::programs::options;

const US: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
const THEM: [u8; 6] = [0x52, 0x55, 10, 0, 2, 2];
const OUR_IP: Ip = [10, 0, 2, 15];
const THEIR_IP: Ip = [10, 0, 2, 2];

fn empty() -> Frame {
    [0xEE; MAX_FRAME as usize]
}

/// The checksum of RFC 1071, computed in a simple way.
fn sum(bytes: &[u8]) -> u16 {
    let mut sum: u64 = bytes.chunks(2).map(|pair| u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0))).sum();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16)
}

#[test]
fn checksums_agree_with_the_long_way() {
    let mut frame = empty();
    for (i, byte) in frame.iter_mut().enumerate() {
        *byte = (i * 37 + i / 256) as u8;
    }
    for from in [14, 15, 34] {
        for to in [from, from + 1, from + 2, from + 777, frame.len()] {
            assert_eq!(checksum(&frame, from, to, 0), sum(&frame[from..to]), "{from}..{to}");
        }
    }
    frame.fill(0xFF);
    assert_eq!(checksum(&frame, 0, frame.len(), 0), 0);
}

#[test]
fn arp_request_is_as_rfc_826_draws_it() {
    let mut frame = empty();
    arp(&mut frame, &Arp { operation: ARP_REQUEST, mac: US, ip: OUR_IP, to_mac: [0; 6], to_ip: THEIR_IP });
    let mut expected = vec![0xFF; 6];
    expected.extend(US);
    expected.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    expected.extend(US);
    expected.extend(OUR_IP);
    expected.extend([0; 6]);
    expected.extend(THEIR_IP);
    assert_eq!(frame[..ARP_LEN], expected);
    assert_eq!(frame[ARP_LEN], 0xEE);
    let read = read_arp(&frame, 60).expect("an ARP frame");
    assert_eq!((read.mac, read.ip, read.to_ip), (US, OUR_IP, THEIR_IP));
    assert_eq!(read_arp(&frame, ARP_LEN - 1), None);
    for at in 12..21 {
        frame[at] ^= 0x10;
        assert_eq!(read_arp(&frame, 60), None, "byte {at} changed");
        frame[at] ^= 0x10;
    }
}

#[test]
fn arp_reply_goes_to_who_asked() {
    let mut frame = empty();
    let reply = Arp { operation: ARP_REPLY, mac: US, ip: OUR_IP, to_mac: THEM, to_ip: THEIR_IP };
    arp(&mut frame, &reply);
    assert_eq!(frame[..6], THEM);
    assert_eq!(read_arp(&frame, 60), Some(reply));
}

/// Turns a frame of [`dhcp`] into a server's answer.
fn answer(request: &Frame, options: &[u8]) -> Frame {
    let mut frame = *request;
    frame[42] = 2;
    frame[58..62].copy_from_slice(&OUR_IP);
    frame[34..38].copy_from_slice(&[0, 67, 0, 68]);
    frame[282..282 + options.len()].copy_from_slice(options);
    seal(&mut frame, DHCP_LEN);
    frame
}

/// Writes the checksums of IP and UDP.
fn seal(frame: &mut Frame, len: usize) {
    frame[24..26].fill(0);
    let ip = sum(&frame[14..34]).to_be_bytes();
    frame[24..26].copy_from_slice(&ip);
    frame[40..42].fill(0);
    let mut pseudo = frame[26..len].to_vec();
    pseudo.extend([0, 17]);
    pseudo.extend(((len - 34) as u16).to_be_bytes());
    assert_eq!(pseudo.len() % 2, 0);
    let udp = sum(&pseudo).to_be_bytes();
    frame[40..42].copy_from_slice(&udp);
}

#[test]
fn dhcp_discover_and_request_are_sound() {
    let mut frame = empty();
    let offer = Lease { kind: DHCP_OFFER, ip: OUR_IP, server: THEIR_IP, ..Lease::default() };
    for kind in [DHCP_DISCOVER, DHCP_REQUEST] {
        dhcp(&mut frame, kind, &US, b"1234", &offer);
        assert_eq!(frame[..14], [&[0xFF; 6][..], &US, &[8, 0]].concat());
        assert_eq!(u16::from_be_bytes([frame[16], frame[17]]) as usize, DHCP_LEN - 14);
        assert_eq!(u16::from_be_bytes([frame[38], frame[39]]) as usize, DHCP_LEN - 34);
        assert_eq!(frame[34..38], [0, 68, 0, 67]);
        let mut sealed = frame;
        seal(&mut sealed, DHCP_LEN);
        assert!(sealed == frame, "checksums of kind {kind}");
        assert_eq!(frame[42..46], [1, 1, 6, 0]);
        assert_eq!(frame[46..50], *b"1234");
        assert_eq!(frame[52], 0x80);
        assert_eq!(frame[70..76], US);
        assert_eq!(frame[278..285], [99, 130, 83, 99, 53, 1, kind]);
        let options = &frame[285..306];
        let address = options.windows(6).any(|w| w == [50, 4, 10, 0, 2, 15]);
        let server = options.windows(6).any(|w| w == [54, 4, 10, 0, 2, 2]);
        assert_eq!((address, server), (kind == DHCP_REQUEST, kind == DHCP_REQUEST));
        assert!(options.contains(&255));
    }
}

#[test]
fn dhcp_answers_are_read_whatever_the_order_of_options() {
    let mut frame = empty();
    dhcp(&mut frame, DHCP_DISCOVER, &US, b"1234", &Lease::default());
    let options = [3, 4, 10, 0, 2, 2, 0, 0, 12, 2, b'x', b'y', 54, 4, 10, 0, 2, 9, 1, 4, 255, 255, 255, 0, 53, 1, DHCP_OFFER, 255];
    let offer = answer(&frame, &options);
    let lease = Lease { kind: DHCP_OFFER, ip: OUR_IP, mask: [255, 255, 255, 0], router: THEIR_IP, server: [10, 0, 2, 9] };
    assert_eq!(read_dhcp(&offer, DHCP_LEN, &US, b"1234"), Some(lease));
    assert_eq!(read_dhcp(&offer, DHCP_LEN, &THEM, b"1234"), None);
    assert_eq!(read_dhcp(&offer, DHCP_LEN, &US, b"1235"), None);
    assert_eq!(read_dhcp(&offer, DHCP_LEN - 1, &US, b"1234"), None);
    assert_eq!(read_dhcp(&frame, DHCP_LEN, &US, b"1234"), None, "our own question");
    let mut damaged = offer;
    damaged[300] ^= 1;
    assert_eq!(read_dhcp(&damaged, DHCP_LEN, &US, b"1234"), None);
    damaged[40..42].fill(0);
    assert!(read_dhcp(&damaged, DHCP_LEN, &US, b"1234").is_some(), "a server may leave the checksum out");
}

#[test]
fn dhcp_options_that_run_past_the_end_are_harmless() {
    let mut frame = empty();
    dhcp(&mut frame, DHCP_DISCOVER, &US, b"1234", &Lease::default());
    let mut options = vec![53, 1, DHCP_ACK];
    options.resize(DHCP_LEN - 282 - 1, 0);
    options.push(3);
    let ack = answer(&frame, &options);
    assert_eq!(read_dhcp(&ack, DHCP_LEN, &US, b"1234").map(|lease| lease.kind), Some(DHCP_ACK));
    options = vec![12, 255];
    let long = answer(&frame, &options);
    assert_eq!(read_dhcp(&long, DHCP_LEN, &US, b"1234").map(|lease| lease.kind), Some(0));
}

/// Turns an echo request into its reply.
fn reply(request: &Frame, len: usize) -> Frame {
    let mut frame = *request;
    frame[34] = 0;
    frame[26..30].copy_from_slice(&THEIR_IP);
    frame[30..34].copy_from_slice(&OUR_IP);
    frame[36..38].fill(0);
    let icmp = sum(&frame[34..len]).to_be_bytes();
    frame[36..38].copy_from_slice(&icmp);
    frame
}

#[test]
fn echoes_of_every_size_are_sound_and_recognised() {
    for size in [0, 1, 17, 18, 56, 57, 1471, ECHO_MOST] {
        let asked = Echo { mac: US, ip: OUR_IP, to_mac: THEM, to_ip: THEIR_IP, id: 7, sequence: 0x1234, size };
        let mut frame = empty();
        echo(&mut frame, &asked);
        let len = asked.frame_len();
        assert_eq!(u16::from_be_bytes([frame[16], frame[17]]) as usize, len - 14);
        assert_eq!(sum(&frame[14..34]), 0);
        assert_eq!(sum(&frame[34..len]), 0);
        assert!(frame.get(len).is_none_or(|byte| *byte == 0xEE), "writes only its own bytes");
        assert_eq!(read_echo(&frame, len.max(60), &asked), EchoAnswer::Other, "our own question");
        let good = reply(&frame, len);
        assert_eq!(read_echo(&good, len.max(60), &asked), EchoAnswer::Right);
        assert_eq!(read_echo(&good, len - 1, &asked), EchoAnswer::Other);
        let later = Echo { sequence: 0x1235, ..asked };
        assert_eq!(read_echo(&good, len.max(60), &later), EchoAnswer::Other);
        if size > 2 {
            let mut damaged = good;
            damaged.swap(len - 1, len - 3);
            assert_eq!(read_echo(&damaged, len, &asked), EchoAnswer::Damaged, "a swap that the checksum cannot see");
        }
    }
}

#[test]
fn nets_are_told_apart() {
    assert!(same_net(&[10, 0, 2, 15], &[10, 0, 2, 2], &[255, 255, 255, 0]));
    assert!(!same_net(&[10, 0, 2, 15], &[10, 0, 3, 2], &[255, 255, 255, 0]));
    assert!(same_net(&[10, 0, 2, 15], &[10, 0, 3, 2], &[255, 255, 254, 0]));
}

#[test]
fn command_lines_are_split_at_blanks_and_end_at_cr() {
    let words: Vec<&[u8]> = options::words(b" test\t10.0.2.2  /Count=3\rleft over").collect();
    assert_eq!(words, [&b"test"[..], b"10.0.2.2", b"/Count=3"]);
    assert_eq!(options::words(b"\r").count(), 0);
    assert_eq!(options::words(b"no end").count(), 2);
}

#[test]
fn switches_have_a_name_and_perhaps_a_value() {
    assert_eq!(options::switch(b"/INT=60"), Some((&b"INT"[..], &b"60"[..])));
    assert_eq!(options::switch(b"-ip:10.0.0.1"), Some((&b"ip"[..], &b"10.0.0.1"[..])));
    assert_eq!(options::switch(b"/?"), Some((&b"?"[..], &b""[..])));
    assert_eq!(options::switch(b"10.0.0.1"), None);
    assert!(options::same(b"InT", "INT"));
    assert!(!options::same(b"INTO", "INT"));
}

#[test]
fn numbers_are_whole_words() {
    assert_eq!(options::number(b"1472"), Some(1472));
    assert_eq!(options::number(b"0x5C0"), Some(1472));
    assert_eq!(options::hex(b"5c0"), Some(1472));
    assert_eq!(options::hex(b"0X60"), Some(0x60));
    for bad in [&b""[..], b"12a", b"0x", b"-1", b"1 ", b"99999999999999"] {
        assert_eq!(options::number(bad), None, "{bad:?}");
    }
}

#[test]
fn addresses_have_four_parts() {
    assert_eq!(options::ip(b"10.0.2.255"), Some([10, 0, 2, 255]));
    for bad in [&b""[..], b"10.0.2", b"10.0.2.2.2", b"10.0.2.256", b"10..2.2", b"a.b.c.d", b"10.0.2.2."] {
        assert_eq!(options::ip(bad), None, "{bad:?}");
    }
}
