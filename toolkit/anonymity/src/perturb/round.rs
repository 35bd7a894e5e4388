//! Rounding to a base: nearest, random and unbiased, and controlled by the totals of a table.

use super::{PerturbError, finite, same_length};
use crate::chance::Stream;
use crate::{Chance, Keys};

fn base_of(base: f64) -> Result<f64, PerturbError> {
    if base > 0.0 && base.is_finite() {
        Ok(base)
    } else {
        Err(PerturbError::Range { parameter: "base" })
    }
}

/// To the nearest multiple of `base`, halves to the even multiple.
///
/// # Guarantee
/// No value moves by more than base / 2. Totals are not preserved, and a value can follow from totals.
/// # Errors
/// `base` is not above 0 and finite, or a value is no finite number.
pub fn round_half_even(column: &[f64], base: f64) -> Result<Vec<f64>, PerturbError> {
    finite(&[column])?;
    let base = base_of(base)?;
    Ok(column.iter().map(|x| (x / base).round_ties_even() * base).collect())
}

/// To the multiple of `base` below or above, above with the probability of the remainder / base.
///
/// # Guarantee
/// Each value keeps its expectation, hence the column its mean; no value moves by `base` or more; multiples stay.
/// Rows of one key and one value are rounded alike.
/// # Errors
/// As [`round_half_even`], or there is not a key per row.
pub fn round_random(
    column: &[f64],
    base: f64,
    keys: Keys<'_>,
    chance: &Chance,
) -> Result<Vec<f64>, PerturbError> {
    let rows = finite(&[column])?;
    same_length(keys, rows)?;
    let base = base_of(base)?;
    let round = |(row, x): (usize, &f64)| {
        let times = x / base;
        let low = times.floor();
        let up = chance.record(keys, row).unit() < times - low;
        (low + f64::from(u8::from(up))) * base
    };
    Ok(column.iter().enumerate().map(round).collect())
}

/// Counts of a series to multiples of `base`, controlled by their total (systematic: one random start for all).
///
/// # Guarantee
/// Every count, and the total, becomes the multiple just below or above it (itself, if it is one) and keeps its
/// expectation exactly; the rounded total is the sum of the rounded counts.
/// # Errors
/// `base` is 0.
pub fn round_series(counts: &[u64], base: u64, chance: &Chance) -> Result<Vec<u64>, PerturbError> {
    if base == 0 {
        return Err(PerturbError::Range { parameter: "base" });
    }
    let mut sum = chance.stream().below(base);
    let round = |count: &u64| {
        sum += count % base;
        let up = sum >= base;
        sum %= base;
        count - count % base + if up { base } else { 0 }
    };
    Ok(counts.iter().map(round).collect())
}

/// Counts of a two-way table to multiples of `base`, controlled by all totals: unbiased controlled rounding
/// (Cox 1987). Remainders move around cycles of cells until none is left.
///
/// # Guarantee
/// Every count, every row and column total and the grand total becomes the multiple just below or above it (itself,
/// if it is one) and keeps its expectation exactly; rounded totals are the sums of rounded counts.
/// # Errors
/// `base` is 0, or rows differ in length.
pub fn round_matrix(
    table: &[Vec<u64>],
    base: u64,
    chance: &Chance,
) -> Result<Vec<Vec<u64>>, PerturbError> {
    if base == 0 || base > u64::MAX / 4 {
        return Err(PerturbError::Range { parameter: "base" });
    }
    let width = table.first().map_or(0, Vec::len);
    for (column, row) in table.iter().enumerate() {
        if row.len() != width {
            return Err(PerturbError::Length { column, found: row.len(), expected: width });
        }
    }
    // Remainders, with a slack row and column that make each sum a multiple of the base.
    let (height, wide) = (table.len() + 1, width + 1);
    let mut rest = vec![0_u64; height * wide];
    let mut slack = |at: usize, add: u64| rest[at] = (rest[at] + add) % base;
    for (row, counts) in table.iter().enumerate() {
        for (column, count) in counts.iter().enumerate() {
            let left = count % base;
            slack(row * wide + column, left);
            slack(row * wide + width, base - left);
            slack(table.len() * wide + column, base - left);
            slack(table.len() * wide + width, left);
        }
    }
    let mut up = vec![false; rest.len()];
    let mut stream = chance.stream();
    let mut from = 0;
    loop {
        // A row that was cleared stays clear: the search for a start never goes back.
        while from < rest.len() && rest[from] == 0 {
            from += 1;
        }
        if from == rest.len() {
            break;
        }
        let cycle = cycle(&rest, from, wide);
        turn(&mut rest, &mut up, &cycle, base, &mut stream);
    }
    let round = |row: usize, column: usize, count: u64| {
        count - count % base + if up[row * wide + column] { base } else { 0 }
    };
    let rows = table.iter().enumerate();
    Ok(rows
        .map(|(row, counts)| counts.iter().enumerate().map(|(c, n)| round(row, c, *n)).collect())
        .collect())
}

/// A cycle of cells with a remainder, along a row and a column in turn. There is one, as no row or column can have
/// a single remainder.
fn cycle(rest: &[u64], from: usize, wide: usize) -> Vec<usize> {
    let height = rest.len() / wide;
    let mut path = vec![from];
    // Where in the path each row was left, and each column.
    let mut seen_row = vec![usize::MAX; height];
    let mut seen_column = vec![usize::MAX; wide];
    let mut along_row = true;
    let mut at = from;
    loop {
        let (row, column) = (at / wide, at % wide);
        let seen = if along_row { &mut seen_row[row] } else { &mut seen_column[column] };
        if *seen != usize::MAX {
            // Entered this line a second time: the cycle is what lies between, and closes along the line.
            return path.split_off(*seen + 1);
        }
        *seen = path.len() - 1;
        let other = |next: &usize| *next != at && rest[*next] > 0;
        let next = if along_row {
            (row * wide..(row + 1) * wide).find(other)
        } else {
            (0..height).map(|row| row * wide + column).find(other)
        };
        // A single remainder in a line cannot be: its sum is a multiple of the base.
        let Some(next) = next else { return path };
        path.push(next);
        at = next;
        along_row = !along_row;
    }
}

/// Move remainders around the cycle, one way or the other, until a cell has none; each cell keeps its expectation.
fn turn(rest: &mut [u64], up: &mut [bool], cycle: &[usize], base: u64, stream: &mut Stream) {
    let (mut forth, mut back) = (base, base);
    for (step, cell) in cycle.iter().enumerate() {
        let (below, above) = (rest[*cell], base - rest[*cell]);
        let (grow, fall) = if step % 2 == 0 { (above, below) } else { (below, above) };
        forth = forth.min(grow);
        back = back.min(fall);
    }
    let go_forth = stream.below(forth + back) < back;
    for (step, cell) in cycle.iter().enumerate() {
        let grows = (step % 2 == 0) == go_forth;
        let by = if go_forth { forth } else { back };
        let value = if grows { rest[*cell] + by } else { rest[*cell] - by };
        up[*cell] = value == base;
        rest[*cell] = value % base;
    }
}
