//! Dates of a person moved by one offset.

use super::{PerturbError, same_length};
use crate::{Chance, Keys};

/// By how much dates may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateShift {
    /// Farthest offset in days, either way; 1 or more.
    pub most_days: u16,
    /// Only multiples of seven days: the day of the week stays (and nothing else of the calendar).
    pub whole_weeks: bool,
}

impl DateShift {
    /// The offset of a key in days: never 0, otherwise each equally likely.
    ///
    /// # Errors
    /// `most_days` allows no offset.
    pub fn offset(self, key: &str, chance: &Chance) -> Result<i32, PerturbError> {
        let unit = if self.whole_weeks { 7 } else { 1 };
        let most = i32::from(self.most_days) / unit;
        if most == 0 {
            return Err(PerturbError::Range { parameter: "most_days" });
        }
        let drawn = chance.of(key).below(2 * most as u64) as i32;
        let steps = if drawn < most { drawn - most } else { drawn - most + 1 };
        Ok(steps * unit)
    }
}

/// Move the dates (days since an epoch) of each key by its offset. Missing dates stay missing. Call it for every
/// date column of every table with the same chance: a person's offset is the same in all of them.
///
/// # Guarantee
/// Order and distances of a person's dates stay exactly; no date stays where it was. Seasons and the order between
/// persons do not stay.
/// # Errors
/// `most_days` allows no offset, there is not a key per row, or a date leaves the range of 32 bits.
pub fn shift_days(
    days: &[Option<i32>],
    keys: &[&str],
    shift: DateShift,
    chance: &Chance,
) -> Result<Vec<Option<i32>>, PerturbError> {
    same_length(Keys::Of(keys), days.len())?;
    let mut last: Option<(&str, i32)> = None;
    let mut shifted = Vec::with_capacity(days.len());
    for (row, (day, key)) in days.iter().zip(keys).enumerate() {
        // Rows of a person often follow one another.
        let offset = match last {
            Some((known, offset)) if known == *key => offset,
            _ => shift.offset(key, chance)?,
        };
        last = Some((key, offset));
        shifted.push(match day {
            Some(day) => Some(day.checked_add(offset).ok_or(PerturbError::Date { row })?),
            None => None,
        });
    }
    Ok(shifted)
}
