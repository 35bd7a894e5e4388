//! Steps that count, and steps at which the process ends.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use kiban_kernel::Steps;

/// Remembers the steps taken.
#[derive(Debug, Default)]
pub struct CountingSteps(Mutex<Vec<&'static str>>);

impl CountingSteps {
    /// The names of the steps so far, in order.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many steps so far.
    pub fn count(&self) -> u64 {
        self.names().len() as u64
    }
}

impl Steps for CountingSteps {
    fn step(&self, name: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(name);
    }
}

/// Ends the process at the n-th step, counted from 1, as a power cut would: no destructor runs. For
/// a child process of a test ([`crate::Child`]).
#[derive(Debug)]
pub struct AbortAt {
    at: u64,
    taken: AtomicU64,
}

impl AbortAt {
    /// End at step `n`, from 1; 0 never ends.
    pub fn new(n: u64) -> Self {
        Self { at: n, taken: AtomicU64::new(0) }
    }
}

impl Steps for AbortAt {
    fn step(&self, _name: &'static str) {
        if self.taken.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            std::process::abort();
        }
    }
}
