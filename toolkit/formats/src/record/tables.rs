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
        /// `<`, `<=`, `>`, `>=` where the value carries one.
        comparator,
        /// Code of a coded value.
        value_code,
        /// Code system of the coded value; it differs between generations of the item table.
        value_system,
        /// `H`, `L`, `N` …, as judged by the source.
        flag,
        /// Reference range, `low-high`.
        reference_range,
        /// Method, the source's code.
        method,
        /// `not-done` where the item was not done or could not be measured, else the source's own status.
        status,
        /// Programme under which it was done (特定健診, 広域連合 …), the source's code.
        program,
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
    /// A service under long-term care insurance: a line of a claim, a monthly total, a planned service.
    CareService / CareServiceRecord = "care_service" {
        /// `service`, `plan`, `total`, `base` (dates and result of a stay), `emergency`, `special`, `meal-room`,
        /// `reduction`, `note`, `schedule`, `equipment`, `home-repair`.
        kind,
        /// Month of service.
        service_month,
        /// Insurer on the certificate (証記載保険者番号).
        insurer_no,
        /// Number of the insured (被保険者番号).
        insured_no,
        /// Provider (事業所番号).
        provider,
        /// Kind of service, two characters (サービス種類).
        service_kind,
        /// Item of service, four characters (サービス項目).
        service_item,
        /// Text: a remark, a diagnosis, a product.
        text,
        /// Units per time.
        units,
        /// Times or days.
        times,
        /// Units in all.
        total_units,
        /// Care level at the time, the source's code.
        care_level,
        /// Beginning of service or stay.
        started_on,
        /// End of service or stay.
        ended_on,
        /// Why it ended, or where to; the source's code.
        end_reason,
        /// Amount claimed from insurance, yen.
        amount,
        /// `new`, `corrected`, `withdrawn`, or the source's own code.
        status,
    }
    /// A certification of need for long-term care, with the assessments behind it.
    CareCertification / CareCertificationRecord = "care_certification" {
        /// Insurer.
        insurer_no,
        /// Number of the insured (被保険者番号).
        insured_no,
        /// Care level that was decided, the source's code.
        care_level,
        /// Code list of `care_level`.
        care_level_system,
        /// Date of application.
        applied_on,
        /// Kind of application, the source's code.
        application_kind,
        /// Date of the survey.
        surveyed_on,
        /// Result of the computed first judgement, the source's code.
        first_level,
        /// Minutes of care that were computed, as sent (0.1 minute).
        care_minutes,
        /// Date of the decision.
        decided_on,
        /// First day of validity.
        valid_from,
        /// Last day of validity.
        valid_to,
        /// Independence in daily life (障害高齢者の日常生活自立度), the source's code.
        disability_grade,
        /// Independence with dementia (認知症高齢者の日常生活自立度), the source's code.
        dementia_grade,
        /// `withdrawn`, or the source's own code.
        status,
    }
    /// A vaccination.
    Vaccination / VaccinationRecord = "vaccination" {
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
    Allergy / AllergyRecord = "allergy" {
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
    ImagingStudy / ImagingStudyRecord = "imaging_study" {
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
    FamilyHistory / FamilyHistoryRecord = "family_history" {
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
    ServiceOrder / ServiceOrderRecord = "service_order" {
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
    /// An event of residency or of insurance membership: until when a person can be observed.
    Residency / ResidencyRecord = "residency" {
        /// `birth`, `moved-in`, `moved-within`, `moved-out`, `death`, `deleted`, or the source's own text.
        event,
        /// Code of the event, where the source has one.
        event_code,
        /// When it happened.
        happened_on,
        /// When it was notified.
        notified_on,
        /// Area: municipality code of five or six digits, or the source's own.
        area_code,
        /// Relation to the head of the household.
        relation,
    }
    /// A document that is kept as it is: a letter, a report, an image, with what it is.
    Document / DocumentRecord = "document" {
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
