//! The peer's side of the test protocol ([`compkt::wire`]): checks received flows, sends flows that were asked for.

use compkt::device::MacAddr;
use compkt::wire::{self, Ask, Framing, HEADER, Header, MAC_HEADER, Op, Tally};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// A flow from DOS.
#[derive(Clone, Debug, Default)]
struct Heard {
    tally: Tally,
    indices: BTreeSet<u16>,
}

/// A flow that DOS has asked for.
struct Order {
    header: Header,
    ask: Ask,
    to: MacAddr,
    reply_to: MacAddr,
    next: u16,
    due: Instant,
}

/// The state of all flows.
#[derive(Default)]
pub struct Flows {
    heard: BTreeMap<u32, Heard>,
    orders: VecDeque<Order>,
}

impl Flows {
    /// The tally of a flow; `lost` is by its `count`.
    pub fn tally(&self, seed: u32, count: u16) -> Tally {
        let mut tally = self.heard.get(&seed).map(|heard| heard.tally).unwrap_or_default();
        tally.lost = u32::from(count).saturating_sub(tally.good);
        tally
    }

    /// Receives a frame; returns an answer that is to be sent at once.
    pub fn hear(&mut self, mac: &MacAddr, frame: &[u8], now: Instant) -> Option<Vec<u8>> {
        if frame.get(12..MAC_HEADER)? != wire::ETHERTYPE.to_be_bytes() {
            return None;
        }
        let from: MacAddr = *frame[6..].first_chunk()?;
        let body = &frame[MAC_HEADER..];
        let header = Header::decode(body)?;
        match header.op {
            Op::Echo => {
                let mut answer = frame.to_vec();
                answer[..6].copy_from_slice(&from);
                answer[6..12].copy_from_slice(mac);
                answer[MAC_HEADER] = Op::EchoReply as u8;
                Some(answer)
            }
            Op::Data => {
                let heard = self.heard.entry(header.seed).or_default();
                // Short frames are padded with zeros to 60 bytes.
                let (body, padding) = body.split_at_checked(usize::from(header.length).saturating_sub(MAC_HEADER)).unwrap_or((&[], body));
                let long = usize::from(header.length) >= 60 && !padding.is_empty();
                if body.is_empty() || long || padding.iter().any(|&byte| byte != 0) || !wire::check_body(body, &header) {
                    heard.tally.bad += 1;
                } else if heard.indices.insert(header.index) {
                    heard.tally.good += 1;
                } else {
                    heard.tally.repeated += 1;
                }
                None
            }
            Op::Report => {
                let header = Header { op: Op::ReportReply, ..header };
                Some(frame_of(&from, mac, wire::ETHERTYPE, &header, &self.tally(header.seed, header.count).encode()))
            }
            Op::Ask => {
                let ask = Ask::decode(&body[HEADER..])?;
                let to = if ask.to == [0; 6] { from } else { ask.to };
                let due = now + Duration::from_millis(ask.delay_ms.into());
                // A repeated request: an earlier frame was lost. Begins anew.
                self.orders.retain(|order| order.header.seed != header.seed);
                self.orders.push_back(Order { header, ask, to, reply_to: from, next: 0, due });
                None
            }
            Op::EchoReply | Op::ReportReply | Op::Done => None,
        }
    }

    /// Whether a frame that was asked for has not been sent.
    pub fn pending(&self) -> bool {
        !self.orders.is_empty()
    }

    /// The next frame that is due.
    pub fn next(&mut self, mac: &MacAddr, now: Instant) -> Option<Vec<u8>> {
        let place = self.orders.iter().position(|order| order.due <= now)?;
        let order = &mut self.orders[place];
        if order.next == order.header.count {
            let header = Header { op: Op::Done, ..order.header };
            let frame = frame_of(&order.reply_to, mac, wire::ETHERTYPE, &header, &[]);
            self.orders.remove(place);
            return Some(frame);
        }
        let ask = &order.ask;
        let length = wire::length_of(order.header.seed, order.next, ask.min, ask.max);
        let header = Header { op: Op::Data, index: order.next, seed: order.header.seed, length, count: order.header.count };
        let mut frame = order.to.to_vec();
        frame.extend(mac);
        let [high, low] = ask.kind.to_be_bytes();
        let inner = length.saturating_sub(MAC_HEADER as u16).to_be_bytes();
        match ask.framing {
            Framing::Type => frame.extend([high, low]),
            Framing::Llc => frame.extend([inner[0], inner[1], high, low, 3]),
            Framing::Snap => frame.extend([inner[0], inner[1], 0xAA, 0xAA, 3, 0, 0, 0, high, low]),
        }
        let start = frame.len();
        frame.resize(start.max(length.into()), 0);
        wire::write_body(&mut frame[start..], &header, &[]);
        frame.truncate(length.into());
        order.next += 1;
        order.due += Duration::from_micros(ask.gap_us.into());
        Some(frame)
    }
}

/// A complete frame of the shortest length, with the data of the op.
fn frame_of(to: &MacAddr, from: &MacAddr, kind: u16, header: &Header, used: &[u8]) -> Vec<u8> {
    let mut frame = to.to_vec();
    frame.extend(from);
    frame.extend(kind.to_be_bytes());
    frame.resize(60, 0);
    wire::write_body(&mut frame[MAC_HEADER..], &Header { length: 60, ..*header }, used);
    frame
}
