//! Going through a large table of the lake a few files at a time.
//!
//! Enters: a table at a snapshot. Leaves: its batches, one by one. Refuses: a file that does not open.
//!
//! # Memory
//! The rows of some files, [`ROWS_AT_ONCE`] or one file, whatever the table's size.

use arrow::array::RecordBatch;
use kiban_lake::{Lake, Snapshot};

use crate::VaultError;

/// Rows of files that are read side by side: enough for every core, some ten megabytes of them.
pub(crate) const ROWS_AT_ONCE: u64 = 32_768;

/// Calls `f` with the batches of a table at a snapshot, in the order of [`Lake::scan`]; with none where there is no
/// snapshot yet.
///
/// # Errors
/// A file does not open, or `f` failed.
pub(crate) async fn each_batch(
    lake: &Lake,
    table: &str,
    at: Snapshot,
    mut f: impl FnMut(&RecordBatch) -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    if at.0 == 0 {
        return Ok(());
    }
    let mut files = lake.files(table, at).await?.into_iter().peekable();
    while let Some(first) = files.next() {
        let mut rows = first.rows;
        let mut some = vec![first];
        while let Some(file) = files.next_if(|file| rows + file.rows <= ROWS_AT_ONCE) {
            rows += file.rows;
            some.push(file);
        }
        for batch in lake.read_files(some).await? {
            f(&batch)?;
        }
    }
    Ok(())
}
