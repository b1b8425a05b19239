//! Capture files of the classic pcap format, microseconds, Ethernet.

use crate::setup::fail;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

const MAGIC: u32 = 0xA1B2_C3D4;
const ETHERNET: u32 = 1;
const LONGEST: u32 = 65_535;

/// A captured frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Time of the frame, from any start; a file has microseconds.
    pub at: Duration,
    /// MAC header and data, without the check sequence.
    pub bytes: Vec<u8>,
}

/// Writes a capture file.
pub fn write(path: &Path, frames: &[Frame]) -> io::Result<()> {
    let mut file = io::BufWriter::new(fs::File::create(path)?);
    for word in [MAGIC, 4 << 16 | 2, 0, 0, LONGEST, ETHERNET] {
        file.write_all(&word.to_le_bytes())?;
    }
    for frame in frames {
        let length = frame.bytes.len() as u32;
        for word in [frame.at.as_secs() as u32, frame.at.subsec_micros(), length, length] {
            file.write_all(&word.to_le_bytes())?;
        }
        file.write_all(&frame.bytes)?;
    }
    file.flush()
}

/// Reads a capture file of either byte order. Ignores a record that is cut off (its writer was killed).
pub fn read(path: &Path) -> io::Result<Vec<Frame>> {
    let bytes = fs::read(path)?;
    let head = bytes.first_chunk::<4>().ok_or_else(|| fail("empty capture"))?;
    let number: fn([u8; 4]) -> u32 = match (u32::from_le_bytes(*head), u32::from_be_bytes(*head)) {
        (MAGIC, _) => u32::from_le_bytes,
        (_, MAGIC) => u32::from_be_bytes,
        _ => return Err(fail(format!("{} is no pcap file", path.display()))),
    };
    let mut rest = bytes.get(24..).unwrap_or_default();
    let mut frames = Vec::new();
    while let Some((head, tail)) = rest.split_first_chunk::<16>() {
        let word = |at: usize| number([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let Some((frame, tail)) = tail.split_at_checked(word(8) as usize) else { break };
        let at = Duration::from_secs(word(0).into()) + Duration::from_micros(word(4).into());
        frames.push(Frame { at, bytes: frame.to_vec() });
        rest = tail;
    }
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::TempDir;

    #[test]
    fn what_is_written_is_read_and_a_cut_end_is_left_out() {
        let folder = TempDir::new("pcap").unwrap();
        let path = folder.path().join("a.pcap");
        let frame = |micros, length| Frame { at: Duration::from_micros(micros), bytes: vec![7; length] };
        let frames = vec![frame(0, 60), frame(1_999_999, 1514)];
        write(&path, &frames).unwrap();
        assert_eq!(read(&path).unwrap(), frames);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(read(&path).unwrap(), frames[..1]);
        fs::write(&path, b"no capture").unwrap();
        assert!(read(&path).is_err());
    }
}
