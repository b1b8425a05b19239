//! Lines on standard output. `println!` panics when a write fails, and took the rest of a run with it: a pipe that another program
//! has made non-blocking may be full, and so may the disk that holds a log.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longest time until a line is taken.
const LIMIT: Duration = Duration::from_secs(60);

/// Prints a line; false if it could not be written.
pub(super) fn say(line: &str) -> bool {
    let Ok(output) = io::stdout().as_fd().try_clone_to_owned() else { return false };
    write(&mut File::from(output), format!("{line}\n").as_bytes(), LIMIT).is_ok()
}

/// Writes all bytes; what cannot be written now is tried again until the limit.
fn write(to: &mut impl Write, mut bytes: &[u8], limit: Duration) -> io::Result<()> {
    let begun = Instant::now();
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe) || begun.elapsed() > limit => return Err(error),
            Err(_) => sleep(Duration::from_millis(10)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refuses each second write, and takes three bytes of the others.
    #[derive(Default)]
    struct Busy(Vec<u8>, bool);

    impl Write for Busy {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.0.extend(&bytes[..bytes.len().min(3)]);
            Ok(bytes.len().min(3))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_waits_until_the_output_takes_it() {
        let mut busy = Busy::default();
        write(&mut busy, b"12 passed, 0 failed\n", LIMIT).unwrap();
        assert_eq!(busy.0, b"12 passed, 0 failed\n");
    }

    #[test]
    fn an_output_that_takes_nothing_is_given_up() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::StorageFull.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert_eq!(write(&mut Full, b"x", Duration::ZERO).unwrap_err().kind(), ErrorKind::StorageFull);
    }
}
