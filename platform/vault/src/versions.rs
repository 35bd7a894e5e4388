//! Versions of source records: which one counts, and what was taken back.
//!
//! Rows of the lake table `record_version` are only added; the last word on a record is the one that orders highest: by
//! the source's own order where both versions tell one, by the time of sealing otherwise, by arrival in the end.

use std::collections::{BTreeMap, HashMap, HashSet};

use kiban_kernel::{Digest, Id, kinds};
use kiban_lake::{Lake, Snapshot};

use crate::{
    VaultError,
    version_rows::{Cause, State, TABLE, VersionRow, rows},
};

type Person = Id<kinds::PersonSource>;
type Segment = Id<kinds::Segment>;
type Record = Id<kinds::Record>;

/// The last word on a record.
struct Now {
    person: Person,
    /// The version that counts; none: taken back.
    current: Option<Segment>,
    version: Box<str>,
    stated_at: i64,
}

/// What a delivery's statements have in common.
#[derive(Clone, Copy)]
pub(crate) struct Occasion {
    pub(crate) holder: Id<kinds::Organization>,
    pub(crate) delivery: Id<kinds::Delivery>,
    pub(crate) stated_at: i64,
}

/// What a segment says of its record.
pub(crate) struct Statement<'a> {
    pub(crate) record: Record,
    pub(crate) person: Person,
    pub(crate) segment: Segment,
    pub(crate) version: &'a str,
    pub(crate) taken_back: bool,
    pub(crate) file: Digest,
    /// Is the segment in the lake already?
    pub(crate) known: bool,
}

/// Which rows of a segment are to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Those that are not there yet.
    Missing,
    /// All: the segment was out of use.
    All,
    /// None: it is history.
    None,
}

/// All records of a holder that have a name, and what this delivery changes.
pub(crate) struct Versions {
    now: HashMap<Record, Now>,
    /// Rows of lists that were applied.
    applied: HashSet<(Record, Digest)>,
    /// Segments that are versions of such a record.
    segments: HashSet<Segment>,
    next: i64,
    pub(crate) rows: Vec<VersionRow>,
    /// Segments whose rows leave use, with their persons.
    pub(crate) ended: BTreeMap<Segment, Person>,
    /// Records taken back by this delivery.
    pub(crate) withdrawn: u64,
}

impl Versions {
    pub(crate) async fn load(
        lake: &Lake,
        at: Snapshot,
        holder: Id<kinds::Organization>,
    ) -> Result<Self, VaultError> {
        let mut out = Self {
            now: HashMap::new(),
            applied: HashSet::new(),
            segments: HashSet::new(),
            next: 1,
            rows: Vec::new(),
            ended: BTreeMap::new(),
            withdrawn: 0,
        };
        if at.0 == 0 {
            return Ok(out);
        }
        let holder = holder.to_string();
        for row in rows(&lake.scan(TABLE, at).await?, |h, _| h == holder)? {
            out.next = out.next.max(row.no + 1);
            out.segments.extend(row.segment);
            if row.cause != Cause::Source {
                out.applied.insert((row.record, row.digest));
            }
            if row.state != State::Older {
                out.now.insert(
                    row.record,
                    Now {
                        person: row.person,
                        current: row.segment.filter(|_| row.state == State::Current),
                        version: row.version.into(),
                        stated_at: row.stated_at,
                    },
                );
            }
        }
        Ok(out)
    }

    /// Is there a word on the record?
    pub(crate) fn knows(&self, record: Record) -> bool {
        self.now.contains_key(&record)
    }

