//! Perturbation: methods that change values of single columns or groups of columns.
//!
//! Enters: columns as slices (numbers, codes, days) and chance ([`crate::Chance`]). Leaves: new columns in the same
//! order, and what was done to them. Refuses: values that are no finite numbers, parameters out of range, columns of
//! different length; by position, never by value.
//!
//! Each function says what it *preserves*. One row is one person unless a key per row says otherwise
//! ([`crate::Keys`]); nothing here is a privacy guarantee by itself, but for [`suppress_to_k`] and group sizes of
//! [`Groups`].

mod dates;
mod error;
mod group_sorted;
mod mdav;
mod noise;
mod pram;
mod round;
mod sample;
mod suppress;
mod swap;
mod tails;

pub use dates::{DateShift, shift_days};
pub use error::PerturbError;
pub use group_sorted::microaggregate_sorted;
pub use mdav::{Centre, Groups, mdav};
pub use noise::{Moments, NoiseShape, add_noise};
pub use pram::Transition;
pub use round::{round_half_even, round_matrix, round_random, round_series};
pub use sample::{Reservoir, sample_keys, sample_share};
pub use suppress::{LocalSuppression, suppress_rare, suppress_to_k};
pub use swap::rank_swap;
pub use tails::{Bounds, Coded, TailValue, code_tails, tail_bounds};

/// All columns have so many rows, and hold finite numbers only.
fn finite(columns: &[&[f64]]) -> Result<usize, PerturbError> {
    let rows = columns.first().map_or(0, |column| column.len());
    for (column, values) in columns.iter().enumerate() {
        if values.len() != rows {
            return Err(PerturbError::Length { column, found: values.len(), expected: rows });
        }
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            return Err(PerturbError::NotFinite { row, column });
        }
    }
    Ok(rows)
}

fn same_length(keys: crate::Keys<'_>, rows: usize) -> Result<(), PerturbError> {
    match keys {
        crate::Keys::Of(keys) if keys.len() != rows => {
            Err(PerturbError::Keys { found: keys.len(), expected: rows })
        }
        _ => Ok(()),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
