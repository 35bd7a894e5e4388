//! The catalog: rows of the governance database that say which file belongs to which snapshot.
//!
//! A change is one snapshot, written in the caller's transaction, with a note for its event: per table
//! the number of files and rows added and a digest over every row added, ended and erased.

use std::collections::BTreeMap;

use kiban_audit::Tx;
use kiban_kernel::{Digest, Id, Timestamp, kinds};
use serde_json::json;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

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
     digest, row_count, byte_count, added_snapshot, begin_snapshot, end_snapshot) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
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
    for Addition { file, validity } in &change.add {
        let (begin, end) = validity.unwrap_or((snapshot, None));
        sqlx::query(ADD_FILE)
            .bind(file.id.to_string())
            .bind(&file.table)
            .bind(&file.path)
            .bind(i64::from(file.schema_version))
            .bind(i64::from(file.bucket))
            .bind(i64::from(file.buckets))
            .bind(file.digest.to_string())
            .bind(signed(file.rows))
            .bind(signed(file.bytes))
            .bind(at)
            .bind(signed(begin))
            .bind(end.map(signed))
            .execute(&mut *conn)
            .await?;
        summary.added(file, begin, end);
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

/// What one snapshot did to one table, or to the containers.
#[derive(Default)]
struct Part {
    files: u64,
    rows: u64,
    ended: u64,
    erased: u64,
    lines: Vec<String>,
}

impl Part {
    /// SHA-256 over the lines in order of their text.
    fn digest(&self) -> Digest {
        let mut lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        lines.sort_unstable();
        Digest::of(lines.concat().as_bytes())
    }
}

/// What an event says about its snapshot; made from the change, and by the verifier from the rows.
#[derive(Default)]
pub(crate) struct Summary(BTreeMap<String, Part>);

/// The name under which a note lists containers; no table has it.
pub(crate) const CONTAINERS_PART: &str = "source";

impl Summary {
    fn part(&mut self, name: &str) -> &mut Part {
        self.0.entry(name.to_owned()).or_default()
    }

    fn added(&mut self, f: &TableFile, begin: u64, end: Option<u64>) {
        let part = self.part(&f.table);
        part.files += 1;
        part.rows += f.rows;
        let end = end.map_or_else(|| "-".to_owned(), |e| e.to_string());
        part.lines.push(format!(
            "add {} {} {} {} {} {} {} {} {begin} {end}\n",
            f.id, f.path, f.schema_version, f.bucket, f.buckets, f.digest, f.rows, f.bytes
        ));
    }

    fn ended(&mut self, f: &TableFile) {
        let part = self.part(&f.table);
        part.ended += 1;
        part.lines.push(format!("end {}\n", f.id));
    }

    fn erased(&mut self, f: &TableFile) {
        let part = self.part(&f.table);
        part.erased += 1;
        part.lines.push(format!("erase {}\n", f.id));
    }

    fn container_added(&mut self, c: &ContainerRow) {
        let part = self.part(CONTAINERS_PART);
        part.files += 1;
        part.rows += c.segments;
        part.lines.push(format!(
            "add {} {} {} {} {} {}\n",
            c.id, c.path, c.digest, c.segments, c.persons, c.bytes
        ));
    }

    fn container_erased(&mut self, c: &ContainerRow) {
        let part = self.part(CONTAINERS_PART);
        part.erased += 1;
        part.lines.push(format!("erase {}\n", c.id));
    }

    fn note(&self, snapshot: u64, keys_destroyed: u64) -> serde_json::Value {
        let tables: Vec<_> = (self.0.iter())
            .map(|(table, p)| {
                json!({ "table": table, "files": p.files, "rows": p.rows, "ended": p.ended,
                        "erased": p.erased, "digest": p.digest().to_string() })
            })
            .collect();
        json!({ "snapshot": snapshot, "tables": tables, "keys_destroyed": keys_destroyed })
    }

    /// The digest of each part, as a note lists them.
    pub(crate) fn digests(&self) -> BTreeMap<String, String> {
        self.0.iter().map(|(name, p)| (name.clone(), p.digest().to_string())).collect()
    }

    /// What the rows as they stand say about each snapshot.
    pub(crate) fn of_rows(files: &[FileRow], containers: &[ContainerRow]) -> BTreeMap<u64, Self> {
        let mut all: BTreeMap<u64, Self> = BTreeMap::new();
        for row in files {
            // An end that was there when the row was added was taken over; a later one is another's act.
            let inherited = row.end.filter(|end| *end <= row.added);
            all.entry(row.added).or_default().added(&row.file, row.begin, inherited);
            if let Some(end) = row.end.filter(|end| *end > row.added) {
                all.entry(end).or_default().ended(&row.file);
            }
            if let Some(erased) = row.erased {
                all.entry(erased).or_default().erased(&row.file);
            }
        }
        for row in containers {
            all.entry(row.added).or_default().container_added(row);
            if let Some(erased) = row.erased {
                all.entry(erased).or_default().container_erased(row);
            }
        }
        all
    }
}
