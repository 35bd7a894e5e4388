//! Rows of the lake table `record_version`: one for each word on a record of the source.

use std::sync::Arc;

use arrow::{
    array::{AsArray as _, Int64Array, RecordBatch},
    datatypes::Int64Type,
};
use kiban_kernel::{Digest, Id, kinds};
use kiban_lake::{Columns, LakeError, Values};

use crate::{VaultError, segments::IfAny};

pub(crate) const TABLE: &str = "record_version";

/// What became of a record with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// This version counts from here on.
    Current,
    /// A newer version was there already: history only.
    Older,
    /// The record was taken back.
    Withdrawn,
}

impl State {
    /// Text form in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Older => "older",
            Self::Withdrawn => "withdrawn",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Current => "利用中となった",
            Self::Older => "履歴のみ（より新しい版がある）",
            Self::Withdrawn => "取り消された",
        }
    }
    fn of(text: &str) -> Option<Self> {
        [Self::Current, Self::Older, Self::Withdrawn].into_iter().find(|s| s.as_str() == text)
    }
}

/// Who said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The source itself.
    Source,
    /// The holder's list of retractions.
    List,
    /// A correction of persons.
    Correction,
}

impl Cause {
    /// Text form in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::List => "list",
            Self::Correction => "correction",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Source => "原本",
            Self::List => "取消の一覧",
            Self::Correction => "本人の訂正",
        }
    }
    fn of(text: &str) -> Option<Self> {
        [Self::Source, Self::List, Self::Correction].into_iter().find(|c| c.as_str() == text)
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VersionRow {
    pub(crate) person: Id<kinds::PersonSource>,
    pub(crate) holder: Id<kinds::Organization>,
    pub(crate) delivery: Id<kinds::Delivery>,
    pub(crate) record: Id<kinds::Record>,
    pub(crate) segment: Option<Id<kinds::Segment>>,
    pub(crate) no: i64,
    pub(crate) state: State,
    pub(crate) version: String,
    pub(crate) stated_at: i64,
    pub(crate) cause: Cause,
    pub(crate) digest: Digest,
}

pub(crate) fn columns(rows: &[VersionRow]) -> Result<Columns, LakeError> {
    let int = |f: &dyn Fn(&VersionRow) -> i64| {
        Values::Array(Arc::new(rows.iter().map(|r| Some(f(r))).collect::<Int64Array>()))
    };
    let columns = [
        ("person_source", Values::of(rows, |r| r.person)),
        ("holder", Values::of(rows, |r| r.holder)),
        ("delivery", Values::of(rows, |r| r.delivery)),
        ("record", Values::unlike(rows, |r| r.record)),
        ("segment", Values::unlike(rows, |r| IfAny(r.segment))),
        ("no", int(&|r| r.no)),
        ("state", Values::of(rows, |r| r.state.as_str())),
        ("version", Values::of(rows, |r| &*r.version)),
        ("stated_at", int(&|r| r.stated_at)),
        ("cause", Values::of(rows, |r| r.cause.as_str())),
        ("file_sha256", Values::of(rows, |r| r.digest)),
    ];
    let columns = columns.into_iter().map(|(name, values)| (Some(name), values)).collect();
    Columns::new(TABLE, rows.len(), Vec::new(), columns)
}

/// Rows of scanned batches for which `wanted` says yes (holder and record as text), in the order of their numbers.
pub(crate) fn rows(
    batches: &[RecordBatch],
    mut wanted: impl FnMut(&str, &str) -> bool,
) -> Result<Vec<VersionRow>, VaultError> {
    let mut out = Vec::new();
    for batch in batches {
        each_row(batch, &mut wanted, |row| out.push(row))?;
    }
    out.sort_by_key(|r| r.no);
    Ok(out)
}

/// Calls `f` with the rows of a scanned batch for which `wanted` says yes (holder and record as text), one by one.
pub(crate) fn each_row(
    batch: &RecordBatch,
    mut wanted: impl FnMut(&str, &str) -> bool,
    mut f: impl FnMut(VersionRow),
) -> Result<(), VaultError> {
    let bad = |column| VaultError::Column { table: TABLE, column };
    let text = |column: &'static str| {
        batch
            .column_by_name(column)
            .and_then(|c| c.as_string_opt::<i32>())
            .ok_or_else(|| bad(column))
    };
    let int = |column: &'static str| {
        batch
            .column_by_name(column)
            .and_then(|c| c.as_primitive_opt::<Int64Type>())
            .ok_or_else(|| bad(column))
    };
    let (holders, records) = (text("holder")?, text("record")?);
    let (persons, deliveries, segments) =
        (text("person_source")?, text("delivery")?, text("segment")?);
    let (states, versions, causes, digests) =
        (text("state")?, text("version")?, text("cause")?, text("file_sha256")?);
    let (numbers, times) = (int("no")?, int("stated_at")?);
    for row in 0..batch.num_rows() {
        if !wanted(holders.value(row), records.value(row)) {
            continue;
        }
        f(VersionRow {
            person: persons.value(row).parse().map_err(|_| bad("person_source"))?,
            holder: holders.value(row).parse().map_err(|_| bad("holder"))?,
            delivery: deliveries.value(row).parse().map_err(|_| bad("delivery"))?,
            record: records.value(row).parse().map_err(|_| bad("record"))?,
            segment: match segments.value(row) {
                "" => None,
                id => Some(id.parse().map_err(|_| bad("segment"))?),
            },
            no: numbers.value(row),
            state: State::of(states.value(row)).ok_or_else(|| bad("state"))?,
            version: versions.value(row).to_owned(),
            stated_at: times.value(row),
            cause: Cause::of(causes.value(row)).ok_or_else(|| bad("cause"))?,
            digest: digests.value(row).parse().map_err(|_| bad("file_sha256"))?,
        });
    }
    Ok(())
}
