//! When and where a person's records were made.

use crate::{
    chance::{Chance, Purpose, Streams},
    day::Day,
    persons::{
        insurance::Insurer,
        life::{Person, at},
        source::{Kind, Source},
    },
};

/// One record to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit {
    pub(crate) source: Source,
    pub(crate) on: Day,
}

/// Draws visits.
#[derive(Debug)]
pub(crate) struct Visits {
    habits: Streams,
    window: (Day, Day),
}

/// How many records a person has: weights of 1, 2, ...; 3.3 on average, 1.6 pairs per record.
const RECORDS: [u32; 8] = [16, 21, 21, 17, 12, 7, 4, 2];
const HOSPITALS: u32 = 4;
const PHARMACIES: u32 = 3;

impl Visits {
    pub(crate) fn new(seed: u64, window: (Day, Day)) -> Self {
        Self { habits: Streams::new(seed, Purpose::ListOrder), window }
    }

    pub(crate) fn of(&self, person: &Person, place: u64, chance: &mut Chance) -> Vec<Visit> {
        let (start, end) = self.window;
        let (first, last) = (start.max(person.born), person.died.unwrap_or(end).min(end));
        let mut wanted = 1;
        let mut at_most = chance.below(RECORDS.iter().sum());
        for (i, weight) in RECORDS.iter().enumerate() {
            if at_most < *weight {
                wanted = i + 1;
                break;
            }
            at_most -= weight;
        }
        // the family goes to the same doctors
        let habit = &mut self.habits.of(person.household);
        let doctors = [habit.below(HOSPITALS), habit.below(HOSPITALS)];
        let pharmacy = habit.below(PHARMACIES);
        let mut out: Vec<Visit> = Vec::with_capacity(wanted);
        let newborn = person.born > start && chance.chance(0.3);
        let _ = place;
        for nth in 0..wanted {
            let mut on = first.plus(chance.between(0, last.days_since(first).max(0)));
            if newborn && nth == 0 {
                on = person.born.plus(chance.between(0, 10)).min(last);
            }
            let mut visit = Visit { source: source(person, on, doctors, pharmacy, chance), on };
            // one list rarely has a person twice
            for _ in 0..6 {
                if !out.iter().any(|v| v.source == visit.source) || chance.chance(0.05) {
                    break;
                }
                visit.source = source(person, on, doctors, pharmacy, chance);
            }
            out.push(visit);
        }
        out
    }
}

fn source(
    person: &Person,
    on: Day,
    doctors: [u32; 2],
    pharmacy: u32,
    chance: &mut Chance,
) -> Source {
    let place = u16::from(at(&person.homes, on).place);
    let born_here = on.days_since(person.born) <= 14;
    match if born_here { 0 } else { chance.below(100) } {
        0..48 => {
            let nth = match chance.below(10) {
                0..4 => doctors[0],
                4..6 => doctors[1],
                _ => chance.below(HOSPITALS),
            };
            Source { kind: Kind::Hospital, place, nth: nth as u8 }
        }
        48..66 => Source { kind: Kind::Municipality, place, nth: 0 },
        66..84 => {
            let (place, nth) = match at(&person.policies, on).insurer {
                Insurer::Kyokai(place) => (u16::from(place), 0),
                Insurer::Society(n) => (n, 1),
                Insurer::Mutual(n) => (u16::from(n), 2),
                Insurer::National(place) => (u16::from(place), 3),
                Insurer::Elder(place) => (u16::from(place), 4),
            };
            Source { kind: Kind::Insurer, place, nth }
        }
        _ => {
            let nth = if chance.chance(0.6) { pharmacy } else { chance.below(PHARMACIES) };
            Source { kind: Kind::Pharmacy, place, nth: nth as u8 }
        }
    }
}
