//! Typed ids: `Id<Person>` and `Id<Dataset>` are different types and read differently (`per_…`, `dst_…`).

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use crate::{Entropy, EntropyError};

/// What an id names. Implemented by the empty types of [`kinds`] alone.
pub trait Kind: 'static {
    /// Three-letter prefix of the text form.
    const PREFIX: &'static str;
}

/// The kinds of things that have ids.
pub mod kinds {
    macro_rules! kinds { ($($(#[$doc:meta])* $name:ident = $prefix:literal),+ $(,)?) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        impl super::Kind for $name { const PREFIX: &'static str = $prefix; }
    )+ } }
    kinds! {
        /// A person after linkage over holders.
        Person = "per",
        /// One person as one data holder knows him or her.
        PersonSource = "psn",
        /// A data holder, producer, trustee, user: any organization.
        Organization = "org",
        /// A certification on the register.
        Certification = "crt",
        /// A delivery from a holder.
        Delivery = "dlv",
        /// A segment of source bytes (a file, a line, a row).
        Segment = "seg",
        /// A record of a source, in all its versions.
        Record = "rec",
        /// A version of a holder's notice.
        Notice = "ntc",
        /// A holder's filing with the ministers.
        Filing = "fil",
        /// A stop request.
        Stop = "stp",
        /// A use application.
        Application = "app",
        /// A project line: the domain in which pseudonyms of a pseudonymized dataset are stable.
        Project = "prj",
        /// A dataset.
        Dataset = "dst",
        /// A contract.
        Contract = "ctr",
        /// A finding of the combination scan.
        Finding = "fnd",
        /// A committee session.
        Session = "ses",
        /// An account.
        Account = "acc",
        /// A table file of the lake or a container of source bytes.
        File = "fle",
        /// An event's subject that has no id of its own.
        Event = "evt",
    }
}

/// An opaque 128-bit id of a kind; text form `per_` + 26 characters of Crockford base 32.
pub struct Id<K>(u128, PhantomData<fn() -> K>);

/// Why a text is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix is of another kind.
    #[error("an id of kind {0} was expected")]
    Kind(&'static str),
    /// Not 26 characters of the alphabet.
    #[error("the id is malformed")]
    Malformed,
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// No digit of the alphabet.
const NO_DIGIT: u8 = u8::MAX;
/// By byte: its place in the alphabet. Ids are read for every person of every lot of rows.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut place = 0;
    while place < ALPHABET.len() {
        digits[ALPHABET[place] as usize] = place as u8;
        place += 1;
    }
    digits
};

impl<K: Kind> Id<K> {
    /// A new random id.
    ///
    /// # Errors
    /// The source of chance failed.
    pub fn new(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes)?;
        Ok(Self::from_bytes(bytes))
    }

    /// The id with these bytes; for ids derived from keyed hashes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes), PhantomData)
    }

    /// The id's bytes, big-endian.
    pub fn to_bytes(&self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// A bucket in `0..buckets`, stable for ever: the id's high bits.
    pub fn bucket(&self, buckets: u32) -> u32 {
        ((self.0 >> 96) as u32) % buckets.max(1)
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'_'; 30];
        text[..3].copy_from_slice(K::PREFIX.as_bytes());
        // Twelve digits at a time fit into a word.
        for (part, digits) in text[4..].rchunks_mut(12).enumerate() {
            let mut word = (self.0 >> (60 * part)) as u64;
            for digit in digits.iter_mut().rev() {
                *digit = ALPHABET[(word & 31) as usize];
                word >>= 5;
            }
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        let body = s
            .strip_prefix(K::PREFIX)
            .and_then(|s| s.strip_prefix('_'))
            .ok_or(IdError::Kind(K::PREFIX))?;
        if body.len() != 26 {
            return Err(IdError::Malformed);
        }
        let mut value = 0_u128;
        for (i, byte) in body.bytes().enumerate() {
            let digit = DIGITS[usize::from(byte)];
            if digit == NO_DIGIT || i == 0 && digit > 7 {
                return Err(IdError::Malformed);
            }
            value = (value << 5) | u128::from(digit);
        }
        Ok(Self(value, PhantomData))
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: Kind> serde::Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de, K: Kind> serde::Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_keeps_kinds_apart() {
        for bytes in [[0; 16], [255; 16], *b"0123456789abcdef"] {
            let id = Id::<kinds::Person>::from_bytes(bytes);
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(id.to_string().len(), 30);
            assert_eq!(id.to_string().parse::<Id<kinds::Dataset>>(), Err(IdError::Kind("dst")));
        }
        assert_eq!(
            "per_8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<Id<kinds::Person>>(),
            Err(IdError::Malformed)
        );
        assert_eq!("per_x".parse::<Id<kinds::Person>>(), Err(IdError::Malformed));
    }
}
