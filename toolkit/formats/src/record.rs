//! Neutral records: what every reader of this crate hands on, whatever the source's format.
//!
//! Enters: values as the readers found them. Leaves: one [`Record`] per fact about a person, with the
//! source's own text in every field (dates and numbers too) and the place it was read from. Refuses:
//! nothing; a field the source does not fill stays `None`, nothing is ever completed or invented.
//!
//! `Debug` of these types names tables, positions and filled columns, never a value.

use std::{borrow::Cow, fmt};

pub use crate::parsed::{Issue, Parsed};

/// Text of a record's field: borrowed from the source where that is possible.
pub type Text<'a> = Option<Cow<'a, str>>;

macro_rules! records {
    ($( $(#[$doc:meta])* $variant:ident / $name:ident = $table:literal {
        $( $(#[$fdoc:meta])* $field:ident ),+ $(,)?
    } )+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Default, PartialEq, Eq)]
            pub struct $name<'a> {
                /// Where in the source it was read: `OBX[3]`, `line 17`, `row 5`, `row 5 column 12`.
                pub position: Cow<'a, str>,
                $( $(#[$fdoc])* pub $field: Text<'a>, )+
            }

            impl<'a> $name<'a> {
                /// Name of the canonical table.
                pub const TABLE: &'static str = $table;
                /// Names of the columns, in the order of [`Self::values`].
                pub const COLUMNS: &'static [&'static str] = &[$( stringify!($field) ),+];

                /// Values in the order of [`Self::COLUMNS`].
                pub fn values(&self) -> [Option<&str>; [$( stringify!($field) ),+].len()] {
                    [$( self.$field.as_deref() ),+]
                }
                /// The same record, owning its text.
                pub fn into_owned(self) -> $name<'static> {
                    $name {
                        position: Cow::Owned(self.position.into_owned()),
                        $( $field: self.$field.map(|t| Cow::Owned(t.into_owned())), )+
                    }
                }
            }

            impl fmt::Debug for $name<'_> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    let filled = Self::COLUMNS.iter().zip(self.values()).filter(|(_, v)| v.is_some());
                    write!(f, "{}@{}", Self::TABLE, self.position)?;
                    f.debug_list().entries(filled.map(|(c, _)| c)).finish()
                }
            }
        )+

        /// One fact about a person.
        #[derive(Clone, PartialEq, Eq)]
        pub enum Record<'a> {
            $( $(#[$doc])* $variant($name<'a>), )+
        }

        impl Record<'_> {
            /// Names of the canonical tables.
            pub const TABLES: &'static [&'static str] = &[$( $table ),+];

            /// Name of the canonical table the record belongs to.
            pub fn table(&self) -> &'static str {
                match self { $( Self::$variant(_) => $table, )+ }
            }
            /// The table's place in [`Self::TABLES`].
            pub fn table_index(&self) -> usize {
                enum Place { $( $variant, )+ }
                match self { $( Self::$variant(_) => Place::$variant as usize, )+ }
            }
            /// Columns of the record's table.
            pub fn columns(&self) -> &'static [&'static str] {
                match self { $( Self::$variant(_) => $name::COLUMNS, )+ }
            }
            /// Where in the source the record was read.
            pub fn position(&self) -> &str {
                match self { $( Self::$variant(r) => &r.position, )+ }
            }
            /// Calls `f` with each column and its value, in the order of the columns.
            pub fn for_each<'s>(&'s self, mut f: impl FnMut(&'static str, Option<&'s str>)) {
                match self { $(
                    Self::$variant(r) => {
                        for (column, value) in $name::COLUMNS.iter().zip(r.values()) {
                            f(column, value);
                        }
                    }
                )+ }
            }
            /// The same record, owning its text.
            pub fn into_owned(self) -> Record<'static> {
                match self { $( Self::$variant(r) => Record::$variant(r.into_owned()), )+ }
            }
        }

        impl fmt::Debug for Record<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $( Self::$variant(r) => fmt::Debug::fmt(r, f), )+ }
            }
        }

        $( impl<'a> From<$name<'a>> for Record<'a> {
            fn from(record: $name<'a>) -> Self {
                Self::$variant(record)
            }
        } )+
    };
}

