//! The history of a source record: every version that came, what became of it, and, against a receipt, what each said.

use std::collections::HashMap;

use kiban_audit::Receipt;
use kiban_formats::{CutError, Format, Piece, Want, cut};
use kiban_kernel::{Digest, Id, Timestamp, kinds};
use sqlx::AnyConnection;

use crate::{
    Vault, VaultError,
    segments::{Columns, TABLE},
    version_rows::{self as versions, Cause, State, VersionRow},
};

/// Longest segment that is read again.
const LONGEST: u64 = 64 << 20;

/// One entry of a record's history. Holds no value and no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordVersion {
    /// The record.
    pub record: Id<kinds::Record>,
    /// Whose it was, as the holder knows the person.
    pub person: Id<kinds::PersonSource>,
    /// Running number: the later, the larger.
    pub no: i64,
    /// What became of the record.
    pub state: State,
    /// Who said so.
    pub cause: Cause,
    /// The delivery.
    pub delivery: Id<kinds::Delivery>,
    /// When it was sealed.
    pub stated_at: Timestamp,
    /// Digest of the file it stood in; of the row of the list, where a list is the cause.
    pub file_sha256: Digest,
    /// The version's segment.
    pub segment: Option<Id<kinds::Segment>>,
    /// Position inside the file.
    pub position: String,
    /// Format of the file.
    pub format: String,
    /// Reader and version.
    pub parser: String,
    /// Is this the version that counts now?
    pub in_use: bool,
}

/// A value that a version says.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordValue {
    /// Canonical table.
    pub table: &'static str,
    /// Which of the table's rows in the segment, from 1.
    pub row: u64,
    /// Column.
    pub column: &'static str,
    /// As the source has it.
    pub value: String,
}

impl std::fmt::Debug for RecordValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordValue({}.{})", self.table, self.column)
    }
}

struct Unreadable;
impl From<CutError> for Unreadable {
    fn from(_: CutError) -> Self {
        Self
    }
}

impl Vault {
    /// The history of a record of a holder at the newest snapshot, oldest first; empty if nothing is known of it.
    ///
    /// # Errors
    /// The lake failed.
    pub async fn versions_of_record(
        &self,
        holder: Id<kinds::Organization>,
        record: Id<kinds::Record>,
    ) -> Result<Vec<RecordVersion>, VaultError> {
        let head = self.lake().head().await?;
        if head.0 == 0 {
            return Ok(Vec::new());
        }
        let (holder, record) = (holder.to_string(), record.to_string());
        let batches = self.lake().scan(versions::TABLE, head).await?;
        self.described(versions::rows(&batches, |h, r| h == holder && r == record)?).await
    }

    /// The histories of all records of a person, by record, oldest first.
    ///
    /// # Errors
    /// The lake failed.
    pub async fn versions_of_person(
        &self,
        person: Id<kinds::PersonSource>,
    ) -> Result<Vec<RecordVersion>, VaultError> {
        let head = self.lake().head().await?;
        if head.0 == 0 {
            return Ok(Vec::new());
        }
        let batches = self.lake().scan_persons(versions::TABLE, head, &[person]).await?;
        let mut all = self.described(versions::rows(&batches, |_, _| true)?).await?;
        all.sort_by_key(|v| (v.record, v.no));
        Ok(all)
    }

    async fn described(&self, rows: Vec<VersionRow>) -> Result<Vec<RecordVersion>, VaultError> {
        let mut persons: Vec<_> = rows.iter().map(|r| r.person).collect();
        persons.sort_unstable();
        persons.dedup();
        let head = self.lake().head().await?;
        let mut places: HashMap<Id<kinds::Segment>, [String; 3]> = HashMap::new();
        for batch in self.lake().scan_persons(TABLE, head, &persons).await? {
            let columns = Columns(&batch);
            for row in 0..batch.num_rows() {
                let segment = columns.id("segment", row)?;
                if rows.iter().any(|r| r.segment == Some(segment)) {
                    let text = |column| columns.text(column).map(|c| c.value(row).to_owned());
                    places.insert(segment, [text("position")?, text("format")?, text("parser")?]);
                }
            }
        }
        let mut last: HashMap<Id<kinds::Record>, i64> = HashMap::new();
        for row in rows.iter().filter(|r| r.state != State::Older) {
            last.insert(row.record, row.no);
        }
        let bad = VaultError::Column { table: versions::TABLE, column: "stated_at" };
        let mut out = Vec::with_capacity(rows.len());
        for row in rows {
            let place = row.segment.and_then(|s| places.get(&s).cloned()).unwrap_or_default();
            let [position, format, parser] = place;
            let Ok(stated_at) = Timestamp::from_microsecond(row.stated_at) else { return Err(bad) };
            out.push(RecordVersion {
                record: row.record,
                person: row.person,
                no: row.no,
                state: row.state,
                cause: row.cause,
                delivery: row.delivery,
                stated_at,
                file_sha256: row.digest,
                segment: row.segment,
                position,
                format,
                parser,
                in_use: row.state == State::Current && last.get(&row.record) == Some(&row.no),
            });
        }
        Ok(out)
    }

    /// What a version says, read anew from its source bytes, with the path of its file; `None` if its bytes are not
    /// kept or there is no version (a list took the record back).
    ///
    /// # Errors
    /// The lake failed, or the bytes were shredded.
    pub async fn values_of(
        &self,
        conn: &mut AnyConnection,
        version: &RecordVersion,
        receipt: &Receipt,
    ) -> Result<Option<(String, Vec<RecordValue>)>, VaultError> {
        let Some(segment) = version.segment else { return Ok(None) };
        let head = self.lake().head().await?;
        let source = match self.trace(conn, version.person, segment, head, receipt).await {
            Ok(source) => source,
            Err(VaultError::NoBytes | VaultError::NoSegment) => return Ok(None),
            Err(e) => return Err(e),
        };
        let Some(format) = Format::of_name(&source.format) else { return Ok(None) };
        let path = source.source_file.strip_prefix("data/").unwrap_or(&source.source_file);
        let mut values = Vec::new();
        let mut rows: HashMap<&'static str, u64> = HashMap::new();
        let read = cut::<Unreadable>(format, path, &*source.bytes, LONGEST, Want::All, |piece| {
            if let Piece::Segment(unit) = piece {
                for record in &unit.parsed.records {
                    let row = rows.entry(record.table()).or_default();
                    *row += 1;
                    record.for_each(|column, value| {
                        values.extend(value.map(|value| RecordValue {
                            table: record.table(),
                            row: *row,
                            column,
                            value: value.to_owned(),
                        }));
                    });
                }
            }
            Ok(())
        });
        Ok(read.is_ok().then_some((source.source_file, values)))
    }
}
