//! Records to Arrow: the canonical tables, exactly as the lake's schemas say.
//!
//! Enters: records and the context every stored row carries. Leaves: the columns of each table. A date or
//! number that cannot be read leaves its typed column empty; its text is kept, the defect counted.

mod provenance;
mod push;
mod table;
mod taken;

use std::mem;

use kiban_formats::Record;
use kiban_kernel::{Bases, Date, Id, kinds};
use kiban_lake::LakeError;

pub use self::{
    push::Kept,
    taken::{Spare, TableRows},
};
use self::{
    push::{Cells, Origin, Pushed, emptied},
    table::{TableBuilder, Typed},
};
use crate::quality::{Aspect, Context, GridCell, Quality};
use kiban_lake::id_table::Place;

/// The columns every stored row begins with.
pub const COMMON: [&str; 8] = [
    "person_source",
    "bases",
    "holder",
    "delivery",
    "segment",
    "source_file",
    "position",
    "parser",
];

/// What every row of one segment carries.
#[derive(Debug, Clone, Copy)]
pub struct RowContext<'a> {
    /// The person at this holder.
    pub person_source: Id<kinds::PersonSource>,
    /// The person's place in the table of those who are told of: what is noted of the quality names persons so.
    pub person: Place,
    /// The holder.
    pub holder: Id<kinds::Organization>,
    /// The delivery.
    pub delivery: Id<kinds::Delivery>,
    /// The segment.
    pub segment: Id<kinds::Segment>,
    /// Path of the file inside the delivery.
    pub source_file: &'a str,
    /// The file's place in the delivery, for positions in the report.
    pub file_number: u64,
    /// Line or row of the segment.
    pub line: u64,
    /// Reader and version.
    pub parser: &'a str,
}

/// Why batches could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// A canonical table has no schema, or a column of a record is missing in it.
    #[error("table {table} and its schema do not fit")]
    Schema {
        /// Which table.
        table: &'static str,
    },
    /// The lake refused the columns.
    #[error("the columns of {table} do not make a table")]
    Columns {
        /// Which table.
        table: &'static str,
        /// Why.
        #[source]
        source: Box<LakeError>,
    },
}

impl RowsError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::Schema { table } => {
                format!("表「{table}」の定義がソフトウェアの版と一致しません。")
            }
            Self::Columns { table, .. } => format!("表「{table}」の行を組み立てられません。"),
        }
    }
}

/// Collects rows of all canonical tables.
pub struct TableBuilders {
    tables: Vec<TableBuilder>,
    ids: Ids,
    received_on: Date,
    /// Room for the values of the next segments, by table and column.
    cells: Vec<Vec<Cells<'static>>>,
}

/// Text forms of the context's ids: written once per change, not once per table.
#[derive(Default)]
struct Ids {
    person: Option<(Id<kinds::PersonSource>, String)>,
    holder: Option<(Id<kinds::Organization>, String)>,
    delivery: Option<(Id<kinds::Delivery>, String)>,
    segment: Option<(Id<kinds::Segment>, String)>,
}

fn text_of<K: kiban_kernel::Kind>(slot: &mut Option<(Id<K>, String)>, id: Id<K>) -> &str {
    if slot.as_ref().is_none_or(|(known, _)| *known != id) {
        *slot = Some((id, id.to_string()));
    }
    slot.as_ref().map_or("", |(_, text)| text)
}

impl std::fmt::Debug for TableBuilders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TableBuilders({} rows)", self.rows())
    }
}

impl TableBuilders {
    /// Empty builders for every canonical table. `received_on`: the day of receipt (Japan), later dates are implausible.
    ///
    /// # Errors
    /// The lake's schemas do not fit the records of this version.
    pub fn new(received_on: Date) -> Result<Self, RowsError> {
        let tables: Vec<TableBuilder> =
            Record::TABLES.iter().map(|t| TableBuilder::new(t)).collect::<Result<_, _>>()?;
        let cells = tables.iter().map(|table| vec![Vec::new(); table.slots.len()]).collect();
        Ok(Self { tables, ids: Ids::default(), received_on, cells })
    }

