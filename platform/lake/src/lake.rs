//! The lake: staging rows into sealed table files, committing them, reading any snapshot.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

use arrow::array::RecordBatch;
use bytes::Bytes;
use kiban_audit::{Db, Tx};
use kiban_kernel::{Digest, Id, Steps, kinds};
use object_store::local::LocalFileSystem;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use sqlx::{Any, pool::PoolConnection};

use crate::{
    Engine, KeyRing, LakeError, Snapshot,
    bucket::split,
    catalog::{self, Addition, Change, TableFile},
    durable,
    lock::FolderLock,
    pending::{Pending, StagedPath},
    schema::{self, TableSchema},
    seal,
    store::SealedStore,
    table_file,
};

/// Extension of every sealed file.
pub(crate) const EXTENSION: &str = "kbs";

pub(crate) struct Inner {
    pub(crate) root: PathBuf,
    pub(crate) ring: Arc<KeyRing>,
    pub(crate) db: Db,
    pub(crate) steps: Arc<dyn Steps>,
    pub(crate) store: Arc<SealedStore>,
    pub(crate) pending: Pending,
    pub(crate) lock: FolderLock,
    pub(crate) engine: RwLock<Engine>,
}

/// The tables and source bytes of one deployment. Cheap to clone.
#[derive(Clone)]
pub struct Lake(pub(crate) Arc<Inner>);

/// Rows written to sealed files that no snapshot names yet. Dropped, the files are garbage.
#[must_use = "staged rows are garbage until they are appended"]
pub struct Staged {
    pub(crate) files: Vec<(TableFile, StagedPath)>,
}

impl Staged {
    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|(f, _)| f.rows).sum()
    }

    /// Number of files.
    pub fn files(&self) -> usize {
        self.files.len()
    }
}

impl Lake {
    /// Open the lake in the folder `root` (made if missing), and collect what an ended process left.
    ///
    /// # Errors
    /// The folder cannot be used, or the catalog cannot be read.
    pub async fn open(
        root: PathBuf,
        ring: Arc<KeyRing>,
        db: Db,
        steps: Arc<dyn Steps>,
    ) -> Result<Self, LakeError> {
        durable::create_dir_private(&root).map_err(LakeError::io("make the lake's folder"))?;
        let root = std::path::absolute(root).map_err(LakeError::io("find the lake's folder"))?;
        let files = LocalFileSystem::new_with_prefix(&root)
            .map_err(|e| LakeError::io("open the lake's folder")(io::Error::other(e)))?;
        let lock = FolderLock::open(&root)?;
        let store = Arc::new(SealedStore::new(Arc::new(files), ring.clone()));
        let lake = Self(Arc::new(Inner {
            root,
            ring,
            db,
            steps,
            store,
            pending: Pending::default(),
            lock,
            engine: RwLock::default(),
        }));
        lake.collect().await?;
        Ok(lake)
    }

    /// The key ring.
    pub fn ring(&self) -> &Arc<KeyRing> {
        &self.0.ring
    }

    /// The lake's folder.
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    pub(crate) async fn conn(&self) -> Result<PoolConnection<Any>, LakeError> {
        Ok(self.0.db.pool().acquire().await?)
    }

    /// The newest snapshot.
    ///
    /// # Errors
    /// The database failed.
    pub async fn head(&self) -> Result<Snapshot, LakeError> {
        let mut conn = self.conn().await?;
        catalog::head(&mut conn).await
    }

    /// Make staged rows part of the lake, in the caller's transaction; leaves the note `lake`.
    ///
    /// # Errors
    /// The database failed or another writer was faster: the transaction must be dropped.
    pub async fn append(&self, tx: &mut Tx, staged: Vec<Staged>) -> Result<Snapshot, LakeError> {
        let files = staged.into_iter().flat_map(|s| s.files).collect();
        self.submit(tx, "append", files, Change::default()).await
    }

    /// As [`Lake::append`], after ending every file of `table`: from this snapshot on the table holds
    /// the staged rows alone.
    ///
    /// # Errors
    /// As [`Lake::append`].
    pub async fn replace(
        &self,
        tx: &mut Tx,
        table: &str,
        staged: Vec<Staged>,
    ) -> Result<Snapshot, LakeError> {
        let table = schema::table(table).ok_or(LakeError::UnknownTable)?;
        let head = catalog::head(tx.conn()).await?;
        let end = catalog::files_at(tx.conn(), &table.name, head).await?;
        let files: Vec<_> = staged.into_iter().flat_map(|s| s.files).collect();
        if files.iter().any(|(f, _)| f.table != table.name) {
            return Err(LakeError::UnknownTable);
        }
        self.submit(tx, "replace", files, Change { end, ..Change::default() }).await
    }

