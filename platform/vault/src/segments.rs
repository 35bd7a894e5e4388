//! Rows of the lake table `source_segment`: where each segment's bytes are, and what was read from it.

use std::{fmt, sync::Arc};

use arrow::{
    array::{Array as _, AsArray as _, Int64Array, RecordBatch, StringArray, UInt8Array},
    datatypes::Int64Type,
};
use kiban_intake::SegmentPosition;
use kiban_kernel::{Id, kinds};
use kiban_lake::{Columns as Lot, LakeError, SegmentPlace, Values};

use crate::{VaultError, bases::TableBases};

pub(crate) const TABLE: &str = "source_segment";

/// One row.
#[derive(Clone)]
pub(crate) struct SegmentRow {
    pub(crate) person: Id<kinds::PersonSource>,
    pub(crate) segment: Id<kinds::Segment>,
    pub(crate) holder: Id<kinds::Organization>,
    pub(crate) delivery: Id<kinds::Delivery>,
    pub(crate) source_file: Arc<str>,
    pub(crate) position: SegmentPosition,
    pub(crate) parser: &'static str,
    pub(crate) format: &'static str,
    pub(crate) tables: TableBases,
    /// Container, first byte, length; `None` if the bytes are not kept.
    pub(crate) place: Option<(Id<kinds::File>, u64, u64)>,
}

pub(crate) fn columns(rows: &[SegmentRow]) -> Result<Lot, LakeError> {
    let bases: UInt8Array = rows.iter().map(|r| Some(r.tables.all().bits())).collect();
    let start: Int64Array =
        rows.iter().map(|r| Some(r.place.map_or(0, |(_, s, _)| s as i64))).collect();
    let length: Int64Array =
        rows.iter().map(|r| Some(r.place.map_or(0, |(_, _, l)| l as i64))).collect();
    let columns = [
        ("person_source", Values::of(rows, |r| r.person)),
        ("bases", Values::Array(Arc::new(bases))),
        ("holder", Values::of(rows, |r| r.holder)),
        ("delivery", Values::of(rows, |r| r.delivery)),
        ("segment", Values::unlike(rows, |r| r.segment)),
        ("source_file", Values::of(rows, |r| &*r.source_file)),
        ("position", Values::unlike(rows, |r| r.position)),
        ("parser", Values::of(rows, |r| r.parser)),
        ("format", Values::of(rows, |r| r.format)),
        ("container", Values::of(rows, |r| IfAny(r.place.map(|(file, _, _)| file)))),
        ("start", Values::Array(Arc::new(start))),
        ("length", Values::Array(Arc::new(length))),
        ("kinds", Values::of(rows, |r| r.tables)),
    ];
    let columns = columns.into_iter().map(|(name, values)| (Some(name), values)).collect();
    Lot::new(TABLE, rows.len(), Vec::new(), columns)
}

/// What is shown if there is anything.
#[derive(PartialEq)]
pub(crate) struct IfAny<T>(pub(crate) Option<T>);

impl<T: fmt::Display> fmt::Display for IfAny<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |any| any.fmt(f))
    }
}

/// Typed columns of a scanned batch.
pub(crate) struct Columns<'a>(pub(crate) &'a RecordBatch);

impl<'a> Columns<'a> {
    pub(crate) fn text(&self, column: &'static str) -> Result<&'a StringArray, VaultError> {
        self.0
            .column_by_name(column)
            .and_then(|c| c.as_string_opt::<i32>())
            .ok_or(VaultError::Column { table: TABLE, column })
    }
    pub(crate) fn int(&self, column: &'static str) -> Result<&'a Int64Array, VaultError> {
        self.0
            .column_by_name(column)
            .and_then(|c| c.as_primitive_opt::<Int64Type>())
            .ok_or(VaultError::Column { table: TABLE, column })
    }
    pub(crate) fn id<K: kiban_kernel::Kind>(
        &self,
        column: &'static str,
        row: usize,
    ) -> Result<Id<K>, VaultError> {
        self.text(column)?
            .value(row)
            .parse()
            .map_err(|_| VaultError::Column { table: TABLE, column })
    }
    pub(crate) fn tables(&self, row: usize) -> Result<TableBases, VaultError> {
        TableBases::from_text(self.text("kinds")?.value(row))
            .ok_or(VaultError::Column { table: TABLE, column: "kinds" })
    }
    /// Where the bytes are; `None` if they are not kept.
    pub(crate) fn place(&self, row: usize) -> Result<Option<SegmentPlace>, VaultError> {
        let container = self.text("container")?;
        if container.is_null(row) || container.value(row).is_empty() {
            return Ok(None);
        }
        let number = |column| -> Result<u64, VaultError> {
            u64::try_from(self.int(column)?.value(row))
                .map_err(|_| VaultError::Column { table: TABLE, column })
        };
        Ok(Some(SegmentPlace {
            segment: self.id("segment", row)?,
            file: self.id("container", row)?,
            start: number("start")?,
            length: number("length")?,
        }))
    }
}