    /// Takes a statement in; tells which rows of the segment are to be written.
    pub(crate) fn state(&mut self, on: Occasion, s: &Statement<'_>) -> Rows {
        let before = self.now.get(&s.record).map(|now| {
            let older = if now.version.is_empty() || s.version.is_empty() {
                on.stated_at < now.stated_at
            } else {
                (s.version, on.stated_at) < (&*now.version, now.stated_at)
            };
            (now.current, now.person, older)
        });
        match before {
            Some((Some(current), ..)) if current == s.segment && !s.taken_back => Rows::Missing,
            Some((None, ..)) if s.taken_back => {
                if !s.known {
                    self.add(on, s, State::Withdrawn);
                }
                Rows::None
            }
            Some((_, _, true)) => {
                if !s.known {
                    self.add(on, s, State::Older);
                }
                Rows::None
            }
            None if s.taken_back => {
                self.add(on, s, State::Withdrawn);
                Rows::None
            }
            None => {
                self.add(on, s, State::Current);
                Rows::Missing
            }
            Some((current, person, false)) => {
                if let Some(current) = current {
                    self.ended.insert(current, person);
                }
                if s.taken_back {
                    self.withdrawn += 1;
                    self.add(on, s, State::Withdrawn);
                    return Rows::None;
                }
                self.add(on, s, State::Current);
                // Ended by this delivery alone: its rows are still there.
                if self.ended.remove(&s.segment).is_some() { Rows::Missing } else { Rows::All }
            }
        }
    }

    fn add(&mut self, on: Occasion, s: &Statement<'_>, state: State) {
        self.rows.push(VersionRow {
            person: s.person,
            holder: on.holder,
            delivery: on.delivery,
            record: s.record,
            segment: Some(s.segment),
            no: self.next,
            state,
            version: s.version.to_owned(),
            stated_at: on.stated_at,
            cause: Cause::Source,
            digest: s.file,
        });
        self.next += 1;
        if state != State::Older {
            let now = Now {
                person: s.person,
                current: (state == State::Current).then_some(s.segment),
                version: s.version.into(),
                stated_at: on.stated_at,
            };
            self.now.insert(s.record, now);
        }
    }

    /// A row of a list takes a record back, or a file of somebody of whom nothing may be collected any more.
    /// `latest`: a record stated after this moment is not meant, nor one of a later `version`. False: the record is
    /// unknown, taken back already, newer, or the row was applied before.
    pub(crate) fn take_back(
        &mut self,
        on: Occasion,
        record: Record,
        (latest, version): (i64, &str),
        digest: Digest,
        cause: Cause,
    ) -> bool {
        if self.applied.contains(&(record, digest)) {
            return false;
        }
        let meant = |now: &&mut Now| {
            let older = !version.is_empty() && version < &*now.version;
            now.stated_at <= latest && !older
        };
        let Some(now) = self.now.get_mut(&record).filter(meant) else { return false };
        let Some(segment) = now.current.take() else { return false };
        now.stated_at = on.stated_at.max(now.stated_at);
        let (person, version) = (now.person, now.version.to_string());
        self.withdraw(on, record, person, segment, version, digest, cause);
        true
    }

    /// A correction takes a segment out of use whose record has no word of its own.
    pub(crate) fn take_back_unnamed(
        &mut self,
        on: Occasion,
        record: Record,
        person: Person,
        segment: Segment,
        digest: Digest,
    ) -> bool {
        if self.now.contains_key(&record) {
            return false;
        }
        let now = Now { person, current: None, version: "".into(), stated_at: on.stated_at };
        self.now.insert(record, now);
        self.withdraw(on, record, person, segment, String::new(), digest, Cause::Correction);
        true
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row")]
    fn withdraw(
        &mut self,
        on: Occasion,
        record: Record,
        person: Person,
        segment: Segment,
        version: String,
        digest: Digest,
        cause: Cause,
    ) {
        self.ended.insert(segment, person);
        self.applied.insert((record, digest));
        self.withdrawn += 1;
        self.rows.push(VersionRow {
            person,
            holder: on.holder,
            delivery: on.delivery,
            record,
            segment: Some(segment),
            no: self.next,
            state: State::Withdrawn,
            version,
            stated_at: on.stated_at,
            cause,
            digest,
        });
        self.next += 1;
    }

    /// Records of a person that are in use, with their segments.
    pub(crate) fn in_use_of(&self, person: Person) -> Vec<(Record, Segment)> {
        let mut all: Vec<(Record, Segment)> = self
            .now
            .iter()
            .filter(|(_, now)| now.person == person)
            .filter_map(|(record, now)| Some((*record, now.current?)))
            .collect();
        all.sort_unstable();
        all
    }

    /// Is the segment a version of a record that has a word?
    pub(crate) fn has_segment(&self, segment: Segment) -> bool {
        self.segments.contains(&segment)
    }
}
