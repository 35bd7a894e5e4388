//! What is known from outside: two records are of one person, or of two.
//!
//! Enters: constraints by record ids, in memory or as CSV. Leaves: those that can hold together, and those that cannot
//! with what they contradict. The stronger reason wins; between equal ones two stay apart, for a wrong merge does
//! more harm than a missed one.

mod held;

use std::io::Read;

use serde::{Deserialize, Serialize};

pub(crate) use held::{Bound, Held, held};

/// One person or two?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Two persons.
    Cannot,
    /// One person.
    Must,
}

/// Where a constraint comes from, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Anything else that was given.
    Given,
    /// Twins, told apart by branch numbers or by a pair of given names.
    Twins,
    /// Two charts of one hospital, both in use at one time.
    OverlappingCharts,
    /// Birth date or sex differ, both as certified.
    CertifiedDiffers,
    /// The answer of the insured-number history (履歴照会).
    InsuredHistory,
    /// A reviewer decided.
    Reviewer,
}

impl Ground {
    /// All, the weakest first.
    pub const ALL: [Self; 6] = [
        Self::Given,
        Self::Twins,
        Self::OverlappingCharts,
        Self::CertifiedDiffers,
        Self::InsuredHistory,
        Self::Reviewer,
    ];

    /// Id in files and reports.
    pub fn id(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Twins => "twins",
            Self::OverlappingCharts => "overlapping_charts",
            Self::CertifiedDiffers => "certified_differs",
            Self::InsuredHistory => "insured_history",
            Self::Reviewer => "reviewer",
        }
    }

    /// The Japanese words for the reviewer.
    pub fn ja(self) -> &'static str {
        match self {
            Self::Given => "外部からの指定",
            Self::Twins => "双子など（枝番または名が異なる）",
            Self::OverlappingCharts => "同じ医療機関で同時期に二つの診療録",
            Self::CertifiedDiffers => "確認済みの生年月日または性別が異なる",
            Self::InsuredHistory => "被保険者番号の履歴照会",
            Self::Reviewer => "確認者の判断",
        }
    }
}

/// Two records are of one person, or of two.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Constraint {
    /// Id of one record.
    pub record_l: String,
    /// Id of the other.
    pub record_r: String,
    /// One person or two.
    pub kind: Kind,
    /// Why.
    pub ground: Ground,
}

impl std::fmt::Debug for Constraint {
    /// Never a record's id.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Constraint({:?}, {:?})", self.kind, self.ground)
    }
}

/// Two constraints that cannot both hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// What does not hold.
    pub dropped: Constraint,
    /// What it contradicts, if it is one constraint; else a chain of several that say "one person".
    pub against: Option<Constraint>,
}

/// Why a file of constraints cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintError {
    /// Not delimited text.
    #[error("line {line} is not delimited text")]
    Csv {
        /// Line, from 1; 0 if unknown.
        line: u64,
    },
    /// A column is missing.
    #[error("there is no column {column}")]
    NoColumn {
        /// Its name.
        column: &'static str,
    },
    /// Neither `must` nor `cannot`.
    #[error("line {line}: the kind is neither must nor cannot")]
    Kind {
        /// Line, from 1.
        line: u64,
    },
}

impl ConstraintError {
    /// One Japanese sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Csv { line } => format!("制約の{line}行目をCSVとして読めません。"),
            Self::NoColumn { column } => format!("制約のファイルに列 {column} がありません。"),
            Self::Kind { line } => {
                format!("制約の{line}行目の kind は must か cannot にしてください。")
            }
        }
    }
}

/// Reads `record_id_l,record_id_r,kind,reason` (UTF-8): kind is `must` (同一人) or `cannot` (別人); reason is the id of a
/// [`Ground`], anything else counts as [`Ground::Given`].
///
/// # Errors
/// [`ConstraintError`]; never carries a value.
pub fn read_constraints(data: impl Read) -> Result<Vec<Constraint>, ConstraintError> {
    let error =
        |e: &csv::Error| ConstraintError::Csv { line: e.position().map_or(0, csv::Position::line) };
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(data);
    let header = reader.headers().map_err(|e| error(&e))?.clone();
    let column = |name: &'static str| {
        header
            .iter()
            .position(|h| h.trim_start_matches('\u{FEFF}').eq_ignore_ascii_case(name))
            .ok_or(ConstraintError::NoColumn { column: name })
    };
    let (l, r) = (column("record_id_l")?, column("record_id_r")?);
    let (kind, reason) = (column("kind")?, column("reason").ok());
    let mut out = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| error(&e))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let kind = match cell(kind).to_lowercase().as_str() {
            "must" | "must-link" | "must_link" | "同一人" => Kind::Must,
            "cannot" | "cannot-link" | "cannot_link" | "別人" => Kind::Cannot,
            _ => return Err(ConstraintError::Kind { line }),
        };
        let reason = reason.map_or("", cell);
        let ground = Ground::ALL.into_iter().find(|g| g.id() == reason).unwrap_or(Ground::Given);
        out.push(Constraint {
            record_l: cell(l).to_owned(),
            record_r: cell(r).to_owned(),
            kind,
            ground,
        });
    }
    Ok(out)
}

/// A chart (診療録) of a record: one hospital's number for one person, in use between two days.
#[derive(Clone, PartialEq, Eq)]
pub struct Chart {
    /// The record that shows it.
    pub record: String,
    /// The hospital.
    pub hospital: String,
    /// The chart's number there.
    pub number: String,
    /// First day of use.
    pub first: jiff::civil::Date,
    /// Last day of use.
    pub last: jiff::civil::Date,
}

impl std::fmt::Debug for Chart {
    /// Never a value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Chart")
    }
}

/// Records of one hospital under two charts whose use overlaps by at least `days` are of two persons (a hospital that
/// moves somebody to a new chart closes the old one). Only the pairs among `pairs` are looked at: of all pairs of a
/// hospital nearly every one is such.
pub fn overlapping_charts(
    charts: &[Chart],
    pairs: &[(String, String)],
    days: i32,
) -> Vec<Constraint> {
    let mut of: hashbrown::HashMap<&str, Vec<&Chart>> = hashbrown::HashMap::new();
    for chart in charts {
        of.entry(&chart.record).or_default().push(chart);
    }
    let overlap = |a: &Chart, b: &Chart| {
        let (from, to) = (a.first.max(b.first), a.last.min(b.last));
        from <= to && from.until(to).is_ok_and(|s| s.get_days() + 1 >= days)
    };
    let apart = |l: &str, r: &str| {
        let none = Vec::new();
        let (l, r) = (of.get(l).unwrap_or(&none), of.get(r).unwrap_or(&none));
        l.iter().any(|a| {
            r.iter().any(|b| a.hospital == b.hospital && a.number != b.number && overlap(a, b))
        })
    };
    pairs
        .iter()
        .filter(|(l, r)| apart(l, r))
        .map(|(l, r)| Constraint {
            record_l: l.clone(),
            record_r: r.clone(),
            kind: Kind::Cannot,
            ground: Ground::OverlappingCharts,
        })
        .collect()
}
