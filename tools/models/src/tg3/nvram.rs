//! The NVRAM with its controller and its lock (SWARB).

use super::Part;

/// Registers.
const COMMAND: u16 = 0x7000;
const WRITE_DATA: u16 = 0x7008;
const ADDRESS: u16 = 0x700C;
const READ_DATA: u16 = 0x7010;
const LOCK: u16 = 0x7020;
const ACCESS: u16 = 0x7024;
/// Bits of the command.
const DONE: u32 = 1 << 3;
const GO: u32 = 1 << 4;
const WRITE: u32 = 1 << 5;
/// Bits of the lock, of requester 1, the driver.
const REQUEST: u32 = 1 << 1;
const RELEASE: u32 = 1 << 5;
const GRANTED: u32 = 1 << 9;
/// Nanoseconds of a command, and until the lock is granted.
const ACCESS_TIME: u64 = 20_000;
const GRANT_TIME: u64 = 30_000;

/// The NVRAM.
#[derive(Clone, Debug)]
pub struct Nvram {
    data: [u8; 0x200],
    command: u32,
    address: u32,
    read_data: u32,
    access: u32,
    others: [u32; 3],
    /// The driver asks for the lock since.
    asked: Option<u64>,
    granted: bool,
    /// The boot code has the lock.
    held: bool,
    /// The lock is granted no more.
    stuck: bool,
    /// A command needs access enabled.
    gated: bool,
    done_at: Option<u64>,
}

impl Nvram {
    /// A chip's NVRAM with this address. `spoilt`: nothing in it is valid.
    pub fn new(mac: [u8; 6], part: Part, spoilt: bool) -> Nvram {
        let mut data = [0; 0x200];
        if !spoilt {
            data[..4].copy_from_slice(&0x669955AAu32.to_be_bytes());
            let at = if part.vcpu { 0x10 } else { 0x7C };
            data[at + 2..at + 8].copy_from_slice(&mac);
            // Its size in kilobytes.
            data[0xF2..0xF4].copy_from_slice(&[0, 0x02]);
        }
        Nvram {
            data,
            command: 0,
            address: 0,
            read_data: 0,
            access: 0,
            others: [part.nvram, 0, 0],
            asked: None,
            granted: false,
            held: false,
            stuck: false,
            gated: part.chip >> 12 != 3,
            done_at: None,
        }
    }

    /// A core reset.
    pub fn reset(&mut self) {
        (self.command, self.asked, self.granted, self.held, self.done_at) = (0, None, false, false, None);
        self.access = 0;
    }

    /// The boot code takes the lock.
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// It gives the lock back.
    pub fn release(&mut self) {
        self.held = false;
    }

    /// The lock is never granted again.
    pub fn stick(&mut self) {
        self.stuck = true;
    }

    /// When there is something to do.
    pub fn wake_at(&self) -> Option<u64> {
        self.done_at
    }

    /// Does what is due.
    pub fn advance(&mut self, now: u64) {
        if self.asked.is_some_and(|since| since + GRANT_TIME <= now) && !self.held && !self.stuck {
            self.granted = true;
        }
        if self.done_at.take_if(|at| *at <= now).is_some() {
            self.command = self.command & !GO | DONE;
            let at = self.address as usize & 0x1FC;
            self.read_data = self.data.get(at..at + 4).map_or(0, |word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
        }
    }

    /// Whether a register is here.
    pub fn has(at: u16) -> bool {
        matches!(at, 0x7000..=0x702C)
    }

    /// Reads a register; an error is a complaint.
    pub fn read(&mut self, at: u16) -> Result<u32, String> {
        let value = match at {
            COMMAND => self.command,
            ADDRESS => self.address,
            READ_DATA => self.read_data,
            LOCK => self.asked.map_or(0, |_| REQUEST) | if self.granted { GRANTED } else { 0 } | if self.held { 0x101 } else { 0 },
            ACCESS => self.access,
            0x7014..=0x701C => self.others[(at as usize - 0x7014) / 4],
            _ => 0,
        };
        let locked = self.granted || matches!(at, LOCK | ACCESS | 0x7014..=0x701C);
        if locked { Ok(value) } else { Err(format!("NVRAM register {at:04X}h is read without the lock")) }
    }

    /// Writes a register; an error is a complaint.
    pub fn write(&mut self, at: u16, value: u32, now: u64) -> Result<(), String> {
        match at {
            LOCK => {
                if value & REQUEST != 0 {
                    self.asked = self.asked.or(Some(now));
                }
                if value & RELEASE != 0 {
                    (self.asked, self.granted) = (None, false);
                }
                return Ok(());
            }
            ACCESS => self.access = value,
            ADDRESS => self.address = value,
            0x7014..=0x701C => self.others[(at as usize - 0x7014) / 4] = value,
            COMMAND if value & WRITE != 0 => return Err("the NVRAM is written".into()),
            COMMAND if self.gated && value & GO != 0 && self.access & 1 == 0 => return Err("an NVRAM command without access enabled (7024h)".into()),
            COMMAND => {
                self.command = value & !DONE;
                self.done_at = (value & GO != 0).then_some(now + ACCESS_TIME);
            }
            WRITE_DATA => {}
            _ => {}
        }
        let locked = self.granted || matches!(at, ACCESS | 0x7014..=0x701C);
        if locked { Ok(()) } else { Err(format!("NVRAM register {at:04X}h is written without the lock")) }
    }
}