    /// Write a change and mark its files as submitted.
    pub(crate) async fn submit(
        &self,
        tx: &mut Tx,
        kind: &'static str,
        files: Vec<(TableFile, StagedPath)>,
        mut change: Change,
    ) -> Result<Snapshot, LakeError> {
        self.0.steps.step("lake.catalog.before");
        let (files, paths): (Vec<_>, Vec<_>) = files.into_iter().unzip();
        change.add.extend(files.into_iter().map(|file| Addition { file, validity: None }));
        let snapshot = catalog::write(tx, kind, change).await?;
        for path in paths {
            path.submit(snapshot.0);
        }
        self.0.steps.step("lake.catalog.after");
        Ok(snapshot)
    }

    /// The files of a table at a snapshot.
    ///
    /// # Errors
    /// No such table or snapshot.
    pub async fn files(&self, table: &str, at: Snapshot) -> Result<Vec<TableFile>, LakeError> {
        let table = schema::table(table).ok_or(LakeError::UnknownTable)?;
        let mut conn = self.conn().await?;
        catalog::files_at(&mut conn, &table.name, at).await
    }

    /// All rows of a table at a snapshot, in memory: for small reads. Ordered by bucket, then by file.
    ///
    /// # Errors
    /// No such table or snapshot, or a file fails to open.
    pub async fn scan(&self, table: &str, at: Snapshot) -> Result<Vec<RecordBatch>, LakeError> {
        let files = self.files(table, at).await?;
        self.read_files(files).await
    }

    /// The rows of some persons in a table at a snapshot; opens only the files of their buckets.
    ///
    /// # Errors
    /// As [`Lake::scan`].
    pub async fn scan_persons(
        &self,
        table: &str,
        at: Snapshot,
        persons: &[Id<kinds::PersonSource>],
    ) -> Result<Vec<RecordBatch>, LakeError> {
        let wanted: std::collections::HashSet<String> =
            persons.iter().map(ToString::to_string).collect();
        let mut files = self.files(table, at).await?;
        files.retain(|f| f.may_hold(persons));
        let batches = self.read_files(files).await?;
        batches
            .iter()
            .map(|b| Ok(split(b, &wanted)?.0))
            .filter(|b| !matches!(b, Ok(b) if b.num_rows() == 0))
            .collect()
    }

    /// The rows of some files of [`Lake::files`], in their order: for going through a large table a few files at a time.
    ///
    /// # Errors
    /// A file fails to open.
    pub async fn read_files(&self, files: Vec<TableFile>) -> Result<Vec<RecordBatch>, LakeError> {
        let this = self.clone();
        blocking(move || {
            Ok(parallel(files, |file| this.read_file(&file))?.into_iter().flatten().collect())
        })
        .await
    }

    /// Rows of one table file. Blocks.
    pub(crate) fn read_file(&self, file: &TableFile) -> Result<Vec<RecordBatch>, LakeError> {
        let sealed = std::fs::read(self.0.root.join(&file.path))
            .map_err(LakeError::io("read a table file"))?;
        let plain = seal::open_all(&self.0.ring, &file.path, &sealed)?;
        let found = table_file::read(Bytes::from(plain)).map_err(LakeError::TableFile)?;
        let missing = LakeError::Catalog { table: "lake_file", column: "table_name" };
        let declared = schema::table(&file.table).ok_or(missing)?.arrow();
        // A file of an earlier schema version lacks the columns that came later.
        found
            .iter()
            .map(|b| table_file::widen(&declared, b).map_err(LakeError::TableFile))
            .collect()
    }
}

pub(crate) fn in_table(table: &'static TableSchema, error: crate::TableFileError) -> LakeError {
    match LakeError::from(error) {
        LakeError::TableFile(source) => LakeError::Rows { table: &table.name, source },
        other => other,
    }
}

/// Run what blocks on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, LakeError> + Send + 'static,
) -> Result<T, LakeError> {
    tokio::task::spawn_blocking(f).await.map_err(LakeError::Task)?
}

/// Do `f` for each item on the process's own pool of threads; results in the items' order. Threads of their own for every
/// lot would each keep some of the memory they had.
pub(crate) fn parallel<T: Send, R: Send>(
    items: Vec<T>,
    f: impl Fn(T) -> Result<R, LakeError> + Sync,
) -> Result<Vec<R>, LakeError> {
    items.into_par_iter().map(&f).collect()
}

/// Hashes and counts what is written.
pub(crate) struct Counted<W> {
    inner: W,
    hash: aws_lc_rs::digest::Context,
    bytes: u64,
}

impl<W: io::Write> Counted<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, hash: aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256), bytes: 0 }
    }

    pub(crate) fn finish(self) -> (W, Digest, u64) {
        let mut digest = [0; 32];
        digest.copy_from_slice(self.hash.finish().as_ref());
        (self.inner, Digest::from_bytes(digest), self.bytes)
    }
}

impl<W: std::io::Write> std::io::Write for Counted<W> {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.hash.update(&buf[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
