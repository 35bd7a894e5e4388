//! The catalog: rows of the governance database that say which file belongs to which snapshot.
//!
//! A change is one snapshot, written in the caller's transaction, with a note for its event: per table
//! the number of files and rows added and a digest over every row added, ended and erased.

mod summary;

use std::fmt::Write as _;

use kiban_audit::Tx;
use kiban_kernel::{Digest, Id, Timestamp, kinds};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

pub(crate) use self::summary::Summary;
use crate::LakeError;

/// A state of the whole lake; 0 is the empty lake.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Snapshot(pub u64);

impl std::fmt::Display for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A table file as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFile {
    /// Its id.
    pub id: Id<kinds::File>,
    /// The table.
    pub table: String,
    /// Where it lies under the lake's folder.
    pub path: String,
    /// Version of the table's schema it was written with.
    pub schema_version: u32,
    /// Hash bucket of its persons.
    pub bucket: u32,
    /// Of how many buckets.
    pub buckets: u32,
    /// SHA-256 of the sealed bytes.
    pub digest: Digest,
    /// Number of rows.
    pub rows: u64,
    /// Number of sealed bytes.
    pub bytes: u64,
}

impl TableFile {
    /// May the file hold rows of one of these persons?
    pub(crate) fn may_hold(&self, persons: &[Id<kinds::PersonSource>]) -> bool {
        persons.iter().any(|p| p.bucket(self.buckets) == self.bucket)
    }
}

/// A table file with its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileRow {
    pub(crate) file: TableFile,
    pub(crate) added: u64,
    pub(crate) begin: u64,
    pub(crate) end: Option<u64>,
    pub(crate) erased: Option<u64>,
}

/// A container as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContainerRow {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) digest: Digest,
    pub(crate) segments: u64,
    pub(crate) persons: u64,
    pub(crate) bytes: u64,
    pub(crate) added: u64,
    pub(crate) erased: Option<u64>,
}

const HEAD: &str = "SELECT COALESCE(MAX(snapshot), 0) FROM lake_snapshot";
const ADD_SNAPSHOT: &str =
    "INSERT INTO lake_snapshot (snapshot, kind, made_at) VALUES ($1, $2, $3)";
const SNAPSHOTS: &str = "SELECT snapshot FROM lake_snapshot ORDER BY snapshot";
const ADD_FILE: &str = "INSERT INTO lake_file (file_id, table_name, path, schema_version, bucket, bucket_count, \
     digest, row_count, byte_count, begin_snapshot, end_snapshot, added_snapshot) VALUES ";
/// Values of such a row.
const FILE_VALUES: usize = 12;
const END_FILE: &str = "UPDATE lake_file SET end_snapshot = $1 \
     WHERE file_id = $2 AND end_snapshot IS NULL AND erased_snapshot IS NULL";
const ERASE_FILE: &str = "UPDATE lake_file SET erased_snapshot = $1, erased_at = $2 \
     WHERE file_id = $3 AND erased_snapshot IS NULL";
const ADD_CONTAINER: &str = "INSERT INTO lake_container \
     (file_id, path, digest, segment_count, person_count, byte_count, added_snapshot) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
const ERASE_CONTAINER: &str = "UPDATE lake_container SET erased_snapshot = $1, erased_at = $2 \
     WHERE file_id = $3 AND erased_snapshot IS NULL";
const CONTAINERS: &str = "SELECT file_id, path, digest, segment_count, person_count, byte_count, \
     added_snapshot, erased_snapshot FROM lake_container ORDER BY file_id";
macro_rules! files { ($rest:literal) => { concat!(
    "SELECT file_id, table_name, path, schema_version, bucket, bucket_count, digest, row_count, \
     byte_count, added_snapshot, begin_snapshot, end_snapshot, erased_snapshot FROM lake_file ", $rest) } }
const KEYS: &str = "SELECT COUNT(*) FROM lake_person_key";
const FILES: &str = files!("ORDER BY file_id");
const FILES_AT: &str = files!(
    "WHERE table_name = $1 AND erased_snapshot IS NULL AND begin_snapshot <= $2 \
     AND (end_snapshot IS NULL OR end_snapshot > $2) ORDER BY bucket, begin_snapshot, file_id"
);
const FILES_KEPT: &str = files!("WHERE erased_snapshot IS NULL ORDER BY file_id");

