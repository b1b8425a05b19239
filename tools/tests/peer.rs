//! The peer on the host: its IP side and the test protocol on its socket, and its cable to QEMU.

use compkt::wire::{self, Ask, Framing, Header, Op, Tally};
use std::collections::BTreeSet;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;
use tools::pack;
use tools::peer::{From, Peer, ip, pcap};
use tools::rig::Job;
use tools::rig::qemu::{Net, Nic, Qemu};

const PEER: [u8; 6] = [0x52, 0x55, 10, 0, 2, 2];
const OURS: [u8; 6] = [2, 0, 0, 0, 0, 9];
const GROUP: [u8; 6] = [1, 0, 0x5E, 0, 0, 1];
/// Longest wait for an answer. To show that a frame gets none, another frame is sent behind it, whose answer must be the next.
const PATIENCE: Duration = Duration::from_secs(120);

/// Both sockets: QEMU's and the peer's.
struct Line {
    socket: UnixDatagram,
    peer: PathBuf,
}

impl Line {
    fn to(peer: &Peer) -> Line {
        let Net::Peer { qemu, peer } = peer.cable() else { panic!("no cable") };
        let socket = UnixDatagram::bind(qemu).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Line { socket, peer }
    }

    fn send(&self, frame: &[u8]) {
        self.socket.send_to(frame, &self.peer).unwrap();
    }

    fn receive(&self) -> Vec<u8> {
        let mut buffer = [0; 2048];
        let count = self.socket.recv(&mut buffer).expect("a frame is missing");
        buffer[..count].to_vec()
    }

    fn ask(&self, frame: &[u8]) -> Vec<u8> {
        self.send(frame);
        self.receive()
    }
}

fn frame(to: [u8; 6], kind: u16, body: &[u8]) -> Vec<u8> {
    [&to[..], &OURS, &kind.to_be_bytes(), body].concat()
}

fn test_frame(header: Header, used: &[u8]) -> Vec<u8> {
    let mut body = vec![0; usize::from(header.length) - wire::MAC_HEADER];
    wire::write_body(&mut body, &header, used);
    frame(PEER, wire::ETHERTYPE, &body)
}

#[test]
fn it_answers_arp_and_echo_for_itself_alone() {
    let peer = Peer::new().unwrap();
    let line = Line::to(&peer);
    let arp = |ip: [u8; 4]| {
        let body = [&[0, 1, 8, 0, 6, 4, 0, 1][..], &OURS, &[10, 0, 2, 15], &[0; 6], &ip, &[0; 18]].concat();
        frame([0xFF; 6], 0x0806, &body)
    };
    line.send(&arp([10, 0, 2, 3]));
    let answer = line.ask(&arp([10, 0, 2, 2]));
    assert_eq!(answer[..6], OURS);
    assert_eq!(answer[20..42], [&[0, 2][..], &PEER, &[10, 0, 2, 2], &OURS, &[10, 0, 2, 15]].concat());

    let mut echo = [&[8, 0, 0, 0, 1, 2, 0, 7][..], &[0xA5; 1001]].concat();
    let check = ip::sum(&echo);
    echo[2..4].copy_from_slice(&check.to_be_bytes());
    let mut packet = [&[0x45, 0][..], &(20 + 1009_u16).to_be_bytes(), &[0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2]].concat();
    let check = ip::sum(&packet);
    packet[10..12].copy_from_slice(&check.to_be_bytes());
    packet.extend(&echo);
    let answer = line.ask(&frame(PEER, 0x0800, &packet));
    assert_eq!((ip::sum(&answer[14..34]), ip::sum(&answer[34..])), (0, 0));
    assert_eq!((answer[34], &answer[38..]), (0, &echo[4..]));
    packet[30] ^= 1;
    line.send(&frame(PEER, 0x0800, &packet));
    let answer = line.ask(&arp([10, 0, 2, 2]));
    assert_eq!(answer[12..14], [8, 6], "a wrong checksum was answered");
}

#[test]
fn it_leases_one_address() {
    let peer = Peer::new().unwrap();
    let line = Line::to(&peer);
    let ask = |kind: u8, address: [u8; 4]| {
        let mut dhcp = vec![0; 240];
        dhcp[..4].copy_from_slice(&[1, 1, 6, 0]);
        dhcp[4..8].copy_from_slice(&[9, 8, 7, 6]);
        dhcp[28..34].copy_from_slice(&OURS);
        dhcp[236..].copy_from_slice(&[99, 130, 83, 99]);
        dhcp.extend([0, 53, 1, kind, 50, 4]);
        dhcp.extend(address);
        dhcp.push(255);
        let length = dhcp.len() as u16;
        let mut packet = [&[0x45, 0][..], &(28 + length).to_be_bytes(), &[0, 0, 0, 0, 64, 17, 0, 0]].concat();
        packet.extend([0, 0, 0, 0, 255, 255, 255, 255]);
        let check = ip::sum(&packet);
        packet[10..12].copy_from_slice(&check.to_be_bytes());
        packet.extend([&[0, 68, 0, 67][..], &(8 + length).to_be_bytes(), &[0, 0], &dhcp].concat());
        let answer = line.ask(&frame([0xFF; 6], 0x0800, &packet));
        let reply = answer[42..].to_vec();
        assert_eq!((&reply[..2], &reply[4..8]), (&[2, 1][..], &[9, 8, 7, 6][..]));
        (reply[242], reply[16..20].to_vec())
    };
    assert_eq!(ask(1, [0; 4]), (2, vec![10, 0, 2, 15]));
    assert_eq!(ask(3, [10, 0, 2, 15]), (5, vec![10, 0, 2, 15]));
    assert_eq!(ask(3, [10, 0, 2, 16]), (6, vec![0; 4]));
}

