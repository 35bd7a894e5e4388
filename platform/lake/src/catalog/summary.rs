//! What the event of a snapshot says of it: per table how much was added, ended and erased, and a digest over every row.

use std::collections::BTreeMap;

use kiban_kernel::Digest;
use serde_json::json;

use super::{ContainerRow, FileRow, TableFile};

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

    pub(super) fn added(&mut self, f: &TableFile, begin: u64, end: Option<u64>) {
        let part = self.part(&f.table);
        part.files += 1;
        part.rows += f.rows;
        let end = end.map_or_else(|| "-".to_owned(), |e| e.to_string());
        part.lines.push(format!(
            "add {} {} {} {} {} {} {} {} {begin} {end}\n",
            f.id, f.path, f.schema_version, f.bucket, f.buckets, f.digest, f.rows, f.bytes
        ));
    }

    pub(super) fn ended(&mut self, f: &TableFile) {
        let part = self.part(&f.table);
        part.ended += 1;
        part.lines.push(format!("end {}\n", f.id));
    }

    pub(super) fn erased(&mut self, f: &TableFile) {
        let part = self.part(&f.table);
        part.erased += 1;
        part.lines.push(format!("erase {}\n", f.id));
    }

    pub(super) fn container_added(&mut self, c: &ContainerRow) {
        let part = self.part(CONTAINERS_PART);
        part.files += 1;
        part.rows += c.segments;
        part.lines.push(format!(
            "add {} {} {} {} {} {}\n",
            c.id, c.path, c.digest, c.segments, c.persons, c.bytes
        ));
    }

    pub(super) fn container_erased(&mut self, c: &ContainerRow) {
        let part = self.part(CONTAINERS_PART);
        part.erased += 1;
        part.lines.push(format!("erase {}\n", c.id));
    }

    pub(super) fn note(&self, snapshot: u64, keys_destroyed: u64) -> serde_json::Value {
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