pub(crate) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(row: &AnyRow, i: usize) -> Result<u64, LakeError> {
    Ok(u64::try_from(row.try_get::<i64, _>(i)?).unwrap_or(0))
}

fn optional(row: &AnyRow, i: usize) -> Result<Option<u64>, LakeError> {
    Ok(row.try_get::<Option<i64>, _>(i)?.map(|n| u64::try_from(n).unwrap_or(0)))
}

fn parsed<T: std::str::FromStr>(
    row: &AnyRow,
    i: usize,
    table: &'static str,
    column: &'static str,
) -> Result<T, LakeError> {
    row.try_get::<String, _>(i)?.parse().map_err(|_| LakeError::Catalog { table, column })
}

fn file_row(row: &AnyRow) -> Result<FileRow, LakeError> {
    let file = TableFile {
        id: parsed(row, 0, "lake_file", "file_id")?,
        table: row.try_get(1)?,
        path: row.try_get(2)?,
        schema_version: unsigned(row, 3)? as u32,
        bucket: unsigned(row, 4)? as u32,
        buckets: unsigned(row, 5)? as u32,
        digest: parsed(row, 6, "lake_file", "digest")?,
        rows: unsigned(row, 7)?,
        bytes: unsigned(row, 8)?,
    };
    let (added, begin) = (unsigned(row, 9)?, unsigned(row, 10)?);
    Ok(FileRow { file, added, begin, end: optional(row, 11)?, erased: optional(row, 12)? })
}

pub(crate) async fn head(conn: &mut AnyConnection) -> Result<Snapshot, LakeError> {
    let head: i64 = sqlx::query_scalar(HEAD).fetch_one(conn).await?;
    Ok(Snapshot(u64::try_from(head).unwrap_or(0)))
}

pub(crate) async fn snapshots(conn: &mut AnyConnection) -> Result<Vec<u64>, LakeError> {
    sqlx::query(SNAPSHOTS).fetch_all(conn).await?.iter().map(|r| unsigned(r, 0)).collect()
}

/// The files of a table at a snapshot.
pub(crate) async fn files_at(
    conn: &mut AnyConnection,
    table: &str,
    at: Snapshot,
) -> Result<Vec<TableFile>, LakeError> {
    let head = head(&mut *conn).await?;
    if at > head {
        return Err(LakeError::NoSnapshot { at: at.0, head: head.0 });
    }
    let rows = sqlx::query(FILES_AT).bind(table).bind(signed(at.0)).fetch_all(conn).await?;
    rows.iter().map(|r| Ok(file_row(r)?.file)).collect()
}

/// Every file some snapshot still has.
pub(crate) async fn files_kept(conn: &mut AnyConnection) -> Result<Vec<FileRow>, LakeError> {
    sqlx::query(FILES_KEPT).fetch_all(conn).await?.iter().map(file_row).collect()
}

/// Every file there ever was.
pub(crate) async fn files(conn: &mut AnyConnection) -> Result<Vec<FileRow>, LakeError> {
    sqlx::query(FILES).fetch_all(conn).await?.iter().map(file_row).collect()
}

/// Every container there ever was.
pub(crate) async fn containers(conn: &mut AnyConnection) -> Result<Vec<ContainerRow>, LakeError> {
    let rows = sqlx::query(CONTAINERS).fetch_all(conn).await?;
    let row = |r: &AnyRow| {
        Ok(ContainerRow {
            id: r.try_get(0)?,
            path: r.try_get(1)?,
            digest: parsed(r, 2, "lake_container", "digest")?,
            segments: unsigned(r, 3)?,
            persons: unsigned(r, 4)?,
            bytes: unsigned(r, 5)?,
            added: unsigned(r, 6)?,
            erased: optional(r, 7)?,
        })
    };
    rows.iter().map(row).collect()
}

/// How many keys of source bytes there are.
pub(crate) async fn keys(conn: &mut AnyConnection) -> Result<u64, LakeError> {
    let keys: i64 = sqlx::query_scalar(KEYS).fetch_one(conn).await?;
    Ok(u64::try_from(keys).unwrap_or(0))
}

/// A file to add: with the validity it takes over, or from this snapshot on.
pub(crate) struct Addition {
    pub(crate) file: TableFile,
    pub(crate) validity: Option<(u64, Option<u64>)>,
}

