//! The canonical tables, as data: every column is the source's own text.

use std::{borrow::Cow, fmt};

use super::{Text, define::records};

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
