//! From a row of a submitted dataset back to the record it was made from.
//!
//! The dataset is made again from its manifest and must be the delivered one, byte for byte; then the row's number means
//! the row. The person is found by the id shown; of the person's rows in the lake that row is the source which agrees in
//! every column that the specification keeps. Only the rows asked for are looked at.

use arrow::array::{AsArray as _, RecordBatch};
use kiban_audit::{Identified, Receipt};
use kiban_deid::spec::Rule;
use kiban_kernel::{Digest, Id, kinds};
use kiban_lake::Snapshot;
use kiban_register::link;
use kiban_vault::{Vault, VaultError};

use super::{Cell, EnquiryRefused, OpenedRow, RowAsked, SourceOf};
use crate::{
    Deployment, Error,
    inspect::texts,
    produce_dataset::{Basis, payload},
    rebuild_dataset::recorded,
    run_dataset::{Content, Stand, run},
};

type DatasetId = Id<kinds::Dataset>;

/// A delivered dataset, made again and found to be the same.
pub(super) struct Again {
    pub(super) manifest: kiban_release::Manifest,
    pub(super) payload: kiban_deliver::Payload,
    content: Content,
    basis: Basis,
}

/// Makes it again.
///
/// # Errors
/// Stops came since that change it, or it differs for no such reason.
pub(super) async fn again(on: &Deployment, dataset: DatasetId) -> Result<Again, Error> {
    let (manifest, basis) = recorded(on, dataset).await?;
    let stand = Stand::recorded(&manifest);
    let (content, since) = Box::pin(run(on, &basis, &stand)).await?;
    let payload = payload(&basis, &content)?;
    if payload.is_of(&manifest).is_err() {
        let stops = since.len() as u64;
        return Err(if stops == 0 {
            Error::PayloadDiffers
        } else {
            EnquiryRefused::Stopped { stops }.into()
        });
    }
    Ok(Again { manifest, payload, content, basis })
}

/// The batch and the place in it of a row, counted from 1 over the batches.
fn at(batches: &[RecordBatch], row: u64) -> Option<(&RecordBatch, usize)> {
    let mut before = 0;
    for batch in batches {
        let here = batch.num_rows() as u64;
        if row > before && row <= before + here {
            return Some((batch, usize::try_from(row - before - 1).ok()?));
        }
        before += here;
    }
    None
}

impl Again {
    fn table(&self, name: &str) -> Option<&[RecordBatch]> {
        let tables = self.content.produced().tables();
        tables.iter().find(|(table, _)| table == name).map(|(_, batches)| batches.as_slice())
    }

    /// Columns of a table that reach this product as they are.
    fn kept(&self, table: &str, column: &str) -> bool {
        let document = self.basis.spec.document();
        let spec = document.tables.get(table).and_then(|t| t.columns.get(column));
        spec.is_some_and(|c| matches!(c.pseudonymized, Some(Rule::Keep)))
    }
}

/// A row of the lake beside the submitted one.
struct Candidate {
    agrees: usize,
    source: Id<kinds::PersonSource>,
    segment: Id<kinds::Segment>,
    holder: String,
    place: String,
    cells: Vec<Option<String>>,
}

fn damaged() -> Error {
    Error::Unknown { what: "row of the lake" }
}

/// The row of a batch, as texts by column; `None` where the batch has no such column.
fn cells(batch: &RecordBatch, row: usize, names: &[String]) -> Result<Vec<Option<String>>, Error> {
    names
        .iter()
        .map(|name| match batch.column_by_name(name) {
            Some(_) => Ok(texts(&batch.slice(row, 1), name)?.pop().flatten()),
            None => Ok(None),
        })
        .collect()
}

/// Opens one row.
pub(super) async fn open(
    on: &Deployment,
    of: &Again,
    asked: &RowAsked,
    receipt: &Receipt,
) -> Result<OpenedRow, Error> {
    let batches = of.table(&asked.table).ok_or(EnquiryRefused::NoRow)?;
    let (batch, row) = at(batches, asked.row).ok_or(EnquiryRefused::NoRow)?;
    let shown = batch.column(0).as_string::<i32>().value(row);
    let person = of.content.produced().person_of(shown).ok_or_else(damaged)?;
    let names: Vec<String> =
        batch.schema().fields().iter().skip(1).map(|f| f.name().clone()).collect();
    let submitted = cells(batch, row, &names)?;
    let snapshot = Snapshot(of.manifest.snapshot);
    let sources: Vec<Id<kinds::PersonSource>> = link::at(&on.lake, snapshot)
        .await?
        .into_iter()
        .filter(|(_, of)| of.to_string() == person)
        .map(|(source, _)| source)
        .collect();
    let vault = Vault::new(on.lake.clone());
    let rows = vault.read_persons(&asked.table, snapshot, &sources).await?.open(receipt);
    // Standard codes are made when rows are read for a product: the source has none of its own to agree with.
    let stored: Vec<bool> = names
        .iter()
        .map(|name| {
            of.kept(&asked.table, name)
                && rows.first().is_some_and(|batch| batch.column_by_name(name).is_some())
        })
        .collect();
    let mut candidates = Vec::new();
    for batch in &rows {
        let column = |name: &str| texts(batch, name);
        let (sources, segments, holders) =
            (column("person_source")?, column("segment")?, column("holder")?);
        let (files, positions) = (column("source_file")?, column("position")?);
        for row in 0..batch.num_rows() {
            let found = cells(batch, row, &names)?;
            let agrees = stored
                .iter()
                .zip(&found)
                .zip(&submitted)
                .filter(|((stored, a), b)| **stored && a == b)
                .count();
            let text = |of: &[Option<String>]| of[row].clone().unwrap_or_default();
            candidates.push(Candidate {
                agrees,
                source: text(&sources).parse().map_err(|_| damaged())?,
                segment: text(&segments).parse().map_err(|_| damaged())?,
                holder: text(&holders),
                place: format!("{} {}", text(&files), text(&positions)).trim().to_owned(),
                cells: found,
            });
        }
    }
    let best = candidates.iter().map(|c| c.agrees).max().ok_or_else(damaged)?;
    candidates.retain(|c| c.agrees == best);
    let whole = stored.iter().filter(|stored| **stored).count();
    let mut conn = on.reader().await?;
    let mut sources = Vec::new();
    for candidate in &candidates {
        let known = sources.iter().any(|s: &SourceOf| s.place == candidate.place);
        if known {
            continue;
        }
        let bytes =
            vault.trace(&mut conn, candidate.source, candidate.segment, snapshot, receipt).await;
        let (sha256, bytes, format) = match bytes {
            Ok(source) => {
                let sealed = Identified::seal(source.bytes).open(receipt);
                (Some(Digest::of(&sealed)), sealed.len() as u64, source.format)
            }
            Err(VaultError::NoBytes | VaultError::NoSegment) => (None, 0, String::new()),
            Err(e) => return Err(e.into()),
        };
        sources.push(SourceOf {
            holder: candidate.holder.clone(),
            format,
            sha256,
            bytes,
            place: candidate.place.clone(),
        });
    }
    let source = candidates.into_iter().next().map(|c| c.cells).unwrap_or_default();
    Ok(OpenedRow {
        table: asked.table.clone(),
        row: asked.row,
        cells: names
            .into_iter()
            .zip(submitted)
            .zip(source)
            .map(|((column, submitted), source)| Cell { column, submitted, source })
            .collect(),
        sources,
        agrees: best == whole,
    })
}
