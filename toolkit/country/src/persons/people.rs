//! The people of a list as they are on its last day.

use crate::persons::{
    ListSize, PersonList,
    life::{Kin, Person},
};

/// A person's true values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonTruth {
    /// Counted from 0, as in [`crate::persons::PersonRecord`].
    pub person: u64,
    /// Counted from 0.
    pub household: u64,
    /// `head`, `spouse`, `child`, `twin` (of the child or single person before), `grandparent`.
    pub kin: &'static str,
    /// `1` male, `2` female.
    pub sex: &'static str,
    /// Birth date, ISO.
    pub born: String,
    /// Date of death, ISO; empty for the living.
    pub died: String,
    /// Whether the legal name is foreign.
    pub foreign: bool,
    /// Whether made to resemble a person of an earlier household.
    pub namesake: bool,
    /// Family, middle and given name of the last day, with spaces.
    pub name_kanji: String,
    /// The same in full-width katakana.
    pub name_kana: String,
}

/// Header of `people.csv`.
pub(crate) const PEOPLE_COLUMNS: &str =
    "person_id,household_id,kin,sex,born,died,foreign,namesake,name_kanji,name_kana";

impl PersonTruth {
    /// Its row of `people.csv`.
    pub(crate) fn row(&self) -> [String; 10] {
        let yes = |b: bool| if b { "1" } else { "0" }.to_owned();
        [
            format!("P{:08}", self.person),
            format!("H{:08}", self.household),
            self.kin.to_owned(),
            self.sex.to_owned(),
            self.born.clone(),
            self.died.clone(),
            yes(self.foreign),
            yes(self.namesake),
            self.name_kanji.clone(),
            self.name_kana.clone(),
        ]
    }
}

impl PersonList {
    /// The people whose records [`PersonList::records`] gives. A list sized by records ends within
    /// a person: take as many as it has people.
    pub fn people(&self) -> impl Iterator<Item = PersonTruth> + '_ {
        let households = self.households();
        let limit = match self.params.size {
            ListSize::Persons(n) | ListSize::Records(n) => n,
        };
        (0_u64..limit)
            .flat_map(move |household| households.of(household))
            .zip(0..limit)
            .map(|(person, nth)| self.truth(&person, nth))
    }

    fn truth(&self, person: &Person, nth: u64) -> PersonTruth {
        let family = person.family[person.family.len() - 1].1;
        let parts: Vec<_> =
            [Some(family), person.middle, Some(person.given)].into_iter().flatten().collect();
        let kanji: Vec<&str> = parts.iter().map(|n| self.names.kanji(*n)).collect();
        let kana: Vec<&str> = parts.iter().map(|n| self.names.kana(*n)).collect();
        PersonTruth {
            person: nth,
            household: person.household,
            kin: match person.kin {
                Kin::Head => "head",
                Kin::Spouse => "spouse",
                Kin::Child => "child",
                Kin::Twin => "twin",
                Kin::Grandparent => "grandparent",
            },
            sex: if person.male { "1" } else { "2" },
            born: person.born.to_string(),
            died: person.died.map(|day| day.to_string()).unwrap_or_default(),
            foreign: person.foreign(),
            namesake: person.namesake,
            name_kanji: kanji.join(" "),
            name_kana: kana.join(" "),
        }
    }
}
