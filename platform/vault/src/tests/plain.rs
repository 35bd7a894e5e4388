//! The same as `crate::versions` and `crate::known`, with a plain map for everything: what the compact tables are compared
//! with, and measured against.

use std::collections::{BTreeMap, HashMap, HashSet};

use kiban_kernel::{Digest, Id, kinds};

use crate::{
    known::KnownSegment,
    version_rows::{Cause, State, VersionRow},
    versions::{Occasion, Rows},
};

type Person = Id<kinds::PersonSource>;
type Segment = Id<kinds::Segment>;
type Record = Id<kinds::Record>;

struct Now {
    person: Person,
    current: Option<Segment>,
    version: Box<str>,
    stated_at: i64,
}

pub(super) struct Said<'a> {
    pub(super) record: Record,
    pub(super) person: Person,
    pub(super) segment: Segment,
    pub(super) version: &'a str,
    pub(super) taken_back: bool,
    pub(super) file: Digest,
}

pub(super) struct Plain {
    pub(super) known: HashMap<Segment, KnownSegment>,
    now: HashMap<Record, Now>,
    applied: HashSet<(Record, Digest)>,
    segments: HashSet<Segment>,
    next: i64,
    pub(super) rows: Vec<VersionRow>,
    pub(super) ended: BTreeMap<Segment, Person>,
    pub(super) withdrawn: u64,
}

impl Plain {
    /// From the rows of the lake, in the order of their numbers.
    pub(super) fn of(rows: Vec<VersionRow>) -> Self {
        let mut out = Self {
            known: HashMap::new(),
            now: HashMap::new(),
            applied: HashSet::new(),
            segments: HashSet::new(),
            next: 1,
            rows: Vec::new(),
            ended: BTreeMap::new(),
            withdrawn: 0,
        };
        for row in rows {
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
        out
    }

    pub(super) fn knows(&self, record: Record) -> bool {
        self.now.contains_key(&record)
    }

    pub(super) fn state(&mut self, on: Occasion, s: &Said<'_>) -> Rows {
        let known = self.known.contains_key(&s.segment);
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
                if !known {
                    self.add(on, s, State::Withdrawn);
                }
                Rows::None
            }
            Some((_, _, true)) => {
                if !known {
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

    fn add(&mut self, on: Occasion, s: &Said<'_>, state: State) {
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

    pub(super) fn take_back(
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

    pub(super) fn take_back_unnamed(
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

    pub(super) fn in_use_of(&self, person: Person) -> Vec<(Record, Segment)> {
        let mut all: Vec<(Record, Segment)> = self
            .now
            .iter()
            .filter(|(_, now)| now.person == person)
            .filter_map(|(record, now)| Some((*record, now.current?)))
            .collect();
        all.sort_unstable();
        all
    }

    pub(super) fn has_segment(&self, segment: Segment) -> bool {
        self.segments.contains(&segment)
    }
}
