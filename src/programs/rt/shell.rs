//! A DOS shell inside a program: COMSPEC, by INT 21h AX=4B00h.

use super::{Far, Regs, int, psp, segment};

/// Offset of the environment's segment in the PSP.
const ENVIRONMENT: u16 = 0x2C;
const NAME: &[u8] = b"COMSPEC=";
/// The most bytes of an environment.
const MOST: u16 = 0x7FFF;

/// The path behind COMSPEC=, ASCIZ.
fn path() -> Option<[u8; 128]> {
    let environment = Far::new(psp(), ENVIRONMENT).read16();
    let byte = |at: u16| Far::new(environment, at).read16() as u8;
    let mut at = 0;
    while at < MOST && byte(at) != 0 {
        let mut start = at;
        let mut named = true;
        for letter in NAME {
            named &= byte(start) == *letter;
            start += 1;
        }
        if named {
            let mut path = [0; 128];
            let [letters @ .., _] = &mut path;
            for letter in letters {
                *letter = byte(start);
                if *letter == 0 {
                    break;
                }
                start += 1;
            }
            return Some(path);
        }
        while at < MOST && byte(at) != 0 {
            at += 1;
        }
        at += 1;
    }
    None
}

/// Runs the shell until the user ends it.
///
/// # Errors
/// DOS's error code; 2 also if there is no COMSPEC.
pub fn run() -> Result<(), u16> {
    let path = path().ok_or(2u16)?;
    let tail = [0u8, b'\r'];
    let tail = Far::of(&tail).offset();
    // Environment: this program's. Then the tail and the two FCBs of the PSP, offset and segment each.
    let block = [0, tail, segment(), 0x5C, psp(), 0x6C, psp()];
    let mut regs = Regs::ax(0x4B00);
    regs.ebx = Far::of(&block).offset() as u32;
    regs.edx = Far::of(&path).offset() as u32;
    int(0x21, &mut regs);
    super::forget_break();
    if regs.carry() { Err(regs.eax as u16) } else { Ok(()) }
}
