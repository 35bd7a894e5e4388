//! The canonical tables in their order: the variants of [`Record`].

use std::fmt;

use super::{Text, billing::*, clinical::*, define::records, public::*};

records! {
    /// Who the person is, as the holder wrote it (identifiers).
    Person(PersonRecord),
    /// A visit or a stay.
    Encounter(EncounterRecord),
    /// A diagnosis or problem.
    Condition(ConditionRecord),
    /// A drug ordered or administered.
    Medication(MedicationRecord),
    /// A procedure.
    Procedure(ProcedureRecord),
    /// A laboratory result, vital sign or other observation.
    Measurement(MeasurementRecord),
    /// A text a person wrote.
    Note(NoteRecord),
    /// Insurance over a period.
    Coverage(CoverageRecord),
    /// One item of a check-up.
    Checkup(CheckupRecord),
    /// An electronic claim (レセプト): one person, one institution, one month.
    Claim(ClaimRecord),
    /// What one payer of a claim is billed.
    ClaimPayer(ClaimPayerRecord),
    /// One row of a claim or of a DPC cost file: an act, drug, material, comment, diagnosis, bundled item or total.
    ClaimItem(ClaimItemRecord),
    /// A stay in a DPC hospital, as a claim, form 1 or a cost file tells it.
    DpcStay(DpcStayRecord),
    /// A row of a DPC survey file that has no table of its own: form 1, form 4, nursing needs (H).
    Survey(SurveyRecord),
    /// A death.
    Death(DeathRecord),
    /// A service under long-term care insurance: a line of a claim, a monthly total, a planned service.
    CareService(CareServiceRecord),
    /// A certification of need for long-term care, with the assessments behind it.
    CareCertification(CareCertificationRecord),
    /// A vaccination.
    Vaccination(VaccinationRecord),
    /// An allergy, intolerance or adverse reaction.
    Allergy(AllergyRecord),
    /// An imaging study.
    ImagingStudy(ImagingStudyRecord),
    /// A disease of a relative.
    FamilyHistory(FamilyHistoryRecord),
    /// An order of an examination, a diet or another service.
    ServiceOrder(ServiceOrderRecord),
    /// An event of residency or of insurance membership: until when a person can be observed.
    Residency(ResidencyRecord),
    /// A document that is kept as it is: a letter, a report, an image, with what it is.
    Document(DocumentRecord),
}
