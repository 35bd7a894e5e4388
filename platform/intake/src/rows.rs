//! Records to Arrow: the canonical tables, exactly as the lake's schemas say.
//!
//! Enters: records and the context every stored row carries. Leaves: one batch per table. A date or
//! number that cannot be read leaves its typed column empty; its text is kept, the defect counted.

use arrow::{
    array::{
        ArrayRef, Date32Builder, Float64Builder, RecordBatch, StringBuilder,
        TimestampMicrosecondBuilder, UInt8Builder,
    },
    error::ArrowError,
};
use kiban_formats::Record;
use kiban_kernel::{Bases, Date, Id, kinds};
use kiban_lake::schema::{self, ColumnType, TableSchema};

use crate::{
    moments,
    place::FileRef,
    quality::{Aspect, END_BEFORE_START, FUTURE, GridCell, Quality},
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
    /// Arrow refused the columns.
    #[error("the rows of {table} do not make a batch")]
    Batch {
        /// Which table.
        table: &'static str,
        /// Why.
        #[source]
        source: ArrowError,
    },
}

impl RowsError {
    /// The sentence shown to staff.
    pub fn ja(&self) -> String {
        match self {
            Self::Schema { table } => {
                format!("表「{table}」の定義がソフトウェアの版と一致しません。")
            }
            Self::Batch { table, .. } => format!("表「{table}」の行を組み立てられません。"),
        }
    }
}

/// Collects rows of all canonical tables.
pub struct TableBuilders {
    tables: Vec<TableBuilder>,
    ids: Ids,
}

/// Text forms of the context's ids: written once per change, not once per row.
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

struct TableBuilder {
    name: &'static str,
    schema: &'static TableSchema,
    rows: usize,
    common: Common,
    slots: Vec<Slot>,
}

#[derive(Default)]
struct Common {
    person_source: StringBuilder,
    bases: UInt8Builder,
    holder: StringBuilder,
    delivery: StringBuilder,
    segment: StringBuilder,
    source_file: StringBuilder,
    position: StringBuilder,
    parser: StringBuilder,
}

/// Where one column of a record goes: its typed column, its text column, or both.
struct Slot {
    column: &'static str,
    typed: Typed,
    text: Option<StringBuilder>,
    filled: u64,
    unreadable: u64,
}

