//! The holder's own clocks: until when each provision record must be kept.
//!
//! # Law
//! `provision_record`

use std::path::Path;

use kiban_kernel::{Date, Rules};

use super::{LettersRefused, ProvisionRecord, SealError, records};

/// A provision record with its clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptProvision {
    /// The record.
    pub record: ProvisionRecord,
    /// First day on which it need not be kept.
    pub until: Date,
    /// That day has come.
    pub due: bool,
}

/// `years` after a day: the same day of that year; 1 March for 29 February of a year without it.
pub fn years_after(from: Date, years: i64) -> Date {
    let year = from.year().saturating_add(i16::try_from(years).unwrap_or(i16::MAX));
    Date::new(year, from.month(), from.day())
        .or_else(|_| Date::new(year, from.month() + 1, 1))
        .unwrap_or(Date::MAX)
}

/// Every provision record of a holder's folder with its clock, the oldest first. Each stands for one provision, so the clock
/// runs from its day by the rule in force then. Nothing is destroyed.
///
/// # Errors
/// The records cannot be read, or no rule is in force.
pub fn kept_provisions(
    home: &Path,
    on: Date,
    rules: &Rules,
) -> Result<Vec<KeptProvision>, SealError> {
    let mut all = records::provisions(home)?;
    all.sort_by_key(|r| (r.provided_on, r.delivery));
    all.into_iter()
        .map(|record| {
            let years = rules
                .int("retention.provision_record_years", record.provided_on)
                .map_err(|_| LettersRefused::Rule)?;
            let until = years_after(record.provided_on, years.max(0));
            Ok(KeptProvision { record, until, due: until <= on })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_years_end_on_the_same_day() {
        for (from, until) in [("2025-11-28", "2028-11-28"), ("2028-02-29", "2031-03-01")] {
            let day = |text: &str| text.parse::<Date>().unwrap();
            assert_eq!(years_after(day(from), 3), day(until));
        }
    }
}
