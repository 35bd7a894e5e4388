//! Reading by snapshot, and tracing a row back to the bytes it came from.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use kiban_audit::{Identified, Receipt};
use kiban_kernel::{Id, kinds};
use kiban_lake::{Snapshot, schema};
use sqlx::AnyConnection;

use crate::{
    Vault, VaultError,
    segments::{Columns, TABLE},
};

/// The source bytes of a segment. No `Debug` of the content.
pub struct SourceBytes {
    /// The bytes as sent; of a CSV row the header line comes first.
    pub bytes: Vec<u8>,
    /// Format: `ssmix2`, `fhir_ndjson`, `municipal_csv`.
    pub format: String,
    /// Path of the file inside its delivery.
    pub source_file: String,
    /// Position inside the file.
    pub position: String,
}

impl Vault {
    /// All rows of a table at a snapshot.
    ///
    /// # Errors
    /// No such table or snapshot, or a file does not open.
    pub async fn read(
        &self,
        table: &str,
        at: Snapshot,
    ) -> Result<Identified<Vec<RecordBatch>>, VaultError> {
        Ok(Identified::seal(self.lake.scan(table, at).await?))
    }

    /// The rows of some persons in a table at a snapshot.
    ///
    /// # Errors
    /// As [`Vault::read`].
    pub async fn read_persons(
        &self,
        table: &str,
        at: Snapshot,
        persons: &[Id<kinds::PersonSource>],
    ) -> Result<Identified<Vec<RecordBatch>>, VaultError> {
        Ok(Identified::seal(self.lake.scan_persons(table, at, persons).await?))
    }

    /// The bytes a person's row was read from, by its columns `person_source` and `segment`.
    ///
    /// # Errors
    /// No such segment of the person in the snapshot; its bytes are not kept; they were shredded.
    pub async fn trace(
        &self,
        conn: &mut AnyConnection,
        person: Id<kinds::PersonSource>,
        segment: Id<kinds::Segment>,
        at: Snapshot,
        receipt: &Receipt,
    ) -> Result<SourceBytes, VaultError> {
        let batches = self.read_persons(TABLE, at, &[person]).await?.open(receipt);
        let wanted = segment.to_string();
        let mut found = false;
        for batch in &batches {
            let columns = Columns(batch);
            let segments = columns.text("segment")?;
            for row in (0..batch.num_rows()).filter(|row| segments.value(*row) == wanted) {
                found = true;
                let Some(place) = columns.place(row)? else { continue };
                let text = |column| columns.text(column).map(|c| c.value(row).to_owned());
                return Ok(SourceBytes {
                    bytes: self.lake.read_segment(conn, place, person).await?,
                    format: text("format")?,
                    source_file: text("source_file")?,
                    position: text("position")?,
                });
            }
        }
        Err(if found { VaultError::NoBytes } else { VaultError::NoSegment })
    }

    /// How many rows of these persons each table holds, over all snapshots: zero rows everywhere after a
    /// stop. A row that several snapshots hold is counted in each.
    ///
    /// # Errors
    /// The lake failed.
    pub async fn persons_present(
        &self,
        persons: &[Id<kinds::PersonSource>],
    ) -> Result<BTreeMap<String, u64>, VaultError> {
        let head = self.lake.head().await?;
        let mut out = BTreeMap::new();
        for table in schema::tables() {
            let mut rows = 0;
            for at in 1..=head.0 {
                let batches = self.lake.scan_persons(&table.name, Snapshot(at), persons).await?;
                rows += batches.iter().map(|b| b.num_rows() as u64).sum::<u64>();
            }
            out.insert(table.name.clone(), rows);
        }
        Ok(out)
    }
}
