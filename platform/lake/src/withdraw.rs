//! Withdrawal: rows of single segments leave the tables from the next snapshot on.
//!
//! What a source corrected or took back is no longer used, and stays in the snapshots that held it: each file
//! with such rows ends, and one without them begins. The source bytes stay where they are.

use std::collections::HashSet;

use arrow::array::{Array as _, AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use kiban_kernel::{Id, kinds};

use crate::{
    DataClass, Lake, LakeError, TableFileError,
    catalog::{self, TableFile},
    lake::{Staged, blocking, parallel},
    pending::StagedPath,
    schema,
};

const SEGMENT_COLUMN: &str = "segment";

/// Rows that are to leave, with the files that will stand in their files' place.
#[must_use = "nothing is withdrawn until it is appended"]
#[derive(Default)]
pub struct StagedWithdrawal {
    pub(crate) end: Vec<TableFile>,
    pub(crate) staged: Option<Staged>,
    rows: u64,
}

impl StagedWithdrawal {
    /// Rows that leave.
    pub fn rows(&self) -> u64 {
        self.rows
    }
    /// Does nothing leave?
    pub fn is_empty(&self) -> bool {
        self.end.is_empty()
    }
}

impl Lake {
    /// Writes the files of the canonical tables at the newest snapshot that hold rows of `segments` (ids of segments
    /// of `persons`) again without them. Nothing is visible until [`Lake::append_instead`]. Reads the files of
    /// the persons' buckets in `tables`.
    ///
    /// # Errors
    /// No such table, a file fails to open, or the disk fails.
    pub async fn stage_withdrawal(
        &self,
        tables: &[&str],
        persons: &[Id<kinds::PersonSource>],
        segments: &HashSet<String>,
    ) -> Result<StagedWithdrawal, LakeError> {
        if segments.is_empty() {
            return Ok(StagedWithdrawal::default());
        }
        let mut conn = self.conn().await?;
        let head = catalog::head(&mut conn).await?;
        let mut files = Vec::new();
        for table in tables {
            let table = schema::table(table).ok_or(LakeError::UnknownTable)?;
            if table.data_class == DataClass::Identified {
                files.extend(catalog::files_at(&mut conn, &table.name, head).await?);
            }
        }
        drop(conn);
        files.retain(|f| f.may_hold(persons));
        let (this, segments) = (self.clone(), segments.clone());
        blocking(move || {
            let done = parallel(files, |file| {
                let (gone, new) = this.without(&file, &segments)?;
                Ok((gone, file, new))
            })?;
            let mut out = StagedWithdrawal::default();
            let mut new_files = Vec::new();
            for (gone, old, new) in done.into_iter().filter(|(gone, _, _)| *gone > 0) {
                out.rows += gone;
                out.end.push(old);
                new_files.extend(new);
            }
            out.staged = (!new_files.is_empty()).then_some(Staged { files: new_files });
            Ok(out)
        })
        .await
    }

    /// Staged rows without those of `segments`, and how many left, by table.
    ///
    /// # Errors
    /// A file fails to open, or the disk fails.
    pub async fn unstage(
        &self,
        staged: Vec<Staged>,
        segments: &HashSet<String>,
    ) -> Result<(Vec<Staged>, Vec<(String, u64)>), LakeError> {
        if segments.is_empty() {
            return Ok((staged, Vec::new()));
        }
        let (this, segments) = (self.clone(), segments.clone());
        blocking(move || {
            let all: Vec<(TableFile, StagedPath)> =
                staged.into_iter().flat_map(|s| s.files).collect();
            let done = parallel(all, |(file, path)| {
                let canonical = schema::table(&file.table)
                    .is_some_and(|t| t.data_class == DataClass::Identified);
                if !canonical {
                    return Ok((file.table.clone(), 0, Some((file, path))));
                }
                let (gone, new) = this.without(&file, &segments)?;
                let table = file.table.clone();
                Ok((table, gone, if gone == 0 { Some((file, path)) } else { new }))
            })?;
            let (mut files, mut left) = (Vec::new(), Vec::new());
            for (table, gone, file) in done {
                files.extend(file);
                if gone > 0 {
                    left.push((table, gone));
                }
            }
            Ok((vec![Staged { files }], left))
        })
        .await
    }

    /// Number of rows of `segments` in a file, and the file without them. Blocks.
    fn without(
        &self,
        file: &TableFile,
        segments: &HashSet<String>,
    ) -> Result<(u64, Option<(TableFile, StagedPath)>), LakeError> {
        let (mut gone, mut left) = (0_u64, Vec::<RecordBatch>::new());
        for batch in self.read_file(file)? {
            let missing = || {
                let column = SEGMENT_COLUMN.to_owned();
                LakeError::TableFile(TableFileError::MissingColumn { column })
            };
            let column = batch
                .column_by_name(SEGMENT_COLUMN)
                .and_then(|c| c.as_string_opt::<i32>())
                .ok_or_else(missing)?;
            let stays: BooleanArray =
                (0..column.len()).map(|i| Some(!segments.contains(column.value(i)))).collect();
            gone += (stays.len() - stays.true_count()) as u64;
            let arrow = |e| LakeError::TableFile(TableFileError::Arrow(e));
            left.push(filter_record_batch(&batch, &stays).map_err(arrow)?);
        }
        if gone == 0 || gone == file.rows {
            return Ok((gone, None));
        }
        let table = schema::table(&file.table)
            .ok_or(LakeError::Catalog { table: "lake_file", column: "table_name" })?;
        Ok((gone, Some(self.write_file(table, file.bucket, &left)?)))
    }
}
