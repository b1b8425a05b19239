//! Child processes with limits. Every emulator has a time limit, a limit on file sizes and a folder of its own, and leaves no
//! process, however it or this process ends.

use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The largest file that an emulator may write. (DOSBox-X has written 68 GB of log.)
pub const FILE_LIMIT_BYTES: u64 = 64 << 20;
/// The beginning of all temporary folders' names.
const PREFIX: &str = "3compkt-";
/// The least age of a folder that [`sweep`] removes: its owner needs time to lock it.
const SWEEP_AGE: Duration = Duration::from_secs(3600);

/// A temporary folder, which is removed when it is dropped, unless it is kept. It is locked while its owner runs.
pub struct TempDir {
    path: PathBuf,
    kept: bool,
    _lock: File,
}

impl TempDir {
    /// A new empty folder whose name begins with `prefix`.
    pub fn new(prefix: &str) -> io::Result<TempDir> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{PREFIX}{prefix}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path)?;
        let lock = File::open(&path)?;
        lock.lock()?;
        Ok(TempDir { path, kept: false, _lock: lock })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the folder, for a person.
    pub fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Removes temporary folders whose owners were killed: those that are not locked and are older than an hour.
pub fn sweep() {
    sweep_in(&std::env::temp_dir(), SWEEP_AGE);
}

fn sweep_in(folder: &Path, age: Duration) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX) && path.is_dir();
        let old = || entry.metadata().ok()?.modified().ok()?.elapsed().ok().map(|since| since >= age);
        if ours && old() == Some(true) && File::open(&path).is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// Functions of the C library that Rust's library does not offer.
mod system {
    pub const RLIMIT_FSIZE: i32 = 1;
    pub const PR_SET_PDEATHSIG: i32 = 1;
    pub const SIGKILL: i32 = 9;
    pub const P_PID: i32 = 1;
    pub const WNOHANG: i32 = 1;
    pub const WEXITED: i32 = 4;
    pub const WNOWAIT: i32 = 0x0100_0000;

    unsafe extern "C" {
        pub fn setrlimit(resource: i32, limits: *const [u64; 2]) -> i32;
        pub fn prctl(option: i32, argument: u64) -> i32;
        pub fn setsid() -> i32;
        pub fn getppid() -> i32;
        pub fn kill(process: i32, signal: i32) -> i32;
        /// `information` is a `siginfo_t`, whose first member is the signal's number.
        pub fn waitid(kind: i32, id: u32, information: *mut [i32; 32], options: i32) -> i32;
    }
}

