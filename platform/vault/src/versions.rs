//! Versions of source records: which one counts, and what was taken back.
//!
//! Rows of the lake table `record_version` are only added; the last word on a record is the one that orders highest: by
//! the source's own order where both versions tell one, by the time of sealing otherwise, by arrival in the end.
//!
//! Enters: the holder's rows of the lake, then what a delivery's segments and lists state. Leaves: rows to be added, the
//! segments whose rows leave use. Refuses: nothing; what comes late or twice changes nothing but the history.
//!
//! # Memory
//! 33 bytes a record that has a name: its id, the places of its segment, its person and what was said last, its share of
//! the index; 16 more where the source tells versions ([`crate::sayings`]). Besides, 26 for each segment
//! ([`crate::known`]), 21 for each person, and a row of a list that took a record back; while rows are loaded 8 to 16 a
//! record. `ended` grows with what is replaced. `tests::measure` prints what comes of it.

use std::collections::{BTreeMap, HashSet};

use kiban_kernel::{Digest, Id, kinds};
use kiban_lake::{Lake, Snapshot};

use crate::{
    VaultError,
    id_table::{Beside, IdTable, Place},
    known::{self, Known},
    sayings::Sayings,
    scan::each_batch,
    version_rows::{Cause, State, TABLE, VersionRow, each_row},
};

type Person = Id<kinds::PersonSource>;
/// Persons of a holder, each once, for whoever names them by their places.
pub(crate) type Persons = IdTable<kinds::PersonSource, ()>;
type Segment = Id<kinds::Segment>;
type Record = Id<kinds::Record>;

/// The last word on a record.
#[derive(Clone, Copy)]
struct Now {
    /// The segment of the version that counts; [`Place::NONE`]: taken back.
    segment: Place,
    person: Place,
    /// Which version, and when: a place in the sayings.
    said: u32,
}

impl Default for Now {
    fn default() -> Self {
        Self { segment: Place::NONE, person: Place::NONE, said: 0 }
    }
}

impl Now {
    fn current(self) -> Option<Place> {
        Some(self.segment).filter(|segment| *segment != Place::NONE)
    }
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
    /// The person's place in [`Versions::persons`].
    pub(crate) person: Place,
    /// Its place in [`Versions::segments`].
    pub(crate) segment: Place,
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
#[derive(Default)]
pub(crate) struct Versions {
    now: IdTable<kinds::Record, Now>,
    /// Everybody of whom there is a record, and whom the delivery names.
    pub(crate) persons: Persons,
    sayings: Sayings,
    /// All segments of the holder; it tells which are versions of such a record.
    pub(crate) segments: Known,
    /// Rows of lists that were applied.
    applied: HashSet<(Record, Digest)>,
    /// The largest number of a row.
    last: i64,
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
        persons: Persons,
    ) -> Result<Self, VaultError> {
        let segments = known::load(lake, at, holder).await?;
        let mut out = Self { persons, segments, ..Self::default() };
        let mut numbers = Beside::default();
        let holder = holder.to_string();
        each_batch(lake, TABLE, at, |batch| {
            each_row(batch, |h, _| h == holder, |row| out.learn(&row, &mut numbers))
        })
        .await?;
        Ok(out)
    }

    /// Takes in a row of the lake. Rows come in any order: `numbers` has, by record, the number of the last word so far.
    pub(crate) fn learn(&mut self, row: &VersionRow, numbers: &mut Beside<i64>) {
        self.last = self.last.max(row.no);
        let segment = row.segment.map_or(Place::NONE, |segment| {
            let place = self.segments.insert(segment);
            self.segments.set_version(place);
            place
        });
        if row.cause != Cause::Source {
            self.applied.insert((row.record, row.digest));
        }
        if row.state == State::Older {
            return;
        }
        let known = self.now.find(row.record);
        let place = self.now.insert(row.record);
        let number = numbers.at(place);
        if known.is_some() && row.no < *number {
            return;
        }
        *number = row.no;
        let segment = if row.state == State::Current { segment } else { Place::NONE };
        let person = self.persons.insert(row.person);
        self.set(known, row.record, segment, person, (&row.version, row.stated_at));
    }

    /// Sets the last word on a record, which has one already at the place `known`, if anywhere.
    fn set(
        &mut self,
        known: Option<Place>,
        record: Record,
        segment: Place,
        person: Place,
        (version, stated_at): (&str, i64),
    ) {
        let before = known.map(|place| self.now.value(place).said);
        let said = self.sayings.put(before, version, stated_at);
        let place = known.unwrap_or_else(|| self.now.insert(record));
        *self.now.value_mut(place) = Now { segment, person, said };
    }

