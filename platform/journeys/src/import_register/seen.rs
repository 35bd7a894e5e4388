//! What is on the register of notices already.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use kiban_kernel::{Id, Regime, kinds};
use kiban_register::PersonNotice;

use super::PersonCounts;

/// What is on the register already, as hashes of eight bytes. Among three million notices the chance that any two share
/// one is below one in a million; then the later would count as known.
#[derive(Default)]
pub(super) struct Seen {
    notices: HashSet<u64>,
    persons: [HashSet<u64>; 2],
}

fn at(regime: Regime) -> usize {
    usize::from(regime == Regime::Pseudo57)
}

impl Seen {
    fn person(person: Id<kinds::PersonSource>) -> u64 {
        // An id is a keyed hash already.
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&person.to_bytes()[..8]);
        u64::from_be_bytes(bytes)
    }
    fn notice(person: Id<kinds::PersonSource>, notice: &PersonNotice) -> u64 {
        let mut hasher = DefaultHasher::new();
        person.to_bytes().hash(&mut hasher);
        (at(notice.regime), &notice.version, notice.notified_on.to_string()).hash(&mut hasher);
        hasher.finish()
    }
    /// False if it is known.
    pub(super) fn add(&mut self, person: Id<kinds::PersonSource>, notice: &PersonNotice) -> bool {
        let new = self.notices.insert(Self::notice(person, notice));
        self.persons[at(notice.regime)].insert(Self::person(person));
        new
    }
    pub(super) fn counts(&self) -> PersonCounts {
        PersonCounts {
            anon52: self.persons[0].len() as u64,
            pseudo57: self.persons[1].len() as u64,
        }
    }
}
