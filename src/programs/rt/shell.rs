//! Other programs, run by INT 21h AX=4B00h: the DOS shell (COMSPEC), or one in the folder that this program came from.

use super::{Far, Regs, int, psp, segment};

/// Offset of the environment's segment in the PSP.
const ENVIRONMENT: u16 = 0x2C;
const NAME: &[u8] = b"COMSPEC=";
/// The most bytes of an environment.
const MOST: u16 = 0x7FFF;

/// The path of a file in this program's own folder, ASCIZ. None: it is too long.
pub fn beside(name: &[u8]) -> Option<[u8; 128]> {
    let environment = Far::new(psp(), ENVIRONMENT).read16();
    let mut at = 0;
    while at < MOST && Far::new(environment, at).read16() != 0 {
        at += 1;
    }
    // Behind the environment's end and a count lies the path.
    at += 4;
    let mut path = [0; 128];
    let mut folder = 0;
    for (index, letter) in path.iter_mut().enumerate() {
        *letter = Far::new(environment, at + index as u16).read16() as u8;
        match *letter {
            b'\\' | b'/' | b':' => folder = index + 1,
            0 => break,
            _ => {}
        }
    }
    path.iter_mut().skip(folder).for_each(|letter| *letter = 0);
    path.get_mut(folder..folder + name.len())?.copy_from_slice(name);
    (path.last() == Some(&0)).then_some(path)
}

/// Runs a program in this program's own folder with a command tail: a blank, the switches, a carriage return. Returns its exit
/// code.
///
/// # Errors
/// DOS's error code.
pub fn sibling(name: &[u8], tail: &[u8]) -> Result<u8, u16> {
    let mut counted = [0; 64];
    if let Some((length, letters)) = counted.split_first_mut() {
        *length = tail.len().saturating_sub(1) as u8;
        letters.iter_mut().zip(tail).for_each(|(to, from)| *to = *from);
    }
    execute(&beside(name).ok_or(3u16)?, &counted)?;
    let mut regs = Regs::ax(0x4D00);
    int(0x21, &mut regs);
    Ok(regs.eax as u8)
}

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
    execute(&path().ok_or(2u16)?, &[0u8, b'\r'])
}

/// Runs the program at a path with a command tail.
fn execute(path: &[u8; 128], tail: &[u8]) -> Result<(), u16> {
    let tail = Far::of(tail).offset();
    // Environment: this program's. Then the tail and the two FCBs of the PSP, offset and segment each.
    let block = [0, tail, segment(), 0x5C, psp(), 0x6C, psp()];
    let mut regs = Regs::ax(0x4B00);
    regs.ebx = Far::of(&block).offset() as u32;
    regs.edx = Far::of(path).offset() as u32;
    int(0x21, &mut regs);
    super::forget_break();
    if regs.carry() { Err(regs.eax as u16) } else { Ok(()) }
}
