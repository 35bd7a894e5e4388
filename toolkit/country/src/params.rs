//! What a country is made from.

use std::path::PathBuf;

use jiff::{ToSpan, civil::Date};

use crate::error::CountryError;

/// Fewest residents.
pub const MIN_PERSONS: u32 = 20;
/// Most residents.
pub const MAX_PERSONS: u32 = 5_000_000;

/// Parameters of a country; the same parameters give the same bytes.
#[derive(Debug, Clone)]
pub struct Params {
    /// Seed of all chance.
    pub seed: u64,
    /// Residents of the municipality.
    pub persons: u32,
    /// When notice is given, records are sent and the product is made.
    pub calendar: Calendar,
    /// Where the hospitals' records come from.
    pub fixtures: Fixtures,
    /// How often each legal situation occurs.
    pub shares: Shares,
    /// Share of hospital A's living patients who are residents under the same name and birth date.
    pub linked_a: f64,
    /// The same for hospital B.
    pub linked_b: f64,
    /// Further share of both hospitals' living patients who are residents without an exact key: the
    /// surname changed since, or the birth date is wrong in one register.
    pub linked_inexact: f64,
    /// Pairs of different residents who share kana name, birth date and sex.
    pub planted_homonyms: u32,
    /// A further hospital with many people of one designated disease.
    pub specialist: Option<Specialist>,
    /// Version named by every notice under art. 52 and under art. 57.
    pub notice_versions: [String; 2],
}

impl Default for Params {
    fn default() -> Self {
        Self {
            seed: 1,
            persons: 5_000,
            calendar: Calendar::default(),
            fixtures: Fixtures::default(),
            shares: Shares::default(),
            linked_a: 0.5,
            linked_b: 0.6,
            linked_inexact: 0.1,
            planted_homonyms: 0,
            specialist: None,
            notice_versions: ["v1".into(), "v1".into()],
        }
    }
}

/// The days that decide who may be sent and who reaches the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// The first day on which notices are given.
    pub notice_date: Date,
    /// The day on which the holders seal and send.
    pub delivery_date: Date,
    /// The day on which the first product is made; stops asked for until then are in effect.
    pub product_date: Date,
    /// Days of the wait; the first day is not counted.
    pub wait_days: u16,
}

impl Default for Calendar {
    fn default() -> Self {
        Self::from_notice(jiff::civil::date(2025, 4, 1))
    }
}

impl Calendar {
    /// Delivery on the first day possible (31 days later), the product ten days after it.
    pub fn from_notice(notice_date: Date) -> Self {
        let delivery_date = notice_date.saturating_add(31.days());
        let product_date = delivery_date.saturating_add(10.days());
        Self { notice_date, delivery_date, product_date, wait_days: 30 }
    }
}

/// Where the two hospitals' records come from.
#[derive(Debug, Clone, Default)]
pub struct Fixtures {
    /// A folder with an SS-MIX2 standardized storage; `None`: the one inside the crate.
    pub ssmix2: Option<PathBuf>,
    /// A folder with `*.ndjson` or `*.ndjson.xz`; `None`: the one inside the crate.
    pub fhir: Option<PathBuf>,
}

/// Shares of the legal situations among a holder's persons; the rest is notified under both regimes.
/// Every situation occurs at least once per holder, however small its share.
#[derive(Debug, Clone, Copy)]
pub struct Shares {
    /// Notified under art. 52 only.
    pub anon_only: f64,
    /// Notified under art. 57 only.
    pub pseudo_only: f64,
    /// Never notified.
    pub neither: f64,
    /// Notified so late that the wait still runs on the delivery day, under one regime or both.
    pub waiting: f64,
    /// Stop asked for before the delivery.
    pub refused: f64,
    /// Stop asked for after the delivery.
    pub later_stop: f64,
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            anon_only: 0.06,
            pseudo_only: 0.03,
            neither: 0.03,
            waiting: 0.03,
            refused: 0.01,
            later_stop: 0.01,
        }
    }
}

/// A hospital whose patients all have one designated disease (default: no. 265, lipodystrophy).
#[derive(Debug, Clone)]
pub struct Specialist {
    /// Patients.
    pub persons: u32,
    /// ICD-10 code of the disease.
    pub icd10: String,
    /// Its name.
    pub disease: String,
}

impl Default for Specialist {
    fn default() -> Self {
        Self { persons: 300, icd10: "E88.1".into(), disease: "脂肪萎縮症".into() }
    }
}

impl Params {
    pub(crate) fn check(&self) -> Result<(), CountryError> {
        if !(MIN_PERSONS..=MAX_PERSONS).contains(&self.persons) {
            let (min, max) = (MIN_PERSONS, MAX_PERSONS);
            return Err(CountryError::Persons { asked: self.persons, min, max });
        }
        let s = &self.shares;
        let groups = s.anon_only + s.pseudo_only + s.neither + s.waiting + s.refused + s.later_stop;
        for (name, share) in [
            ("anon_only", s.anon_only),
            ("pseudo_only", s.pseudo_only),
            ("neither", s.neither),
            ("waiting", s.waiting),
            ("refused", s.refused),
            ("later_stop", s.later_stop),
            ("shares", groups),
            ("linked_a", self.linked_a + self.linked_inexact),
            ("linked_b", self.linked_b + self.linked_inexact),
            ("linked_inexact", self.linked_inexact),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(CountryError::Share { name });
            }
        }
        let c = &self.calendar;
        let earliest = c.notice_date.saturating_add((i64::from(c.wait_days) + 1).days());
        if c.delivery_date < earliest {
            return Err(CountryError::CalendarTooShort { wait_days: c.wait_days });
        }
        if c.product_date < c.delivery_date {
            return Err(CountryError::ProductBeforeDelivery);
        }
        Ok(())
    }
}
