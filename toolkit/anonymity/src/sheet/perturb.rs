//! `kiban tool perturb`: one method on some columns, with what it changed.

use super::{Codes, Persons, Sheet, SheetError, is_missing};
use crate::perturb::{
    Centre, Moments, NoiseShape, Transition, add_noise, mdav, microaggregate_sorted, rank_swap,
    round_half_even, round_random, sample_share, suppress_to_k,
};
use crate::utility::{
    Correlation, MomentChange, correlation_change, divergence, moment_change, total_variation,
};
use crate::{Chance, Keys};

/// What to do to the columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// Groups of at least k rows by closeness in all columns, replaced by their means. Rows without a value in one of
    /// the columns lose the others.
    Mdav {
        /// Smallest group.
        k: usize,
    },
    /// Values swapped within a window of ranks, each column by itself.
    RankSwap {
        /// Window in % of the rows.
        percent: f64,
    },
    /// Categories become others with known probability; counts stay in expectation.
    Pram {
        /// Probability of the rarest category to change.
        theta: f64,
    },
    /// Normal noise that keeps means, variances and (of complete rows) covariances in expectation.
    Noise {
        /// Variance of the noise in % of that of the column.
        percent: f64,
    },
    /// Multiples of a base.
    Round {
        /// The base.
        base: f64,
        /// Up or down by chance, without bias, rather than to the nearest.
        random: bool,
    },
    /// Some of the rows (of persons, if a column of persons is named).
    Sample {
        /// Probability to be kept.
        fraction: f64,
    },
    /// As few cells as possible are emptied until every row matches k rows; columns in the order of their importance.
    LocalSuppression {
        /// Smallest group.
        k: u32,
    },
}

/// What to do.
#[derive(Debug, Clone)]
pub struct PerturbOptions {
    /// Between fields.
    pub delimiter: char,
    /// The method.
    pub method: Method,
    /// The columns.
    pub columns: Vec<String>,
    /// Column of the person: rows of one person share their chance.
    pub person: Option<String>,
}

/// What happened to a column.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ColumnReport {
    /// Name.
    pub column: String,
    /// Cells that changed (of a sample: 0).
    pub changed: usize,
    /// Moments before and after, if all values are numbers.
    pub numbers: Option<MomentChange>,
    /// Total variation distance of the categories.
    pub total_variation: f64,
    /// Kullback-Leibler divergence of the categories, in bits.
    pub divergence: f64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PerturbReport {
    /// Name of the method.
    pub method: &'static str,
    /// Rows of the data.
    pub rows_before: usize,
    /// Rows of the output.
    pub rows_after: usize,
    /// Columns.
    pub columns: Vec<ColumnReport>,
    /// Largest change of a correlation (Pearson) between two of the columns, if all are numbers.
    pub correlation_change: Option<f64>,
    /// Cells emptied.
    pub suppressed_cells: usize,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Mdav { .. } => "mdav",
            Self::RankSwap { .. } => "rank-swap",
            Self::Pram { .. } => "pram",
            Self::Noise { .. } => "noise",
            Self::Round { .. } => "round",
            Self::Sample { .. } => "sample",
            Self::LocalSuppression { .. } => "local-suppression",
        }
    }
}

/// Perturb some columns. Numbers get two decimals more than the column has; swapped, suppressed and sampled cells keep
/// their text.
///
/// # Errors
/// [`SheetError`]; never carries a value.
pub fn perturb(
    data: &str,
    options: &PerturbOptions,
    chance: &Chance,
) -> Result<(String, PerturbReport), SheetError> {
    let sheet = Sheet::parse(data, options.delimiter)?;
    let columns = sheet.places(&options.columns)?;
    if columns.is_empty() {
        return Err(SheetError::NoColumn);
    }
    let persons = Persons::of(&sheet, options.person.as_deref())?;
    let mut out = sheet.clone();
    apply(&sheet, &mut out, options.method, &columns, persons.keys(), chance)?;
    let report = report(&sheet, &out, options.method, &columns)?;
    Ok((out.text(), report))
}

