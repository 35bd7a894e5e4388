//! Views of FHIR R4 resources (JP Core), with the elements this crate reads.

use super::json::{Num, Str, resource, view};

view! {
    /// A code of a system.
    Coding<'a> { "system" => system: Str<'a>, "code" => code: Str<'a>, "display" => display: Str<'a> }
    /// Codes for one concept, and its text.
    CodeableConcept<'a> { "coding" => coding: Vec<Coding<'a>>, "text" => text: Str<'a> }
    /// A pointer to another resource.
    Reference<'a> { "reference" => reference: Str<'a>, "display" => display: Str<'a> }
    /// An identifier.
    Identifier<'a> { "system" => system: Str<'a>, "value" => value: Str<'a>, "type" => kind: CodeableConcept<'a> }
    /// An amount.
    Quantity<'a> {
        "value" => value: Num<'a>, "comparator" => comparator: Str<'a>, "unit" => unit: Str<'a>,
        "system" => system: Str<'a>, "code" => code: Str<'a>,
    }
    /// A period.
    Period<'a> { "start" => start: Str<'a>, "end" => end: Str<'a> }
    /// An extension, as far as values are read.
    Extension<'a> {
        "url" => url: Str<'a>, "valueString" => value_string: Str<'a>, "valueCode" => value_code: Str<'a>,
        "valuePeriod" => value_period: Period<'a>, "valueCodeableConcept" => value_concept: CodeableConcept<'a>,
    }
    /// A name of a person.
    HumanName<'a> {
        "text" => text: Str<'a>, "family" => family: Str<'a>, "given" => given: Vec<Str<'a>>,
        "use" => usage: Str<'a>, "extension" => extension: Vec<Extension<'a>>,
    }
    /// An address.
    Address<'a> {
        "use" => usage: Str<'a>, "text" => text: Str<'a>, "line" => line: Vec<Str<'a>>, "city" => city: Str<'a>,
        "state" => state: Str<'a>, "postalCode" => postal_code: Str<'a>,
    }
    /// A telephone number or the like.
    ContactPoint<'a> { "system" => system: Str<'a>, "value" => value: Str<'a> }
    /// Somebody who took part in an encounter.
    Participant<'a> { "type" => kind: Vec<CodeableConcept<'a>>, "individual" => individual: Reference<'a> }
    /// The hospital part of an encounter.
    Hospitalization<'a> { "dischargeDisposition" => discharge_disposition: CodeableConcept<'a> }
    /// One dose.
    DoseAndRate<'a> { "doseQuantity" => dose_quantity: Quantity<'a> }
    /// When a dose repeats.
    Repeat<'a> { "boundsDuration" => bounds_duration: Quantity<'a>, "boundsPeriod" => bounds_period: Period<'a> }
    /// Timing of a dosage.
    Timing<'a> { "repeat" => repeat: Repeat<'a>, "code" => code: CodeableConcept<'a> }
    /// How a drug is to be taken.
    Dosage<'a> {
        "text" => text: Str<'a>, "timing" => timing: Timing<'a>, "route" => route: CodeableConcept<'a>,
        "doseAndRate" => dose_and_rate: Vec<DoseAndRate<'a>>, "extension" => extension: Vec<Extension<'a>>,
    }
    /// What is to be dispensed.
    DispenseRequest<'a> {
        "quantity" => quantity: Quantity<'a>, "expectedSupplyDuration" => expected_supply_duration: Quantity<'a>,
        "validityPeriod" => validity_period: Period<'a>,
    }
    /// A reference range.
    ReferenceRange<'a> { "low" => low: Quantity<'a>, "high" => high: Quantity<'a>, "text" => text: Str<'a> }
    /// A part of an observation.
    Component<'a> {
        "code" => code: CodeableConcept<'a>, "valueQuantity" => value_quantity: Quantity<'a>,
        "valueCodeableConcept" => value_concept: CodeableConcept<'a>, "valueString" => value_string: Str<'a>,
        "valueInteger" => value_integer: Num<'a>, "valueBoolean" => value_boolean: bool,
        "valueDateTime" => value_date_time: Str<'a>, "valueTime" => value_time: Str<'a>,
        "interpretation" => interpretation: Vec<CodeableConcept<'a>>,
        "referenceRange" => reference_range: Vec<ReferenceRange<'a>>,
    }
    /// Somebody who performed a procedure.
    Performer<'a> { "actor" => actor: Reference<'a> }
    /// A class of a coverage.
    CoverageClass<'a> { "type" => kind: CodeableConcept<'a>, "value" => value: Str<'a>, "name" => name: Str<'a> }
}

