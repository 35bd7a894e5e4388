//! What a delivery as a whole says of each of its persons: the facts the gate asks for, before any of
//! their segments is judged; then what was judged.
//!
//! # Memory
//! 12 to 15 bytes a person, and 21 of the table of persons, which the versions of records share. What is told to many, what is
//! judged of many, and the days of births and deaths stand once; identities only where they are compared, until their person
//! is judged.

use std::{collections::HashMap, sync::Arc};

use kiban_formats::Record;
use kiban_intake::{Segment, notices::Notices};
use kiban_kernel::{Id, PartialDate, kinds, parse_date, parse_partial};
use kiban_linkage::{Identity, RawIdentity, Sex};
use kiban_register::{Gate, Judged, PersonFacts, PersonGate, PersonNotice};

use crate::{
    id_table::{Beside, Place},
    versions::Persons,
};

/// More identities of one person in one delivery than this are not compared.
const MOST_IDENTITIES: usize = 8;

/// One person of a delivery.
#[derive(Clone, Copy, Default)]
struct Facts {
    /// Which of the lists of notices, from 1; 0: none.
    told: u32,
    /// Which of the judgements, from 1; 0: not judged. And [`KEPT`], [`TOLD`].
    judged: u32,
    /// Which days.
    days: u32,
}

/// Something of the person is kept.
const KEPT: u32 = 1 << 31;
/// The person's notices were written.
const TOLD: u32 = 1 << 30;
/// The other bits: which of the judgements.
const WHICH: u32 = TOLD - 1;

/// Days of a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Days {
    died_on: Option<PartialDate>,
    birth_on: Option<PartialDate>,
}

impl Days {
    /// Of several days of death the earliest counts: nobody is kept on the strength of the later one.
    fn died(&mut self, on: PartialDate) {
        let earlier = |d: &PartialDate| d.latest() <= on.latest();
        if !self.died_on.as_ref().is_some_and(earlier) {
            self.died_on = Some(on);
        }
    }

    /// The youngest reading: a guardian is asked for rather than not.
    fn born(&mut self, on: PartialDate) {
        let younger = |d: &PartialDate| d.latest() >= on.latest();
        if !self.birth_on.as_ref().is_some_and(younger) {
            self.birth_on = Some(on);
        }
    }
}

/// All days that persons have, each once: there are fewer than persons.
struct AllDays {
    all: Vec<Days>,
    places: HashMap<Days, u32>,
}

impl Default for AllDays {
    fn default() -> Self {
        let none = Days::default();
        Self { all: vec![none], places: HashMap::from([(none, 0)]) }
    }
}

impl AllDays {
    fn of(&self, facts: Facts) -> Days {
        self.all[facts.days as usize]
    }

    /// Changes the days of a person.
    fn change(&mut self, facts: &mut Facts, change: impl FnOnce(&mut Days)) {
        let before = self.of(*facts);
        let mut days = before;
        change(&mut days);
        if days == before {
            return;
        }
        let next = self.all.len() as u32;
        facts.days = *self.places.entry(days).or_insert(next);
        if facts.days == next {
            self.all.push(days);
        }
    }
}

/// A person whose segments are judged.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    pub(crate) id: Id<kinds::PersonSource>,
    /// Its place in the table of persons.
    pub(crate) at: Place,
}

/// What the delivery tells of a person's notices.
pub(crate) struct Told<'p> {
    pub(crate) notices: &'p [PersonNotice],
    pub(crate) died_on: Option<PartialDate>,
    pub(crate) birth_on: Option<PartialDate>,
}

/// What is told of a person now would have been judged otherwise before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Otherwise;

/// All persons of a delivery.
pub(crate) struct People {
    gate: Arc<Gate>,
    facts: Beside<Facts>,
    days: AllDays,
    /// Every list of notices once.
    told: Vec<Vec<PersonNotice>>,
    identities: HashMap<Place, Vec<Identity>>,
    judged: Judged,
    gates: Gates,
    /// The person of the last segment: a person's segments mostly stand together.
    last: Option<(String, Person)>,
}

/// Every judgement once.
#[derive(Default)]
struct Gates {
    all: Vec<Arc<PersonGate>>,
    places: HashMap<Arc<PersonGate>, u32>,
    /// The last one's place: the next person's is mostly the same.
    last: u32,
}

