//! `kiban tool attack`: the attacker on an original file and what was made of it.

use super::{ToolError, header, place, split, text};
use crate::Hierarchy;
use crate::adversary::Adversary;
use crate::attack::{AttackReport, Plan, attack};
use crate::holdings::{Compare, Facts, Holdings, HoldingsBuilder, Kind, Matches, range};
use std::collections::BTreeMap;
use std::io::BufRead;

/// What to attack.
#[derive(Debug, Clone)]
pub struct AttackOptions {
    /// Between fields.
    pub delimiter: char,
    /// Column of the person; none: each row is a person. A file that lacks it has a person per row, too.
    pub person: Option<String>,
    /// Quasi-identifiers.
    pub quasi: Vec<String>,
    /// Values to be inferred.
    pub sensitive: Vec<String>,
    /// Column of dates (visits).
    pub dates: Option<String>,
    /// Most days that a person's dates were moved by.
    pub max_shift: u16,
    /// Column of items (diagnoses).
    pub items: Option<String>,
    /// Hierarchies by name; other columns are compared as numbers, dates or texts, with Kiban's intervals.
    pub hierarchies: BTreeMap<String, String>,
    /// Attacks of each sort.
    pub attacks: usize,
    /// Chance.
    pub seed: u64,
    /// Most that may be gained.
    pub limit: f64,
}

/// One file: holdings, and the person of each row (none: a suppressed row).
struct Side {
    holdings: Holdings,
    person_of_row: Vec<Option<u32>>,
}

fn read(data: impl BufRead, options: &AttackOptions, released: bool) -> Result<Side, ToolError> {
    let mut lines = text::Records::new(data, options.delimiter)?;
    let header = header(&mut lines)?;
    let person = options.person.as_ref().and_then(|p| header.iter().position(|name| name == p));
    let mut builder = HoldingsBuilder::new();
    let mut columns: Vec<(usize, usize)> = Vec::new();
    for (names, kind) in [
        (options.quasi.as_slice(), Kind::Single),
        (options.sensitive.as_slice(), Kind::Single),
        (options.items.as_slice(), Kind::Set),
        (options.dates.as_slice(), Kind::Dates),
    ] {
        for name in names {
            columns.push((place(&header, name)?, builder.attribute(name, kind)?));
        }
    }
    let mut person_of_row = Vec::new();
    while lines.advance()? {
        let cells = split(lines.last()?, options.delimiter);
        if cells.len() != header.len() {
            let (line, found) = (lines.line, cells.len());
            return Err(ToolError::Width { line, found, expected: header.len() });
        }
        let quasi = &columns[..options.quasi.len()];
        if released && !quasi.is_empty() && quasi.iter().all(|(at, _)| cells[*at] == "*") {
            person_of_row.push(None);
            continue;
        }
        let row = person_of_row.len().to_string();
        let number = builder.person(person.map_or(row.as_str(), |at| cells[at].as_ref()));
        for (at, attribute) in &columns {
            builder.push(*attribute, number, &cells[*at]);
        }
        person_of_row.push(Some(number));
    }
    Ok(Side { holdings: builder.finish()?, person_of_row })
}

/// The rule of a column without a hierarchy: dates where all values are dates, else numbers or texts.
fn rule(holdings: &Holdings, name: &str) -> Matches {
    let column = holdings.columns.iter().find(|c| c.name == name);
    let mut texts = column.iter().flat_map(|c| &c.dictionary).filter(|t| !t.is_empty()).peekable();
    let is_date = |t: &str| t.contains(['-', '/']) && range::date(t).is_some();
    if texts.peek().is_some() && texts.all(|t| is_date(t)) {
        return Matches::TruncatedDates;
    }
    Matches::Numbers
}

/// Pairs from a file: a line per pair, key in the original, key in the release.
fn pairs(
    truth: impl BufRead,
    (original, released): (&Holdings, &Holdings),
    delimiter: char,
) -> Result<Vec<(u32, u32)>, ToolError> {
    let mut lines = text::Records::new(truth, delimiter)?;
    let mut pairs = Vec::new();
    while lines.advance()? {
        let cells = split(lines.last()?, delimiter);
        let [a, b] = cells.as_slice() else {
            let (line, found) = (lines.line, cells.len());
            return Err(ToolError::Width { line, found, expected: 2 });
        };
        let pair = original.number_of(a).zip(released.number_of(b));
        pairs.push(pair.ok_or(ToolError::Pair { line: lines.line })?);
    }
    Ok(pairs)
}

/// Attack a release. Without `truth` row i of the release was made of row i of the original; rows that are `*` in every
/// quasi-identifier are suppressed.
///
/// # Errors
/// [`ToolError`]; never carries a value of the data.
pub fn attack_files(
    original: impl BufRead,
    released: impl BufRead,
    truth: Option<impl BufRead>,
    options: &AttackOptions,
) -> Result<AttackReport, ToolError> {
    let inside = read(original, options, false)?;
    let outside = read(released, options, true)?;
    let sides = (&inside.holdings, &outside.holdings);
    let truth = match truth {
        Some(truth) => pairs(truth, sides, options.delimiter)?,
        None => {
            if inside.person_of_row.len() != outside.person_of_row.len() {
                let (original, released) =
                    (inside.person_of_row.len() as u64, outside.person_of_row.len() as u64);
                return Err(ToolError::Rows { original, released });
            }
            let rows = inside.person_of_row.iter().zip(&outside.person_of_row);
            let mut pairs: Vec<(u32, u32)> = rows.filter_map(|(a, b)| a.zip(*b)).collect();
            pairs.sort_unstable();
            pairs.dedup();
            pairs
        }
    };
    let mut compare = Vec::new();
    let names = options.quasi.iter().chain(&options.sensitive).chain(&options.items);
    for name in names {
        let matches = match options.hierarchies.get(name) {
            Some(text) => Matches::Hierarchy(
                Hierarchy::parse(text, options.delimiter)
                    .map_err(|source| ToolError::Hierarchy { attribute: name.clone(), source })?,
            ),
            None => rule(&inside.holdings, name),
        };
        compare.push(Compare::new(name.as_str(), matches));
    }
    let mut adversaries = Vec::new();
    if !options.quasi.is_empty() {
        adversaries.push(Adversary::demographics(options.quasi.iter().map(String::as_str)));
    }
    if let Some(items) = &options.items {
        adversaries.push(Adversary::items(items, 1));
    }
    if let Some(dates) = &options.dates {
        let matches = Matches::Shifted { max_days: options.max_shift };
        compare.push(Compare::new(dates.as_str(), matches));
        adversaries.push(Adversary::visit_dates(dates, 2));
        if let Some(items) = &options.items {
            let quasi = options.quasi.iter().map(String::as_str);
            adversaries.push(Adversary::clinician(quasi, dates, items));
        }
    }
    let facts = Facts::new(inside.holdings, outside.holdings, truth, &compare)?;
    let attributes = options.quasi.iter().chain(&options.items).cloned().collect();
    let mut plan = Plan::new(attributes, options.sensitive.clone(), adversaries);
    (plan.attacks, plan.seed, plan.limit) = (options.attacks, options.seed, options.limit);
    Ok(attack(&facts, &plan)?)
}