resource! {
    /// Patient.
    Patient<'a> = "Patient" {
        "id" => id: Str<'a>, "identifier" => identifier: Vec<Identifier<'a>>, "name" => name: Vec<HumanName<'a>>,
        "gender" => gender: Str<'a>, "birthDate" => birth_date: Str<'a>, "address" => address: Vec<Address<'a>>,
        "telecom" => telecom: Vec<ContactPoint<'a>>, "deceasedDateTime" => deceased_date_time: Str<'a>,
        "deceasedBoolean" => deceased: bool,
    } skips ["meta", "text", "active", "contact", "communication", "maritalStatus", "multipleBirthBoolean", "extension"]
    /// Encounter.
    Encounter<'a> = "Encounter" {
        "id" => id: Str<'a>, "status" => status: Str<'a>, "class" => class: Coding<'a>, "subject" => subject: Reference<'a>,
        "period" => period: Period<'a>, "serviceType" => service_type: CodeableConcept<'a>,
        "hospitalization" => hospitalization: Hospitalization<'a>, "participant" => participant: Vec<Participant<'a>>,
        "extension" => extension: Vec<Extension<'a>>,
    } skips ["meta", "text", "identifier", "type", "priority", "length", "reasonCode", "reasonReference", "diagnosis",
        "serviceProvider", "location"]
    /// Condition.
    Condition<'a> = "Condition" {
        "clinicalStatus" => clinical_status: CodeableConcept<'a>,
        "verificationStatus" => verification_status: CodeableConcept<'a>, "category" => category: Vec<CodeableConcept<'a>>,
        "code" => code: CodeableConcept<'a>, "subject" => subject: Reference<'a>, "encounter" => encounter: Reference<'a>,
        "onsetDateTime" => onset: Str<'a>, "onsetPeriod" => onset_period: Period<'a>, "onsetString" => onset_string: Str<'a>,
        "abatementDateTime" => abatement: Str<'a>, "abatementPeriod" => abatement_period: Period<'a>,
        "recordedDate" => recorded_date: Str<'a>, "recorder" => recorder: Reference<'a>, "asserter" => asserter: Reference<'a>,
    } skips ["id", "meta", "text", "identifier", "extension", "severity", "evidence", "note", "bodySite", "stage"]
    /// MedicationRequest.
    MedicationRequest<'a> = "MedicationRequest" {
        "status" => status: Str<'a>, "medicationCodeableConcept" => medication: CodeableConcept<'a>,
        "subject" => subject: Reference<'a>, "encounter" => encounter: Reference<'a>, "authoredOn" => authored_on: Str<'a>,
        "requester" => requester: Reference<'a>, "dosageInstruction" => dosage: Vec<Dosage<'a>>,
        "dispenseRequest" => dispense: DispenseRequest<'a>,
    } skips ["id", "meta", "text", "identifier", "extension", "intent", "category", "recorder", "courseOfTherapyType",
        "priority", "reasonCode", "reasonReference", "note", "medicationReference", "contained", "substitution"]
    /// Procedure.
    Procedure<'a> = "Procedure" {
        "status" => status: Str<'a>, "code" => code: CodeableConcept<'a>, "subject" => subject: Reference<'a>,
        "encounter" => encounter: Reference<'a>, "performedDateTime" => performed: Str<'a>,
        "performedPeriod" => performed_period: Period<'a>, "performer" => performer: Vec<Performer<'a>>,
    } skips ["id", "meta", "text", "identifier", "extension", "category", "reasonCode", "reasonReference", "note", "usedCode",
        "bodySite", "outcome", "performedString"]
    /// Observation.
    Observation<'a> = "Observation" {
        "status" => status: Str<'a>, "category" => category: Vec<CodeableConcept<'a>>, "code" => code: CodeableConcept<'a>,
        "subject" => subject: Reference<'a>, "encounter" => encounter: Reference<'a>,
        "effectiveDateTime" => effective: Str<'a>, "effectivePeriod" => effective_period: Period<'a>,
        "effectiveInstant" => effective_instant: Str<'a>, "performer" => performer: Vec<Reference<'a>>,
        "specimen" => specimen: Reference<'a>, "component" => component: Vec<Component<'a>>,
        "valueQuantity" => value_quantity: Quantity<'a>, "valueCodeableConcept" => value_concept: CodeableConcept<'a>,
        "valueString" => value_string: Str<'a>, "valueInteger" => value_integer: Num<'a>, "valueBoolean" => value_boolean: bool,
        "valueDateTime" => value_date_time: Str<'a>, "valueTime" => value_time: Str<'a>,
        "interpretation" => interpretation: Vec<CodeableConcept<'a>>,
        "referenceRange" => reference_range: Vec<ReferenceRange<'a>>,
    } skips ["id", "meta", "text", "identifier", "extension", "issued", "method", "basedOn", "note", "bodySite",
        "dataAbsentReason", "hasMember", "derivedFrom", "device", "partOf"]
    /// Coverage.
    Coverage<'a> = "Coverage" {
        "identifier" => identifier: Vec<Identifier<'a>>, "extension" => extension: Vec<Extension<'a>>,
        "type" => kind: CodeableConcept<'a>, "subscriberId" => subscriber_id: Str<'a>, "beneficiary" => beneficiary: Reference<'a>,
        "dependent" => dependent: Str<'a>, "relationship" => relationship: CodeableConcept<'a>, "period" => period: Period<'a>,
        "payor" => payor: Vec<Reference<'a>>, "class" => class: Vec<CoverageClass<'a>>,
    } skips ["id", "meta", "text", "status", "subscriber", "policyHolder", "order", "costToBeneficiary"]
    /// DiagnosticReport.
    DiagnosticReport<'a> = "DiagnosticReport" {
        "category" => category: Vec<CodeableConcept<'a>>, "code" => code: CodeableConcept<'a>, "subject" => subject: Reference<'a>,
        "encounter" => encounter: Reference<'a>, "effectiveDateTime" => effective: Str<'a>,
        "effectivePeriod" => effective_period: Period<'a>, "issued" => issued: Str<'a>, "performer" => performer: Vec<Reference<'a>>,
        "resultsInterpreter" => results_interpreter: Vec<Reference<'a>>, "conclusion" => conclusion: Str<'a>,
    } skips ["id", "meta", "text", "identifier", "extension", "status", "result", "conclusionCode", "presentedForm",
        "basedOn", "specimen", "imagingStudy", "media"]
}

view! {
    /// Any resource, as far as it says of which type it is and whom it is about.
    Head<'a> {
        "resourceType" => resource_type: Str<'a>, "subject" => subject: Reference<'a>, "patient" => patient: Reference<'a>,
        "beneficiary" => beneficiary: Reference<'a>,
    }
}
