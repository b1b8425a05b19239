//! Programs that end: every emulator runs with a time limit, a cap on the size of files and a folder of its own.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The largest file that an emulator may write. DOSBox-X once wrote 68 GB of log.
pub const FILE_LIMIT_BYTES: u64 = 64 << 20;

/// A folder that is removed with its owner, unless it is kept for a look.
pub struct TempDir(PathBuf, bool);

impl TempDir {
    /// A new empty folder whose name begins with `prefix`.
    pub fn new(prefix: &str) -> io::Result<TempDir> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("3compkt-{prefix}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path)?;
        Ok(TempDir(path, false))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Leave the folder behind, for a person to look at.
    pub fn keep(&mut self) {
        self.1 = true;
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if !self.1 {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// A child that is killed by its pid when its owner goes.
pub struct Bounded {
    child: Child,
    deadline: Instant,
}

impl Bounded {
    /// Starts `command` with no standard input, its own process group and the file limit.
    pub fn start(command: &mut Command, limit: Duration) -> io::Result<Bounded> {
        unsafe extern "C" {
            fn setrlimit(resource: i32, limits: *const [u64; 2]) -> i32;
            fn prctl(option: i32, argument: u64) -> i32;
        }
        const RLIMIT_FSIZE: i32 = 1;
        const PR_SET_PDEATHSIG: i32 = 1;
        const SIGKILL: u64 = 9;
        command.stdin(Stdio::null()).process_group(0);
        // It also ends with the thread that started it: nobody else would end it when we are killed.
        // SAFETY: between fork and exec only setrlimit and prctl are called, which are async-signal-safe.
        unsafe {
            command.pre_exec(|| {
                let done = setrlimit(RLIMIT_FSIZE, &[FILE_LIMIT_BYTES; 2]) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
                if done { Ok(()) } else { Err(io::Error::last_os_error()) }
            });
        }
        Ok(Bounded { child: command.spawn()?, deadline: Instant::now() + limit })
    }

    /// Has it ended? `Err` of kind `TimedOut` (and the child killed) once the limit has passed.
    pub fn poll(&mut self) -> io::Result<Option<ExitStatus>> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > self.deadline {
            self.kill();
            return Err(io::Error::new(io::ErrorKind::TimedOut, "time limit"));
        }
        Ok(None)
    }

    /// Waits for the end or the limit.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.poll()? {
                return Ok(status);
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// The process, for whoever has to read its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Ends it now.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Bounded {
    fn drop(&mut self) {
        self.kill();
    }
}
