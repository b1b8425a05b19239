//! A program at a terminal that keeps its screen: a pseudo terminal, a thread that reads it, and functions that wait for text.

mod screen;

use screen::Screen;
use std::ffi::{CStr, c_char, c_int, c_ulong};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::spawn;
use std::time::{Duration, Instant};
use tools::process::Bounded;

const ROWS: u16 = 25;
const COLUMNS: u16 = 80;
/// Time between two checks whether the program has ended.
const STEP: Duration = Duration::from_millis(200);

const O_RDWR: c_int = 2;
const O_NOCTTY: c_int = 0o400;
const O_CLOEXEC: c_int = 0o2_000_000;
const TIOCSCTTY: c_ulong = 0x540E;
const TIOCSWINSZ: c_ulong = 0x5414;

unsafe extern "C" {
    fn posix_openpt(flags: c_int) -> c_int;
    fn grantpt(terminal: c_int) -> c_int;
    fn unlockpt(terminal: c_int) -> c_int;
    fn ptsname_r(terminal: c_int, name: *mut c_char, length: usize) -> c_int;
    fn ioctl(file: c_int, request: c_ulong, argument: *const u16) -> c_int;
    fn setsid() -> c_int;
}

fn done(result: c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Both ends of a new pseudo terminal: the test's and the program's.
fn open() -> io::Result<(File, File)> {
    // SAFETY: a system call without pointers; no other code uses the file.
    let ours = match unsafe { posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC) } {
        -1 => return Err(io::Error::last_os_error()),
        // SAFETY: the file was opened just now.
        file => unsafe { File::from_raw_fd(file) },
    };
    let mut name = [0; 64];
    // SAFETY: the file is open.
    done(unsafe { grantpt(ours.as_raw_fd()) })?;
    // SAFETY: the file is open.
    done(unsafe { unlockpt(ours.as_raw_fd()) })?;
    // SAFETY: the file is open, and the buffer has the length that is given.
    done(unsafe { ptsname_r(ours.as_raw_fd(), name.as_mut_ptr(), name.len()) })?;
    // SAFETY: the C library has ended the name by a zero.
    let name = unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned();
    // Rows, columns, and pixels, which are not used.
    let size = [ROWS, COLUMNS, 0, 0];
    // SAFETY: the file is open, and the request takes a structure of four numbers.
    done(unsafe { ioctl(ours.as_raw_fd(), TIOCSWINSZ, size.as_ptr()) })?;
    // O_NOCTTY: otherwise it would become the terminal of a session leader without one.
    let theirs = std::os::unix::fs::OpenOptionsExt::custom_flags(File::options().read(true).write(true), O_NOCTTY).open(name)?;
    Ok((ours, theirs))
}

type Shown = Arc<(Mutex<Screen>, Condvar)>;

/// A program and its terminal.
pub struct Terminal {
    child: Bounded,
    keys: File,
    shown: Shown,
    limit: Duration,
}

impl Terminal {
    /// Starts a program in a folder at a VT100 of 25 rows; `limit` is the longest that each wait takes.
    pub fn start(program: &str, arguments: &[&str], folder: &Path, limit: Duration) -> Terminal {
        let (ours, theirs) = open().unwrap();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).env("TERM", "vt100").env("LC_ALL", "C").env("TMPDIR", folder);
        for variable in ["LINES", "COLUMNS"] {
            command.env_remove(variable);
        }
        let other = || theirs.try_clone().unwrap();
        command.stdin(other()).stdout(other()).stderr(other());
        let act = || {
            // SAFETY: a system call without arguments; it makes a session, which has no terminal yet.
            unsafe { setsid() };
            // SAFETY: standard input is the terminal; the argument is a number: take it from no other session.
            done(unsafe { ioctl(0, TIOCSCTTY, std::ptr::null()) })
        };
        // SAFETY: between fork and exec only system calls are made, which are async-signal-safe.
        unsafe { command.pre_exec(act) };
        let child = Bounded::at_terminal(&mut command, limit).unwrap();
        let shown: Shown = Arc::new((Mutex::new(Screen::new(ROWS.into(), COLUMNS.into())), Condvar::new()));
        let (mut source, to) = (ours.try_clone().unwrap(), shown.clone());
        // The thread ends when no program has the terminal: a read fails then.
        spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                to.0.lock().unwrap().hear(&buffer[..count]);
                to.1.notify_all();
            }
        });
        Terminal { child, keys: ours, shown, limit }
    }

    /// The program's process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a condition is true for the screen.
    fn until(&mut self, what: &str, holds: impl Fn(&Screen) -> bool) {
        let begun = Instant::now();
        let mut screen = self.shown.0.lock().unwrap();
        let mut ended = false;
        loop {
            assert!(screen.unknown.is_empty(), "the screen does not know {:?}", screen.unknown);
            if holds(&screen) {
                return;
            }
            assert!(!ended && begun.elapsed() < self.limit, "no `{what}` on the screen:\n{}", screen.text());
            ended = !matches!(self.child.poll(), Ok(None));
            screen = self.shown.1.wait_timeout(screen, STEP).unwrap().0;
        }
    }

    /// Waits for a text on the screen.
    pub fn wait(&mut self, text: &str) {
        self.until(text, |screen| screen.text().contains(text));
    }

    /// Types a command behind `prompt`, a letter when the last one is on the screen, because the PC's keyboard buffer is small.
    /// DEL (7Fh) removes a letter. Enter follows.
    pub fn type_line(&mut self, prompt: &str, line: &str) {
        let mut typed = prompt.to_string();
        self.until(prompt, |screen| screen.before_cursor() == prompt);
        for key in line.chars() {
            self.press(key);
            match key {
                '\x7F' => drop(typed.pop()),
                _ => typed.push(key),
            }
            self.until(&typed, |screen| screen.before_cursor() == typed);
        }
        self.press('\r');
    }

    fn press(&mut self, key: char) {
        self.keys.write_all(&[key as u8]).unwrap();
    }

    /// Waits for the program's end.
    pub fn end(&mut self) -> ExitStatus {
        self.child.wait().unwrap_or_else(|error| panic!("{error}:\n{}", self.shown.0.lock().unwrap().text()))
    }
}
