//! The set: acts applied one after the other.

use hashbrown::HashMap;
use jiff::civil::Date;

use super::{Act, ActError, By, Key, Mapping, MappingId, Standing};

/// Mappings of any number of holders and systems, and the acts that made them. The version is the number of acts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappingSet {
    acts: Vec<Act>,
    mappings: Vec<Mapping>,
    by_key: HashMap<Key, Vec<usize>>,
}

impl MappingSet {
    /// An empty set, version 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// The set that these acts make.
    ///
    /// # Errors
    /// The place (from 0) of the first act that is refused, and why.
    pub fn replay(acts: impl IntoIterator<Item = Act>) -> Result<Self, (usize, ActError)> {
        let mut set = Self::new();
        for (at, act) in acts.into_iter().enumerate() {
            set.apply(act).map_err(|error| (at, error))?;
        }
        Ok(set)
    }

    /// The number of acts so far.
    pub const fn version(&self) -> usize {
        self.acts.len()
    }

    /// The set as it was at a version; `None` for one that is not yet.
    pub fn at(&self, version: usize) -> Option<Self> {
        // Acts that were accepted once are accepted again.
        Self::replay(self.acts.get(..version)?.iter().cloned()).ok()
    }

    /// All acts, in order.
    pub fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// All mappings with their standing, by number.
    pub fn mappings(&self) -> &[Mapping] {
        &self.mappings
    }

    /// A mapping by its number.
    pub fn find(&self, id: MappingId) -> Option<&Mapping> {
        self.mappings.get(usize::try_from(id.0.checked_sub(1)?).ok()?)
    }

    /// Every mapping of a local code, by number.
    pub fn of(&self, key: &Key) -> impl Iterator<Item = &Mapping> {
        self.by_key.get(key).into_iter().flatten().map(|at| &self.mappings[*at])
    }

    /// The one mapping in effect for results of a day.
    pub fn in_effect(&self, key: &Key, day: Date) -> Option<&Mapping> {
        self.of(key).find(|mapping| mapping.is_signed() && mapping.covers(day))
    }

    /// The number that the next proposal gets.
    pub fn next_id(&self) -> MappingId {
        MappingId(self.mappings.len() as u64 + 1)
    }

    /// Do one act; the version grows by one. A refused act changes nothing.
    pub fn apply(&mut self, act: Act) -> Result<usize, ActError> {
        let by = act.by();
        if by.person.is_empty() || by.person.trim() != by.person {
            return Err(ActError::NoPerson);
        }
        if self.acts.last().is_some_and(|last| by.at < last.by().at) {
            return Err(ActError::Backwards);
        }
        match &act {
            Act::Propose { by, key, meaning, from, until, replaces } => {
                let mapping = Mapping {
                    id: self.next_id(),
                    key: key.clone(),
                    meaning: meaning.clone(),
                    from: *from,
                    until: *until,
                    replaces: *replaces,
                    standing: Standing::Proposed { proposed: by.clone() },
                };
                self.may_propose(&mapping)?;
                self.by_key.entry(key.clone()).or_default().push(self.mappings.len());
                self.mappings.push(mapping);
            }
            Act::Sign { by, id } => self.sign(*id, by)?,
            Act::Refuse { by, id, reason } => {
                let at = self.place(*id)?;
                let Standing::Proposed { proposed } = &self.mappings[at].standing else {
                    return Err(ActError::NotProposed);
                };
                said(reason)?;
                let (proposed, refused) = (proposed.clone(), by.clone());
                self.mappings[at].standing = Standing::Refused { proposed, refused };
            }
            Act::Withdraw { by, id, reason } => {
                let at = self.place(*id)?;
                let (proposed, signed) = match &self.mappings[at].standing {
                    Standing::Proposed { proposed } => (proposed.clone(), None),
                    Standing::Signed { proposed, signed } => {
                        (proposed.clone(), Some(signed.clone()))
                    }
                    _ => return Err(ActError::Ended),
                };
                said(reason)?;
                let withdrawn = by.clone();
                self.mappings[at].standing = Standing::Withdrawn { proposed, signed, withdrawn };
            }
        }
        self.acts.push(act);
        Ok(self.acts.len())
    }

    fn place(&self, id: MappingId) -> Result<usize, ActError> {
        let at = id.0.checked_sub(1).and_then(|at| usize::try_from(at).ok());
        at.filter(|at| *at < self.mappings.len()).ok_or(ActError::Unknown)
    }

    fn may_propose(&self, mapping: &Mapping) -> Result<(), ActError> {
        let Key { system, holder, local } = &mapping.key;
        if [system, holder, local, &mapping.meaning.code].iter().any(|t| t.trim().is_empty()) {
            return Err(ActError::EmptyCode);
        }
        if mapping.until.is_some_and(|until| until < mapping.from) {
            return Err(ActError::Period);
        }
        if mapping.meaning.unit.as_ref().is_some_and(|unit| !unit.holds()) {
            return Err(ActError::Unit);
        }
        if let Some(id) = mapping.replaces {
            let old = &self.mappings[self.place(id)?];
            if !old.is_signed() || old.key != mapping.key {
                return Err(ActError::Replaces);
            }
        }
        Ok(())
    }

    fn sign(&mut self, id: MappingId, by: &By) -> Result<(), ActError> {
        let at = self.place(id)?;
        let mapping = &self.mappings[at];
        let Standing::Proposed { proposed } = &mapping.standing else {
            return Err(ActError::NotProposed);
        };
        if proposed.person == by.person {
            return Err(ActError::SamePerson);
        }
        let proposed = proposed.clone();
        let replaced = mapping.replaces.map(|old| self.place(old)).transpose()?;
        // Meanwhile somebody else may have taken it back or replaced it.
        if replaced.is_some_and(|old| !self.mappings[old].is_signed()) {
            return Err(ActError::Replaces);
        }
        let overlap = self.of(&mapping.key).any(|other| {
            other.is_signed() && Some(other.id) != mapping.replaces && other.overlaps(mapping)
        });
        if overlap {
            return Err(ActError::Overlap);
        }
        if let Some(old) = replaced
            && let Standing::Signed { proposed, signed } = &self.mappings[old].standing
        {
            let (proposed, signed) = (proposed.clone(), signed.clone());
            self.mappings[old].standing = Standing::Replaced { proposed, signed, by: id };
        }
        self.mappings[at].standing = Standing::Signed { proposed, signed: by.clone() };
        Ok(())
    }
}

fn said(reason: &str) -> Result<(), ActError> {
    if reason.trim().is_empty() { Err(ActError::NoReason) } else { Ok(()) }
}