#[test]
fn it_sends_frames_back_and_counts_good_bad_and_lost() {
    let peer = Peer::new().unwrap();
    let line = Line::to(&peer);
    let echo = test_frame(Header { op: Op::Echo, index: 3, seed: 77, length: 1514, count: 1 }, &[]);
    let answer = line.ask(&echo);
    assert_eq!((&answer[..12], answer[14]), ([OURS, PEER].concat().as_slice(), Op::EchoReply as u8));
    assert_eq!(answer[15..], echo[15..]);

    let data = |index, length| Header { op: Op::Data, index, seed: 5, length, count: 10 };
    for (index, length) in [(0, 60), (1, 61), (2, 1514), (2, 1514), (3, 100)] {
        line.send(&test_frame(data(index, length), &[]));
    }
    let mut short = test_frame(data(4, 33), &[]);
    short.resize(60, 0);
    line.send(&short);
    let spoils: [fn(&mut Vec<u8>); 4] =
        [|frame| frame[99] ^= 0x10, |frame| frame.truncate(98), |frame| frame.push(0), |frame| frame[17] ^= 1];
    for spoil in spoils {
        let mut frame = test_frame(data(5, 100), &[]);
        spoil(&mut frame);
        line.send(&frame);
    }
    let report = line.ask(&test_frame(Header { op: Op::Report, ..data(0, 60) }, &[]));
    let body = &report[wire::MAC_HEADER..];
    assert_eq!(Header::decode(body).unwrap().op, Op::ReportReply);
    let tally = Tally { good: 5, bad: 4, repeated: 1, lost: 5 };
    assert_eq!(Tally::decode(&body[wire::HEADER..]), Some(tally));
    assert_eq!(peer.tally(5, 10), tally);
}

#[test]
fn it_sends_what_it_is_asked_for() {
    let peer = Peer::new().unwrap();
    let line = Line::to(&peer);
    for (framing, kind, to, min, max) in [
        (Framing::Type, wire::ETHERTYPE, [0; 6], 60, 1514),
        (Framing::Type, 0x0800, GROUP, 14, 60),
        (Framing::Llc, 0x4242, [0xFF; 6], 60, 200),
        (Framing::Snap, 0x809B, OURS, 60, 60),
        (Framing::Type, 0x1234, OURS, 1515, 1600),
    ] {
        let header = Header { op: Op::Ask, index: 0, seed: 1000 + u32::from(min), length: 60, count: 300 };
        let ask = Ask { min, max, kind, framing, to, gap_us: 0, delay_ms: 0 };
        line.send(&test_frame(header, &ask.encode()));
        let mut lengths = BTreeSet::new();
        for index in 0..300 {
            let frame = line.receive();
            let length = wire::length_of(header.seed, index, min, max);
            lengths.insert(length);
            assert_eq!(frame.len(), usize::from(length.max(60)));
            let (frame, padding) = frame.split_at(length.into());
            assert!(padding.iter().all(|byte| *byte == 0));
            assert_eq!(frame[..6], if to == [0; 6] { OURS } else { to });
            let start = (14 + framing.extra()).min(frame.len());
            assert!(wire::check_body(&frame[start..], &Header { op: Op::Data, index, length, ..header }));
            match framing {
                Framing::Type => assert_eq!(frame[12..14], kind.to_be_bytes()),
                Framing::Llc => assert_eq!(frame[12..17], [&(length - 14).to_be_bytes()[..], &kind.to_be_bytes(), &[3]].concat()),
                Framing::Snap => assert_eq!(frame[14..22], [&[0xAA, 0xAA, 3, 0, 0, 0][..], &kind.to_be_bytes()].concat()),
            }
        }
        assert!(lengths.contains(&min) && lengths.contains(&max));
        let done = line.receive();
        assert_eq!(Header::decode(&done[14..]).map(|header| (header.op, header.seed)), Some((Op::Done, header.seed)));
    }
}

#[test]
fn the_driver_reaches_the_peer_until_the_cable_is_pulled() {
    pack::build().unwrap();
    let peer = Peer::new().unwrap();
    let nic = Nic { device: "ne2k_isa,iobase=0x300,irq=10,mac=02:00:00:00:00:09".into(), net: peer.cable() };
    let qemu = Qemu { nics: vec![nic], ..Qemu::default() };
    let mut job = Job { config: vec!["DEVICE=3COMPKT.SYS".into()], capture: true, ..Job::default() };
    job.exec = ["PKTCTL test", "pause", "PKTCTL test"].map(String::from).into();
    for name in ["3COMPKT.SYS", "PKTCTL.EXE"] {
        job.files.push((name.into(), std::fs::read(pack::dist().join(name)).unwrap()));
    }
    let mut before = 0;
    let report = qemu.run_with(&job, &mut |line, monitor| {
        if line == "[pause]" {
            before = peer.frames().len();
            monitor.set_link("n0", false)?;
            monitor.resume()?;
        }
        Ok(())
    });
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    let codes: Vec<&str> = report.output.lines().filter(|line| line.starts_with("[exit")).collect();
    assert!(codes[0] == "[exit 0]" && codes[2] != "[exit 0]", "{}", report.output);
    let frames = peer.frames();
    assert_eq!(frames.len(), before);
    assert!(frames.iter().any(|(from, _)| *from == From::Dos) && frames.iter().any(|(from, _)| *from == From::Peer));
    // The peer and the card have the same frames.
    let pcap = report.pcap.unwrap();
    let captured: BTreeSet<Vec<u8>> = pcap::read(&pcap).unwrap().into_iter().map(|frame| frame.bytes).collect();
    std::fs::remove_file(pcap).unwrap();
    assert!(frames.iter().all(|(_, frame)| captured.contains(&frame.bytes)));
}