    /// All is judged: gives away what is known of the segments, lets go of the records. What ended stays.
    pub(crate) fn judged(&mut self) -> Known {
        self.now = IdTable::default();
        self.persons = Persons::default();
        self.sayings = Sayings::default();
        std::mem::take(&mut self.segments)
    }

    /// Is there a word on the record?
    pub(crate) fn knows(&self, record: Record) -> bool {
        self.now.find(record).is_some()
    }

    /// Takes a statement in; tells which rows of the segment are to be written.
    pub(crate) fn state(&mut self, on: Occasion, s: &Statement<'_>) -> Rows {
        let place = self.now.find(s.record);
        let before = place.map(|place| {
            let now = self.now.value(place);
            let (version, stated_at) = self.sayings.get(now.said);
            let older = if version.is_empty() || s.version.is_empty() {
                on.stated_at < stated_at
            } else {
                (s.version, on.stated_at) < (&*version, stated_at)
            };
            (now.current(), now.person, older)
        });
        match before {
            Some((Some(current), ..)) if current == s.segment && !s.taken_back => Rows::Missing,
            Some((None, ..)) if s.taken_back => {
                if !s.known {
                    self.add(on, s, place, State::Withdrawn);
                }
                Rows::None
            }
            Some((_, _, true)) => {
                if !s.known {
                    self.add(on, s, place, State::Older);
                }
                Rows::None
            }
            None if s.taken_back => {
                self.add(on, s, place, State::Withdrawn);
                Rows::None
            }
            None => {
                self.add(on, s, place, State::Current);
                Rows::Missing
            }
            Some((current, person, false)) => {
                if let Some(current) = current {
                    self.ended.insert(self.segments.id(current), self.persons.id(person));
                }
                if s.taken_back {
                    self.withdrawn += 1;
                    self.add(on, s, place, State::Withdrawn);
                    return Rows::None;
                }
                self.add(on, s, place, State::Current);
                // Ended by this delivery alone: its rows are still there.
                let segment = self.segments.id(s.segment);
                if self.ended.remove(&segment).is_some() { Rows::Missing } else { Rows::All }
            }
        }
    }

    /// Adds a word on the record, which has one already at the place `known`, if anywhere.
    fn add(&mut self, on: Occasion, s: &Statement<'_>, known: Option<Place>, state: State) {
        self.last += 1;
        self.rows.push(VersionRow {
            person: self.persons.id(s.person),
            holder: on.holder,
            delivery: on.delivery,
            record: s.record,
            segment: Some(self.segments.id(s.segment)),
            no: self.last,
            state,
            version: s.version.to_owned(),
            stated_at: on.stated_at,
            cause: Cause::Source,
            digest: s.file,
        });
        if state != State::Older {
            let segment = if state == State::Current { s.segment } else { Place::NONE };
            self.set(known, s.record, segment, s.person, (s.version, on.stated_at));
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
        let Some(place) = self.now.find(record) else { return false };
        let now = self.now.value(place);
        let Some(segment) = now.current() else { return false };
        let (said, stated_at) = self.sayings.get(now.said);
        let older = !version.is_empty() && version < &*said;
        if stated_at > latest || older {
            return false;
        }
        let (said, stated_at) = (said.into_owned(), on.stated_at.max(stated_at));
        let person = self.persons.id(now.person);
        self.set(Some(place), record, Place::NONE, now.person, (&said, stated_at));
        let segment = self.segments.id(segment);
        self.withdraw(on, record, person, segment, said, digest, cause);
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
        if self.knows(record) {
            return false;
        }
        let of = self.persons.insert(person);
        self.set(None, record, Place::NONE, of, ("", on.stated_at));
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
        self.last += 1;
        self.rows.push(VersionRow {
            person,
            holder: on.holder,
            delivery: on.delivery,
            record,
            segment: Some(segment),
            no: self.last,
            state: State::Withdrawn,
            version,
            stated_at: on.stated_at,
            cause,
            digest,
        });
    }

    /// Records of a person that are in use, with their segments.
    pub(crate) fn in_use_of(&self, person: Person) -> Vec<(Record, Segment)> {
        let Some(person) = self.persons.find(person) else { return Vec::new() };
        let of_person = self.now.iter().filter(|(_, now)| now.person == person);
        let mut all: Vec<(Record, Segment)> = of_person
            .filter_map(|(record, now)| Some((record, self.segments.id(now.current()?))))
            .collect();
        all.sort_unstable();
        all
    }

    /// Does a row of the lake name the segment as a version of a record?
    pub(crate) fn has_segment(&self, segment: Segment) -> bool {
        self.segments.is_version(segment)
    }
}
