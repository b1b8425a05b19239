//! Runs tests three at a time, longest first; prints a line for each, the failures, and what was repeated.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::scope;
use std::time::{Duration, Instant};

use super::machine::Lab;
use super::remembered::Remembered;
use super::say::say;
use crate::nics::NICS;
use crate::{process, setup};

/// Tests that run at once. A machine uses one processor at most; while its program waits it uses none.
const WORKERS: usize = 3;

/// The result of a test: nothing, or a text with all that a person needs to know.
pub type Verdict = Result<(), String>;

pub(super) type Run = Box<dyn FnOnce(&Lab) -> Verdict + Send>;

/// One test.
pub struct Test {
    /// `RIG/NIC/WHAT`.
    pub name: String,
    /// Its time in seconds, about: the longest begin first.
    pub seconds: u32,
    /// `--quick` leaves it out.
    pub slow: bool,
    /// It runs only with `--long`.
    pub long: bool,
    /// It begins when all others have ended.
    pub last: bool,
    pub(super) run: Run,
}

impl Test {
    /// A test of a few seconds.
    pub fn new(name: impl Into<String>, run: impl FnOnce(&Lab) -> Verdict + Send + 'static) -> Test {
        Test { name: name.into(), seconds: 3, slow: false, long: false, last: false, run: Box::new(run) }
    }

    /// Sets its time, in seconds.
    pub fn takes(mut self, seconds: u32) -> Test {
        self.seconds = seconds;
        self
    }

    /// It needs the results of the others.
    pub fn last(mut self) -> Test {
        self.last = true;
        self
    }
}

#[derive(Default)]
struct Score {
    passed: u32,
    failed: u32,
    /// Passed tests that are remembered from earlier runs.
    remembered: u32,
    /// Tests with repetitions, and their number.
    retries: Vec<(String, u32)>,
    /// By kind of test: how many ran, their time, and the processor time of their machines and programs.
    kinds: BTreeMap<String, (u32, Duration, Duration)>,
}

/// The kinds of tests whose times are printed at the end of a run.
const KINDS: usize = 10;

/// A test's kind: its rig and what it tests, without the NIC.
fn kind(name: &str) -> String {
    let parts: Vec<&str> = name.split('/').collect();
    match parts[..] {
        ["host", program, ..] => format!("host/{program}"),
        [rig, nic, what, ..] if NICS.iter().any(|known| known.name == nic) => format!("{rig}/{what}"),
        [rig, what, ..] => format!("{rig}/{what}"),
        _ => name.into(),
    }
}

thread_local! {
    /// Repetitions of the test on this thread.
    static RETRIES: Cell<u32> = const { Cell::new(0) };
}

/// Counts repetitions of the test on this thread.
pub(super) fn retried(times: u32) {
    RETRIES.set(RETRIES.get() + times);
}

/// The folder for reports of failed tests, which is kept until the next run.
fn folder() -> PathBuf {
    setup::root().join(".rigs/failed")
}

/// Runs the tests, without those that are remembered, and prints the result. True if none failed.
pub fn run(mut tests: Vec<Test>, lab: &Lab, remembered: &Remembered) -> bool {
    process::sweep();
    let _ = fs::remove_dir_all(folder());
    tests.sort_by_key(|test| std::cmp::Reverse(test.seconds));
    let (last, first): (VecDeque<Test>, VecDeque<Test>) = tests.into_iter().partition(|test| test.last);
    let score = Mutex::new(Score::default());
    for stage in [first, last] {
        let queue = Mutex::new(stage);
        scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    loop {
                        let Some(test) = lock(&queue).pop_front() else { break };
                        one(test, lab, &score, remembered);
                    }
                });
            }
        });
    }
    let score = lock(&score);
    if score.failed != 0 {
        say(&format!("the reports of what failed are kept in {}", folder().canonicalize().unwrap_or_default().display()));
    }
    for (name, times) in &score.retries {
        say(&format!("tried again: {name}, {times} in all"));
    }
    times(&score.kinds);
    if score.remembered != 0 {
        say(&format!("{} of them have passed before with the same units; --again runs them", score.remembered));
    }
    say(&format!("{} passed, {} failed", score.passed, score.failed)) && score.failed == 0
}

/// Prints the kinds that took longest, and the sum of all.
fn times(kinds: &BTreeMap<String, (u32, Duration, Duration)>) {
    let line = |name: &str, (tests, took, cpu): (u32, Duration, Duration)| {
        say(&format!("time: {:6.0} s, {:6.0} s of a processor, {tests:4} tests: {name}", took.as_secs_f32(), cpu.as_secs_f32()));
    };
    let mut longest: Vec<_> = kinds.iter().collect();
    longest.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.1));
    longest.iter().take(KINDS).for_each(|(name, sums)| line(name, **sums));
    line("all", kinds.values().fold(<_>::default(), |all, one| (all.0 + one.0, all.1 + one.1, all.2 + one.2)));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn one(test: Test, lab: &Lab, score: &Mutex<Score>, remembered: &Remembered) {
    // The last test compares CONFORM's output, so CONFORM is always run.
    let machine = !test.name.starts_with("host/") && !test.last && !test.name.contains("/conform");
    if machine && remembered.knows(&test.name, lab) {
        let mut score = lock(score);
        score.passed += 1;
        score.remembered += 1;
        say(&format!("ok      {}  remembered", test.name));
        return;
    }
    let begun = Instant::now();
    process::take_cpu();
    let verdict = catch_unwind(AssertUnwindSafe(|| (test.run)(lab))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Err(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("panic").to_string())
    });
    if machine {
        remembered.note(&test.name, lab, verdict.is_ok(), begun.elapsed().as_secs_f32());
    }
    let mut score = lock(score);
    let retries = RETRIES.take();
    let (took, cpu) = (begun.elapsed(), process::take_cpu());
    let sums = score.kinds.entry(kind(&test.name)).or_default();
    *sums = (sums.0 + 1, sums.1 + took, sums.2 + cpu);
    tell(&test.name, (took, cpu), retries, &verdict, &mut score);
}

/// Prints a test's result. `times`: its time, and the processor time of its machines and programs.
fn tell(name: &str, times: (Duration, Duration), retries: u32, verdict: &Verdict, score: &mut Score) {
    let (took, cpu) = (times.0.as_secs_f32(), times.1.as_secs_f32());
    let mut again = String::new();
    if retries != 0 {
        again = format!(", {retries} tries again");
        score.retries.push((name.to_string(), retries));
    }
    match verdict {
        Ok(()) => {
            score.passed += 1;
            say(&format!("ok      {name}  {took:.1} s ({cpu:.1}){again}"));
        }
        Err(why) => {
            score.failed += 1;
            say(&format!("FAILED  {name}  {took:.1} s ({cpu:.1}){again}\n{}", shortened(why.trim_end())));
            let _ = fs::create_dir_all(folder());
            let _ = fs::write(folder().join(format!("{}.txt", name.replace('/', "-"))), why);
        }
    }
}

/// The most of a failed test's report that is printed, in bytes: of its beginning and of its end.
const PRINTED: (usize, usize) = (8 << 10, 24 << 10);

/// A report as it is printed.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= PRINTED.0 + PRINTED.1 {
        return text.into();
    }
    let (first, last) = (text.floor_char_boundary(PRINTED.0), text.ceil_char_boundary(text.len() - PRINTED.1));
    format!("{}\n[{} bytes are left out here]\n{}", &text[..first], last - first, &text[last..]).into()
}
