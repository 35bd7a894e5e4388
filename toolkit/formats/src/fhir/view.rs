//! Views of FHIR R4 resources (JP Core), with the elements this crate reads.

use serde_json::value::RawValue;

use super::json::{Num, Str, resource, view};

view! {
    /// A code of a system.
    Coding<'a> { "system" => system: Str<'a>, "code" => code: Str<'a>, "display" => display: Str<'a> }
    /// Codes for one concept, and its text.
    CodeableConcept<'a> { "coding" => coding: Vec<Coding<'a>>, "text" => text: Str<'a> }
    /// A pointer to another resource.
    Reference<'a> { "reference" => reference: Str<'a>, "display" => display: Str<'a>, "identifier" => identifier: Identifier<'a> }
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
    /// A reaction to a substance.
    Reaction<'a> { "manifestation" => manifestation: Vec<CodeableConcept<'a>>, "severity" => severity: Str<'a>, "description" => description: Str<'a> }
    /// A dose in a series.
    Protocol<'a> { "doseNumberPositiveInt" => dose_number: Num<'a>, "doseNumberString" => dose_text: Str<'a> }
    /// A series of images.
    Series<'a> { "modality" => modality: Coding<'a>, "bodySite" => body_site: Coding<'a>, "description" => description: Str<'a> }
    /// A disease of a relative.
    RelativeCondition<'a> {
        "code" => code: CodeableConcept<'a>, "onsetAge" => onset_age: Quantity<'a>, "onsetString" => onset_string: Str<'a>,
        "outcome" => outcome: CodeableConcept<'a>,
    }
    /// The dose of an administration.
    GivenDose<'a> { "dose" => dose: Quantity<'a>, "route" => route: CodeableConcept<'a>, "text" => text: Str<'a> }
    /// A document's content.
    Attachment<'a> { "contentType" => content_type: Str<'a>, "size" => size: Num<'a>, "title" => title: Str<'a> }
    /// Content of a document reference.
    Content<'a> { "attachment" => attachment: Attachment<'a> }
    /// Context of a document reference.
    DocumentContext<'a> { "encounter" => encounter: Vec<Reference<'a>> }
    /// What a bundle asks a server to do with an entry.
    Request<'a> { "method" => method: Str<'a> }
    /// Entry of a bundle.
    Entry<'a> { "fullUrl" => full_url: Str<'a>, "resource" => resource: &'a RawValue, "request" => request: Request<'a> }
    /// A bundle.
    Bundle<'a> { "type" => kind: Str<'a>, "entry" => entry: Vec<Entry<'a>> }
}

