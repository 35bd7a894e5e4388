//! Findings of the combination scan: what one value or combination could identify, and what a named person
//! decided about it. Columns and counts, never values.

use kiban_govern::Actor;
use kiban_kernel::{Id, Timestamp, kinds};

/// What the scan found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Its id.
    pub id: Id<kinds::Finding>,
    /// Which scan rule found it, dotted.
    pub rule: String,
    /// The columns that identify, alone or combined, as `table.column`.
    pub columns: Vec<String>,
    /// How many persons.
    pub persons: u64,
}

/// What is done about it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Kept as it is: it does not identify, for the reason given.
    Keep,
    /// Coarsened.
    Coarsen,
    /// Dropped.
    Drop,
}

impl Decision {
    /// All.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Coarsen, Self::Drop];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Coarsen => "coarsen",
            Self::Drop => "drop",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Keep => "残す",
            Self::Coarsen => "粗くする",
            Self::Drop => "削除する",
        }
    }
}

/// A decision on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// A finding as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRow {
    /// In which dataset.
    pub dataset: Id<kinds::Dataset>,
    /// What.
    pub finding: Finding,
    /// What was decided, if anything yet.
    pub decided: Option<Decided>,
}
