//! Erasure: the persons' rows leave every file of every snapshot, and the keys of their source bytes go.
//!
//! Each file that holds one of them is written again without them and takes over the old file's place in
//! time; older snapshots stay readable, minus the stopped. The old bytes are removed by [`Lake::collect`]
//! after the commit.

use std::collections::{HashMap, HashSet};

use arrow::array::{AsArray as _, RecordBatch};
use kiban_audit::Tx;
use kiban_kernel::{Id, kinds};
use sqlx::AnyConnection;

use crate::{
    Lake, LakeError, Snapshot,
    bucket::split,
    catalog::{self, Addition, Change, TableFile},
    lake::{blocking, parallel},
    pending::StagedPath,
    schema::{self, PERSON_COLUMN},
};

const DESTROY_KEYS: &str = "DELETE FROM lake_person_key WHERE person = $1";
const HAS_KEY: &str = "SELECT COUNT(*) FROM lake_person_key WHERE file_id = $1";

/// An erasure whose new files are written and not yet named.
#[must_use = "nothing is erased until the erasure is committed"]
pub struct StagedErasure {
    base: Snapshot,
    persons: Vec<Id<kinds::PersonSource>>,
    rewrites: Vec<Rewrite>,
    rows: u64,
    /// By person, the rows that go and the files that held them.
    held: HashMap<String, Held>,
    /// Are the keys of source bytes destroyed with the rows?
    keys: bool,
}

/// What files held of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// Rows, each counted once per file that holds it.
    pub rows: u64,
    /// Files.
    pub files: u64,
}

struct Rewrite {
    old: TableFile,
    new: Rewritten,
}

/// A file written anew; none when no row was left.
type Rewritten = Option<(TableFile, StagedPath)>;

impl StagedErasure {
    /// Rows that go, each counted once per file that holds it.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Files that go.
    pub fn files(&self) -> usize {
        self.rewrites.len()
    }

    /// What goes of one person.
    pub fn held(&self, person: Id<kinds::PersonSource>) -> Held {
        self.held.get(&person.to_string()).copied().unwrap_or_default()
    }
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The snapshot it made.
    pub snapshot: Snapshot,
    /// Rows erased, each counted once per file that held it.
    pub rows: u64,
    /// Files taken out of every snapshot.
    pub files: u64,
    /// Keys of source bytes destroyed, by person; who had none is left out.
    pub keys_of: HashMap<Id<kinds::PersonSource>, u64>,
    /// Containers in which no key was left.
    pub containers: u64,
    /// Sealed bytes of the files taken out, less those of the files written in their place.
    pub bytes: u64,
}

impl Erased {
    /// Keys of source bytes destroyed.
    pub fn keys(&self) -> u64 {
        self.keys_of.values().sum()
    }
}

impl Lake {
    /// Write the files that hold rows of `persons` again without them. Nothing is visible until
    /// [`Lake::erase`].
    ///
    /// # Errors
    /// A file fails to open, or the disk fails.
    pub async fn stage_erasure(
        &self,
        persons: &[Id<kinds::PersonSource>],
    ) -> Result<StagedErasure, LakeError> {
        self.stage_erasure_where(persons, |_| true, true).await
    }

    /// As [`Lake::stage_erasure`], of some tables alone; `keys`: the keys of the persons' source bytes go with them.
    ///
    /// # Errors
    /// As [`Lake::stage_erasure`].
    pub async fn stage_erasure_in(
        &self,
        tables: &[&str],
        persons: &[Id<kinds::PersonSource>],
        keys: bool,
    ) -> Result<StagedErasure, LakeError> {
        self.stage_erasure_where(persons, |table| tables.contains(&table), keys).await
    }

    /// The rows of some persons in a table over all snapshots, each as often as files hold it.
    ///
    /// # Errors
    /// A file fails to open.
    pub async fn scan_persons_ever(
        &self,
        table: &str,
        persons: &[Id<kinds::PersonSource>],
    ) -> Result<Vec<RecordBatch>, LakeError> {
        let mut conn = self.conn().await?;
        let kept = catalog::files_kept(&mut conn).await?;
        drop(conn);
        let files: Vec<TableFile> = kept
            .into_iter()
            .map(|f| f.file)
            .filter(|f| f.table == table && f.may_hold(persons))
            .collect();
        let names: HashSet<String> = persons.iter().map(ToString::to_string).collect();
        let this = self.clone();
        blocking(move || {
            let read = parallel(files, |file| this.read_file(&file))?;
            let mut out = Vec::new();
            for batch in read.into_iter().flatten() {
                let (named, _) = split(&batch, &names)?;
                if named.num_rows() > 0 {
                    out.push(named);
                }
            }
            Ok(out)
        })
        .await
    }