enum Typed {
    None,
    Date(Date32Builder),
    Stamp(TimestampMicrosecondBuilder),
    Number(Float64Builder),
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
        let at = table_index(record);
        let table = &mut self.tables[at];
        let common = &mut table.common;
        common.person_source.append_value(text_of(&mut self.ids.person, context.person_source));
        common.bases.append_value(context.bases.bits());
        common.holder.append_value(text_of(&mut self.ids.holder, context.holder));
        common.delivery.append_value(text_of(&mut self.ids.delivery, context.delivery));
        common.segment.append_value(text_of(&mut self.ids.segment, context.segment));
        common.source_file.append_value(context.source_file);
        common.position.append_value(record.position());
        common.parser.append_value(context.parser);
        table.rows += 1;
        let name = table.name;
        let mut slots = table.slots.iter_mut();
        let mut period: (Option<i64>, Option<i64>) = (None, None);
        record.for_each(|column, value| {
            let Some(slot) = slots.next() else { return };
            let read = slot.push(value);
            if let Some(rule) = read.defect {
                quality.add(rule, 1, || {
                    let file = FileRef::new(context.file_number, context.source_file);
                    (file, format!("{} {name}.{column}", record.position()))
                });
            }
            if let Some(micros) = read.micros {
                plausible_now(context, name, column, record, micros, quality);
                match column {
                    "start_at" | "started_at" | "from_on" => period.0 = Some(micros),
                    "end_at" | "ended_at" | "to_on" => period.1 = Some(micros),
                    _ => {}
                }
                observe(context, record, column, micros, quality);
            }
        });
        if let (Some(start), Some(end)) = period {
            // A day without a time is its midnight: compare days, unless both carry a time.
            let bad = end.div_euclid(DAY) < start.div_euclid(DAY);
            quality.checked(name, END_BEFORE_START, bad);
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

    /// The batches of what was collected, by table; empty tables are left out. The builders are empty
    /// afterwards and may be used on: call this whenever [`Self::rows`] grows large.
    ///
    /// # Errors
    /// Arrow refused, which a test excludes.
    pub fn finish(&mut self) -> Result<Vec<(&'static str, RecordBatch)>, RowsError> {
        self.tables.iter_mut().filter(|t| t.rows > 0).map(|t| Ok((t.name, t.finish()?))).collect()
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
    /// Adds finished batches.
    pub fn add(&mut self, batches: &[(&'static str, RecordBatch)]) {
        for (table, batch) in batches {
            *self.0.entry((*table).to_owned()).or_default() += batch.num_rows() as u64;
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

fn table_index(record: &Record<'_>) -> usize {
    match record {
        Record::Person(_) => 0,
        Record::Encounter(_) => 1,
        Record::Condition(_) => 2,
        Record::Medication(_) => 3,
        Record::Procedure(_) => 4,
        Record::Measurement(_) => 5,
        Record::Note(_) => 6,
        Record::Coverage(_) => 7,
        Record::Checkup(_) => 8,
        Record::Death(_) => 9,
    }
}

fn day_of(micros: i64) -> Option<Date> {
    jiff::Timestamp::from_microsecond(micros)
        .ok()
        .map(|t| jiff::tz::Offset::UTC.to_datetime(t).date())
}

fn plausible_now(
    context: &RowContext<'_>,
    table: &'static str,
    column: &'static str,
    record: &Record<'_>,
    micros: i64,
    quality: &mut Quality,
) {
    // The end of an insurance or a planned date may lie ahead.
    if matches!(column, "to_on" | "end_at" | "ended_at") {
        return;
    }
    let bad = day_of(micros).is_some_and(|d| d > context.received_on);
    quality.checked(table, FUTURE, bad);
    if bad {
        quality.add(FUTURE, 1, || {
            let file = FileRef::new(context.file_number, context.source_file);
            (file, format!("{} {table}.{column}", record.position()))
        });
    }
}

fn observe(
    context: &RowContext<'_>,
    record: &Record<'_>,
    column: &str,
    micros: i64,
    quality: &mut Quality,
) {
    let Some(day) = day_of(micros) else { return };
    match (record, column) {
        (Record::Person(_), "birth_on") => quality.birth(context.person_source, day),
        (Record::Encounter(_), "start_at") => {
            quality.visit(context.person_source, day, context.file_number, context.line);
        }
        _ => {}
    }
}

impl TableBuilder {
    fn new(name: &'static str) -> Result<Self, RowsError> {
        let misfit = || RowsError::Schema { table: name };
        let schema = schema::table(name).ok_or_else(misfit)?;
        let columns = columns_of(name);
        let mut slots = Vec::with_capacity(columns.len());
        for column in columns {
            let own = schema.column(column).ok_or_else(misfit)?;
            let typed = match own.kind {
                ColumnType::Utf8 => Typed::None,
                ColumnType::Date => Typed::Date(Date32Builder::new()),
                ColumnType::Timestamp => Typed::Stamp(TimestampMicrosecondBuilder::new()),
                ColumnType::Float64 => Typed::Number(Float64Builder::new()),
                _ => return Err(misfit()),
            };
            let beside = format!("{column}_text");
            let has_text = matches!(typed, Typed::None)
                || (schema.column(&beside).is_some() && !columns.contains(&beside.as_str()));
            slots.push(Slot {
                column,
                typed,
                text: has_text.then(StringBuilder::new),
                filled: 0,
                unreadable: 0,
            });
        }
        let table = Self { name, schema, rows: 0, common: Common::default(), slots };
        if table.schema.columns.len()
            != COMMON.len() + table.slots.iter().map(Slot::width).sum::<usize>()
        {
            return Err(misfit());
        }
        Ok(table)
    }

    fn finish(&mut self) -> Result<RecordBatch, RowsError> {
        let c = &mut self.common;
        let mut arrays: Vec<(String, ArrayRef)> = vec![
            ("person_source".into(), std::sync::Arc::new(c.person_source.finish())),
            ("bases".into(), std::sync::Arc::new(c.bases.finish())),
            ("holder".into(), std::sync::Arc::new(c.holder.finish())),
            ("delivery".into(), std::sync::Arc::new(c.delivery.finish())),
            ("segment".into(), std::sync::Arc::new(c.segment.finish())),
            ("source_file".into(), std::sync::Arc::new(c.source_file.finish())),
            ("position".into(), std::sync::Arc::new(c.position.finish())),
            ("parser".into(), std::sync::Arc::new(c.parser.finish())),
        ];
        for slot in &mut self.slots {
            let name = slot.column.to_owned();
            let typed: Option<ArrayRef> = match &mut slot.typed {
                Typed::None => None,
                Typed::Date(b) => Some(std::sync::Arc::new(b.finish())),
                Typed::Stamp(b) => Some(std::sync::Arc::new(b.finish())),
                Typed::Number(b) => Some(std::sync::Arc::new(b.finish())),
            };
            let text = slot.text.as_mut().map(StringBuilder::finish);
            match (typed, text) {
                (Some(typed), text) => {
                    arrays.push((name.clone(), typed));
                    if let Some(text) = text {
                        arrays.push((format!("{name}_text"), std::sync::Arc::new(text)));
                    }
                }
                (None, Some(text)) => arrays.push((name, std::sync::Arc::new(text))),
                (None, None) => {}
            }
        }
        self.rows = 0;
        let mut ordered = Vec::with_capacity(arrays.len());
        for column in &self.schema.columns {
            let at = arrays
                .iter()
                .position(|(n, _)| *n == column.name)
                .ok_or(RowsError::Schema { table: self.name })?;
            ordered.push(arrays.swap_remove(at).1);
        }
        RecordBatch::try_new(self.schema.arrow(), ordered)
            .map_err(|source| RowsError::Batch { table: self.name, source })
    }
}

fn columns_of(table: &str) -> &'static [&'static str] {
    use kiban_formats::record as r;
    match table {
        "person" => r::PersonRecord::COLUMNS,
        "encounter" => r::EncounterRecord::COLUMNS,
        "condition" => r::ConditionRecord::COLUMNS,
        "medication" => r::MedicationRecord::COLUMNS,
        "procedure" => r::ProcedureRecord::COLUMNS,
        "measurement" => r::MeasurementRecord::COLUMNS,
        "note" => r::NoteRecord::COLUMNS,
        "coverage" => r::CoverageRecord::COLUMNS,
        "checkup" => r::CheckupRecord::COLUMNS,
        "death" => r::DeathRecord::COLUMNS,
        _ => &[],
    }
}

/// What was made of one value.
#[derive(Default)]
struct ReadValue {
    defect: Option<&'static str>,
    micros: Option<i64>,
}

impl Slot {
    /// Columns of the schema it fills.
    fn width(&self) -> usize {
        usize::from(!matches!(self.typed, Typed::None)) + usize::from(self.text.is_some())
    }

    fn push(&mut self, value: Option<&str>) -> ReadValue {
        if let Some(text) = &mut self.text {
            text.append_option(value);
        }
        self.filled += u64::from(value.is_some());
        let mut read = ReadValue::default();
        match (&mut self.typed, value) {
            (Typed::None, _) => {}
            (Typed::Date(b), None) => b.append_null(),
            (Typed::Stamp(b), None) => b.append_null(),
            (Typed::Number(b), None) => b.append_null(),
            (Typed::Date(b), Some(text)) => {
                let (micros, defect) = moments::instant(text);
                b.append_option(micros.map(|m| m.div_euclid(DAY) as i32));
                read = ReadValue { defect, micros: micros.map(|m| m.div_euclid(DAY) * DAY) };
            }
            (Typed::Stamp(b), Some(text)) => {
                let (micros, defect) = moments::instant(text);
                b.append_option(micros);
                read = ReadValue { defect, micros };
            }
            (Typed::Number(b), Some(text)) => {
                let number = moments::number(text);
                b.append_option(number);
                read.defect = number.is_none().then_some("number.unreadable");
            }
        }
        self.unreadable += u64::from(read.defect.is_some_and(|d| d.ends_with("unreadable")));
        read
    }
}

#[cfg(test)]
mod tests;