impl Gates {
    fn place(&mut self, gate: Arc<PersonGate>) -> u32 {
        if self.all.get(self.last as usize).is_some_and(|last| Arc::ptr_eq(last, &gate)) {
            return self.last;
        }
        let next = self.all.len() as u32;
        let place = *self.places.entry(gate.clone()).or_insert(next);
        if place == next {
            self.all.push(gate);
        }
        self.last = place;
        place
    }
}

impl People {
    /// From the delivery's list of notices. `persons`: gets everybody whom the delivery names, here and in all else.
    pub(crate) fn new(notices: &Notices, gate: Arc<Gate>, persons: &mut Persons) -> Self {
        let lists = 0..notices.lists();
        let notice = |told: &kiban_intake::notices::Told| PersonNotice {
            regime: told.regime,
            version: told.notice_version.clone(),
            notified_on: told.notified_on,
            channel: told.channel.clone(),
            guardian: told.guardian,
        };
        let mut out = Self {
            gate,
            facts: Beside::default(),
            days: AllDays::default(),
            told: lists.map(|list| notices.list(list).map(notice).collect()).collect(),
            identities: HashMap::new(),
            judged: Judged::default(),
            gates: Gates::default(),
            last: None,
        };
        // Two lists of one person make a third.
        let mut joined: HashMap<(u32, u32), u32> = HashMap::new();
        for (local_id, list) in notices.runs() {
            let at = persons.insert(out.key(local_id));
            let facts = out.facts.at(at);
            for on in notices.list(list).filter_map(|told| told.died_on) {
                out.days.change(facts, |days| days.died(on));
            }
            let list = list as u32 + 1;
            facts.told = match facts.told {
                0 => list,
                before => *joined.entry((before, list)).or_insert_with(|| {
                    let of = |list: u32| &out.told[list as usize - 1];
                    let both = [of(before).as_slice(), of(list).as_slice()].concat();
                    out.told.push(both);
                    out.told.len() as u32
                }),
            };
        }
        out
    }

    fn key(&self, local_id: &str) -> Id<kinds::PersonSource> {
        self.gate.keys().person_source(self.gate.holder(), local_id)
    }

    /// The person of a segment.
    fn find(&mut self, persons: &mut Persons, local_id: &str) -> Person {
        if let Some((last, person)) = &self.last
            && last == local_id
        {
            return *person;
        }
        let id = self.key(local_id);
        let person = Person { id, at: persons.insert(id) };
        match &mut self.last {
            Some((last, of)) => {
                last.clear();
                last.push_str(local_id);
                *of = person;
            }
            None => self.last = Some((local_id.to_owned(), person)),
        }
        person
    }

    /// What a segment says of its person's birth, death and identity, before anybody is judged.
    pub(crate) fn see(&mut self, persons: &mut Persons, segment: &Segment<'_>) {
        let Some(local_id) = who(segment) else { return };
        for record in &segment.parsed.records {
            if matches!(record, Record::Person(_) | Record::Death(_)) {
                let person = self.find(persons, local_id);
                self.learn(person.at, record);
            }
        }
    }

    /// As [`Self::see`], while segments are judged.
    ///
    /// # Errors
    /// Segments of the person were judged before, and would be judged otherwise now.
    pub(crate) fn see_meanwhile(
        &mut self,
        persons: &mut Persons,
        segment: &Segment<'_>,
    ) -> Result<(), Otherwise> {
        let Some(local_id) = who(segment) else { return Ok(()) };
        let person = self.find(persons, local_id);
        let before = *self.facts.at(person.at);
        self.see(persons, segment);
        let now = *self.facts.at(person.at);
        if before.judged == 0 || before.days == now.days {
            return Ok(());
        }
        let (days_before, days) = (self.days.of(before), self.days.of(now));
        let of_age_on = |days: Days, notice: &PersonNotice| {
            self.gate.of_age_on(days.birth_on, notice.notified_on)
        };
        let same = days_before.died_on == days.died_on
            && notices(&self.told, now)
                .iter()
                .all(|notice| of_age_on(days_before, notice) == of_age_on(days, notice))
            && before.judged & WHICH == self.judge(local_id, now, &[]);
        if same { Ok(()) } else { Err(Otherwise) }
    }

