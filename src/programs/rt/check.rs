//! Counts checks and prints a line for each. The test programs call it.

use super::console::{self, Word};
use super::packet::error;
use crate::say;
use core::ffi::CStr;

/// The number of checks.
pub struct Checks {
    /// Checks that passed.
    pub passed: u32,
    /// Checks that failed.
    pub failed: u32,
    /// The prefix of the checks' names: a pattern and its words.
    about: (&'static CStr, [Word; 2]),
}

impl Checks {
    /// No checks yet.
    pub fn new() -> Checks {
        Checks { passed: 0, failed: 0, about: (c"", [Word(0); 2]) }
    }

    /// Sets the prefix of the names of the checks that follow: a pattern with two places at most.
    pub fn about(&mut self, pattern: &'static CStr, words: [Word; 2]) {
        let fits = console::places(pattern) <= words.len();
        self.about = (if fits { pattern } else { c"(a wrong prefix)" }, words);
    }

    fn count(&mut self, name: &CStr, good: bool) -> bool {
        self.passed += good as u32;
        self.failed += !good as u32;
        say!(c"{s} ", if good { c"ok" } else { c"FAIL" });
        // SAFETY: `about` sees to it.
        unsafe { console::pattern(self.about.0, self.about.1.as_ptr()) };
        say!(c"{s}{s}", name, if good { c"\n" } else { c": " });
        good
    }

    /// Checks that two numbers are equal.
    #[inline(never)]
    pub fn equal(&mut self, name: &CStr, expected: u32, got: u32) -> bool {
        let good = self.count(name, expected == got);
        if !good {
            say!(c"expected {L}h, got {L}h\n", expected, got);
        }
        good
    }

    /// Checks a condition.
    #[inline(never)]
    pub fn holds(&mut self, name: &CStr, good: bool, expected: &CStr) -> bool {
        if !self.count(name, good) {
            say!(c"expected {s}, got the contrary\n", expected);
        }
        good
    }

    /// Checks that a call succeeded.
    #[inline(never)]
    pub fn succeeds<T>(&mut self, name: &CStr, result: Result<T, u8>) -> Option<T> {
        match result {
            Ok(value) => {
                self.count(name, true);
                Some(value)
            }
            Err(code) => {
                self.count(name, false);
                say!(c"expected success, got {s} ({d})\n", error::name(code), code);
                None
            }
        }
    }

    /// Checks that a call failed with this error.
    #[inline(never)]
    pub fn fails<T>(&mut self, name: &CStr, expected: u8, result: Result<T, u8>) -> bool {
        let got = result.err();
        let good = self.count(name, got == Some(expected));
        if !good {
            say!(c"expected {s} ({d}), got ", error::name(expected), expected);
            match got {
                None => say!(c"success\n"),
                Some(code) => say!(c"{s} ({d})\n", error::name(code), code),
            }
        }
        good
    }

    /// Checks that the bytes are equal; prints the first that is not.
    #[inline(never)]
    pub fn same(&mut self, name: &CStr, expected: &[u8], got: &[u8]) -> bool {
        let differs = expected.iter().zip(got).position(|(a, b)| a != b);
        let good = self.count(name, differs.is_none() && expected.len() == got.len());
        if !good {
            match differs {
                Some(at) => {
                    say!(c"expected {x}h, got {x}h in byte {d} of",
                        expected.get(at).copied().unwrap_or(0), got.get(at).copied().unwrap_or(0), at as u32);
                    for byte in got.iter().take(at + 16).skip(at.saturating_sub(16)) {
                        say!(c" {x}", *byte);
                    }
                    console::byte(b'\n');
                }
                None => say!(c"expected {d} bytes, got {d}\n", expected.len() as u32, got.len() as u32),
            }
        }
        good
    }
}