fn apply(
    sheet: &Sheet,
    out: &mut Sheet,
    method: Method,
    columns: &[usize],
    keys: Keys<'_>,
    chance: &Chance,
) -> Result<(), SheetError> {
    match method {
        Method::Mdav { k } => together(sheet, out, columns, keys, |values, _| {
            let views: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
            let groups = match *views {
                [column] => microaggregate_sorted(column, k)?,
                _ => mdav(&views, k)?,
            };
            Ok(views
                .iter()
                .map(|column| groups.aggregate(column, Centre::Mean))
                .collect::<Result<_, _>>()?)
        }),
        Method::Noise { percent } => together(sheet, out, columns, keys, |values, keys| {
            let views: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
            let shape = match columns.len() {
                1 => NoiseShape::Uncorrelated,
                _ => NoiseShape::Correlated,
            };
            let share = percent / 100.0;
            Ok(add_noise(&views, share, shape, Moments::Expected, keys, chance)?)
        }),
        Method::RankSwap { percent } => each(sheet, out, columns, keys, |name, values, keys| {
            Ok(rank_swap(values, percent, keys, &chance.apart(name))?)
        }),
        Method::Round { base, random } => each(sheet, out, columns, keys, |name, values, keys| {
            Ok(if random {
                round_random(values, base, keys, &chance.apart(name))?
            } else {
                round_half_even(values, base)?
            })
        }),
        Method::Pram { theta } => {
            for at in columns {
                let mut codes = Codes::default();
                let own = codes.codes(sheet.column(*at));
                let mut counts = vec![0; codes.texts.len()];
                for code in own.iter().flatten() {
                    counts[*code as usize] += 1;
                }
                if counts.is_empty() {
                    continue;
                }
                let transition = Transition::invariant(&counts, theta)?;
                let drawn = transition.apply(&own, keys, &chance.apart(&sheet.header[*at]))?;
                for (row, code) in out.rows.iter_mut().zip(drawn) {
                    if let Some(code) = code {
                        row[*at] = codes.texts[code as usize].to_string();
                    }
                }
            }
            Ok(())
        }
        Method::Sample { fraction } => {
            let kept = sample_share(sheet.rows.len(), fraction, keys, chance)?;
            let mut kept = kept.into_iter();
            out.rows.retain(|_| kept.next().unwrap_or(false));
            Ok(())
        }
        Method::LocalSuppression { k } => {
            let coded: Vec<Vec<Option<u32>>> =
                columns.iter().map(|at| Codes::default().codes(sheet.column(*at))).collect();
            let views: Vec<&[Option<u32>]> = coded.iter().map(Vec::as_slice).collect();
            let importance: Vec<usize> = (0..columns.len()).collect();
            let done = suppress_to_k(&views, &importance, k)?;
            for (at, column) in columns.iter().zip(&done.columns) {
                for (row, code) in out.rows.iter_mut().zip(column) {
                    if code.is_none() {
                        row[*at] = "*".into();
                    }
                }
            }
            Ok(())
        }
    }
}

/// The keys of some rows.
fn picked<'a>(keys: Keys<'a>, rows: &[usize]) -> Option<Vec<&'a str>> {
    match keys {
        Keys::Rows => None,
        Keys::Of(keys) => Some(rows.iter().map(|row| keys[*row]).collect()),
    }
}

/// Decimals that numbers of the column get.
fn decimals(sheet: &Sheet, at: usize) -> usize {
    let of = |cell: &str| cell.trim().split_once('.').map_or(0, |(_, decimals)| decimals.len());
    sheet.column(at).map(of).max().unwrap_or(0).min(12) + 2
}

/// At most so many decimals, and no zeros at the end.
fn written(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text.as_str()
    };
    if text == "-0" { "0".into() } else { text.to_owned() }
}

