//! What `kiban tool anonymize` and `kiban tool risk` do, without files, clock or process.
//!
//! Enters: CSV text line by line, the text of one hierarchy per attribute, options as the command line has them.
//! Leaves: output lines in the order of the input, and a report. Refuses: unknown columns, broken hierarchies,
//! models it cannot parse; by line and name, without values.

mod attack;
mod error;
mod models;
mod report;
mod risk;
mod text;

pub use attack::{AttackOptions, attack_files};
pub use error::ToolError;
pub use models::{ModelText, parse_model, parse_models};
pub use report::{ClassSizes, ModelVerdict, PopulationVerdict, Report, Solution};
pub use risk::{RiskOptions, RiskReport, risk};
pub(crate) use text::Records;
pub use text::{join, split};

use crate::{
    Anonymized, Attribute, Control, Hierarchy, Sensitive, Settings, Table, TableBuilder, anonymize,
};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::BufRead;

/// What to anonymize.
#[derive(Debug, Clone)]
pub struct Options {
    /// Between fields.
    pub delimiter: char,
    /// Text of the hierarchy file of each attribute, by name.
    pub hierarchies: BTreeMap<String, String>,
    /// Quasi-identifiers, in the order of the report.
    pub quasi: Vec<String>,
    /// Sensitive attributes.
    pub sensitive: Vec<String>,
    /// Identifying columns: `*` in every row of the output.
    pub identifying: Vec<String>,
    /// The question.
    pub settings: Settings,
}

/// A table, its answer and the report of a run; then the output can be written.
#[derive(Debug)]
pub struct Run {
    /// What was found.
    pub answer: Anonymized,
    /// The report.
    pub report: Report,
    table: Table,
    /// For each column of the input: its place among the quasi-identifiers, or what to do with it.
    columns: Vec<Column>,
    delimiter: char,
    /// Of the data as they were read.
    digest: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Quasi(usize),
    Star,
    AsIs,
}

/// Read a header line.
fn header(records: &mut text::Records<impl BufRead>) -> Result<Vec<String>, ToolError> {
    let delimiter = records.delimiter;
    let record = records.next()?.ok_or(ToolError::NoHeader)?;
    Ok(split(record, delimiter).into_iter().map(Cow::into_owned).collect())
}

/// The cells of the next record, as many as the header has.
fn cells(
    records: &mut text::Records<impl BufRead>,
    expected: usize,
) -> Result<Option<Vec<Cow<'_, str>>>, ToolError> {
    if !records.advance()? {
        return Ok(None);
    }
    let line = records.line;
    let cells = split(records.last()?, records.delimiter);
    if cells.len() != expected {
        return Err(ToolError::Width { line, found: cells.len(), expected });
    }
    Ok(Some(cells))
}

fn place(header: &[String], column: &str) -> Result<usize, ToolError> {
    let mut found = header.iter().enumerate().filter(|(_, name)| *name == column);
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (None, _) => Err(ToolError::Column { column: column.to_owned() }),
        _ => Err(ToolError::ColumnTwice { column: column.to_owned() }),
    }
}

/// Places of the columns of each role; no column may have two.
fn places(header: &[String], roles: [&[String]; 3]) -> Result<[Vec<usize>; 3], ToolError> {
    let mut taken = vec![false; header.len()];
    let mut found = [Vec::new(), Vec::new(), Vec::new()];
    for (names, found) in roles.into_iter().zip(&mut found) {
        for name in names {
            let at = place(header, name)?;
            if core::mem::replace(&mut taken[at], true) {
                return Err(ToolError::NamedTwice { column: name.clone() });
            }
            found.push(at);
        }
    }
    Ok(found)
}

fn hierarchy(options: &Options, attribute: &str) -> Result<Option<Hierarchy>, ToolError> {
    let parse = |text: &String| {
        Hierarchy::parse(text, options.delimiter)
            .map_err(|source| ToolError::Hierarchy { attribute: attribute.to_owned(), source })
    };
    options.hierarchies.get(attribute).map(parse).transpose()
}

/// Read the data and find the answer. The caller fills in `seconds` and `peak_rss_bytes` of the report.
///
/// # Errors
/// [`ToolError`]; never carries a value of the data.
pub fn run(data: impl BufRead, options: &Options, control: &dyn Control) -> Result<Run, ToolError> {
    run_with_population(data, None::<&[u8]>, options, control)
}

