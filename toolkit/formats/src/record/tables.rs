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
    /// An electronic claim (レセプト): one person, one institution, one month.
    Claim / ClaimRecord = "claim" {
        /// Natural key: reviewing body, prefecture, fee table, institution, month of care, search or receipt number, month billed.
        claim_key,
        /// `medical`, `dpc`, `dental`, `pharmacy`, `home_nursing`.
        form,
        /// Kind of claim (レセプト種別), four digits.
        claim_type,
        /// Month of care, `YYYYMM` or `GYYMM`.
        care_month,
        /// Month billed, `YYYYMM` or `GYYMM`.
        billed_month,
        /// Reviewing and paying body (審査支払機関): 1 employees', 2 national health insurance, 6 other.
        payer_body,
        /// Prefecture, code.
        prefecture,
        /// Institution, seven digits.
        institution,
        /// Institution, name.
        institution_name,
        /// Receipt number in the file.
        receipt_no,
        /// Search number (検索番号).
        search_no,
        /// Number of the institution's own record (カルテ番号等).
        record_no,
        /// `I` inpatient, `O` outpatient, as the kind of claim says.
        class,
        /// `self`, `family`, `preschool`, `elderly`, as the kind of claim says.
        relation,
        /// Day of admission.
        admitted_on,
        /// Kinds of ward (病棟区分), two digits each.
        ward_kind,
        /// Special notes (特記事項), two digits each.
        special_notes,
        /// Department, code.
        department,
        /// Class of co-payment (一部負担金等区分).
        copay_class,
        /// Benefit rate.
        benefit_rate,
        /// Days of care as billed (of the first payer).
        days,
        /// Total points as billed (of the first payer); yen for home nursing.
        points,
        /// `returned` if the file is one of returned claims.
        history,
        /// Other filled fields of the claim's own records, as `RE.20=202007`, joined by `;`.
        detail,
    }
    /// What one payer of a claim is billed.
    ClaimPayer / ClaimPayerRecord = "claim_payer" {
        /// Key of the claim.
        claim_key,
        /// `medical` (HO), `public1` … `public4` (KO in order).
        payer,
        /// Insurer's or public programme's number.
        payer_no,
        /// Symbol of the insurance card.
        insured_symbol,
        /// Number of the insurance card.
        insured_number,
        /// Branch number, as confirmed (SN).
        insured_branch,
        /// Recipient's number of a public programme.
        recipient_no,
        /// Days.
        days,
        /// Points; yen for home nursing.
        points,
        /// Amount paid by the patient, yen.
        copay,
        /// Meals, number.
        meal_count,
        /// Meals, yen.
        meal_amount,
        /// Kind of confirmation of the insurance (SN).
        checked,
        /// Days with a visit (JD), as `day:kind`, joined by blanks.
        visit_days,
        /// Other filled fields, as `HO.12=0`, joined by `;`.
        detail,
    }
    /// One row of a claim or of a DPC cost file: an act, drug, material, comment, diagnosis, bundled item or total.
    ClaimItem / ClaimItemRecord = "claim_item" {
        /// Key of the claim; in DPC files the key of the stay.
        claim_key,
        /// The record it stands in: `SI`, `IY`, `TO`, `CO`, `SY`, `CD`, `GT`, `E`, `F` …
        source_record,
        /// Number of the billed unit (算定単位) in the claim; in DPC files 順序番号. Only the last row of a unit carries points.
        unit_no,
        /// Row inside the unit, from 1; in DPC files 行為明細番号.
        row_no,
        /// 診療識別 of the unit, 入院期間区分 (HH), 区分番号 (SK), 処方番号 (SH) or データ区分 (DPC files).
        section,
        /// Who pays (負担区分), the source's code.
        payers,
        /// Code.
        code,
        /// `receipt-act`, `receipt-drug`, `receipt-material`, `receipt-comment`, `receipt-disease`, `dpc`.
        code_system,
        /// Text.
        text,
        /// Quantity as sent: per day (21), per dose (22, 30s), total (23).
        quantity,
        /// Its unit, as sent.
        quantity_unit,
        /// Price of one unit, yen.
        unit_price,
        /// Points of the unit, once; of a DPC row as sent; yen where the source says so.
        points,
        /// How often (回数) or for how many days.
        count,
        /// Days of the month, as `day:count`, joined by blanks.
        days,
        /// Date, where the row has one of its own.
        started_on,
        /// Modifiers of a diagnosis (修飾語), four digits each.
        modifiers,
        /// Role of a diagnosis (主傷病, 傷病名区分) or kind of an act (手術・処置区分).
        role,
        /// Outcome (転帰) of a diagnosis.
        outcome,
        /// ICD-10 code, where the row has one.
        icd10,
        /// Teeth (歯式), six characters each.
        teeth,
        /// Comments on the row: code and text, joined by `;`.
        comments,
        /// `bundled` in the DPC price, `outside` it, `duplicate` of another bundled row of the claim.
        bundling,
        /// Key by which the same bundled row of a later claim is known: date, section, order, detail, code.
        item_key,
        /// Other filled fields by number, as `8=1`, joined by `;`; the layout table names them.
        detail,
    }
    /// A stay in a DPC hospital, as a claim, form 1 or a cost file tells it.
    DpcStay / DpcStayRecord = "dpc_stay" {
        /// Key of the stay: facility, data id, day of admission; of a claim: the claim's key.
        stay_key,
        /// `claim`, `form1`, `d`, `ef`, `e`, `f`: what tells of it.
        source,
        /// Facility, nine or seven digits.
        facility,
        /// DPC code, fourteen characters.
        dpc_code,
        /// Day of admission.
        admitted_on,
        /// Day of discharge; zeros: still in.
        discharged_on,
        /// Month of care of a claim.
        care_month,
        /// Part of the stay (回数管理番号): 0 the whole, 1 and up its ward parts.
        episode_no,
        /// Route of admission.
        route,
        /// Planned or emergency.
        urgency,
        /// By ambulance.
        ambulance,
        /// Where the patient went.
        destination,
        /// Outcome, the source's code.
        outcome,
        /// Cause of death, text.
        death_cause,
        /// Department, code.
        department,
        /// The institution's coefficient.
        coefficient,
        /// Points of the bundle this month (今月包括合計点数).
        bundled_points,
        /// Other filled fields, as `A000020.4=1`, joined by `;`.
        detail,
    }
    /// A row of a DPC survey file that has no table of its own: form 1, form 4, nursing needs (H).
    Survey / SurveyRecord = "survey" {
        /// Key of the stay: facility, data id, day of admission.
        stay_key,
        /// `form1`, `form4`, `h`, `k`.
        file,
        /// Facility.
        facility,
        /// Ward.
        ward,
        /// Day of admission.
        admitted_on,
        /// Day of discharge.
        discharged_on,
        /// Day the row is about.
        performed_on,
        /// 回数管理番号.
        episode_no,
        /// 統括診療情報番号.
        spell_no,
        /// Code of the row (`A006030`, `ASS0013`), or name of the column in a wide file.
        code,
        /// Version of the code.
        version,
        /// Serial number (連番).
        serial,
        /// What the code means.
        text,
        /// Payload 1.
        value1,
        /// Payload 2.
        value2,
        /// Payload 3.
        value3,
        /// Payload 4.
        value4,
        /// Payload 5.
        value5,
        /// Payload 6.
        value6,
        /// Payload 7.
        value7,
        /// Payload 8.
        value8,
        /// Payload 9 (free text).
        value9,
        /// Further fields by number, as `19=1`, joined by `;`.
        detail,
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
