//! The first pass over the rows: who is there, and which visits.
//!
//! Enters: every row once, as the second pass will bring it. Leaves: people with birth, sex, death and the days
//! between which anything is known of them; visits, an admission and its discharge joined. Refuses: nothing; what
//! cannot become a visit is told by [`Survey::visit_of`] with its reason. Memory: that of people and visits, not of rows.

use std::collections::HashMap;

use super::{
    moment::Moment,
    stands::{Reason, span, stands},
};
use crate::record::{EncounterRecord, Record};

/// What is known of a person.
#[derive(Clone, Default)]
pub(super) struct Person {
    /// The key the caller gave.
    pub key: Box<str>,
    /// `M`, `F`, or as sent.
    pub sex: Option<Box<str>>,
    pub birth: Option<Moment>,
    pub postal_code: Option<Box<str>>,
    /// Is there a row that says somebody died?
    pub dead: bool,
    pub died: Option<Moment>,
    pub died_text: Option<Box<str>>,
    pub cause_code: Option<Box<str>>,
    pub cause_system: Option<Box<str>>,
    pub cause_text: Option<Box<str>>,
    /// First and last day of an event, days since 1970.
    pub days: Option<(i64, i64)>,
    /// Do claims tell of the person, or anything else?
    pub claimed: bool,
    pub recorded: bool,
}

/// A visit or a stay.
#[derive(Clone, Default)]
pub(super) struct Visit {
    /// Place of the person.
    pub person: u32,
    /// The source's key, if it has one.
    pub key: Option<Box<str>>,
    pub class: Option<Box<str>>,
    pub start: Option<Moment>,
    pub end: Option<Moment>,
    /// The same as the source wrote them: with fractions of seconds and zones.
    pub start_text: Option<Box<str>>,
    pub end_text: Option<Box<str>>,
    pub facility: Option<Box<str>>,
    pub department: Option<Box<str>>,
    pub department_text: Option<Box<str>>,
    pub disposition: Option<Box<str>>,
    pub practitioner: Option<Box<str>>,
    pub status: Option<Box<str>>,
    pub claimed: bool,
}

impl Visit {
    /// The earliest beginning that is told.
    fn begins(&mut self, (moment, text): (Option<Moment>, Option<&str>)) {
        if moment.is_some() && (self.start.is_none() || moment < self.start) {
            self.start = moment;
            self.start_text = text.map(Into::into);
        }
    }
    /// The latest end that is told.
    fn ends(&mut self, (moment, text): (Option<Moment>, Option<&str>)) {
        if moment > self.end {
            self.end = moment;
            self.end_text = text.map(Into::into);
        }
    }
}

/// People and visits of a set of rows.
#[derive(Clone, Default)]
pub struct Survey {
    people: HashMap<Box<str>, u32>,
    pub(super) persons: Vec<Person>,
    keys: HashMap<(u32, Box<str>), u32>,
    pub(super) visits: Vec<Visit>,
    /// Months of care of claims.
    claims: HashMap<(u32, Box<str>), Option<Moment>>,
    /// Discharges that do not tell their admission.
    open_ends: Vec<(u32, Moment)>,
}

impl std::fmt::Debug for Survey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Survey({} persons, {} visits)", self.persons.len(), self.visits.len())
    }
}

fn keep(slot: &mut Option<Box<str>>, value: Option<&str>) {
    if slot.is_none() {
        *slot = value.map(Into::into);
    }
}

/// By what a visit is known inside a person: the source's key, or else day, class and department.
fn visit_key(r: &EncounterRecord<'_>) -> Result<Box<str>, Reason> {
    if let Some(key) = r.encounter_key {
        return Ok(format!("k:{key}").into());
    }
    let start = r.start_at.and_then(Moment::read);
    let stay = matches!(r.status, Some("admission" | "discharge"));
    match start {
        Some(start) if stay => Ok(format!("s:{}", start.date()).into()),
        Some(start) => Ok(format!(
            "d:{}:{}:{}",
            start.iso(),
            r.class.unwrap_or(""),
            r.department_code.unwrap_or("")
        )
        .into()),
        None => match r.end_at.and_then(Moment::read) {
            Some(end) => Ok(format!("e:{}", end.date()).into()),
            None => Err(Reason::NoDate),
        },
    }
}

