//! The MII management port, bit by bit, with one PHY.
//!
//! Tested by Linux: reads with a preamble of 32 ones; writes only when media are set by hand.

/// Bits of the physical management register.
mod line {
    pub const CLOCK: u16 = 1;
    pub const DATA: u16 = 2;
    pub const DRIVE: u16 = 4;
}

/// Ones before a frame, unless the PHY needs no preamble.
const PREAMBLE: u32 = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many ones have been received.
    Idle(u32),
    /// Start, opcode, addresses: the bits so far, and their number.
    Header(u32, u32),
    /// Turnaround and data to the host: the edges so far.
    Read(u32, u16),
    /// Turnaround and data from the host: the bits so far, their number, the register.
    Write(u32, u32, u8),
    /// A frame for another PHY: edges left.
    Other(u32),
}

/// A PHY of 10 and 100 Mb/s with autonegotiation.
#[derive(Clone, Debug)]
pub struct Phy {
    address: u8,
    /// The PHY needs no preamble.
    pub suppress: bool,
    /// Registers as written: 0 control, 4 advertisement.
    control: u16,
    advertise: u16,
    link: bool,
    /// The link was lost since the last read of the status.
    lost: bool,
    state: State,
    last: u16,
    output: bool,
}

impl Phy {
    /// A PHY with this address and its link up.
    pub fn new(address: u8) -> Phy {
        Phy {
            address,
            suppress: false,
            control: 0x3000,
            advertise: 0x01E1,
            link: true,
            lost: false,
            state: State::Idle(0),
            last: 0,
            output: true,
        }
    }

    /// Plugs the cable in or out.
    pub fn set_link(&mut self, up: bool) {
        self.lost |= !up;
        self.link = up;
    }

    /// The link, for the MAC.
    pub fn link(&self) -> bool {
        self.link && self.control & 0x0C00 == 0
    }

    fn read(&mut self, register: u8) -> u16 {
        let up = self.link();
        match register {
            0 => self.control,
            1 => {
                let steady = up && !std::mem::replace(&mut self.lost, false);
                0x7809 | (self.suppress as u16) << 6 | if up { 1 << 5 } else { 0 } | if steady { 1 << 2 } else { 0 }
            }
            2 => 0x2000,
            3 => 0x5C01,
            4 => self.advertise,
            // The partner has all four abilities.
            5 if up => 0x41E1,
            6 if up => 1,
            5..=7 => 0,
            _ => 0,
        }
    }

    fn write(&mut self, register: u8, value: u16) {
        match register {
            0 if value & 0x8000 != 0 => {
                self.control = 0x3000;
                self.advertise = 0x01E1;
            }
            // The restart bit clears itself, and negotiation ends at once.
            0 => self.control = value & 0x7D80,
            4 => self.advertise = value & 0x0FFF | 1,
            _ => {}
        }
    }

    /// The register as the host reads it.
    pub fn port(&self) -> u16 {
        let data = if self.last & line::DRIVE != 0 { self.last & line::DATA != 0 } else { self.output };
        self.last & (line::CLOCK | line::DRIVE) | if data { line::DATA } else { 0 }
    }

    /// The host writes the register.
    pub fn set_port(&mut self, value: u16) {
        let value = value & 7;
        let rising = value & line::CLOCK != 0 && self.last & line::CLOCK == 0;
        self.last = value;
        if rising {
            // A line that is not driven is pulled up.
            self.edge(value & line::DRIVE == 0 || value & line::DATA != 0);
        }
    }

    fn edge(&mut self, bit: bool) {
        self.output = true;
        self.state = match self.state {
            State::Idle(ones) if bit => State::Idle(ones + 1),
            State::Idle(ones) if ones >= PREAMBLE || self.suppress && ones > 0 => State::Header(0, 1),
            State::Idle(_) => State::Idle(0),
            State::Header(bits, 13) => self.header(bits << 1 | bit as u32),
            State::Header(bits, count) => State::Header(bits << 1 | bit as u32, count + 1),
            State::Read(edges, word) => {
                self.output = match edges {
                    0 => false,
                    1..=16 => word >> (16 - edges) & 1 == 1,
                    _ => true,
                };
                if edges == 17 { State::Idle(PREAMBLE * self.suppress as u32) } else { State::Read(edges + 1, word) }
            }
            State::Write(bits, 17, register) => {
                self.write(register, (bits << 1 | bit as u32) as u16);
                State::Idle(0)
            }
            State::Write(bits, count, register) => State::Write(bits << 1 | bit as u32, count + 1, register),
            State::Other(0) => State::Idle(0),
            State::Other(left) => State::Other(left - 1),
        };
    }

    /// Fourteen bits: 01, operation, PHY, register.
    fn header(&mut self, bits: u32) -> State {
        let (register, phy, operation) = ((bits & 31) as u8, (bits >> 5 & 31) as u8, bits >> 10 & 3);
        match (bits >> 12, operation) {
            (1, 1 | 2) if phy != self.address => State::Other(17),
            (1, 2) => State::Read(0, self.read(register)),
            (1, 1) => State::Write(0, 0, register),
            _ => State::Idle(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(phy: &mut Phy, bits: u64, count: u32) {
        for at in (0..count).rev() {
            let data = if bits >> at & 1 == 1 { line::DATA } else { 0 } | line::DRIVE;
            phy.set_port(data);
            phy.set_port(data | line::CLOCK);
        }
    }

    fn read(phy: &mut Phy, address: u64, register: u64, preamble: u32) -> Option<u16> {
        send(phy, u64::MAX, preamble);
        send(phy, 6 << 10 | address << 5 | register, 14);
        let mut word = 0u32;
        for _ in 0..18 {
            phy.set_port(0);
            word = word << 1 | (phy.port() >> 1 & 1) as u32;
            phy.set_port(line::CLOCK);
        }
        // The PHY drives the second bit of the turnaround as zero.
        (word >> 16 & 1 == 0).then_some(word as u16)
    }

    #[test]
    fn registers_read_and_write_behind_a_preamble() {
        let mut phy = Phy::new(24);
        assert_eq!(read(&mut phy, 24, 4, 32), Some(0x01E1));
        assert_eq!(read(&mut phy, 24, 1, 32), Some(0x782D));
        assert_eq!(read(&mut phy, 3, 4, 32), None);
        assert_eq!(read(&mut phy, 24, 4, 31), None, "one bit of the preamble is missing");
        send(&mut phy, u64::MAX, 32);
        send(&mut phy, 5 << 28 | 24 << 23 | 4 << 18 | 2 << 16 | 0x0041, 32);
        assert_eq!(read(&mut phy, 24, 4, 32), Some(0x0041));
    }

    #[test]
    fn a_lost_link_shows_once_more_after_it_is_back() {
        let mut phy = Phy::new(24);
        phy.set_link(false);
        phy.set_link(true);
        assert_eq!(read(&mut phy, 24, 1, 32).map(|word| word & 4), Some(0));
        assert_eq!(read(&mut phy, 24, 1, 32).map(|word| word & 4), Some(4));
    }
}
