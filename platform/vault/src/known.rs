//! Segments of a holder that the lake holds already.

use std::collections::HashMap;

use kiban_kernel::{Id, kinds};
use kiban_lake::{Lake, Snapshot};

use crate::{
    VaultError,
    bases::TableBases,
    segments::{Columns, TABLE},
};

/// What is kept of one segment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KnownSegment {
    pub(crate) tables: TableBases,
    pub(crate) bytes: bool,
}

/// By segment id.
pub(crate) type Known = HashMap<Id<kinds::Segment>, KnownSegment>;

pub(crate) async fn load(
    lake: &Lake,
    at: Snapshot,
    holder: Id<kinds::Organization>,
) -> Result<Known, VaultError> {
    let mut known = Known::new();
    if at.0 == 0 {
        return Ok(known);
    }
    let holder = holder.to_string();
    for batch in lake.scan(TABLE, at).await? {
        let columns = Columns(&batch);
        let holders = columns.text("holder")?;
        for row in (0..batch.num_rows()).filter(|row| holders.value(*row) == holder) {
            let entry = known.entry(columns.id("segment", row)?).or_default();
            entry.tables.merge(columns.tables(row)?);
            entry.bytes |= columns.place(row)?.is_some();
        }
    }
    Ok(known)
}
