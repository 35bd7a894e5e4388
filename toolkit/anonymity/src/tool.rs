//! What `kiban tool anonymize` and `kiban tool risk` do, without files, clock or process.
//!
//! Enters: CSV text line by line, the text of one hierarchy per attribute, options as the command line has them.
//! Leaves: output lines in the order of the input, and a report. Refuses: unknown columns, broken hierarchies,
//! models it cannot parse; by line and name, without values.

mod attack;
mod models;
mod report;
mod risk;
mod text;

pub use attack::{AttackOptions, attack_files};
pub use models::{parse_model, parse_models};
pub use report::{ClassSizes, ModelVerdict, Report};
pub use risk::{RiskOptions, RiskReport, risk};
pub use text::{join, split};

use crate::{
    AnonymizeError, Anonymized, Attribute, Control, Hierarchy, HierarchyError, ModelError,
    Sensitive, Settings, Table, TableBuilder, TableError, anonymize,
};
use std::collections::BTreeMap;
use std::io::BufRead;

/// Why the tool refused. Lines and names only, never values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// The input cannot be read.
    #[error("the data cannot be read")]
    Read(#[source] std::io::Error),
    /// The output cannot be written.
    #[error("the output cannot be written")]
    Write(#[source] std::io::Error),
    /// There is no header line.
    #[error("the data have no header line")]
    NoHeader,
    /// A column was named that the header lacks.
    #[error("the data have no column {column:?}")]
    Column {
        /// Name asked for.
        column: String,
    },
    /// An attribute without a hierarchy.
    #[error("there is no hierarchy for the attribute {attribute:?}")]
    NoHierarchy {
        /// Name of the attribute.
        attribute: String,
    },
    /// A hierarchy was refused.
    #[error("hierarchy of {attribute:?}")]
    Hierarchy {
        /// Name of the attribute.
        attribute: String,
        /// Why.
        #[source]
        source: HierarchyError,
    },
    /// A line has another number of columns than the header.
    #[error("line {line} has {found} columns, the header has {expected}")]
    Width {
        /// Line, from 1 (the header).
        line: u64,
        /// Columns of the line.
        found: usize,
        /// Columns of the header.
        expected: usize,
    },
    /// A model cannot be parsed.
    #[error("model {position}: {problem}")]
    Model {
        /// Position among the models, from 1.
        position: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The table was refused.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The question was refused, or has no answer.
    #[error(transparent)]
    Anonymize(#[from] AnonymizeError),
    /// What is to be attacked was refused.
    #[error(transparent)]
    Holdings(#[from] crate::holdings::HoldingsError),
    /// A pair names a person that one of the files lacks.
    #[error("line {line} of the pairs names a person that is not in the data")]
    Pair {
        /// Line, from 1.
        line: u64,
    },
    /// The files have different numbers of rows, and no pairs were given.
    #[error("the original has {original} rows, the release {released}, and there are no pairs")]
    Rows {
        /// Rows of the original.
        original: u64,
        /// Rows of the release.
        released: u64,
    },
    /// The population of an estimate is smaller than the data.
    #[error("the population is smaller than the data")]
    Population,
}

impl From<ModelError> for ToolError {
    fn from(error: ModelError) -> Self {
        Self::Anonymize(error.into())
    }
}

impl ToolError {
    /// The Japanese sentence for the person at the command line.
    pub fn ja(&self) -> String {
        match self {
            Self::Read(_) => "データを読み取れません。".into(),
            Self::Write(_) => "出力を書き込めません。".into(),
            Self::NoHeader => "データに見出し行がありません。".into(),
            Self::Column { column } => {
                format!("データに列「{column}」がありません。列名を確認してください。")
            }
            Self::NoHierarchy { attribute } => format!(
                "「{attribute}」の階層ファイルがありません。--hierarchies のフォルダに {attribute}.csv を置いてください。"
            ),
            Self::Hierarchy { attribute, source } => format!("「{attribute}」:{}", source.ja()),
            Self::Width { line, found, expected } => {
                format!("{line}行目は{found}列ですが、見出しは{expected}列です。")
            }
            Self::Model { position, .. } => {
                format!("{position}番目の --model を解釈できません。例:k=5、l=3,kind=entropy")
            }
            Self::Table(error) => error.ja(),
            Self::Anonymize(error) => error.ja(),
            Self::Holdings(error) => error.ja(),
            Self::Pair { line } => {
                format!("対応表の{line}行目の人が、元データか加工データにいません。")
            }
            Self::Rows { original, released } => format!(
                "元データは{original}行、加工データは{released}行です。行の順で対応づけられないため、--truth に対応表を指定してください。"
            ),
            Self::Population => "母集団の人数がデータの行数より小さくなっています。".into(),
        }
    }
}

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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Quasi(usize),
    Star,
    AsIs,
}

/// Read a header line.
fn header(lines: &mut text::Lines<impl BufRead>) -> Result<Vec<String>, ToolError> {
    let line = lines.next()?.ok_or(ToolError::NoHeader)?;
    let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
    Ok(split(line, lines.delimiter).into_iter().map(std::borrow::Cow::into_owned).collect())
}

fn place(header: &[String], column: &str) -> Result<usize, ToolError> {
    let found = header.iter().position(|name| name == column);
    found.ok_or_else(|| ToolError::Column { column: column.to_owned() })
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
    let mut lines = text::Lines::new(data, options.delimiter);
    let header = header(&mut lines)?;
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
    let places = |names: &[String]| -> Result<Vec<usize>, ToolError> {
        names.iter().map(|name| place(&header, name)).collect()
    };
    let (quasi, sensitive) = (places(&options.quasi)?, places(&options.sensitive)?);
    let mut columns = vec![Column::AsIs; header.len()];
    for at in places(&options.identifying)? {
        columns[at] = Column::Star;
    }
    for (number, at) in quasi.iter().enumerate() {
        columns[*at] = Column::Quasi(number);
    }
    let mut table = TableBuilder::new(attributes, protected)?;
    while let Some(line) = lines.next()? {
        let cells = split(&line, options.delimiter);
        if cells.len() != header.len() {
            let (line, found) = (lines.number, cells.len());
            return Err(ToolError::Width { line, found, expected: header.len() });
        }
        let pick = |of: &[usize]| of.iter().map(|at| cells[*at].as_ref()).collect::<Vec<_>>();
        table.push(&pick(&quasi), &pick(&sensitive))?;
    }
    let table = table.finish();
    let answer = anonymize(&table, &options.settings, control)?;
    let report = Report::new(&table, &answer, &options.settings);
    Ok(Run { answer, report, table, columns, delimiter: options.delimiter })
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
        let mut lines = text::Lines::new(data, self.delimiter);
        let first = lines.next()?.ok_or(ToolError::NoHeader)?;
        let mut text = first.strip_prefix('\u{feff}').unwrap_or(&first).to_owned();
        let mut row = 0;
        loop {
            text.push('\n');
            out.write_all(text.as_bytes()).map_err(ToolError::Write)?;
            let Some(line) = lines.next()? else { break };
            let cells = split(&line, self.delimiter);
            let found = cells.len();
            if found != self.columns.len() || row >= self.table.class_of_row.len() {
                let expected = self.columns.len();
                return Err(ToolError::Width { line: lines.number, found, expected });
            }
            let labels = self.answer.labels(&self.table, row);
            let shown = self.columns.iter().zip(&cells).map(|(column, cell)| match column {
                Column::Quasi(at) => labels.as_ref().map_or("*", |labels| labels[*at]),
                Column::Star => "*",
                Column::AsIs => cell.as_ref(),
            });
            text = join(shown, self.delimiter);
            row += 1;
        }
        out.flush().map_err(ToolError::Write)
    }
}

#[cfg(test)]
mod tests;