/// Lets the kernel kill `command`'s process when the thread that starts it ends, even if that is killed.
pub fn tie(command: &mut Command) {
    let parent = std::process::id();
    let act = move || {
        // SAFETY: two system calls without pointers.
        let tied = unsafe { system::prctl(system::PR_SET_PDEATHSIG, system::SIGKILL as u64) } == 0;
        // SAFETY: as above. If the parent has ended before the first call, no signal is sent.
        let alive = unsafe { system::getppid() } as u32 == parent;
        if tied && alive { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    // SAFETY: between fork and exec only system calls are made, which are async-signal-safe.
    unsafe { command.pre_exec(act) };
}

/// A time limit. Time in which the child waits for a processor does not count, so that a busy host ends no run. If the child's
/// output is watched, new output restarts the limit.
struct Limit {
    allowed: Duration,
    /// The time that has counted since the limit was last restarted.
    used: Duration,
    /// The time that the child had waited for a processor, and the size of its output, at the last call.
    waited: Duration,
    written: u64,
}

impl Limit {
    /// Counts `passed` since the last call. True if the limit is over.
    fn count(&mut self, passed: Duration, waited: Duration, written: u64) -> bool {
        // If two threads waited at once, both times are subtracted: too much, but the result is never below 0.
        self.used += passed.saturating_sub(waited.saturating_sub(self.waited));
        self.waited = waited;
        if written > self.written {
            (self.written, self.used) = (written, Duration::ZERO);
        }
        self.used > self.allowed
    }
}

/// A child with a time limit ([`Limit`]), and eight times that in any case. When the child ends or is killed, or this is dropped,
/// its whole process group is killed.
pub struct Bounded {
    child: Child,
    ended: Option<ExitStatus>,
    limit: Limit,
    looked: Instant,
    watched: Option<PathBuf>,
    last_moment: Instant,
}

/// The end of a child whose output never stops, in limits.
const MOST_LIMITS: u32 = 8;
/// Time between two counts.
const COUNT_STEP: Duration = Duration::from_millis(100);
/// Time between two polls of [`Bounded::wait`].
const WAIT_STEP: Duration = Duration::from_millis(20);

impl Bounded {
    /// Starts an emulator or a test program: no standard input, a session of its own, the limit on files.
    pub fn start(command: &mut Command, limit: Duration) -> io::Result<Bounded> {
        Bounded::at_terminal(command.stdin(Stdio::null()), limit)
    }

    /// The same with the standard input, and the terminal, that `command` has been given.
    pub fn at_terminal(command: &mut Command, limit: Duration) -> io::Result<Bounded> {
        // SAFETY: a pointer to a constant, in one system call.
        let act = || match unsafe { system::setrlimit(system::RLIMIT_FSIZE, &[FILE_LIMIT_BYTES; 2]) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        };
        // SAFETY: between fork and exec only a system call is made, which is async-signal-safe.
        unsafe { command.pre_exec(act) };
        Bounded::spawn(command, limit)
    }

    /// Starts a compiler or a package tool: as [`Bounded::start`], without a limit on files.
    pub fn tool(command: &mut Command, limit: Duration) -> io::Result<Bounded> {
        Bounded::spawn(command.stdin(Stdio::null()), limit)
    }

    fn spawn(command: &mut Command, limit: Duration) -> io::Result<Bounded> {
        let act = || {
            // SAFETY: a system call without arguments. It fails where the child leads a session already.
            unsafe { system::setsid() };
            Ok(())
        };
        // SAFETY: between fork and exec only a system call is made, which is async-signal-safe.
        unsafe { command.pre_exec(act) };
        tie(command);
        let now = Instant::now();
        Ok(Bounded {
            child: command.spawn()?,
            ended: None,
            limit: Limit { allowed: limit, used: Duration::ZERO, waited: Duration::ZERO, written: 0 },
            looked: now,
            watched: None,
            last_moment: now + limit * MOST_LIMITS,
        })
    }

    /// Restarts the limit whenever this file has grown.
    pub fn watching(mut self, file: impl Into<PathBuf>) -> Bounded {
        self.watched = Some(file.into());
        self
    }

    /// The child's process number, which is also its session's and its group's.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the child has ended. After the limit: kills it, and `Err` of kind `TimedOut`.
    pub fn poll(&mut self) -> io::Result<Option<ExitStatus>> {
        self.poll_and(|| ())
    }

    /// The same; after the limit it calls `look` before it kills the child.
    pub fn poll_and(&mut self, look: impl FnOnce()) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() && has_ended(self.id())? {
            self.finish()?;
        }
        if self.ended.is_some() {
            return Ok(self.ended);
        }
        if self.over() {
            look();
            self.kill();
            return Err(io::Error::new(io::ErrorKind::TimedOut, "time limit"));
        }
        Ok(None)
    }

    /// Waits for the child's end, or for the limit.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.poll()? {
                return Ok(status);
            }
            sleep(WAIT_STEP);
        }
    }

    /// Kills the child and its group now.
    pub fn kill(&mut self) {
        if self.ended.is_none() {
            let _ = self.finish();
        }
    }

    /// Kills the group, and then takes the child's status. Until then the child, dead or alive, keeps the group's number from
    /// being used again.
    fn finish(&mut self) -> io::Result<()> {
        // SAFETY: a system call without pointers.
        unsafe { system::kill(-(self.id() as i32), system::SIGKILL) };
        let _ = self.child.kill();
        CPU.set(CPU.get() + cpu(self.id()));
        self.ended = Some(self.child.wait()?);
        Ok(())
    }

    /// Counts the time since the last call. True if the limit is over.
    fn over(&mut self) -> bool {
        let passed = self.looked.elapsed();
        if passed < COUNT_STEP {
            return false;
        }
        self.looked += passed;
        let written = self.watched.as_ref().and_then(|path| fs::metadata(path).ok()).map_or(0, |file| file.len());
        self.limit.count(passed, waited(self.id()), written) || Instant::now() > self.last_moment
    }
}

impl Drop for Bounded {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a child has ended. Does not take its status.
fn has_ended(child: u32) -> io::Result<bool> {
    let mut information = [0; 32];
    let options = system::WNOHANG | system::WEXITED | system::WNOWAIT;
    // SAFETY: the structure has 128 bytes, and outlives the call.
    match unsafe { system::waitid(system::P_PID, child, &mut information, options) } {
        0 => Ok(information[0] != 0),
        _ => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            error => Err(error),
        },
    }
}

/// How long a process's threads have waited for a processor: the second number of each thread's `schedstat`. Zero if the kernel
/// does not tell.
fn waited(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let texts = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    Duration::from_nanos(texts.filter_map(|text| text.split(' ').nth(1)?.parse::<u64>().ok()).sum())
}

