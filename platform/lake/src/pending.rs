//! Files that were written and are not yet named by a committed row.
//!
//! Collection must leave them alone while this process may still commit them, and must take them when
//! their transaction is known to have failed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kiban_kernel::Digest;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Staged; whoever holds the guard may still commit it.
    Staged,
    /// Handed to a transaction that makes this snapshot.
    Submitted(u64),
}

/// What a path is known by: a large delivery has tens of thousands.
type Key = [u8; 32];

fn key_of(path: &str) -> Key {
    *Digest::of(path.as_bytes()).as_bytes()
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Pending(Arc<Mutex<HashMap<Key, State>>>);

impl Pending {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Note a path before the file appears there.
    pub(crate) fn stage(&self, path: &str) -> StagedPath {
        let key = key_of(path);
        self.lock().insert(key, State::Staged);
        StagedPath { pending: self.clone(), key: Some(key) }
    }

    /// May a file that the catalog does not name, read when `head` was the newest snapshot, be removed?
    /// A transaction whose number was committed by another has failed.
    pub(crate) fn is_garbage(&self, path: &str, head: u64) -> bool {
        let (mut states, key) = (self.lock(), key_of(path));
        match states.get(&key) {
            None => true,
            Some(State::Submitted(snapshot)) if *snapshot <= head => {
                states.remove(&key);
                true
            }
            Some(_) => false,
        }
    }

    /// The catalog names it: forget it here.
    pub(crate) fn committed(&self, path: &str) {
        self.lock().remove(&key_of(path));
    }
}

/// Keeps a staged file from being collected; dropped, the file is garbage.
#[derive(Debug)]
pub(crate) struct StagedPath {
    pending: Pending,
    key: Option<Key>,
}

impl StagedPath {
    /// The file goes into the transaction that makes `snapshot`.
    pub(crate) fn submit(mut self, snapshot: u64) {
        if let Some(key) = self.key.take() {
            self.pending.lock().insert(key, State::Submitted(snapshot));
        }
    }
}

impl Drop for StagedPath {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.pending.lock().remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_no_longer_be_committed_is_garbage() {
        let pending = Pending::default();
        assert!(pending.is_garbage("a", 0), "nobody knows it");
        let a = pending.stage("a");
        assert!(!pending.is_garbage("a", 9));
        a.submit(10);
        assert!(!pending.is_garbage("a", 9), "its transaction may still commit");
        assert!(pending.is_garbage("a", 10), "another transaction took its number");
        drop(pending.stage("b"));
        assert!(pending.is_garbage("b", 0), "given up");
    }
}