/// Is the encounter a visit by itself?
fn is_visit(r: &EncounterRecord<'_>) -> Result<(), Reason> {
    match r.status {
        Some("planned" | "planned-admission" | "planned-discharge" | "planned-transfer") => {
            Err(Reason::Planned)
        }
        Some("attending-change" | "leave" | "leave-return" | "transfer") => Err(Reason::PartOfStay),
        _ => Ok(()),
    }
}

impl Survey {
    /// Takes a row; `person` is the key under which the person is to be known in the output.
    pub fn note(&mut self, person: &str, record: &Record<'_>) {
        let at = match self.people.get(person) {
            Some(at) => *at,
            None => {
                let at = self.persons.len() as u32;
                self.people.insert(person.into(), at);
                self.persons.push(Person { key: person.into(), ..Person::default() });
                at
            }
        };
        let who = &mut self.persons[at as usize];
        match record {
            Record::Person(r) => {
                keep(&mut who.sex, r.sex);
                keep(&mut who.postal_code, r.postal_code);
                let birth = r.birth_on.and_then(Moment::read);
                let exact = |m: &Moment| u8::from(m.month.is_some()) + u8::from(m.day.is_some());
                if birth.as_ref().map(exact) > who.birth.as_ref().map(exact) {
                    who.birth = birth;
                }
                if let Some(died) = r.death_on.and_then(Moment::read) {
                    who.dead = true;
                    if who.died.is_none() {
                        who.died = Some(died);
                        who.died_text = r.death_on.map(Into::into);
                    }
                }
                return;
            }
            Record::Death(r) => {
                who.dead = true;
                if who.died.is_none() {
                    who.died = r.died_on.and_then(Moment::read);
                    who.died_text = who.died.and(r.died_on).map(Into::into);
                }
                if who.cause_code.is_none() && (r.cause_code.is_some() || r.cause_text.is_some()) {
                    who.cause_code = r.cause_code.map(Into::into);
                    who.cause_system = r.cause_system.map(Into::into);
                    who.cause_text = r.cause_text.map(Into::into);
                }
            }
            Record::Claim(r) => {
                who.claimed = true;
                let key = r.claim_key.unwrap_or("");
                let month = r.care_month.and_then(Moment::read);
                let billed = r.billed_month.and_then(Moment::read);
                if month.or(billed).is_some() {
                    self.claims.insert((at, key.into()), month);
                }
                return;
            }
            Record::ClaimPayer(_) | Record::ClaimItem(_) => who.claimed = true,
            Record::DpcStay(r) if r.source == Some("claim") => who.claimed = true,
            _ => who.recorded = true,
        }
        // Coverage, certifications and residency are not care: they say nothing of when care was seen.
        let care = !matches!(
            record,
            Record::Coverage(_) | Record::Residency(_) | Record::CareCertification(_)
        );
        if care && stands(record).is_ok() {
            let (from, to) = span(record);
            let planned = matches!(record, Record::Encounter(r) if is_visit(r).is_err());
            for moment in [from, to].into_iter().flatten().filter(|m| m.day.is_some() && !planned) {
                let day = moment.days();
                let (first, last) = who.days.unwrap_or((day, day));
                who.days = Some((first.min(day), last.max(day)));
            }
        }
        match record {
            Record::Encounter(r) if stands(record).is_ok() && is_visit(r).is_ok() => {
                self.encounter(at, r, span(record));
            }
            Record::DpcStay(r) => {
                // Ward parts of a stay are inside it.
                let whole = r.episode_no.is_none_or(|e| e.bytes().all(|b| b == b'0'));
                if let (Some(key), (Some(_), _), true) = (r.stay_key, span(record), whole) {
                    let (start, end) = span(record);
                    let visit = self.visit_mut(at, format!("k:{key}").into());
                    visit.key.get_or_insert_with(|| key.into());
                    keep(&mut visit.class, Some("I"));
                    keep(&mut visit.facility, r.facility);
                    keep(&mut visit.disposition, r.destination.or(r.outcome));
                    visit.begins((start, r.admitted_on));
                    visit.ends((end, r.discharged_on));
                }
            }
            _ => {}
        }
    }

