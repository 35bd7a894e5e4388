//! What a function instance holds, as bytes: so that it can be rebuilt on another node of a cluster.
//!
//! The bytes name persons and hold keys: they leave this process only sealed (`remote::codec`). Equal states write
//! equal bytes, whatever the order of their maps.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use datafusion::{
    common::{Result, exec_datafusion_err},
    error::DataFusionError,
    logical_expr::ScalarUDF,
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    base::{Body, Function, instance},
    counted, keyed, standard,
};

/// Which body the bytes rebuild.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Residual = 1,
    IsIn = 2,
    GroupBounds = 3,
    Decided = 4,
    Tag = 5,
    Code = 6,
    Shift = 7,
    Standard = 8,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Residual,
        Self::IsIn,
        Self::GroupBounds,
        Self::Decided,
        Self::Tag,
        Self::Code,
        Self::Shift,
        Self::Standard,
    ];
}

/// Writes a state.
pub(super) struct Out(Zeroizing<Vec<u8>>);

impl Out {
    pub(super) fn of(kind: Kind) -> Self {
        // Room for a key and its names: growing would leave copies of it behind.
        let mut bytes = Vec::with_capacity(1024);
        bytes.push(kind as u8);
        Self(Zeroizing::new(bytes))
    }
    pub(super) fn number(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    pub(super) fn bytes(&mut self, value: &[u8]) {
        self.number(value.len() as u64);
        self.0.extend_from_slice(value);
    }
    pub(super) fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }
    /// A value that may be absent.
    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.number(u64::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }
    pub(super) fn set(&mut self, set: &HashSet<String>) {
        self.number(set.len() as u64);
        for value in set.iter().collect::<BTreeSet<_>>() {
            self.text(value);
        }
    }
    pub(super) fn map<T>(&mut self, map: &HashMap<String, T>, write: impl Fn(&mut Self, &T)) {
        self.number(map.len() as u64);
        for (key, value) in map.iter().collect::<BTreeMap<_, _>>() {
            self.text(key);
            write(self, value);
        }
    }
}

/// Reads a state.
pub(super) struct In<'a>(&'a [u8]);

fn cut() -> DataFusionError {
    exec_datafusion_err!("a function's state is cut")
}

impl<'a> In<'a> {
    pub(super) fn number(&mut self) -> Result<u64> {
        let (head, rest) = self.0.split_first_chunk().ok_or_else(cut)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*head))
    }
    pub(super) fn int<T: TryFrom<u64>>(&mut self) -> Result<T> {
        T::try_from(self.number()?).map_err(|_| cut())
    }
    pub(super) fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.int::<usize>()?;
        let (head, rest) = self.0.split_at_checked(length).ok_or_else(cut)?;
        self.0 = rest;
        Ok(head)
    }
    pub(super) fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| cut())
    }
    pub(super) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<Option<T>> {
        match self.number()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(cut()),
        }
    }
    /// So many entries, each of which takes at least the eight bytes of its length.
    fn entries(&mut self) -> Result<usize> {
        let n = self.int::<usize>()?;
        if n > self.0.len() / 8 { Err(cut()) } else { Ok(n) }
    }
    pub(super) fn set(&mut self) -> Result<HashSet<String>> {
        let n = self.entries()?;
        let mut set = HashSet::with_capacity(n);
        for _ in 0..n {
            set.insert(self.text()?.to_owned());
        }
        Ok(set)
    }
    pub(super) fn map<T>(
        &mut self,
        read: impl Fn(&mut Self) -> Result<T>,
    ) -> Result<HashMap<String, T>> {
        let n = self.entries()?;
        let mut map = HashMap::with_capacity(n);
        for _ in 0..n {
            let key = self.text()?.to_owned();
            map.insert(key, read(self)?);
        }
        Ok(map)
    }
}

/// Is it a function of ours, and what does it hold? `None`: not ours; empty: ours, and its name says all.
pub(crate) fn state_of(function: &ScalarUDF) -> Option<Zeroizing<Vec<u8>>> {
    let ours = function.inner().downcast_ref::<Function>()?;
    Some(ours.body().state().map_or_else(Zeroizing::default, |out| out.0))
}

/// Rebuilds instances; one body for equal states, as the planner compares bodies and sets may be large.
#[derive(Default)]
pub(crate) struct Instances(Mutex<HashMap<[u8; 32], Weak<dyn Body>>>);

impl Instances {
    /// The instance of this name and state.
    pub(crate) fn restore(&self, name: &str, state: &[u8]) -> Result<Arc<ScalarUDF>> {
        let digest: [u8; 32] = Sha256::digest(state).into();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(body) = known.get(&digest).and_then(Weak::upgrade) {
            return Ok(instance(name, body));
        }
        known.retain(|_, body| body.strong_count() > 0);
        let body = read(state)?;
        known.insert(digest, Arc::downgrade(&body));
        Ok(instance(name, body))
    }
}

fn read(state: &[u8]) -> Result<Arc<dyn Body>> {
    let (first, rest) = state.split_first().ok_or_else(cut)?;
    let kind = Kind::ALL.into_iter().find(|k| *k as u8 == *first).ok_or_else(cut)?;
    let mut from = In(rest);
    let body = match kind {
        Kind::Residual | Kind::IsIn | Kind::GroupBounds | Kind::Decided => {
            counted::restore(kind, &mut from)?
        }
        Kind::Tag | Kind::Code | Kind::Shift => keyed::restore(kind, &mut from)?,
        Kind::Standard => standard::restore(&mut from)?,
    };
    if from.0.is_empty() { Ok(body) } else { Err(cut()) }
}