thread_local! {
    /// The processor time of the children that this thread has waited for.
    static CPU: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// The processor time of the children that ended in [`Bounded`]s of this thread since the last call.
pub fn take_cpu() -> Duration {
    CPU.take()
}

/// The processor time of an ended child, and of those of its own children that it has waited for. Call it before the status is
/// taken: the fields 14 to 17 of `stat` are then complete. Zero if the kernel does not tell.
fn cpu(process: u32) -> Duration {
    /// The unit of these fields, which is the same on every Linux that Rust runs on.
    const TICK: Duration = Duration::from_millis(10);
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The second field is the program's name in parentheses, which may contain blanks.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    TICK * fields.skip(11).take(4).filter_map(|field| field.parse::<u32>().ok()).sum::<u32>()
}

/// Runs a compiler or a package tool; returns its output.
///
/// # Errors
/// It cannot be started, or has not ended after `limit`.
pub fn output(command: &mut Command, limit: Duration) -> io::Result<Output> {
    let folder = TempDir::new("output")?;
    let [out, err] = ["out", "err"].map(|name| folder.path().join(name));
    let status = Bounded::tool(command.stdout(File::create(&out)?).stderr(File::create(&err)?), limit)?.wait()?;
    Ok(Output { status, stdout: fs::read(out)?, stderr: fs::read(err)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(300);

    /// A shell that starts a program in its own group, writes its number to a file, and continues with `then`.
    fn parent(folder: &TempDir, then: &str) -> (Bounded, PathBuf) {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("sleep 1000 & echo $! >number.part; mv number.part number; {then}")]);
        let path = folder.path().join("number");
        (Bounded::start(command.current_dir(folder.path()), LONG).unwrap(), path)
    }

    /// Waits until the process with this number has ended. It has ended, too, if only its status is left.
    fn wait_for_end(process: &str) {
        let stat = format!("/proc/{}/stat", process.trim());
        let lives = || fs::read_to_string(&stat).is_ok_and(|text| !text.contains(") Z "));
        let begun = Instant::now();
        while lives() {
            assert!(begun.elapsed() < LONG, "process {process} was left running");
            sleep(WAIT_STEP);
        }
    }

    /// The process number in a file, once it is there.
    fn number(path: &Path) -> String {
        let begun = Instant::now();
        loop {
            if let Ok(text) = fs::read_to_string(path) {
                return text;
            }
            assert!(begun.elapsed() < LONG, "nothing in {}", path.display());
            sleep(WAIT_STEP);
        }
    }

    #[test]
    fn a_child_that_is_killed_takes_its_own_children_along() {
        let folder = TempDir::new("group").unwrap();
        let (mut child, path) = parent(&folder, "wait");
        let started = number(&path);
        assert!(child.poll().unwrap().is_none());
        child.kill();
        wait_for_end(&started);
    }

    #[test]
    fn a_child_that_ends_leaves_nothing_of_its_group_running() {
        let folder = TempDir::new("group").unwrap();
        let (mut child, path) = parent(&folder, "exit 3");
        assert_eq!(child.wait().unwrap().code(), Some(3));
        assert_eq!(child.wait().unwrap().code(), Some(3), "its status stays");
        wait_for_end(&number(&path));
    }

    #[test]
    fn a_limit_counts_neither_the_time_without_a_processor_nor_what_was_before_an_output() {
        let ms = Duration::from_millis;
        let mut limit = Limit { allowed: ms(250), used: ms(0), waited: ms(0), written: 0 };
        // A busy host: of each second the child has 20 ms.
        for round in 1..10 {
            assert!(!limit.count(ms(1000), ms(980 * round), 0), "round {round}");
        }
        // Output comes for longer than the limit.
        for round in 1..10 {
            assert!(!limit.count(ms(100), ms(8820), 5 * round), "round {round}");
        }
        // Then no more output comes.
        assert!(!limit.count(ms(100), ms(8820), 45));
        assert!(!limit.count(ms(100), ms(8820), 45));
        assert!(limit.count(ms(100), ms(8820), 45));
    }

    #[test]
    fn the_processor_time_is_that_of_the_child_and_its_children() {
        take_cpu();
        // A loop in a child of the child, which the child waits for.
        let mut command = Command::new("sh");
        command.args(["-c", "sh -c 'n=0; while [ $n -lt 300000 ]; do n=$((n + 1)); done'; true"]);
        Bounded::start(&mut command, LONG).unwrap().wait().unwrap();
        assert!(take_cpu() > Duration::ZERO);
        assert_eq!(take_cpu(), Duration::ZERO, "it was taken");
        Bounded::start(Command::new("sleep").arg("0.5"), LONG).unwrap().wait().unwrap();
        assert!(take_cpu() < Duration::from_millis(500), "waiting is no work");
    }

    #[test]
    fn a_child_that_is_silent_for_its_limit_is_ended() {
        let mut child = Bounded::start(Command::new("sleep").arg("1000"), Duration::from_millis(200)).unwrap();
        assert_eq!(child.wait().unwrap_err().kind(), io::ErrorKind::TimedOut);
        wait_for_end(&child.id().to_string());
    }

    #[test]
    fn folders_of_the_dead_are_swept_and_those_of_the_living_stay() {
        let folder = TempDir::new("sweep").unwrap();
        let inside = |name: &str| folder.path().join(name);
        let [dead, living, other] = ["3compkt-dead-1-0", "3compkt-living-2-0", "other"].map(inside);
        for path in [&dead, &living, &other] {
            fs::create_dir(path).unwrap();
            fs::write(path.join("file"), "").unwrap();
        }
        let lock = File::open(&living).unwrap();
        lock.lock().unwrap();
        sweep_in(folder.path(), SWEEP_AGE);
        assert!(dead.is_dir(), "its owner may be about to lock it");
        sweep_in(folder.path(), Duration::ZERO);
        assert!(!dead.exists() && living.join("file").exists() && other.join("file").exists());
    }
}
