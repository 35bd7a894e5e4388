//! One canonical table being built: a typed and a text column per field, as its schema says.

use kiban_lake::{
    Repeated,
    schema::{self, ColumnType, TableSchema},
};

use super::{
    COMMON, DAY, RowsError,
    provenance::Provenance,
    push::Origin,
    taken::{Column, Spare, TableRows},
};
use crate::{
    moments,
    quality::{END_BEFORE_START, FUTURE, Tally},
};

pub(super) struct TableBuilder {
    pub(super) name: &'static str,
    pub(super) schema: &'static TableSchema,
    pub(super) rows: usize,
    pub(super) provenance: Provenance,
    pub(super) slots: Vec<Slot>,
    /// Of which records the last rows are, whose values are still to come.
    pub(super) begun: Vec<Origin>,
    /// Has it beginnings and ends?
    pub(super) periods: bool,
    /// Room for the next rows.
    pub(super) spare: Option<Spare>,
    /// Dates that lie ahead, and ends before their beginnings.
    pub(super) future: Tally,
    pub(super) backward: Tally,
}

/// Where one column of a record goes: its typed column, its text column, or both.
pub(super) struct Slot {
    pub(super) column: &'static str,
    pub(super) part: Part,
    pub(super) typed: Typed,
    /// What the rows say; a column of the table if [`Self::keeps_text`].
    pub(super) text: Repeated,
    keeps_text: bool,
    /// What each value of `text` was read as: equal text is read once.
    pub(super) read: Vec<ReadValue>,
    /// How many of those have a defect.
    pub(super) defective: usize,
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

    pub(super) fn begins(self) -> bool {
        matches!(self, Self::Start | Self::Visit | Self::StartAhead)
    }
    pub(super) fn ends(self) -> bool {
        matches!(self, Self::End | Self::Discharge)
    }

    /// May it come after the day of receipt, as the end of an insurance may, or of a certification?
    pub(super) fn may_lie_ahead(self) -> bool {
        matches!(self, Self::StartAhead | Self::End | Self::Ahead)
    }
}

/// What a column's text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    None,
    Date,
    Stamp,
    Number,
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
                ColumnType::Date => Typed::Date,
                ColumnType::Timestamp => Typed::Stamp,
                ColumnType::Float64 => Typed::Number,
                _ => return Err(misfit()),
            };
            let beside = format!("{column}_text");
            let has_text = typed == Typed::None
                || (schema.column(&beside).is_some() && !columns.contains(&beside.as_str()));
            slots.push(Slot {
                column,
                part: Part::of(name, column),
                typed,
                text: Repeated::default(),
                keeps_text: has_text,
                read: Vec::new(),
                defective: 0,
                filled: 0,
                unreadable: 0,
            });
        }
        let any = |is: fn(Part) -> bool| slots.iter().any(|slot| is(slot.part));
        let table = Self {
            name,
            begun: Vec::new(),
            periods: any(Part::begins) && any(Part::ends),
            schema,
            rows: 0,
            provenance: Provenance::default(),
            slots,
            spare: None,
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

    /// What was collected; collects anew, in the room that was given for it.
    pub(super) fn take(&mut self) -> TableRows {
        let (provenance, texts) = self.spare.take().map_or_else(Default::default, Spare::parts);
        let mut texts = texts.into_iter();
        let slots = self.slots.iter_mut();
        TableRows {
            name: self.name,
            rows: std::mem::take(&mut self.rows),
            provenance: std::mem::replace(&mut self.provenance, provenance),
            columns: slots.map(|slot| slot.take(texts.next().unwrap_or_default())).collect(),
        }
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
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReadValue {
    pub(super) defect: Option<&'static str>,
    pub(super) micros: Option<i64>,
    pub(super) number: Option<f64>,
}

impl Slot {
    /// Columns of the schema it fills.
    fn width(&self) -> usize {
        usize::from(self.typed != Typed::None) + usize::from(self.keeps_text)
    }

    /// What was collected; collects anew in `text`.
    fn take(&mut self, text: Repeated) -> Column {
        self.defective = 0;
        Column {
            name: self.column,
            typed: self.typed,
            text: std::mem::replace(&mut self.text, text),
            keeps_text: self.keeps_text,
            read: std::mem::take(&mut self.read),
        }
    }
}

impl Typed {
    pub(super) fn read(self, text: &str) -> ReadValue {
        match self {
            Self::None => ReadValue::default(),
            // Zeros are how fixed layouts say that there is no day (still in hospital).
            Self::Date if text.bytes().all(|b| b == b'0') => ReadValue::default(),
            Self::Date => {
                let (micros, defect) = moments::instant(text);
                let micros = micros.map(|m| m.div_euclid(DAY) * DAY);
                ReadValue { defect, micros, number: None }
            }
            Self::Stamp => {
                let (micros, defect) = moments::instant(text);
                ReadValue { defect, micros, number: None }
            }
            Self::Number => {
                let number = moments::number(text);
                let defect = number.is_none().then_some("number.unreadable");
                ReadValue { defect, micros: None, number }
            }
        }
    }
}