    async fn stage_erasure_where(
        &self,
        persons: &[Id<kinds::PersonSource>],
        of: impl Fn(&str) -> bool,
        keys: bool,
    ) -> Result<StagedErasure, LakeError> {
        let mut conn = self.conn().await?;
        let base = catalog::head(&mut conn).await?;
        let kept = catalog::files_kept(&mut conn).await?;
        drop(conn);
        let names: HashSet<String> = persons.iter().map(ToString::to_string).collect();
        let may_hold: Vec<_> = kept
            .into_iter()
            .map(|f| f.file)
            .filter(|f| of(&f.table) && f.may_hold(persons))
            .collect();
        let (this, persons) = (self.clone(), persons.to_vec());
        blocking(move || {
            let done = parallel(may_hold, |file| {
                let (gone, new) = this.rewrite(&file, &names)?;
                Ok((gone, Rewrite { old: file, new }))
            })?;
            let mut held: HashMap<String, Held> = HashMap::new();
            for (gone, _) in &done {
                for (person, rows) in gone {
                    let of = held.entry(person.clone()).or_default();
                    of.rows += rows;
                    of.files += 1;
                }
            }
            let rows = held.values().map(|h| h.rows).sum();
            let rewrites =
                done.into_iter().filter(|(gone, _)| !gone.is_empty()).map(|(_, r)| r).collect();
            Ok(StagedErasure { base, persons, rewrites, rows, held, keys })
        })
        .await
    }

    /// Number of rows of each of `persons` in a file, and the file without them. Blocks.
    fn rewrite(
        &self,
        file: &TableFile,
        persons: &HashSet<String>,
    ) -> Result<(HashMap<String, u64>, Rewritten), LakeError> {
        let (mut gone, mut left) = (HashMap::new(), Vec::<RecordBatch>::new());
        for batch in self.read_file(file)? {
            let (named, others) = split(&batch, persons)?;
            let column = named.column_by_name(PERSON_COLUMN).and_then(|c| c.as_string_opt::<i32>());
            for person in column.into_iter().flatten().flatten() {
                match gone.get_mut(person) {
                    Some(rows) => *rows += 1,
                    None => {
                        gone.insert(person.to_owned(), 1);
                    }
                }
            }
            left.push(others);
        }
        if gone.is_empty() || gone.values().sum::<u64>() == file.rows {
            return Ok((gone, None));
        }
        let table = schema::table(&file.table)
            .ok_or(LakeError::Catalog { table: "lake_file", column: "table_name" })?;
        Ok((gone, Some(self.write_file(table, file.bucket, &left)?)))
    }

    /// Commit an erasure in the caller's transaction: the old files leave every snapshot and the persons'
    /// keys are destroyed. Call [`Lake::collect`] after the commit to remove the bytes.
    ///
    /// # Errors
    /// [`LakeError::Stale`] when rows were added meanwhile: drop the transaction and stage again.
    pub async fn erase(&self, tx: &mut Tx, staged: StagedErasure) -> Result<Erased, LakeError> {
        let StagedErasure { base, persons, rewrites, rows, keys, .. } = staged;
        let kept = catalog::files_kept(tx.conn()).await?;
        if kept.iter().any(|f| f.added > base.0 && f.file.may_hold(&persons)) {
            return Err(LakeError::Stale);
        }
        let validity: HashMap<_, _> = kept.iter().map(|f| (f.file.id, (f.begin, f.end))).collect();
        let (mut change, mut paths) = (Change::default(), Vec::new());
        let mut bytes = 0_u64;
        for Rewrite { old, new } in rewrites {
            let validity = *validity.get(&old.id).ok_or(LakeError::Stale)?;
            bytes += old.bytes.saturating_sub(new.as_ref().map_or(0, |(file, _)| file.bytes));
            if let Some((file, path)) = new {
                change.add.push(Addition { file, validity: Some(validity) });
                paths.push(path);
            }
            change.erase.push(old);
        }
        let keys_of =
            if keys { destroy_keys(tx.conn(), &persons).await? } else { HashMap::default() };
        change.keys_destroyed = keys_of.values().sum();
        if !keys_of.is_empty() {
            for container in catalog::containers(tx.conn()).await? {
                let left: i64 =
                    sqlx::query_scalar(HAS_KEY).bind(&container.id).fetch_one(tx.conn()).await?;
                if left == 0 && container.erased.is_none() {
                    change.erase_containers.push(container);
                }
            }
        }
        let (files, containers) = (change.erase.len() as u64, change.erase_containers.len() as u64);
        let snapshot = self.submit(tx, "erase", Vec::new(), change).await?;
        for path in paths {
            path.submit(snapshot.0);
        }
        self.0.steps.step("lake.erase.after");
        Ok(Erased { snapshot, rows, files, keys_of, containers, bytes })
    }
}

async fn destroy_keys(
    conn: &mut AnyConnection,
    persons: &[Id<kinds::PersonSource>],
) -> Result<HashMap<Id<kinds::PersonSource>, u64>, LakeError> {
    let mut keys = HashMap::new();
    for person in persons {
        let gone = sqlx::query(DESTROY_KEYS)
            .bind(person.to_string())
            .execute(&mut *conn)
            .await?
            .rows_affected();
        if gone > 0 {
            keys.insert(*person, gone);
        }
    }
    Ok(keys)
}
