//! The residents: households of plausible shape, each person distinct by kana name, birth date and sex,
//! and by kanji name, birth date and sex. Only what cannot be drawn anew is kept, so that a million
//! people fit into memory; the rest is drawn from the person's own stream when it is written.

use std::collections::HashSet;

use crate::{
    chance::{Chance, Purpose, Streams, mix},
    day::Day,
    error::CountryError,
    hospital::Patient,
    kana,
    table::Tables,
};

/// What a resident was planted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Ordinary,
    /// Index into the links.
    Linked(u32),
    Mayor,
    Oldest,
    HighPressure,
    HighWeight,
    /// Shares the key of the resident before.
    Homonym,
    Twin,
}

/// A resident.
#[derive(Debug, Clone)]
pub(crate) struct Resident {
    pub(crate) household: u32,
    pub(crate) surname: u16,
    pub(crate) given: u16,
    pub(crate) born: Day,
    pub(crate) male: bool,
    /// Place within the household, from 1 (the head).
    pub(crate) member: u8,
    /// Insured by the municipality while under 75.
    pub(crate) national: bool,
    pub(crate) died: Option<Day>,
    pub(crate) part: Part,
}

/// How a resident's record differs from the hospital's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    None,
    /// The surname changed since; index of the new one.
    Surname(u16),
    /// The municipality has another birth date.
    Birth,
}

impl Difference {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "same",
            Self::Surname(_) => "surname_changed",
            Self::Birth => "birth_date_differs",
        }
    }
}

/// A resident who is also a hospital's patient.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    /// 0: hospital A, 1: hospital B.
    pub(crate) hospital: usize,
    pub(crate) patient: usize,
    pub(crate) resident: u32,
    pub(crate) difference: Difference,
}

/// The keys taken, so that two people never look like one by accident.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    taken: HashSet<u64>,
}

fn fold(state: u64, text: &str) -> u64 {
    text.chars().fold(state, |s, c| mix(s ^ u64::from(c as u32)))
}

impl Keys {
    fn keys(kanji: [&str; 2], kana: [&str; 2], born: Day, male: bool) -> [u64; 2] {
        let who = mix((u64::from(born.0 as u32) << 1) | u64::from(male));
        let spelled = fold(fold(mix(who ^ 1), kanji[0]), kanji[1]);
        let spoken = fold(fold(mix(who ^ 2), kana[0]), kana[1]);
        [spelled, spoken]
    }

    /// Take both keys if both are free. The kana come as [`kana::key`]; an empty name has no key.
    pub(crate) fn take(
        &mut self,
        kanji: [&str; 2],
        kana: [&str; 2],
        born: Day,
        male: bool,
    ) -> bool {
        let [spelled, spoken] = Self::keys(kanji, kana, born, male);
        let no_kana = kana[0].is_empty() && kana[1].is_empty();
        if self.taken.contains(&spelled) || (!no_kana && self.taken.contains(&spoken)) {
            return false;
        }
        self.taken.insert(spelled);
        if !no_kana {
            self.taken.insert(spoken);
        }
        true
    }
}

const TRIES: u32 = 400;

/// Makes the residents in order.
pub(crate) struct Maker<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) keys: Keys,
    /// The day on which ages are counted.
    today: Day,
    /// No death falls on this day: whether it lies before or after a notice of the day is open.
    notice: Day,
    wanted: usize,
    pub(crate) residents: Vec<Resident>,
    household: u32,
}

/// A patient about to live here: the link's index, the patient, how the records differ.
pub(crate) type Settler<'p> = (u32, &'p Patient, Difference);

/// A member of a household about to be made.
struct Draft {
    age: i32,
    male: bool,
    part: Part,
}

impl<'a> Maker<'a> {
    pub(crate) fn new(
        tables: &'a Tables,
        keys: Keys,
        today: Day,
        notice: Day,
        wanted: u32,
    ) -> Self {
        let wanted = wanted as usize;
        let residents = Vec::with_capacity(wanted);
        Self { tables, keys, today, notice, wanted, residents, household: 0 }
    }

