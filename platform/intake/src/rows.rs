//! Records to Arrow: the canonical tables, exactly as the lake's schemas say.
//!
//! Enters: records and the context every stored row carries. Leaves: the columns of each table. A date or
//! number that cannot be read leaves its typed column empty; its text is kept, the defect counted.

mod provenance;
mod table;
mod taken;

use kiban_formats::Record;
use kiban_kernel::{Bases, Date, Id, kinds};
use kiban_lake::LakeError;

use self::table::{Part, TableBuilder, Typed};
pub use self::taken::{Spare, TableRows};
use crate::{
    moments::days_since_epoch,
    place::FileRef,
    quality::{Aspect, Context, END_BEFORE_START, FUTURE, GridCell, Quality},
    validation::class_of,
};

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
    /// Regimes the rows are cleared for.
    pub bases: Bases,
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
    /// Day of receipt (Japan): later dates are implausible.
    pub received_on: Date,
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
    /// Empty builders for every canonical table.
    ///
    /// # Errors
    /// The lake's schemas do not fit the records of this version.
    pub fn new() -> Result<Self, RowsError> {
        let tables =
            Record::TABLES.iter().map(|t| TableBuilder::new(t)).collect::<Result<_, _>>()?;
        Ok(Self { tables, ids: Ids::default() })
    }

    /// Adds one record; defects of its dates and numbers go to `quality`.
    pub fn push(&mut self, context: &RowContext<'_>, record: &Record<'_>, quality: &mut Quality) {
        let at = record.table_index();
        let table = &mut self.tables[at];
        let row = table.rows;
        table.provenance.push(context, &mut self.ids, record.position(), row);
        table.rows += 1;
        let name = table.name;
        let (future, backward) = (&mut table.future, &mut table.backward);
        let slots = &mut table.slots[..];
        let mut period: (Option<i64>, Option<i64>) = (None, None);
        let received = i64::from(days_since_epoch(context.received_on));
        record.for_each_filled(&mut |at, value| {
            let slot = &mut slots[at];
            if slot.typed == Typed::None {
                return slot.push_text(row, value);
            }
            let read = slot.push(row, value);
            let place = |record: &Record<'_>| {
                let file = FileRef::new(context.file_number, context.source_file);
                (file, format!("{} {name}.{}", record.position(), slot.column))
            };
            if let Some(rule) = read.defect {
                quality.add(rule, 1, || place(record));
            }
            let Some(micros) = read.micros else { return };
            let day = micros.div_euclid(DAY);
            if !slot.part.may_lie_ahead() {
                let bad = day > received;
                quality.tally(future, bad);
                if bad {
                    quality.add(FUTURE, 1, || place(record));
                }
            }
            match slot.part {
                Part::Start | Part::Visit | Part::StartAhead => period.0 = Some(micros),
                Part::End | Part::Discharge => period.1 = Some(micros),
                Part::Birth | Part::Ahead | Part::Other => {}
            }
            let dated = matches!(slot.part, Part::Birth | Part::Visit);
            if let Some(day) = dated.then(|| day_of(micros)).flatten() {
                let (person, file) = (context.person_source, context.file_number);
                match slot.part {
                    Part::Birth => quality.birth(person, day),
                    _ => quality.visit(person, day, file, context.line),
                }
            }
        });
        if let Record::Person(person) = record {
            let birth = person.birth_on.and_then(|t| kiban_kernel::parse_date(t).ok());
            let class = class_of(person.sex, birth, context.received_on);
            quality.class(context.person_source, &class);
        }
        if let (Some(start), Some(end)) = period {
            // A day without a time is its midnight: compare days, unless both carry a time.
            let bad = end.div_euclid(DAY) < start.div_euclid(DAY);
            quality.tally(backward, bad);
            if bad {
                quality.add(END_BEFORE_START, 1, || {
                    (
                        FileRef::new(context.file_number, context.source_file),
                        format!("{} {name}", record.position()),
                    )
                });
            }
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

fn day_of(micros: i64) -> Option<Date> {
    jiff::Timestamp::from_microsecond(micros)
        .ok()
        .map(|t| jiff::tz::Offset::UTC.to_datetime(t).date())
}

#[cfg(test)]
mod tests;
