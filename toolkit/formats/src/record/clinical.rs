//! Tables of care as a hospital records it: people, visits, diagnoses, drugs, results.

use super::define::tables;

tables! {
    /// Who the person is, as the holder wrote it (identifiers).
    PersonRecord = "person" {
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
    EncounterRecord = "encounter" {
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
    ConditionRecord = "condition" {
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
    MedicationRecord = "medication" {
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
    ProcedureRecord = "procedure" {
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
    MeasurementRecord = "measurement" {
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
    NoteRecord = "note" {
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
    /// A vaccination.
    VaccinationRecord = "vaccination" {
        /// Kind of vaccination or vaccine, code.
        code,
        /// Code system as the source names it.
        code_system,
        /// Vaccine, text.
        text,
        /// When it was given.
        given_on,
        /// Number of the dose in its series.
        dose_number,
        /// Amount.
        dose,
        /// Its unit.
        dose_unit,
        /// Manufacturer.
        manufacturer,
        /// Lot.
        lot,
        /// Route.
        route,
        /// Institution or place.
        institution,
        /// `completed`, `not-done` (examined only), or the source's own code.
        status,
        /// Physician (identifier).
        practitioner,
    }
    /// An allergy, intolerance or adverse reaction.
    AllergyRecord = "allergy" {
        /// `medication`, `food`, `environment`, or the source's own code.
        category,
        /// Substance, code.
        code,
        /// Code system as the source names it.
        code_system,
        /// Substance, text.
        text,
        /// Severity or criticality, the source's code.
        severity,
        /// Reaction.
        reaction,
        /// Onset.
        onset_on,
        /// When it was recorded.
        recorded_at,
        /// `confirmed`, `suspected`, or the source's own code.
        certainty,
        /// Status (`active`, `superseded` …).
        status,
        /// Physician (identifier).
        practitioner,
    }
    /// An imaging study.
    ImagingStudyRecord = "imaging_study" {
        /// Study Instance UID.
        study_uid,
        /// Accession number.
        accession_no,
        /// Modality (`CT`, `MR` …).
        modality,
        /// Body part.
        body_part,
        /// Code of the procedure.
        code,
        /// Code system as the source names it.
        code_system,
        /// Text.
        text,
        /// Beginning.
        started_at,
        /// Number of series.
        series,
        /// Number of images.
        images,
        /// Status.
        status,
        /// Key of the encounter, where the source links one.
        encounter_key,
    }
    /// A disease of a relative.
    FamilyHistoryRecord = "family_history" {
        /// Relation, code.
        relation_code,
        /// Relation, text.
        relation,
        /// Sex of the relative.
        sex,
        /// Disease, code.
        code,
        /// Code system as the source names it.
        code_system,
        /// Disease, text.
        text,
        /// Age or date of onset, as sent.
        onset,
        /// Did the relative die (`true`, `false`), or when.
        deceased,
        /// Status.
        status,
    }
    /// An order of an examination, a diet or another service.
    ServiceOrderRecord = "service_order" {
        /// `laboratory`, `radiology`, `endoscopy`, `physiology`, `diet`, or the source's own category.
        kind,
        /// Code.
        code,
        /// Code system as the source names it.
        code_system,
        /// Text.
        text,
        /// Specimen or site.
        site,
        /// Status.
        status,
        /// Number of the order.
        order_no,
        /// When it was ordered.
        ordered_at,
        /// When it is planned, or begins.
        planned_at,
        /// Key of the encounter, where the source links one.
        encounter_key,
        /// Physician (identifier).
        practitioner,
    }
    /// A document that is kept as it is: a letter, a report, an image, with what it is.
    DocumentRecord = "document" {
        /// Kind, code.
        code,
        /// Code system as the source names it.
        code_system,
        /// Kind, text.
        text,
        /// Title.
        title,
        /// Media type (`application/pdf`), by content where that tells it.
        media_type,
        /// Bytes, as decimal text.
        size,
        /// When it was made.
        written_at,
        /// Status (`superseded` …).
        status,
        /// Key of the encounter, where the source links one.
        encounter_key,
        /// Author (identifier).
        practitioner,
    }
}