/// As [`run`], with the rows of the population that are not in the data (k-map, δ-presence): delimited text with at
/// least the columns of the quasi-identifiers.
///
/// # Errors
/// [`ToolError`]; never carries a value of the data.
pub fn run_with_population(
    data: impl BufRead,
    population: Option<impl BufRead>,
    options: &Options,
    control: &dyn Control,
) -> Result<Run, ToolError> {
    let mut records = text::Records::new(data, options.delimiter)?;
    let header = header(&mut records)?;
    let roles: [&[String]; 3] = [&options.quasi, &options.sensitive, &options.identifying];
    let [quasi, sensitive, identifying] = places(&header, roles)?;
    let mut attributes = Vec::new();
    for name in &options.quasi {
        let hierarchy = hierarchy(options, name)?
            .ok_or_else(|| ToolError::NoHierarchy { attribute: name.clone() })?;
        attributes.push(Attribute::new(name.clone(), hierarchy));
    }
    let mut protected = Vec::new();
    for name in &options.sensitive {
        protected.push(Sensitive::new(name.clone(), hierarchy(options, name)?));
    }
    let mut columns = vec![Column::AsIs; header.len()];
    for at in identifying {
        columns[at] = Column::Star;
    }
    for (number, at) in quasi.iter().enumerate() {
        columns[*at] = Column::Quasi(number);
    }
    let mut table = TableBuilder::new(attributes, protected)?;
    while let Some(cells) = cells(&mut records, header.len())? {
        table.push(&pick(&cells, &quasi), &pick(&cells, &sensitive))?;
    }
    if let Some(population) = population {
        add_population(&mut table, population, options)?;
    }
    let table = table.finish();
    let answer = anonymize(&table, &options.settings, control)?;
    let report = Report::new(&table, &answer, &options.settings);
    let (delimiter, digest) = (options.delimiter, records.digest);
    Ok(Run { answer, report, table, columns, delimiter, digest })
}

fn pick<'a>(cells: &'a [Cow<'_, str>], places: &[usize]) -> Vec<&'a str> {
    places.iter().map(|at| cells[*at].as_ref()).collect()
}

fn add_population(
    table: &mut TableBuilder,
    population: impl BufRead,
    options: &Options,
) -> Result<(), ToolError> {
    let mut records = text::Records::new(population, options.delimiter)?;
    let header = header(&mut records)?;
    let [quasi, ..] = places(&header, [&options.quasi, &[], &[]])?;
    table.begin_population();
    while let Some(cells) = cells(&mut records, header.len())? {
        table.push_population(&pick(&cells, &quasi)).map_err(ToolError::PopulationTable)?;
    }
    Ok(())
}

impl Run {
    /// Write the output: the same data once more, line by line, with labels for values and `*` for suppressed ones.
    ///
    /// # Errors
    /// If reading or writing fails, or the data are not those of the run.
    pub fn write(
        &self,
        data: impl BufRead,
        out: &mut impl std::io::Write,
    ) -> Result<(), ToolError> {
        let mut records = text::Records::new(data, self.delimiter)?;
        let mut shown = String::new();
        shown.push_str(records.next()?.ok_or(ToolError::NoHeader)?);
        let mut row = 0;
        loop {
            shown.push('\n');
            out.write_all(shown.as_bytes()).map_err(ToolError::Write)?;
            let Some(cells) = cells(&mut records, self.columns.len())? else { break };
            if row >= self.table.class_of_row.len() {
                return Err(ToolError::Changed);
            }
            let class = self.table.class_of_row[row];
            let fields = self.columns.iter().zip(&cells).map(|(column, cell)| match column {
                Column::Quasi(at) => self.answer.label(&self.table, class, *at).unwrap_or("*"),
                Column::Star => "*",
                Column::AsIs => cell.as_ref(),
            });
            text::join_into(fields, self.delimiter, &mut shown);
            row += 1;
        }
        if row < self.table.class_of_row.len() || records.digest != self.digest {
            return Err(ToolError::Changed);
        }
        out.flush().map_err(ToolError::Write)
    }
}

#[cfg(test)]
mod tests;
