//! Rows to sealed table files that no snapshot names yet.

use arrow::{
    array::{RecordBatch, UInt32Array},
    compute::take_record_batch,
};
use kiban_kernel::{Id, OsEntropy, kinds};

use crate::{
    BUCKETS, Columns, KeyError, Lake, LakeError, Staged, TableFileError,
    bucket::{Run, Runs, by_bucket, runs_of},
    catalog::TableFile,
    durable::{self, NewFile},
    lake::{Counted, EXTENSION, blocking, in_table, parallel},
    pending::StagedPath,
    schema::{self, TableSchema},
    seal::Sealer,
    table_file, table_runs,
};

/// Seals, hashes and counts what is written to a new file.
type FileSealer = Sealer<Counted<NewFile>>;

/// How much of the machine the writing of a lot may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// All processors: nothing else is to be done.
    All,
    /// One, beside other work.
    One,
}

/// The files of a lot, written and not yet sure to last. Dropped, they are removed.
#[must_use = "its files are removed unless they are staged"]
pub struct WrittenLot(Vec<(TableFile, StagedPath, NewFile)>);

impl std::fmt::Debug for WrittenLot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WrittenLot of {} files", self.0.len())
    }
}

impl Lake {
    /// Write rows to sealed files, one per hash bucket of persons, ordered by person; nothing is visible
    /// until [`Lake::append`]. The same rows in the same order give the same plain bytes.
    ///
    /// # Errors
    /// Rows do not fit the table, or the disk fails; then no file stays.
    pub async fn stage(&self, table: &str, batches: Vec<RecordBatch>) -> Result<Staged, LakeError> {
        let table = schema::table(table).ok_or(LakeError::UnknownTable)?;
        let this = self.clone();
        blocking(move || {
            let (rows, runs) = by_bucket(table, &batches)?;
            let schema = table.arrow();
            let write = |(bucket, runs): (u32, Vec<Run>)| {
                let picked: UInt32Array = runs.into_iter().flat_map(|run| run.rows).collect();
                this.new_file(table, bucket, |sealer| {
                    let picked =
                        take_record_batch(&rows, &picked).map_err(TableFileError::Arrow)?;
                    table_file::write(&schema, &[picked], sealer)
                })
            };
            this.commit_files(parallel(runs.into_iter().collect(), write)?)
        })
        .await
    }

    /// As [`Lake::stage`], for the rows of several tables as they were collected: one lot of many, written without a batch
    /// between. The files are not yet sure to last: [`Lake::stage_lot`] sees to that. Blocks.
    ///
    /// # Errors
    /// As [`Lake::stage`].
    pub fn write_lot(&self, lot: &[Columns], threads: Threads) -> Result<WrittenLot, LakeError> {
        let lot: Vec<(&Columns, Runs)> = lot
            .iter()
            .map(|columns| Ok((columns, runs_of(columns)?)))
            .collect::<Result<_, LakeError>>()?;
        let jobs = lot
            .iter()
            .flat_map(|(columns, runs)| {
                runs.iter().map(move |(bucket, of)| (*columns, *bucket, of))
            })
            .collect();
        let write = |(columns, bucket, runs): (&Columns, u32, &Vec<Run>)| {
            self.new_file(columns.table, bucket, |sealer| {
                table_runs::write_runs(columns, runs, sealer)
            })
        };
        let written = match threads {
            Threads::All => parallel(jobs, write)?,
            Threads::One => jobs.into_iter().map(write).collect::<Result<_, _>>()?,
        };
        Ok(WrittenLot(written))
    }

    /// Makes the files of a lot last. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// The disk failed; then no file stays.
    pub fn stage_lot(&self, lot: WrittenLot) -> Result<Staged, LakeError> {
        self.commit_files(lot.0)
    }

    fn commit_files(
        &self,
        written: Vec<(TableFile, StagedPath, NewFile)>,
    ) -> Result<Staged, LakeError> {
        let (mut files, mut new) = (Vec::with_capacity(written.len()), Vec::new());
        for (row, path, file) in written {
            // What stays until the commit is not left in the memory of the thread that makes the lots, among its large lists.
            files.push((row.clone(), path));
            new.push(file);
        }
        durable::commit_all(new, &*self.0.steps).map_err(LakeError::io("write a table file"))?;
        Ok(Staged { files })
    }

    /// Write one sealed table file. Blocks.
    pub(crate) fn write_file(
        &self,
        table: &'static TableSchema,
        bucket: u32,
        rows: &[RecordBatch],
    ) -> Result<(TableFile, StagedPath), LakeError> {
        let schema = table.arrow();
        let (row, path, file) =
            self.new_file(table, bucket, |sealer| table_file::write(&schema, rows, sealer))?;
        file.commit(&*self.0.steps).map_err(LakeError::io("write a table file"))?;
        Ok((row, path))
    }

    /// Write one sealed table file with what `write` puts into it, and do not commit it yet. Blocks.
    fn new_file(
        &self,
        table: &'static TableSchema,
        bucket: u32,
        write: impl FnOnce(FileSealer) -> Result<(FileSealer, u64), TableFileError>,
    ) -> Result<(TableFile, StagedPath, NewFile), LakeError> {
        let id = Id::<kinds::File>::new(&OsEntropy).map_err(KeyError::Entropy)?;
        let path = format!("{}/{}/{id}.{EXTENSION}", table.data_class.as_str(), table.name);
        let staged = self.0.pending.stage(&path);
        let io = || LakeError::io("write a table file");
        let file = NewFile::create(&self.0.root.join(&path)).map_err(io())?;
        let sealer = Sealer::new(&self.0.ring, &path, Counted::new(file))?;
        let (sealer, rows) = write(sealer).map_err(|e| in_table(table, e))?;
        let counted = sealer.finish().map_err(io())?;
        let (mut file, digest, bytes) = counted.finish();
        file.push();
        let row = TableFile {
            id,
            table: table.name.clone(),
            path,
            schema_version: table.version,
            bucket,
            buckets: BUCKETS,
            digest,
            rows,
            bytes,
        };
        Ok((row, staged, file))
    }
}