    /// A household of one with a part to play.
    pub(crate) fn planted(
        &mut self,
        part: Part,
        age: i32,
        male: bool,
        chance: &mut Chance,
    ) -> Result<(), CountryError> {
        let surname = self.tables.surname(chance);
        let draft = Draft { age, male, part };
        self.household(surname, true, vec![draft], false, chance)
    }

    /// A different person with the key of the last resident, in another household.
    pub(crate) fn homonym(&mut self) {
        if self.residents.len() >= self.wanted {
            return;
        }
        if let Some(mut other) = self.residents.last().cloned() {
            other.household = self.household;
            other.part = Part::Homonym;
            self.household += 1;
            self.residents.push(other);
        }
    }

    /// Hospital patients who live here, as one household.
    pub(crate) fn linked(
        &mut self,
        members: &[Settler<'_>],
        links: &mut [Link],
        chance: &mut Chance,
    ) {
        for (i, (link, patient, difference)) in members.iter().enumerate() {
            let born = match difference {
                Difference::Birth => wrong_birth(patient.born, self.today),
                Difference::None | Difference::Surname(_) => patient.born,
            };
            links[*link as usize].resident = self.residents.len() as u32;
            self.residents.push(Resident {
                household: self.household,
                surname: 0,
                given: 0,
                born,
                male: patient.male,
                member: i as u8 + 1,
                national: chance.chance(0.6),
                died: None,
                part: Part::Linked(*link),
            });
        }
        self.household += 1;
    }

    /// Ordinary households until all residents are there.
    pub(crate) fn fill(&mut self, streams: &Streams) -> Result<(), CountryError> {
        while self.residents.len() < self.wanted {
            let chance = &mut streams.of(u64::from(self.household) + (1 << 32));
            let surname = self.tables.surname(chance);
            let drafts = compose(chance);
            let head = drafts.first().map_or(0, |d| d.age);
            let national = chance.chance(if head >= 65 { 0.9 } else { 0.28 });
            self.household(surname, national, drafts, true, chance)?;
        }
        Ok(())
    }

    fn household(
        &mut self,
        surname: u16,
        national: bool,
        drafts: Vec<Draft>,
        mortal: bool,
        chance: &mut Chance,
    ) -> Result<(), CountryError> {
        let mut last_born = None;
        for (i, draft) in drafts.into_iter().enumerate() {
            if self.residents.len() >= self.wanted {
                break;
            }
            let back = draft.age * 36_525 / 100 + chance.between(1, 364);
            let born = match draft.part {
                Part::Twin => last_born.unwrap_or_else(|| self.today.plus(-back)),
                _ => self.today.plus(-back),
            };
            last_born = Some(born);
            let given = self.name(surname, draft.male, born, chance)?;
            let died = if mortal { self.death(born, chance) } else { None };
            self.residents.push(Resident {
                household: self.household,
                surname,
                given,
                born,
                male: draft.male,
                member: i as u8 + 1,
                national,
                died,
                part: draft.part,
            });
        }
        self.household += 1;
        Ok(())
    }

    fn name(
        &mut self,
        surname: u16,
        male: bool,
        born: Day,
        chance: &mut Chance,
    ) -> Result<u16, CountryError> {
        let family = &self.tables.surnames[surname as usize];
        for attempt in 0..TRIES {
            let given = if attempt < TRIES / 2 {
                self.tables.given_name(male, born.civil().0, chance)
            } else {
                // every name of the year is taken on this day: an unfashionable one
                chance.below(self.tables.given(male).len() as u32) as u16
            };
            let name = &self.tables.given(male)[given as usize];
            let kanji = [family.kanji, name.kanji];
            if self.keys.take(kanji, [&family.key, &name.key], born, male) {
                return Ok(given);
            }
        }
        Err(CountryError::NamesExhausted { resident: self.residents.len() as u32, tries: TRIES })
    }

    /// A death in the last two years, by age.
    fn death(&self, born: Day, chance: &mut Chance) -> Option<Day> {
        const YEARLY: [f64; 11] =
            [0.0003, 0.0002, 0.0004, 0.0006, 0.0013, 0.003, 0.008, 0.018, 0.05, 0.14, 0.3];
        let age = born.age_on(self.today).clamp(0, 109) as usize / 10;
        if !chance.chance(2.0 * YEARLY[age]) {
            return None;
        }
        let died = self.today.plus(-chance.between(1, 730));
        let died = if died == self.notice { died.plus(-1) } else { died };
        (died > born).then_some(died)
    }
}

/// A wrong day of birth: two digits slipped.
pub(crate) fn wrong_birth(born: Day, today: Day) -> Day {
    let other = born.plus(if born.0 % 2 == 0 { 10 } else { -10 });
    if other < today { other } else { born.plus(-10) }
}

/// The members of an ordinary household, head first.
fn compose(chance: &mut Chance) -> Vec<Draft> {
    let person = |age: i32, male: bool| Draft { age, male, part: Part::Ordinary };
    let mut out = Vec::with_capacity(5);
    match chance.below(1000) {
        0..125 => out.push(person(chance.between(19, 39), chance.chance(0.55))),
        125..225 => out.push(person(chance.between(40, 64), chance.chance(0.6))),
        225..385 => {
            let age = chance.between(65, 90).max(chance.between(60, 97));
            out.push(person(age, chance.chance(0.33)));
        }
        385..435 => couple(&mut out, (24, 44), chance),
        435..520 => couple(&mut out, (45, 64), chance),
        520..690 => couple(&mut out, (65, 91), chance),
        690..860 => {
            couple(&mut out, (27, 56), chance);
            let mother = out[1].age;
            children(&mut out, mother, chance);
        }
        860..920 => {
            // parents with a grown child
            couple(&mut out, (55, 82), chance);
            let age = (out[1].age - chance.between(24, 36)).max(18);
            out.push(person(age, chance.chance(0.6)));
        }
        920..970 => {
            out.push(person(chance.between(25, 52), chance.chance(0.14)));
            let parent = out[0].age;
            children(&mut out, parent, chance);
        }
        _ => {
            couple(&mut out, (32, 54), chance);
            let mother = out[1].age;
            children(&mut out, mother, chance);
            let grandparent = mother + chance.between(23, 34);
            out.push(person(grandparent, chance.chance(0.3)));
        }
    }
    out
}

fn couple(out: &mut Vec<Draft>, ages: (i32, i32), chance: &mut Chance) {
    let age = chance.between(ages.0, ages.1);
    let other = (age - 2 + chance.between(-3, 4)).max(20);
    for (age, male) in [(age, true), (other, false)] {
        out.push(Draft { age, male, part: Part::Ordinary });
    }
}

fn children(out: &mut Vec<Draft>, mother: i32, chance: &mut Chance) {
    let count = [1, 1, 2, 2, 2, 2, 3][chance.below(7) as usize];
    let mut at_birth = chance.between(22, 34).min(mother);
    for _ in 0..count {
        let age = mother - at_birth;
        if !(0..=24).contains(&age) {
            break;
        }
        let male = chance.chance(0.513);
        out.push(Draft { age, male, part: Part::Ordinary });
        if chance.chance(0.012) {
            let same = chance.chance(0.65);
            out.push(Draft { age, male: male == same, part: Part::Twin });
        }
        at_birth += chance.between(2, 4);
    }
}

/// The people of the households' stream before the ordinary ones.
pub(crate) fn planted_chance(seed: u64) -> Chance {
    Streams::new(seed, Purpose::Households).of(0)
}

/// Whether a patient's names are complete enough to be found again.
pub(crate) fn linkable(patient: &Patient) -> bool {
    patient.died.is_none()
        && patient.kanji.iter().all(|n| !n.is_empty())
        && patient.kana.iter().all(|n| !n.is_empty())
}

/// The kana keys of a patient's two names.
pub(crate) fn patient_keys(patient: &Patient) -> [String; 2] {
    [kana::key(&patient.kana[0]), kana::key(&patient.kana[1])]
}
