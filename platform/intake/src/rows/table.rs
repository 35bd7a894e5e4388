//! One canonical table being built: a typed and a text column per field, as its schema says.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, Date32Builder, Float64Builder, RecordBatch, StringBuilder,
        TimestampMicrosecondBuilder, UInt8Builder,
    },
    datatypes::{Field, Schema},
};
use kiban_lake::{
    Repeated,
    schema::{self, ColumnType, TableSchema},
};

use super::{COMMON, DAY, RowsError};
use crate::moments;

pub(super) struct TableBuilder {
    pub(super) name: &'static str,
    pub(super) schema: &'static TableSchema,
    pub(super) rows: usize,
    pub(super) common: Common,
    pub(super) slots: Vec<Slot>,
}

#[derive(Default)]
pub(super) struct Common {
    pub(super) person_source: Repeated,
    pub(super) bases: UInt8Builder,
    pub(super) holder: Repeated,
    pub(super) delivery: Repeated,
    pub(super) segment: Repeated,
    pub(super) source_file: Repeated,
    pub(super) position: StringBuilder,
    pub(super) parser: Repeated,
}

/// Where one column of a record goes: its typed column, its text column, or both.
pub(super) struct Slot {
    pub(super) column: &'static str,
    pub(super) part: Part,
    pub(super) typed: Typed,
    pub(super) text: Option<StringBuilder>,
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

    pub(super) fn finish(&mut self) -> Result<RecordBatch, RowsError> {
        let c = &mut self.common;
        let mut arrays: Vec<(String, ArrayRef)> = vec![
            ("person_source".into(), c.person_source.finish()),
            ("bases".into(), Arc::new(c.bases.finish())),
            ("holder".into(), c.holder.finish()),
            ("delivery".into(), c.delivery.finish()),
            ("segment".into(), c.segment.finish()),
            ("source_file".into(), c.source_file.finish()),
            ("position".into(), Arc::new(c.position.finish())),
            ("parser".into(), c.parser.finish()),
        ];
        for slot in &mut self.slots {
            let name = slot.column.to_owned();
            let typed: Option<ArrayRef> = match &mut slot.typed {
                Typed::None => None,
                Typed::Date(b) => Some(Arc::new(b.finish())),
                Typed::Stamp(b) => Some(Arc::new(b.finish())),
                Typed::Number(b) => Some(Arc::new(b.finish())),
            };
            let text = slot.text.as_mut().map(StringBuilder::finish);
            match (typed, text) {
                (Some(typed), text) => {
                    arrays.push((name.clone(), typed));
                    if let Some(text) = text {
                        arrays.push((format!("{name}_text"), Arc::new(text)));
                    }
                }
                (None, Some(text)) => arrays.push((name, Arc::new(text))),
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

    pub(super) fn push(&mut self, value: Option<&str>) -> ReadValue {
        if let Some(text) = &mut self.text {
            text.append_option(value);
        }
        self.filled += u64::from(value.is_some());
        let mut read = ReadValue::default();
        match (&mut self.typed, value) {
            (Typed::None, _) => {}
            (Typed::Date(b), None) => b.append_null(),
            // Zeros are how fixed layouts say that there is no day (still in hospital).
            (Typed::Date(b), Some(text)) if text.bytes().all(|b| b == b'0') => b.append_null(),
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
