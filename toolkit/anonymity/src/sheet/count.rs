//! `kiban tool dp-count`: persons per combination of columns, differentially private.

use super::{Codes, Persons, Sheet, SheetError};
use crate::Chance;
use crate::dp::{Noise, bounded_counts, stable_histogram};

/// What to count.
#[derive(Debug, Clone)]
pub struct CountOptions {
    /// Between fields.
    pub delimiter: char,
    /// Columns whose combinations are counted.
    pub by: Vec<String>,
    /// Column of the person; none: every row is a person.
    pub person: Option<String>,
    /// ε.
    pub epsilon: f64,
    /// δ.
    pub delta: f64,
    /// Most combinations in which one person counts.
    pub contributions: u32,
}

/// What the counts are worth. Says nothing that the counts do not say.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CountReport {
    /// ε spent.
    pub epsilon: f64,
    /// δ spent.
    pub delta: f64,
    /// Most combinations in which one person counts.
    pub contributions: u32,
    /// Smaller noisy counts are not shown.
    pub threshold: u64,
    /// A count is this far or less from the (bounded) count, with a probability of 95 % for one that is far above the
    /// threshold.
    pub within_95: u64,
    /// Combinations shown.
    pub shown: usize,
}

/// Noisy counts of persons per combination, sorted by combination; combinations below the threshold are left out.
///
/// # Errors
/// [`SheetError`]; never carries a value.
pub fn dp_count(
    data: &str,
    options: &CountOptions,
    chance: &Chance,
) -> Result<(String, CountReport), SheetError> {
    let sheet = Sheet::parse(data, options.delimiter)?;
    let by = sheet.places(&options.by)?;
    if by.is_empty() {
        return Err(SheetError::NoColumn);
    }
    let mut codes = Codes::default();
    let mut first: Vec<usize> = Vec::new();
    let mut cells = Vec::with_capacity(sheet.rows.len());
    for (at, row) in sheet.rows.iter().enumerate() {
        // Length first, so that no two combinations have one text.
        let parts: Vec<String> =
            by.iter().map(|at| format!("{}:{}", row[*at].len(), row[*at])).collect();
        let key = parts.concat();
        let cell = codes.code(&key);
        if cell as usize == first.len() {
            first.push(at);
        }
        cells.push(cell);
    }
    let persons = Persons::of(&sheet, options.person.as_deref())?;
    let most = options.contributions as usize;
    let histogram = stable_histogram(options.epsilon, options.delta, options.contributions)?;
    let kinds = codes.texts.len();
    let counts = bounded_counts(&cells, kinds, persons.keys(), most, chance)?;
    let released = histogram.release(&counts, |cell| &codes.texts[cell as usize], chance);
    let mut rows: Vec<Vec<String>> = released
        .iter()
        .map(|released| {
            let row = &sheet.rows[first[released.cell as usize]];
            let mut shown: Vec<String> = by.iter().map(|at| row[*at].clone()).collect();
            shown.push(released.count.to_string());
            shown
        })
        .collect();
    rows.sort_unstable();
    let mut header = options.by.clone();
    header.push("count".into());
    let report = CountReport {
        epsilon: histogram.epsilon,
        delta: histogram.delta,
        contributions: options.contributions,
        threshold: histogram.threshold,
        within_95: Noise::Laplace(histogram.noise).interval(0.95)?,
        shown: rows.len(),
    };
    Ok((Sheet { delimiter: options.delimiter, header, rows }.text(), report))
}