    fn learn(&mut self, at: Place, record: &Record<'_>) {
        let date = |text: Option<&str>| text.and_then(|t| parse_partial(t).ok());
        let (birth, death) = match record {
            Record::Person(p) => (date(p.birth_on), date(p.death_on)),
            Record::Death(d) => (None, date(d.died_on)),
            _ => return,
        };
        self.days.change(self.facts.at(at), |days| {
            if let Some(on) = death {
                days.died(on);
            }
            if let Some(on) = birth {
                days.born(on);
            }
        });
        if let Record::Person(p) = record
            && self.gate.needs_identities()
        {
            let identities = self.identities.entry(at).or_default();
            if identities.len() >= MOST_IDENTITIES {
                return;
            }
            let identity = Identity::normalise(&RawIdentity {
                name_kanji: p.name_kanji,
                name_kana: p.name_kana,
                birth_on: p.birth_on.and_then(|t| parse_date(t).ok()),
                sex: p.sex.and_then(Sex::from_code),
                insurer_no: p.insurer_no,
                insured_symbol: p.insured_symbol,
                insured_number: p.insured_number,
                insured_branch: p.insured_branch,
                ..RawIdentity::default()
            });
            if !identities.contains(&identity) {
                identities.push(identity);
            }
        }
    }

    /// The person, whom the gate judges when first asked for, by everything that was seen.
    pub(crate) fn person(&mut self, persons: &mut Persons, local_id: &str) -> Person {
        let person = self.find(persons, local_id);
        let facts = *self.facts.at(person.at);
        if facts.judged == 0 {
            let identities = self.identities.remove(&person.at).unwrap_or_default();
            self.facts.at(person.at).judged = self.judge(local_id, facts, &identities);
        }
        person
    }

    /// Which of the judgements is that on a person, from 1.
    fn judge(&mut self, local_id: &str, facts: Facts, identities: &[Identity]) -> u32 {
        let Days { died_on, birth_on } = self.days.of(facts);
        let notices = notices(&self.told, facts);
        let facts = PersonFacts { local_id, notices, died_on, birth_on, identities };
        // most persons are judged alike: one copy of each judgement
        self.gates.place(self.gate.person_among(&facts, &mut self.judged)) + 1
    }

    /// The judgement on a person.
    pub(crate) fn gate(&self, person: Person) -> &PersonGate {
        // Whoever is a person here was judged.
        let judged = self.facts.get(person.at).map_or(0, |facts| facts.judged & WHICH);
        &self.gates.all[judged as usize - 1]
    }

    /// Something of the person is kept.
    pub(crate) fn keep(&mut self, person: Person) {
        self.facts.at(person.at).judged |= KEPT;
    }

    /// What is to be written of a person's notices: once.
    pub(crate) fn tell(&mut self, person: Person) -> Option<Told<'_>> {
        let facts = self.facts.at(person.at);
        if facts.judged & TOLD != 0 {
            return None;
        }
        facts.judged |= TOLD;
        let facts = *facts;
        let Days { died_on, birth_on } = self.days.of(facts);
        Some(Told { notices: notices(&self.told, facts), died_on, birth_on })
    }

    /// The persons of whom something is kept, and by judgement those who were judged and of whom nothing is.
    pub(crate) fn count(&self) -> (u64, impl Iterator<Item = (&PersonGate, u64)>) {
        let mut refused = vec![0; self.gates.all.len()];
        let mut kept = 0;
        for (_, facts) in self.facts.iter().filter(|(_, facts)| facts.judged != 0) {
            if facts.judged & KEPT != 0 {
                kept += 1;
            } else {
                refused[(facts.judged & WHICH) as usize - 1] += 1;
            }
        }
        let refused = self.gates.all.iter().zip(refused).filter(|(_, persons)| *persons > 0);
        (kept, refused.map(|(gate, persons)| (&**gate, persons)))
    }
}

/// Whom a segment that is not refused tells of.
fn who<'p>(segment: &Segment<'p>) -> Option<&'p str> {
    segment.person.filter(|person| !person.is_empty() && !segment.parsed.rejected)
}

/// What a person was told.
fn notices(told: &[Vec<PersonNotice>], facts: Facts) -> &[PersonNotice] {
    let list = (facts.told as usize).checked_sub(1).and_then(|list| told.get(list));
    list.map_or(&[], Vec::as_slice)
}
