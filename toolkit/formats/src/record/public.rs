//! Tables of what insurers and municipalities hold: coverage, check-ups, care, residency, death.

use super::define::tables;

tables! {
    /// Insurance over a period.
    CoverageRecord = "coverage" {
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
    CheckupRecord = "checkup" {
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
    DeathRecord = "death" {
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
    CareServiceRecord = "care_service" {
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
    CareCertificationRecord = "care_certification" {
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
    /// An event of residency or of insurance membership: until when a person can be observed.
    ResidencyRecord = "residency" {
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
}
