//! One canonical table being built: a typed and a text column per field, as its schema says.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayBuilder as _, ArrayRef, Date32Builder, Float64Builder, RecordBatch,
        TimestampMicrosecondBuilder, UInt8Builder,
    },
    datatypes::{Field, Schema},
    error::ArrowError,
};
use kiban_formats::Position;
use kiban_kernel::{Id, kinds};
use kiban_lake::{
    Repeated,
    schema::{self, ColumnType, TableSchema},
};

use super::{COMMON, DAY, Ids, RowContext, RowsError, text_of};
use crate::{
    moments,
    quality::{END_BEFORE_START, FUTURE, Tally},
};

pub(super) struct TableBuilder {
    pub(super) name: &'static str,
    pub(super) schema: &'static TableSchema,
    pub(super) rows: usize,
    pub(super) common: Common,
    pub(super) slots: Vec<Slot>,
    /// Dates that lie ahead, and ends before their beginnings.
    pub(super) future: Tally,
    pub(super) backward: Tally,
}

/// What rows begin with. All but the position is the same for all rows of a segment: it is written out when the next one
/// comes.
#[derive(Default)]
pub(super) struct Common {
    person_source: Repeated,
    bases: UInt8Builder,
    holder: Repeated,
    delivery: Repeated,
    segment: Repeated,
    source_file: Repeated,
    position: Repeated,
    parser: Repeated,
    /// Of which segment, of which file, under which bases; and how many rows that were not written out.
    of: Option<(Id<kinds::Segment>, u64, u8)>,
    texts: [String; 6],
    rows: usize,
}

impl Common {
    pub(super) fn push(&mut self, context: &RowContext<'_>, ids: &mut Ids, at: &Position<'_>) {
        let of = Some((context.segment, context.file_number, context.bases.bits()));
        if self.of != of {
            self.write_out();
            self.of = of;
            let texts = [
                text_of(&mut ids.person, context.person_source),
                text_of(&mut ids.holder, context.holder),
                text_of(&mut ids.delivery, context.delivery),
                text_of(&mut ids.segment, context.segment),
                context.source_file,
                context.parser,
            ];
            for (slot, text) in self.texts.iter_mut().zip(texts) {
                text.clone_into(slot);
            }
        }
        self.rows += 1;
        at.with_text(|text| self.position.push(text));
    }

    fn write_out(&mut self) {
        let (rows, bases) = (std::mem::take(&mut self.rows), self.of.map_or(0, |(.., b)| b));
        if rows == 0 {
            return;
        }
        self.bases.append_value_n(bases, rows);
        let columns = [
            &mut self.person_source,
            &mut self.holder,
            &mut self.delivery,
            &mut self.segment,
            &mut self.source_file,
            &mut self.parser,
        ];
        for (column, text) in columns.into_iter().zip(&self.texts) {
            column.push_rows(text, rows);
        }
    }

    fn finish(&mut self) -> Result<[(&'static str, ArrayRef); 8], ArrowError> {
        self.write_out();
        Ok([
            ("person_source", self.person_source.finish()?),
            ("bases", Arc::new(self.bases.finish())),
            ("holder", self.holder.finish()?),
            ("delivery", self.delivery.finish()?),
            ("segment", self.segment.finish()?),
            ("source_file", self.source_file.finish()?),
            ("position", self.position.finish()?),
            ("parser", self.parser.finish()?),
        ])
    }
}

/// Where one column of a record goes: its typed column, its text column, or both.
pub(super) struct Slot {
    pub(super) column: &'static str,
    pub(super) part: Part,
    pub(super) typed: Typed,
    pub(super) text: Option<Repeated>,
    pub(super) filled: u64,
    pub(super) unreadable: u64,
}

/// What a day or moment of a record says of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Start,
    /// A beginning that may lie ahead.
    StartAhead,
    /// When a visit began.
    Visit,
    /// An end that may lie ahead.
    End,
    /// An end that lies behind.
    Discharge,
    Birth,
    /// Planned.
    Ahead,
    Other,
}

impl Part {
    fn of(table: &str, column: &str) -> Self {
        match (table, column) {
            ("person", "birth_on") => Self::Birth,
            ("encounter", "start_at") => Self::Visit,
            (_, "start_at" | "started_at" | "from_on" | "started_on" | "admitted_on") => {
                Self::Start
            }
            (_, "valid_from") => Self::StartAhead,
            (_, "end_at" | "ended_at" | "to_on" | "ended_on" | "valid_to") => Self::End,
            (_, "discharged_on") => Self::Discharge,
            (_, "planned_at") => Self::Ahead,
            _ => Self::Other,
        }
    }

    /// May it come after the day of receipt, as the end of an insurance may, or of a certification?
    pub(super) fn may_lie_ahead(self) -> bool {
        matches!(self, Self::StartAhead | Self::End | Self::Ahead)
    }
}

pub(super) enum Typed {
    None,
    Date(Date32Builder),
    Stamp(TimestampMicrosecondBuilder),
    Number(Float64Builder),
}