records! {
    /// Who the person is, as the holder wrote it (identifiers).
    Person / PersonRecord = "person" {
        /// Name in kanji, family and given name separated by a blank if the source separates them.
        name_kanji,
        /// Name in kana, as above.
        name_kana,
        /// `M`, `F`, `O`, `U`.
        sex,
        /// Date of birth.
        birth_on,
        /// Postal code.
        postal_code,
        /// Address.
        address,
        /// Telephone numbers, joined by `;`.
        phone,
        /// Occupation.
        occupation,
        /// Insurer's number.
        insurer_no,
        /// Symbol of the insurance card.
        insured_symbol,
        /// Number of the insurance card.
        insured_number,
        /// Branch number of the insurance card.
        insured_branch,
        /// Date of death.
        death_on,
        /// The holder's own number, as shown to its staff.
        record_no,
    }
    /// A visit or a stay.
    Encounter / EncounterRecord = "encounter" {
        /// The source's key of the encounter.
        encounter_key,
        /// `I` inpatient, `O` outpatient, `E` emergency, or the source's own code.
        class,
        /// Beginning.
        start_at,
        /// End.
        end_at,
        /// Department, code.
        department_code,
        /// Department, text.
        department_text,
        /// Disposition at discharge, code.
        disposition_code,
        /// Disposition at discharge, text.
        disposition_text,
        /// Status (`planned`, `superseded`, or the source's own code).
        status,
        /// Physician (identifier).
        practitioner,
    }
    /// A diagnosis or problem.
    Condition / ConditionRecord = "condition" {
        /// Code.
        code,
        /// Code system as the source names it.
        code_system,
        /// Text.
        text,
        /// ICD-10 code without dot.
        icd10,
        /// Role (main, comorbidity …), the source's code.
        role,
        /// `confirmed`, `suspected`, or the source's own code.
        certainty,
        /// What the source says was done to the entry (`AD`, `UP`, `DE`, `superseded` …).
        action,
        /// Onset.
        onset_on,
        /// When it was recorded.
        recorded_at,
        /// When it was resolved.
        resolved_on,
        /// Outcome, the source's code.
        outcome,
        /// Key of the encounter, where the source links one.
        encounter_key,
        /// Physician (identifier).
        practitioner,
    }
    /// A drug ordered or administered.
    Medication / MedicationRecord = "medication" {
        /// `order` or `administration`.
        kind,
        /// Code.
        code,
        /// Code system as the source names it.
        code_system,
        /// Text.
        text,
        /// Dose at one time.
        dose,
        /// Its unit.
        dose_unit,
        /// For how many days.
        days,
        /// Total quantity.
        quantity,
        /// Its unit.
        quantity_unit,
        /// Route.
        route,
        /// Usage, code.
        usage_code,
        /// Usage, text.
        usage_text,
        /// Status.
        status,
        /// Start.
        started_at,
        /// End.
        ended_at,
        /// When it was ordered.
        ordered_at,
        /// Key of the encounter, where the source links one.
        encounter_key,
        /// Physician (identifier).
        practitioner,
    }
    /// A procedure.
    Procedure / ProcedureRecord = "procedure" {
        /// Code.
        code,
        /// Code system as the source names it.
        code_system,
        /// Text.
        text,
        /// Status.
        status,
        /// Start.
        started_at,
        /// End.
        ended_at,
        /// Key of the encounter, where the source links one.
        encounter_key,
        /// Physician (identifier).
        practitioner,
    }
    /// A laboratory result, vital sign or other observation.
    Measurement / MeasurementRecord = "measurement" {
        /// `laboratory`, `vital`, `social`, `body` …
        category,
        /// Code.
        code,
        /// Code system as the source names it.
        code_system,
        /// Text of the code.
        text,
        /// Value as sent.
        value_text,
        /// Decimal text, if the value is a number.
        value_num,
        /// `<`, `<=`, `>`, `>=` where the value carries one.
        comparator,
        /// Code of a coded value.
        value_code,
        /// Unit.
        unit,
        /// System of the unit.
        unit_system,
        /// Reference range.
        reference_range,
        /// `H`, `L`, `N` …
        flag,
        /// Specimen.
        specimen,
        /// Status (`F`, `C`, `final`, `superseded` …).
        status,
        /// When it was measured (for a specimen: the observation's own time).
        measured_at,
        /// Key of the encounter, where the source links one.
        encounter_key,
        /// Physician (identifier).
        practitioner,
    }
    /// A text a person wrote.
    Note / NoteRecord = "note" {
        /// Kind.
        kind,
        /// Title.
        title,
        /// Text.
        text,
        /// When it was written.
        written_at,
        /// Key of the encounter, where the source links one.
        encounter_key,
        /// Physician (identifier).
        practitioner,
    }
    /// Insurance over a period.
    Coverage / CoverageRecord = "coverage" {
        /// Insurer's number.
        insurer_no,
        /// Insurer's name.
        insurer_name,
        /// Symbol of the insurance card.
        insured_symbol,
        /// Number of the insurance card.
        insured_number,
        /// Branch number of the insurance card.
        insured_branch,
        /// Kind of the insurance, the source's code.
        kind,
        /// Relation to the insured, the source's code.
        relation,
        /// First day.
        from_on,
        /// Last day.
        to_on,
    }
    /// One item of a check-up.
    Checkup / CheckupRecord = "checkup" {
        /// Code of the item.
        item_code,
        /// Code system.
        code_system,
        /// Text of the item.
        text,
        /// Value as sent.
        value_text,
        /// Decimal text, if the value is a number.
        value_num,
        /// Unit.
        unit,
        /// Date of the check-up.
        examined_on,
        /// Institution.
        institution,
    }
    /// A death.
    Death / DeathRecord = "death" {
        /// Date.
        died_on,
        /// Cause, code.
        cause_code,
        /// Code system of the cause.
        cause_system,
        /// Cause, text.
        cause_text,
        /// Place.
        place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_values_agree_and_debug_shows_no_value() {
        let record = Record::from(PersonRecord {
            position: "line 1".into(),
            name_kanji: Some("見本 花子".into()),
            ..PersonRecord::default()
        });
        let mut seen = Vec::new();
        record.for_each(|c, v| seen.extend(v.map(|v| (c, v.to_owned()))));
        assert_eq!(seen, [("name_kanji", "見本 花子".to_owned())]);
        assert_eq!(format!("{record:?}"), "person@line 1[\"name_kanji\"]");
        assert_eq!(Record::TABLES.len(), 10);
        assert_eq!(record.columns().len(), 14);
    }
}
