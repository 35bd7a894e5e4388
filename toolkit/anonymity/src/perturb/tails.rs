//! Top and bottom coding.

use super::{PerturbError, same_length};
use crate::Keys;
use hashbrown::HashSet;

/// Where the tails of a column begin: values at a bound belong to the tail.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bounds {
    /// Values at or below are bottom-coded.
    pub bottom: Option<f64>,
    /// Values at or above are top-coded.
    pub top: Option<f64>,
}

/// What stands for a value of a tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TailValue {
    /// The bound.
    #[default]
    Bound,
    /// The mean of the tail: the mean of the column is preserved.
    Mean,
    /// Nothing.
    Missing,
}

/// A coded column.
#[derive(Debug, Clone, PartialEq)]
pub struct Coded {
    /// The values.
    pub values: Vec<Option<f64>>,
    /// Rows in the lower tail.
    pub low: usize,
    /// Rows in the upper tail.
    pub high: usize,
}

/// The narrowest tails that hold at least `least` keys each (persons, not rows).
///
/// # Errors
/// `least` is 0, fewer keys than that have a value, there is not a key per row, or a value is not finite.
pub fn tail_bounds(
    column: &[Option<f64>],
    keys: Keys<'_>,
    least: usize,
) -> Result<Bounds, PerturbError> {
    same_length(keys, column.len())?;
    if least == 0 {
        return Err(PerturbError::Range { parameter: "least" });
    }
    let mut sorted = Vec::with_capacity(column.len());
    for (row, value) in column.iter().enumerate() {
        let Some(value) = *value else { continue };
        if !value.is_finite() {
            return Err(PerturbError::NotFinite { row, column: 0 });
        }
        sorted.push((value, row));
    }
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let reach = |rows: &mut dyn Iterator<Item = &(f64, usize)>| {
        let mut rows_seen = 0;
        let mut persons = HashSet::new();
        for (value, row) in rows {
            rows_seen += 1;
            let count = match keys {
                Keys::Rows => rows_seen,
                Keys::Of(keys) => {
                    persons.insert(keys[*row]);
                    persons.len()
                }
            };
            if count == least {
                return Ok(*value);
            }
        }
        Err(PerturbError::TooFew { rows: persons.len().max(rows_seen), needed: least })
    };
    let bottom = reach(&mut sorted.iter())?;
    let top = reach(&mut sorted.iter().rev())?;
    Ok(Bounds { bottom: Some(bottom), top: Some(top) })
}

/// Replace the values of the tails. Missing values stay missing.
///
/// # Guarantee
/// Values between the bounds stay, hence all quantiles between them; with [`TailValue::Mean`] the mean, too.
/// # Errors
/// The bottom is not below the top, or a value is not finite.
pub fn code_tails(
    column: &[Option<f64>],
    bounds: Bounds,
    with: TailValue,
) -> Result<Coded, PerturbError> {
    if let (Some(bottom), Some(top)) = (bounds.bottom, bounds.top)
        && bottom >= top
    {
        return Err(PerturbError::Range { parameter: "bounds" });
    }
    if let Some(row) = column.iter().position(|x| x.is_some_and(|x| !x.is_finite())) {
        return Err(PerturbError::NotFinite { row, column: 0 });
    }
    let is_low = |x: f64| bounds.bottom.is_some_and(|bottom| x <= bottom);
    let is_high = |x: f64| bounds.top.is_some_and(|top| x >= top);
    let tail = |is: &dyn Fn(f64) -> bool, bound: Option<f64>| {
        let members: Vec<f64> = column.iter().flatten().copied().filter(|x| is(*x)).collect();
        let value = match with {
            TailValue::Bound => bound,
            TailValue::Mean if members.is_empty() => None,
            TailValue::Mean => Some(super::mean(&members)),
            TailValue::Missing => None,
        };
        (value, members.len())
    };
    let (low_value, low) = tail(&is_low, bounds.bottom);
    let (high_value, high) = tail(&is_high, bounds.top);
    let code = |x: &Option<f64>| match *x {
        Some(x) if is_low(x) => low_value,
        Some(x) if is_high(x) => high_value,
        x => x,
    };
    Ok(Coded { values: column.iter().map(code).collect(), low, high })
}
