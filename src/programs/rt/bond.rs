//! A bond in a resident 3COMPKT: read, and changed in place. The driver takes all of it into account at the next timer tick.

use core::mem::offset_of;

use super::packet::Block;
use super::{Far, uninterrupted};
use crate::bond::{Fields, Head, NICS, Row, flows};
use crate::programs::bonds::{Change, is_dispensable};
use crate::resident::several::Nic;

/// A bond as it is at one time.
pub struct Bond {
    segment: u16,
    head: Head,
    /// Its fields.
    pub fields: Fields,
    /// The flow table's, if there is one.
    pub flows: Option<flows::Fields>,
    rows: [Row; NICS],
    count: usize,
}

/// Why something was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The bond has no flow table.
    NoFlows,
    /// It has fewer NICs.
    NoNic,
    /// It is the only NIC that can be used.
    Only,
}

impl Bond {
    /// That of a driver, whose [`Block::bond`] is at `head`.
    pub fn of(block: &Block, head: u16) -> Bond {
        let segment = block.at.segment();
        // SAFETY: all of these are made of integers.
        uninterrupted(|| unsafe {
            let head: Head = Far::new(segment, head).read_as();
            let fields: Fields = Far::new(segment, head.fields).read_as();
            let flows = if head.flows != 0 { Some(Far::new(segment, head.flows).read_as()) } else { None };
            let mut bond = Bond { segment, head, fields, flows, rows: [Row::NEW; NICS], count: 0 };
            let mut at = fields.first;
            for row in &mut bond.rows {
                if at == fields.end {
                    break;
                }
                *row = Far::new(segment, at).read_as();
                at = at.wrapping_add(Row::SIZE);
                bond.count += 1;
            }
            bond
        })
    }

    /// The rows of its NICs.
    pub fn rows(&self) -> &[Row] {
        self.rows.get(..self.count).unwrap_or(&[])
    }

    /// Whether the NIC with this number, counted from 0, is the one that receives.
    pub fn is_active(&self, number: usize) -> bool {
        self.fields.active == self.at(number)
    }

    /// The record of a row's NIC.
    pub fn nic(&self, row: &Row) -> Nic {
        // SAFETY: it is made of integers.
        unsafe { Far::new(self.segment, row.slave).read_as() }
    }

    /// Entries of the flow table.
    pub fn entries(&self) -> u16 {
        self.flows.map_or(0, |flows| flows.mask / flows::Flow::SIZE + 2)
    }

    fn at(&self, number: usize) -> u16 {
        self.fields.first.wrapping_add(number as u16 * Row::SIZE)
    }

    /// Writes bytes of the driver's.
    fn put(&self, at: u16, offset: usize, bytes: &[u8]) {
        // SAFETY: fields of the driver's that may be changed at any time between two of its entries; interrupts are off.
        unsafe { Far::new(self.segment, at.wrapping_add(offset as u16)).write(bytes) }
    }

    /// Sets and clears bits of a NIC's state as it is now.
    fn mark(&self, number: usize, set: u8, clear: u8) {
        let at = self.at(number);
        let state = Far::new(self.segment, at).read16() as u8;
        self.put(at, offset_of!(Row, state), &[state & !clear | set]);
    }

    /// Changes it.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub fn change(&self, change: Change) -> Result<(), Refused> {
        let (fields, flows) = (self.head.fields, self.head.flows);
        if flows == 0 && matches!(change, Change::Algorithm(_) | Change::Sticky(_)) {
            return Err(Refused::NoFlows);
        }
        if let Change::Out(number) | Change::In(number) = change {
            if number as usize >= self.count {
                return Err(Refused::NoNic);
            }
            if matches!(change, Change::Out(_)) && !is_dispensable(self.rows(), number) {
                return Err(Refused::Only);
            }
        }
        uninterrupted(|| match change {
            Change::Algorithm(algorithm) => {
                self.put(flows, offset_of!(flows::Fields, algorithm), &[algorithm]);
                // Loads of two algorithms cannot be compared.
                (0..self.count).for_each(|number| self.put(self.at(number), offset_of!(Row, load), &[0, 0]));
            }
            Change::Sticky(units) => self.put(flows, offset_of!(flows::Fields, sticky), &[units]),
            Change::Failover(misses) => self.put(fields, offset_of!(Fields, failover), &[misses]),
            Change::Period(ticks) => {
                self.put(fields, offset_of!(Fields, period), &ticks.to_le_bytes());
                self.put(fields, offset_of!(Fields, left), &ticks.to_le_bytes());
            }
            Change::Hold(ticks) => self.put(fields, offset_of!(Fields, hold), &ticks.to_le_bytes()),
            Change::Target(ip) => {
                self.put(fields, offset_of!(Fields, target), &ip);
                // In this period nobody was asked.
                (0..self.count).for_each(|number| self.mark(number, Row::HEARD, 0));
            }
            Change::Out(number) => self.mark(number as usize, Row::OUT, 0),
            Change::In(number) => self.mark(number as usize, 0, Row::OUT),
        });
        Ok(())
    }
}