resource! {
    /// AllergyIntolerance.
    Allergy<'a> = "AllergyIntolerance" {
        "clinicalStatus" => clinical_status: CodeableConcept<'a>, "verificationStatus" => verification_status: CodeableConcept<'a>,
        "category" => category: Vec<Str<'a>>, "criticality" => criticality: Str<'a>, "code" => code: CodeableConcept<'a>,
        "patient" => patient: Reference<'a>, "onsetDateTime" => onset: Str<'a>, "onsetString" => onset_string: Str<'a>,
        "recordedDate" => recorded_date: Str<'a>, "recorder" => recorder: Reference<'a>, "asserter" => asserter: Reference<'a>,
        "reaction" => reaction: Vec<Reaction<'a>>,
    } skips ["id", "meta", "text", "identifier", "extension", "encounter", "note", "type", "contained", "lastOccurrence"]
    /// Immunization.
    Immunization<'a> = "Immunization" {
        "status" => status: Str<'a>, "vaccineCode" => vaccine: CodeableConcept<'a>, "patient" => patient: Reference<'a>,
        "occurrenceDateTime" => occurrence: Str<'a>, "occurrenceString" => occurrence_string: Str<'a>,
        "manufacturer" => manufacturer: Reference<'a>, "lotNumber" => lot: Str<'a>, "route" => route: CodeableConcept<'a>,
        "doseQuantity" => dose: Quantity<'a>, "location" => location: Reference<'a>, "performer" => performer: Vec<Performer<'a>>,
        "protocolApplied" => protocol: Vec<Protocol<'a>>,
    } skips ["id", "meta", "text", "identifier", "extension", "encounter", "recorded", "primarySource", "reasonCode", "site",
        "note", "contained", "expirationDate", "statusReason"]
    /// FamilyMemberHistory.
    FamilyHistory<'a> = "FamilyMemberHistory" {
        "status" => status: Str<'a>, "patient" => patient: Reference<'a>, "relationship" => relationship: CodeableConcept<'a>,
        "sex" => sex: CodeableConcept<'a>, "deceasedBoolean" => deceased: bool, "deceasedDate" => deceased_date: Str<'a>,
        "condition" => condition: Vec<RelativeCondition<'a>>,
    } skips ["id", "meta", "text", "identifier", "extension", "date", "name", "bornDate", "ageAge", "note", "contained"]
    /// ImagingStudy.
    ImagingStudy<'a> = "ImagingStudy" {
        "identifier" => identifier: Vec<Identifier<'a>>, "status" => status: Str<'a>, "subject" => subject: Reference<'a>,
        "encounter" => encounter: Reference<'a>, "started" => started: Str<'a>, "modality" => modality: Vec<Coding<'a>>,
        "numberOfSeries" => series_count: Num<'a>, "numberOfInstances" => instances: Num<'a>,
        "procedureCode" => procedure: Vec<CodeableConcept<'a>>, "description" => description: Str<'a>,
        "series" => series: Vec<Series<'a>>,
    } skips ["id", "meta", "text", "extension", "basedOn", "endpoint", "reasonCode", "interpreter", "referrer", "note",
        "location", "contained"]
    /// MedicationAdministration.
    MedicationAdministration<'a> = "MedicationAdministration" {
        "status" => status: Str<'a>, "medicationCodeableConcept" => medication: CodeableConcept<'a>,
        "subject" => subject: Reference<'a>, "context" => context: Reference<'a>, "effectiveDateTime" => effective: Str<'a>,
        "effectivePeriod" => effective_period: Period<'a>, "performer" => performer: Vec<Performer<'a>>,
        "dosage" => dosage: GivenDose<'a>,
    } skips ["id", "meta", "text", "identifier", "extension", "category", "request", "reasonCode", "note", "contained",
        "medicationReference"]
    /// MedicationDispense.
    MedicationDispense<'a> = "MedicationDispense" {
        "status" => status: Str<'a>, "medicationCodeableConcept" => medication: CodeableConcept<'a>,
        "subject" => subject: Reference<'a>, "context" => context: Reference<'a>, "performer" => performer: Vec<Performer<'a>>,
        "quantity" => quantity: Quantity<'a>, "daysSupply" => days_supply: Quantity<'a>, "whenPrepared" => prepared: Str<'a>,
        "whenHandedOver" => handed_over: Str<'a>, "dosageInstruction" => dosage: Vec<Dosage<'a>>,
    } skips ["id", "meta", "text", "identifier", "extension", "category", "type", "authorizingPrescription", "location", "note",
        "contained", "medicationReference", "substitution", "receiver"]
    /// MedicationStatement.
    MedicationStatement<'a> = "MedicationStatement" {
        "status" => status: Str<'a>, "medicationCodeableConcept" => medication: CodeableConcept<'a>,
        "subject" => subject: Reference<'a>, "context" => context: Reference<'a>, "effectiveDateTime" => effective: Str<'a>,
        "effectivePeriod" => effective_period: Period<'a>, "dateAsserted" => asserted: Str<'a>, "dosage" => dosage: Vec<Dosage<'a>>,
    } skips ["id", "meta", "text", "identifier", "extension", "category", "basedOn", "derivedFrom", "informationSource",
        "reasonCode", "note", "contained", "medicationReference", "statusReason"]
    /// ServiceRequest.
    ServiceRequest<'a> = "ServiceRequest" {
        "identifier" => identifier: Vec<Identifier<'a>>, "status" => status: Str<'a>, "category" => category: Vec<CodeableConcept<'a>>,
        "code" => code: CodeableConcept<'a>, "subject" => subject: Reference<'a>, "encounter" => encounter: Reference<'a>,
        "occurrenceDateTime" => occurrence: Str<'a>, "occurrencePeriod" => occurrence_period: Period<'a>,
        "authoredOn" => authored_on: Str<'a>, "requester" => requester: Reference<'a>, "bodySite" => body_site: Vec<CodeableConcept<'a>>,
    } skips ["id", "meta", "text", "extension", "intent", "priority", "performer", "specimen", "reasonCode", "note", "contained",
        "basedOn", "supportingInfo"]
    /// DocumentReference.
    DocumentReference<'a> = "DocumentReference" {
        "status" => status: Str<'a>, "type" => kind: CodeableConcept<'a>, "subject" => subject: Reference<'a>, "date" => date: Str<'a>,
        "author" => author: Vec<Reference<'a>>, "description" => description: Str<'a>, "content" => content: Vec<Content<'a>>,
        "context" => context: DocumentContext<'a>,
    } skips ["id", "meta", "text", "identifier", "extension", "category", "masterIdentifier", "docStatus", "custodian", "contained",
        "language", "securityLabel", "relatesTo"]
    /// Composition.
    Composition<'a> = "Composition" {
        "status" => status: Str<'a>, "type" => kind: CodeableConcept<'a>, "subject" => subject: Reference<'a>,
        "encounter" => encounter: Reference<'a>, "date" => date: Str<'a>, "author" => author: Vec<Reference<'a>>,
        "title" => title: Str<'a>,
    } skips ["id", "meta", "text", "identifier", "extension", "category", "section", "custodian", "event", "confidentiality",
        "relatesTo", "language", "attester", "contained"]
}

view! {
    /// Any resource, as far as it says of which type it is and whom it is about.
    Head<'a> {
        "resourceType" => resource_type: Str<'a>, "subject" => subject: Reference<'a>, "patient" => patient: Reference<'a>,
        "beneficiary" => beneficiary: Reference<'a>, "id" => id: Str<'a>,
    }
}
