//! Tables of claims and of the DPC survey.

use super::define::tables;

tables! {
    /// An electronic claim (レセプト): one person, one institution, one month.
    ClaimRecord = "claim" {
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
    ClaimPayerRecord = "claim_payer" {
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
    ClaimItemRecord = "claim_item" {
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
        /// Code of the facility's own master (病院点数マスタコード), in DPC files.
        local_code,
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
        /// Points under fee for service (出来高実績点数), in DPC files.
        fee_points,
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
    DpcStayRecord = "dpc_stay" {
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
    SurveyRecord = "survey" {
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
}
