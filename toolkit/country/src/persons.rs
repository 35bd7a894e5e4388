//! Person lists for record linkage, with truth: people in households with lives, the records in
//! which hospitals, municipalities, insurers and pharmacies know them, each in its house style and
//! with its errors, and a file that says who is who and what is wrong.
//!
//! Names come from this crate's own lists (whole names, and products of parts for the long tail),
//! errors from its own model ([`Tag`]). Nobody in a list is real: blocks of houses, postal codes,
//! telephone numbers and insurers' serial numbers are ones that do not exist.
//!
//! A list is a function of its parameters. Every household is drawn from its own stream, so a list
//! of any length streams in constant memory.

mod compose;
mod contact;
mod hard;
mod household;
mod insurance;
mod life;
mod names;
mod people;
mod places;
mod record;
mod slips;
mod source;
mod tag;
mod visit;
mod write;

pub use hard::{HardClass, HardPair};
pub use people::PersonTruth;
pub use tag::{Tag, Tags};
pub use write::ListWritten;

use jiff::civil::Date;

use crate::{
    chance::{Purpose, Streams, mix},
    day::Day,
    error::CountryError,
    persons::{
        household::Households,
        life::Person,
        names::NameLists,
        places::Places,
        record::{Cells, Desk},
        visit::Visits,
    },
};

/// How dirty a list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListProfile {
    /// Errors as in ordinary administrative data.
    Base,
    /// Twice the errors, many empty columns, more namesakes.
    Sparse,
    /// No errors; lives and house styles only.
    Clean,
}

impl ListProfile {
    /// From `base`, `sparse` or `clean`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "base" => Some(Self::Base),
            "sparse" => Some(Self::Sparse),
            "clean" => Some(Self::Clean),
            _ => None,
        }
    }
}

/// How long a list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListSize {
    /// So many people, with all their records (about 3.3 each).
    Persons(u64),
    /// So many records; of the last person perhaps not all.
    Records(u64),
}

/// What a list is made from; the same parameters give the same list.
#[derive(Debug, Clone, Copy)]
pub struct ListParams {
    /// Seed of all chance.
    pub seed: u64,
    /// How long the list is.
    pub size: ListSize,
    /// How dirty it is.
    pub profile: ListProfile,
    /// The last day on which records are made; the first is nine years before.
    pub until: Date,
}

impl Default for ListParams {
    fn default() -> Self {
        Self {
            seed: 1,
            size: ListSize::Records(100_000),
            profile: ListProfile::Base,
            until: jiff::civil::date(2026, 3, 31),
        }
    }
}

/// The columns of a list, in order.
pub const LIST_COLUMNS: [&str; 14] = [
    "record_id",
    "source_id",
    "recorded_on",
    "name_kanji",
    "name_kana",
    "sex",
    "birth_date",
    "postal_code",
    "address",
    "phone",
    "insurer_no",
    "symbol",
    "number",
    "branch",
];

/// One record with its truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// The cells in the order of [`LIST_COLUMNS`].
    pub cells: [String; 14],
    /// Whose record it is, counted from 0.
    pub person: u64,
    /// The person's household, counted from 0.
    pub household: u64,
    /// What is wrong with it or has changed since.
    pub tags: Tags,
}

/// A person list: draws its records one household at a time.
#[derive(Debug)]
pub struct PersonList {
    params: ListParams,
    names: NameLists,
    places: Places,
    window: (Day, Day),
}

/// Share of households with a namesake of an earlier one: base, sparse.
const NAMESAKES: (f64, f64) = (0.003, 0.009);

impl PersonList {
    /// Prepare a list.
    ///
    /// # Errors
    /// [`CountryError::Table`] for a malformed table of names or places in the crate.
    pub fn new(params: ListParams) -> Result<Self, CountryError> {
        let persons = match params.size {
            ListSize::Persons(n) => n,
            ListSize::Records(n) => n / 3,
        };
        let end = Day::of(params.until);
        Ok(Self {
            params,
            names: NameLists::load()?,
            // one municipality for each 2,500 people, between eight and all
            places: Places::load((persons / 2_500).clamp(8, 255) as u32)?,
            window: (end.birthday(-9).plus(1), end),
        })
    }

    fn households(&self) -> Households<'_> {
        let namesakes = match self.params.profile {
            ListProfile::Sparse => NAMESAKES.1,
            _ => NAMESAKES.0,
        };
        Households::new(&self.names, &self.places, self.params.seed, self.window, namesakes)
    }

    /// All records, household by household. [`PersonList::write`] shuffles them.
    pub fn records(&self) -> impl Iterator<Item = PersonRecord> + '_ {
        let households = self.households();
        let desk = Desk {
            names: &self.names,
            places: &self.places,
            profile: self.params.profile,
            force: None,
        };
        let visits = Visits::new(self.params.seed, self.window);
        let streams = Streams::new(self.params.seed, Purpose::ListRecord);
        let (mut persons, mut records) = (0_u64, 0_u64);
        let limit = self.params.size;
        let seed = self.params.seed;
        (0_u64..)
            .flat_map(move |household| households.of(household))
            .map_while(move |person: Person| {
                let place = persons;
                let more = match limit {
                    ListSize::Persons(n) => place < n,
                    ListSize::Records(n) => records < n,
                };
                if !more {
                    return None;
                }
                persons += 1;
                let chance = &mut streams.of(place);
                let mut out = Vec::with_capacity(4);
                for visit in visits.of(&person, place, chance) {
                    if matches!(limit, ListSize::Records(n) if records == n) {
                        break;
                    }
                    let style = visit.source.style(seed);
                    let (cells, tags) = desk.write(&person, visit.source, &style, visit.on, chance);
                    let head = [record_id(seed, records), visit.source.id(), visit.on.to_string()];
                    out.push(PersonRecord {
                        cells: joined(head, cells),
                        person: place,
                        household: person.household,
                        tags,
                    });
                    records += 1;
                }
                Some(out)
            })
            .flatten()
    }
}

fn joined(head: [String; 3], cells: Cells) -> [String; 14] {
    let mut all = head.into_iter().chain(cells);
    std::array::from_fn(|_| all.next().unwrap_or_default())
}

/// A record's id says nothing of its person: a one-to-one scrambling of 40 bits (three rounds of a
/// Feistel network over two halves of 20 bits).
fn record_id(seed: u64, nth: u64) -> String {
    let (mut left, mut right) = (nth >> 20 & 0xf_ffff, nth & 0xf_ffff);
    for round in 0..3 {
        let mixed = mix(right ^ mix(seed ^ (round + 1))) & 0xf_ffff;
        (left, right) = (right, left ^ mixed);
    }
    format!("R{:013}", left << 20 | right)
}
