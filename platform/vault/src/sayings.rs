//! When something was said of a record, and of which version.
//!
//! Enters: a version's text and a moment. Leaves: a number of 4 bytes that stands for both, and both again. Refuses:
//! nothing.
//!
//! # Memory
//! Without a version, as in FHIR and claims, all that was said at one moment is one entry: as many as deliveries. With one,
//! 16 bytes a record if it is 17 digits, as SS-MIX2 has it; any other text is kept as it is, some 50 bytes. A version that
//! another one follows gives its entry to that one.

use std::{borrow::Cow, collections::HashMap};

use crate::id_table::Chunks;

/// Digits of a version that is kept as a number.
const DIGITS: usize = 17;
/// A version that is kept as text: the other bits say which.
const TEXT: u64 = 1 << 63;
/// No version.
const NONE: u64 = 0;

#[derive(Clone, Copy)]
struct Said {
    /// [`NONE`], the number of [`DIGITS`] digits and one, or [`TEXT`] and its place.
    version: u64,
    stated_at: i64,
}

/// Everything that is the last word on some record.
#[derive(Default)]
pub(crate) struct Sayings {
    said: Chunks<Said>,
    /// By moment, the entry without a version.
    plain: HashMap<i64, u32>,
    texts: Vec<Box<str>>,
}

impl Sayings {
    /// The version (empty: none) and the moment of an entry.
    pub(crate) fn get(&self, at: u32) -> (Cow<'_, str>, i64) {
        let Said { version, stated_at } = *self.said.at(at as usize);
        let text = match version {
            NONE => Cow::Borrowed(""),
            text if text & TEXT != 0 => Cow::Borrowed(&*self.texts[(text & !TEXT) as usize]),
            number => Cow::Owned(format!("{:0DIGITS$}", number - 1)),
        };
        (text, stated_at)
    }

    /// The entry that says so; `before`: the entry that the record had, which nobody asks for again.
    pub(crate) fn put(&mut self, before: Option<u32>, version: &str, stated_at: i64) -> u32 {
        let next = self.said.len() as u32;
        if version.is_empty() {
            let at = *self.plain.entry(stated_at).or_insert(next);
            if at == next {
                self.said.push(Said { version: NONE, stated_at });
            }
            return at;
        }
        let before = before.map(|at| (at, self.said.at(at as usize).version));
        // An entry without a version is that of many records.
        let own = before.filter(|(_, version)| *version != NONE);
        let said = Said { version: self.word(own.map(|(_, word)| word), version), stated_at };
        match own {
            Some((at, _)) => {
                *self.said.at_mut(at as usize) = said;
                at
            }
            None => {
                self.said.push(said);
                next
            }
        }
    }

    fn word(&mut self, before: Option<u64>, version: &str) -> u64 {
        let digits = version.len() == DIGITS && version.bytes().all(|b| b.is_ascii_digit());
        if let Some(number) = version.parse::<u64>().ok().filter(|_| digits) {
            return number + 1;
        }
        match before.filter(|word| word & TEXT != 0) {
            Some(word) => {
                self.texts[(word & !TEXT) as usize] = version.into();
                word
            }
            None => {
                self.texts.push(version.into());
                TEXT | (self.texts.len() as u64 - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_comes_back_as_it_was() {
        let mut sayings = Sayings::default();
        let versions = [
            "",
            "20240501100000000",
            "00000000000000000",
            "99999999999999999",
            "2024050110000000",
            "+0240501100000000",
            "２０２４",
            "2024-05-01T10:00:00+09:00",
        ];
        let places: Vec<u32> = versions.iter().map(|v| sayings.put(None, v, 7)).collect();
        for (at, version) in places.iter().zip(versions) {
            assert_eq!(sayings.get(*at), (Cow::Borrowed(version), 7));
        }
        assert_eq!(sayings.put(None, "", 7), places[0], "the same for all records");
        assert_ne!(sayings.put(None, "", 8), places[0]);
        // An entry changes from each form to each; the shared one does not.
        for from in versions {
            for to in versions {
                let at = sayings.put(None, from, 1);
                let other = sayings.put(None, from, 1);
                let then = sayings.put(Some(at), to, 2);
                assert_eq!(sayings.get(then), (Cow::Borrowed(to), 2));
                assert_eq!(sayings.get(other), (Cow::Borrowed(from), 1));
                let number = sayings.said.len();
                let last = sayings.put(Some(then), to, 3);
                assert_eq!(sayings.get(last), (Cow::Borrowed(to), 3));
                assert!(to.is_empty() || (last, sayings.said.len()) == (then, number));
            }
        }
    }
}