    fn encounter(
        &mut self,
        at: u32,
        r: &EncounterRecord<'_>,
        (start, end): (Option<Moment>, Option<Moment>),
    ) {
        let Ok(key) = visit_key(r) else { return };
        if start.is_none()
            && r.encounter_key.is_none()
            && let Some(end) = end
        {
            self.open_ends.push((at, end));
        }
        let claimed = self.persons[at as usize].claimed;
        let visit = self.visit_mut(at, key);
        keep(&mut visit.key, r.encounter_key);
        keep(&mut visit.class, r.class);
        keep(&mut visit.status, r.status);
        keep(&mut visit.department, r.department_code);
        keep(&mut visit.department_text, r.department_text);
        keep(&mut visit.disposition, r.disposition_code.or(r.disposition_text));
        keep(&mut visit.practitioner, r.practitioner);
        visit.claimed |= claimed;
        visit.begins((start, r.start_at));
        visit.ends((end, r.end_at));
    }

    fn visit_mut(&mut self, person: u32, key: Box<str>) -> &mut Visit {
        let at = *self.keys.entry((person, key)).or_insert_with(|| {
            self.visits.push(Visit { person, ..Visit::default() });
            self.visits.len() as u32 - 1
        });
        &mut self.visits[at as usize]
    }

    /// Closes the first pass: a discharge that does not tell its admission ends the latest stay that began before
    /// it and has no end.
    pub(super) fn close(&mut self) {
        let ends = std::mem::take(&mut self.open_ends);
        if ends.is_empty() {
            return;
        }
        let mut of_person: HashMap<u32, Vec<usize>> =
            ends.iter().map(|(person, _)| (*person, Vec::new())).collect();
        for (at, visit) in self.visits.iter().enumerate() {
            if let Some(list) = of_person.get_mut(&visit.person) {
                list.push(at);
            }
        }
        for (person, end) in ends {
            let fits = |v: &Visit| {
                let open = v.end.is_none() && v.class.as_deref() != Some("O");
                open && v.start.is_some_and(|s| s.date() <= end.date())
            };
            let stays = of_person.get(&person).into_iter().flatten().copied();
            let best = stays
                .filter(|at| fits(&self.visits[*at]))
                .max_by_key(|at| (self.visits[*at].start, *at));
            let key: Box<str> = format!("e:{}", end.date()).into();
            if let Some(best) = best
                && let Some(own) = self.keys.insert((person, key), best as u32)
            {
                let own = std::mem::take(&mut self.visits[own as usize]);
                let visit = &mut self.visits[best];
                visit.ends((Some(end), own.end_text.as_deref()));
                keep(&mut visit.disposition, own.disposition.as_deref());
                keep(&mut visit.department, own.department.as_deref());
            }
        }
    }

    /// Place of a person in the order of first appearance.
    pub(super) fn person(&self, key: &str) -> Option<u32> {
        self.people.get(key).copied()
    }

    /// The visit an encounter, a stay or a key leads to.
    pub(super) fn visit_of(&self, person: u32, r: &EncounterRecord<'_>) -> Result<u32, Reason> {
        is_visit(r)?;
        let key = visit_key(r)?;
        let at = self.keys.get(&(person, key)).copied().ok_or(Reason::NoDate)?;
        if self.visits[at as usize].start.is_some() { Ok(at) } else { Err(Reason::NoDate) }
    }

    /// The visit of the source's key, if it has a beginning.
    pub(super) fn visit_at(&self, person: u32, key: Option<&str>) -> Option<u32> {
        let at = *self.keys.get(&(person, format!("k:{}", key?).into()))?;
        self.visits[at as usize].start.is_some().then_some(at)
    }

    /// The month of care of a claim, if it tells one.
    ///
    /// # Errors
    /// There is no such claim, or it tells neither that month nor the one it was billed in.
    pub(super) fn claim(&self, person: u32, key: Option<&str>) -> Result<Option<Moment>, Reason> {
        let key = (person, key.unwrap_or("").into());
        self.claims.get(&key).copied().ok_or(Reason::NoPlace)
    }

    /// How many people.
    pub fn persons(&self) -> u64 {
        self.persons.len() as u64
    }
    /// How many visits and stays.
    pub fn visits(&self) -> u64 {
        self.visits.iter().filter(|v| v.start.is_some()).count() as u64
    }
}