/// What one snapshot changes.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) add: Vec<Addition>,
    pub(crate) end: Vec<TableFile>,
    pub(crate) erase: Vec<TableFile>,
    pub(crate) add_containers: Vec<ContainerRow>,
    pub(crate) erase_containers: Vec<ContainerRow>,
    /// Keys of source bytes that the transaction destroyed.
    pub(crate) keys_destroyed: u64,
}

/// Values of one statement that adds rows: few enough for any database.
pub(crate) const VALUES_AT_ONCE: usize = 3_000;

/// The places of the values of a statement that adds so many rows, bound row by row. `SQLite` looks for each place that has a
/// name among all those before it; one without a name it just counts.
pub(crate) fn rows_of(conn: &AnyConnection, rows: usize, columns: usize) -> String {
    rows_on(conn.backend_name(), rows, columns)
}

fn rows_on(backend: &str, rows: usize, columns: usize) -> String {
    let numbered = backend != "SQLite";
    let mut out = String::with_capacity(rows * columns * 4);
    for place in 0..rows * columns {
        out.push_str(match (place, place % columns) {
            (0, _) => "(",
            (_, 0) => "), (",
            _ => ", ",
        });
        if numbered {
            // Writing to a string does not fail.
            let _ = write!(out, "${}", place + 1);
        } else {
            out.push('?');
        }
    }
    out + ")"
}

/// Write the rows of a change and leave its note for the event.
pub(crate) async fn write(
    tx: &mut Tx,
    kind: &'static str,
    change: Change,
) -> Result<Snapshot, LakeError> {
    let now: Timestamp = tx.now();
    let conn = tx.conn();
    let snapshot = head(&mut *conn).await?.0 + 1;
    let (at, now) = (signed(snapshot), now.to_string());
    let none_left = |done: sqlx::any::AnyQueryResult| {
        if done.rows_affected() == 1 { Ok(()) } else { Err(LakeError::Stale) }
    };
    sqlx::query(ADD_SNAPSHOT).bind(at).bind(kind).bind(&now).execute(&mut *conn).await?;
    let mut summary = Summary::default();
    for file in &change.end {
        let done =
            sqlx::query(END_FILE).bind(at).bind(file.id.to_string()).execute(&mut *conn).await?;
        none_left(done)?;
        summary.ended(file);
    }
    for file in &change.erase {
        let query = sqlx::query(ERASE_FILE).bind(at).bind(&now).bind(file.id.to_string());
        none_left(query.execute(&mut *conn).await?)?;
        summary.erased(file);
    }
    for additions in change.add.chunks(VALUES_AT_ONCE / FILE_VALUES) {
        let sql = format!("{ADD_FILE}{}", rows_of(conn, additions.len(), FILE_VALUES));
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for Addition { file, validity } in additions {
            let (begin, end) = validity.unwrap_or((snapshot, None));
            query = query
                .bind(file.id.to_string())
                .bind(&file.table)
                .bind(&file.path)
                .bind(i64::from(file.schema_version))
                .bind(i64::from(file.bucket))
                .bind(i64::from(file.buckets))
                .bind(file.digest.to_string())
                .bind(signed(file.rows))
                .bind(signed(file.bytes))
                .bind(signed(begin))
                .bind(end.map(signed))
                .bind(at);
            summary.added(file, begin, end);
        }
        query.execute(&mut *conn).await?;
    }
    for c in &change.add_containers {
        sqlx::query(ADD_CONTAINER)
            .bind(&c.id)
            .bind(&c.path)
            .bind(c.digest.to_string())
            .bind(signed(c.segments))
            .bind(signed(c.persons))
            .bind(signed(c.bytes))
            .bind(at)
            .execute(&mut *conn)
            .await?;
        summary.container_added(c);
    }
    for c in &change.erase_containers {
        let query = sqlx::query(ERASE_CONTAINER).bind(at).bind(&now).bind(&c.id);
        none_left(query.execute(&mut *conn).await?)?;
        summary.container_erased(c);
    }
    tx.note("lake", summary.note(snapshot, change.keys_destroyed));
    Ok(Snapshot(snapshot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_unless_the_database_counts_them() {
        assert_eq!(rows_on("PostgreSQL", 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(rows_on("SQLite", 1, 3), "(?, ?, ?)");
        assert_eq!(rows_on("SQLite", 2, 1), "(?), (?)");
    }
}