impl TableBuilder {
    pub(super) fn new(name: &'static str) -> Result<Self, RowsError> {
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
                part: Part::of(name, column),
                typed,
                text: has_text.then(Repeated::default),
                filled: 0,
                unreadable: 0,
            });
        }
        let table = Self {
            name,
            schema,
            rows: 0,
            common: Common::default(),
            slots,
            future: Tally::new(name, FUTURE),
            backward: Tally::new(name, END_BEFORE_START),
        };
        if table.schema.columns.len()
            != COMMON.len() + table.slots.iter().map(Slot::width).sum::<usize>()
        {
            return Err(misfit());
        }
        Ok(table)
    }

    pub(super) fn finish(&mut self) -> Result<RecordBatch, RowsError> {
        let refused = |source| RowsError::Batch { table: self.name, source };
        let mut arrays: Vec<(String, ArrayRef)> = Vec::with_capacity(self.schema.columns.len());
        let common = self.common.finish().map_err(refused)?;
        arrays.extend(common.map(|(name, array)| (name.to_owned(), array)));
        for slot in &mut self.slots {
            slot.fill_to(self.rows);
            let name = slot.column.to_owned();
            let typed: Option<ArrayRef> = match &mut slot.typed {
                Typed::None => None,
                Typed::Date(b) => Some(Arc::new(b.finish())),
                Typed::Stamp(b) => Some(Arc::new(b.finish())),
                Typed::Number(b) => Some(Arc::new(b.finish())),
            };
            let text = slot.text.as_mut().map(Repeated::finish).transpose().map_err(refused)?;
            match (typed, text) {
                (Some(typed), text) => {
                    if let Some(text) = text {
                        arrays.push((format!("{name}_text"), text));
                    }
                    arrays.push((name, typed));
                }
                (None, Some(text)) => arrays.push((name, text)),
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
        let fields = self.schema.columns.iter().zip(&ordered);
        let fields: Vec<_> = fields
            .map(|(c, array)| Field::new(&c.name, array.data_type().clone(), c.nullable))
            .collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), ordered)
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
        "claim" => r::ClaimRecord::COLUMNS,
        "claim_payer" => r::ClaimPayerRecord::COLUMNS,
        "claim_item" => r::ClaimItemRecord::COLUMNS,
        "dpc_stay" => r::DpcStayRecord::COLUMNS,
        "survey" => r::SurveyRecord::COLUMNS,
        "death" => r::DeathRecord::COLUMNS,
        "care_service" => r::CareServiceRecord::COLUMNS,
        "care_certification" => r::CareCertificationRecord::COLUMNS,
        "vaccination" => r::VaccinationRecord::COLUMNS,
        "allergy" => r::AllergyRecord::COLUMNS,
        "imaging_study" => r::ImagingStudyRecord::COLUMNS,
        "family_history" => r::FamilyHistoryRecord::COLUMNS,
        "service_order" => r::ServiceOrderRecord::COLUMNS,
        "residency" => r::ResidencyRecord::COLUMNS,
        "document" => r::DocumentRecord::COLUMNS,
        _ => &[],
    }
}

/// What was made of one value.
#[derive(Default)]
pub(super) struct ReadValue {
    pub(super) defect: Option<&'static str>,
    pub(super) micros: Option<i64>,
}

impl Slot {
    /// Columns of the schema it fills.
    fn width(&self) -> usize {
        usize::from(!matches!(self.typed, Typed::None)) + usize::from(self.text.is_some())
    }

    /// The value of a row, from 0. Rows that were passed over have none: most columns of most rows are empty, and cost
    /// nothing before the next value comes.
    pub(super) fn push(&mut self, row: usize, value: &str) -> ReadValue {
        if let Some(text) = &mut self.text {
            text.fill_to(row);
            text.push(value);
        }
        self.filled += 1;
        self.typed.fill_to(row);
        let read = self.typed.push(value);
        self.unreadable += u64::from(read.defect.is_some_and(|d| d.ends_with("unreadable")));
        read
    }

    fn fill_to(&mut self, rows: usize) {
        if let Some(text) = &mut self.text {
            text.fill_to(rows);
        }
        self.typed.fill_to(rows);
    }
}

impl Typed {
    fn fill_to(&mut self, rows: usize) {
        match self {
            Self::None => {}
            Self::Date(b) => b.append_nulls(rows - b.len()),
            Self::Stamp(b) => b.append_nulls(rows - b.len()),
            Self::Number(b) => b.append_nulls(rows - b.len()),
        }
    }

    fn push(&mut self, text: &str) -> ReadValue {
        match self {
            Self::None => ReadValue::default(),
            // Zeros are how fixed layouts say that there is no day (still in hospital).
            Self::Date(b) if text.bytes().all(|b| b == b'0') => {
                b.append_null();
                ReadValue::default()
            }
            Self::Date(b) => {
                let (micros, defect) = moments::instant(text);
                b.append_option(micros.map(|m| m.div_euclid(DAY) as i32));
                ReadValue { defect, micros: micros.map(|m| m.div_euclid(DAY) * DAY) }
            }
            Self::Stamp(b) => {
                let (micros, defect) = moments::instant(text);
                b.append_option(micros);
                ReadValue { defect, micros }
            }
            Self::Number(b) => {
                let number = moments::number(text);
                b.append_option(number);
                let defect = number.is_none().then_some("number.unreadable");
                ReadValue { defect, micros: None }
            }
        }
    }
}