    /// Adds the records of some segments. Defects of their dates and numbers go to `quality`.
    pub fn push<B: Fn(usize) -> Option<Bases>>(
        &mut self,
        segments: &[Kept<'_, B>],
        quality: &mut Quality,
    ) {
        let mut used = 0_u32;
        for record in segments.iter().flat_map(|kept| kept.records) {
            used |= 1 << record.table_index();
        }
        let is_used = |at: usize| used & 1 << at != 0;
        // Most tables have no rows in most segments: their lists are left alone.
        let lists = self.cells.iter_mut().enumerate();
        let mut cells: Vec<Vec<Cells<'_>>> = lists
            .map(|(at, cells)| if is_used(at) { emptied(mem::take(cells)) } else { Vec::new() })
            .collect();
        for (segment, kept) in (0..).zip(segments) {
            // Of which tables the segment has rows, and which are asked for none of it.
            let (mut begun, mut passed) = (0_u32, 0_u32);
            for (record, of) in (0..).zip(kept.records) {
                let at = of.table_index();
                let bit = 1 << at;
                let table = &mut self.tables[at];
                if begun & bit == 0 {
                    let bases = if passed & bit == 0 { (kept.bases)(at) } else { None };
                    let Some(bases) = bases else {
                        passed |= bit;
                        continue;
                    };
                    table.provenance.begin(&kept.context, bases, &mut self.ids);
                    begun |= bit;
                }
                table.provenance.push(of.position());
                // A lot holds fewer rows than that: each takes more than a byte of memory.
                let row = table.rows as u32;
                table.rows += 1;
                table.begun.push(Origin { segment, record });
                let cells = &mut cells[at];
                of.for_each_filled(&mut |column, value| cells[column].push((row, value)));
            }
            for (at, table) in self.tables.iter_mut().enumerate() {
                if begun & 1 << at != 0 {
                    table.provenance.end(table.rows);
                }
            }
        }
        let received_on = self.received_on;
        let mut pushed = Pushed { segments, quality, received_on, noted: Vec::new() };
        for (table, cells) in self.tables.iter_mut().zip(&cells) {
            if !table.begun.is_empty() {
                table.fill(cells, &mut pushed);
            }
        }
        pushed.count_defects();
        for (at, cells) in cells.into_iter().enumerate().filter(|(at, _)| is_used(*at)) {
            self.cells[at] = emptied(cells);
        }
    }

    /// Rows collected so far.
    pub fn rows(&self) -> usize {
        self.tables.iter().map(|t| t.rows).sum()
    }

    /// What was collected for the tables that have so many rows; the others go on collecting.
    pub fn take_large(&mut self, least: usize) -> Vec<TableRows> {
        self.tables.iter_mut().filter(|t| t.rows >= least).map(TableBuilder::take).collect()
    }

    /// Takes room for rows to come.
    pub fn restock(&mut self, spare: Spare) {
        if let Some(table) = self.tables.iter_mut().find(|t| t.name == spare.table) {
            table.spare = Some(spare);
        }
    }

    /// The conformance and completeness cells of everything pushed, also of what was finished before.
    pub fn grid(&self, totals: &RowTotals) -> Vec<GridCell> {
        let mut out = Vec::new();
        for table in &self.tables {
            let rows = totals.of(table.name) + table.rows as u64;
            if rows == 0 {
                continue;
            }
            for slot in &table.slots {
                let cell = |aspect, checked, failed| GridCell {
                    table: table.name.to_owned(),
                    check: slot.column.to_owned(),
                    aspect,
                    context: Context::Verification,
                    checked,
                    failed,
                };
                out.push(cell(Aspect::Completeness, rows, rows - slot.filled));
                if !matches!(slot.typed, Typed::None) {
                    out.push(cell(Aspect::Conformance, slot.filled, slot.unreadable));
                }
            }
        }
        out
    }
}

/// Rows per table that left the builders.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct RowTotals(std::collections::BTreeMap<String, u64>);

impl RowTotals {
    /// Adds rows that were taken.
    pub fn add(&mut self, rows: &TableRows) {
        *self.0.entry(rows.name().to_owned()).or_default() += rows.len() as u64;
    }
    /// Rows that left again before they were visible.
    pub fn subtract(&mut self, table: &str, rows: u64) {
        if let Some(n) = self.0.get_mut(table) {
            *n = n.saturating_sub(rows);
        }
    }
    /// Rows of one table.
    pub fn of(&self, table: &str) -> u64 {
        self.0.get(table).copied().unwrap_or(0)
    }
    /// By table.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(t, n)| (t.as_str(), *n))
    }
}

const DAY: i64 = 86_400_000_000;

#[cfg(test)]
mod tests;