/// A method that looks at all columns at once: complete rows only; what is left of the others is emptied.
fn together(
    sheet: &Sheet,
    out: &mut Sheet,
    columns: &[usize],
    keys: Keys<'_>,
    run: impl FnOnce(&[Vec<f64>], Keys<'_>) -> Result<Vec<Vec<f64>>, SheetError>,
) -> Result<(), SheetError> {
    let all: Vec<Vec<Option<f64>>> =
        columns.iter().map(|at| sheet.numbers(*at)).collect::<Result<_, _>>()?;
    let complete = |row: &usize| all.iter().all(|column| column[*row].is_some());
    let rows: Vec<usize> = (0..sheet.rows.len()).filter(complete).collect();
    let values: Vec<Vec<f64>> =
        all.iter().map(|column| rows.iter().filter_map(|row| column[*row]).collect()).collect();
    let own = picked(keys, &rows);
    let done = run(&values, own.as_deref().map_or(Keys::Rows, Keys::Of))?;
    for (at, column) in columns.iter().zip(&done) {
        let digits = decimals(sheet, *at);
        for row in &mut out.rows {
            row[*at] = "*".into();
        }
        for (row, value) in rows.iter().zip(column) {
            out.rows[*row][*at] = written(*value, digits);
        }
    }
    Ok(())
}

/// A method that looks at one column: its known values.
fn each(
    sheet: &Sheet,
    out: &mut Sheet,
    columns: &[usize],
    keys: Keys<'_>,
    run: impl Fn(&str, &[f64], Keys<'_>) -> Result<Vec<f64>, SheetError>,
) -> Result<(), SheetError> {
    for at in columns {
        let all = sheet.numbers(*at)?;
        let rows: Vec<usize> = (0..all.len()).filter(|row| all[*row].is_some()).collect();
        let values: Vec<f64> = all.iter().flatten().copied().collect();
        let own = picked(keys, &rows);
        let done = run(&sheet.header[*at], &values, own.as_deref().map_or(Keys::Rows, Keys::Of))?;
        let digits = decimals(sheet, *at);
        for (row, value) in rows.iter().zip(done) {
            out.rows[*row][*at] = written(value, digits);
        }
    }
    Ok(())
}

fn report(
    sheet: &Sheet,
    out: &Sheet,
    method: Method,
    columns: &[usize],
) -> Result<PerturbReport, SheetError> {
    let mut reports = Vec::new();
    let mut numbers = Vec::new();
    let mut suppressed_cells = 0;
    let sampled = matches!(method, Method::Sample { .. });
    for at in columns {
        let mut codes = Codes::default();
        let before = codes.codes(sheet.column(*at));
        let after = codes.codes(out.column(*at));
        let own = sheet.numbers(*at).ok().zip(out.numbers(*at).ok());
        let change = own.as_ref().map(|(a, b)| moment_change(a, b)).transpose()?;
        numbers.push(own);
        let pairs = || sheet.column(*at).zip(out.column(*at)).filter(|_| !sampled);
        suppressed_cells += pairs().filter(|(a, b)| !is_missing(a) && is_missing(b)).count();
        reports.push(ColumnReport {
            column: sheet.header[*at].clone(),
            changed: pairs().filter(|(a, b)| a.trim() != *b).count(),
            numbers: change,
            total_variation: total_variation(&before, &after),
            divergence: divergence(&before, &after),
        });
    }
    let numbers: Option<Vec<_>> = numbers.into_iter().collect();
    let correlation = match numbers {
        Some(numbers) if columns.len() > 1 => {
            let (a, b): (Vec<_>, Vec<_>) = numbers.into_iter().unzip();
            let a: Vec<&[Option<f64>]> = a.iter().map(Vec::as_slice).collect();
            let b: Vec<&[Option<f64>]> = b.iter().map(Vec::as_slice).collect();
            Some(correlation_change(&a, &b, Correlation::Pearson)?.largest)
        }
        _ => None,
    };
    Ok(PerturbReport {
        method: method.name(),
        rows_before: sheet.rows.len(),
        rows_after: out.rows.len(),
        columns: reports,
        correlation_change: correlation,
        suppressed_cells,
    })
}
