//! What one segment of a source says, and its defects.
//!
//! Enters: what the readers note. Leaves: [`Parsed`]. Refuses: to grow with hostile input; lists of
//! defects and names are bounded, counts are not.

use std::{borrow::Cow, fmt};

use crate::{
    arena::Arena,
    record::{Record, Text},
};

/// A defect of the source: which rule was broken, where, how often. Never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue<'a> {
    /// Rule, dotted: `ssmix2.pid-mismatch`. [`crate::rule_ja`] gives its sentence.
    pub rule: &'static str,
    /// Where.
    pub position: Cow<'a, str>,
    /// How often at that place.
    pub count: u32,
}

impl<'a> Issue<'a> {
    /// One defect.
    pub fn new(rule: &'static str, position: impl Into<Cow<'a, str>>) -> Self {
        Self { rule, position: position.into(), count: 1 }
    }
    /// The same, owning its position.
    pub fn into_owned(self) -> Issue<'static> {
        Issue {
            rule: self.rule,
            position: Cow::Owned(self.position.into_owned()),
            count: self.count,
        }
    }
}

/// How many defects or names one segment may list: hostile input must not make lists grow.
const LISTED: usize = 100;

/// What one segment of a source (a file, a line, a row) says.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// The holder's key of the person, if the segment is about one.
    pub person: Text<'a>,
    /// What was read.
    pub records: Vec<Record<'a>>,
    /// Defects.
    pub issues: Vec<Issue<'a>>,
    /// Names of segments or elements that this reader knows of but does not read, each once.
    pub unread: Vec<Cow<'a, str>>,
    /// The whole segment is to be put into quarantine; `issues` says why, `records` is empty.
    pub rejected: bool,
}

impl<'a> Parsed<'a> {
    /// A segment of which nothing may be kept, and why.
    pub fn rejected(rule: &'static str, position: impl Into<Cow<'a, str>>) -> Self {
        Self { issues: vec![Issue::new(rule, position)], rejected: true, ..Self::default() }
    }
    /// The same, with its records in another arena: for whoever keeps it longer than the segment.
    pub fn copy_in(self, arena: &Arena) -> Parsed<'_> {
        Parsed {
            person: self.person.map(|person| arena.text(person)),
            records: self.records.iter().map(|record| record.copy_in(arena)).collect(),
            issues: self.issues.into_iter().map(Issue::into_owned).collect(),
            unread: self.unread.into_iter().map(|u| Cow::Owned(u.into_owned())).collect(),
            rejected: self.rejected,
        }
    }
    /// Notes that an element was not read; each name is kept once, up to [`LISTED`] names.
    pub(crate) fn note_unread(&mut self, name: impl Into<Cow<'a, str>>) {
        let name = name.into();
        if self.unread.len() < LISTED && !self.unread.contains(&name) {
            self.unread.push(name);
        }
    }
    /// As [`Self::note_unread`] with `parent/name`; asks before it builds the name.
    pub(crate) fn note_unread_in(&mut self, parent: &str, name: &str) {
        let same = |u: &Cow<'_, str>| {
            u.strip_prefix(parent).and_then(|u| u.strip_prefix('/')) == Some(name)
        };
        if self.unread.len() < LISTED && !self.unread.iter().any(same) {
            self.unread.push(Cow::Owned(format!("{parent}/{name}")));
        }
    }
    /// Counts a defect; a second one of the same rule and place raises the count. Beyond [`LISTED`]
    /// defects, further places of a rule are counted at its first one.
    pub(crate) fn note_issue(&mut self, rule: &'static str, position: impl Into<Cow<'a, str>>) {
        let position = position.into();
        let full = self.issues.len() >= LISTED;
        match self.issues.iter_mut().find(|i| i.rule == rule && (full || i.position == position)) {
            Some(issue) => issue.count = issue.count.saturating_add(1),
            None => self.issues.push(Issue { rule, position, count: 1 }),
        }
    }
    /// Puts the whole segment into quarantine.
    pub(crate) fn reject(&mut self, rule: &'static str, position: impl Into<Cow<'a, str>>) {
        self.note_issue(rule, position);
        self.records.clear();
        self.rejected = true;
    }
}

impl fmt::Debug for Parsed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parsed")
            .field("person", &self.person.is_some())
            .field("records", &self.records)
            .field("issues", &self.issues)
            .field("unread", &self.unread)
            .field("rejected", &self.rejected)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_defects_are_counted() {
        let mut parsed = Parsed::default();
        parsed.note_issue("a", "x");
        parsed.note_issue("a", "x");
        parsed.note_issue("a", "y");
        assert_eq!(parsed.issues.iter().map(|i| i.count).collect::<Vec<_>>(), [2, 1]);
        for n in 0..500 {
            parsed.note_issue("a", n.to_string());
            parsed.note_unread(n.to_string());
        }
        assert_eq!((parsed.issues.len(), parsed.unread.len()), (LISTED, LISTED));
        assert_eq!(parsed.issues.iter().map(|i| i.count).sum::<u32>(), 503);
    }
}
