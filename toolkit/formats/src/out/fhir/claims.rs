//! Claims: what stands in several rows becomes one resource.

use serde_json::{Value, json};

use super::{
    Fhir,
    node::{self, Node},
    people::absent,
};
use crate::{
    out::{Moment, OutError, Reason, Sinks},
    record::{ClaimItemRecord, ClaimRecord, Record},
};

/// Rows of a claim that is not yet whole.
pub(super) struct Bill {
    person: u32,
    key: Box<str>,
    month: Option<Moment>,
    head: Option<Value>,
    yen: bool,
    items: Vec<Value>,
    diagnoses: Vec<Value>,
    insurance: Vec<Value>,
    /// Points of the first payer, as billed.
    total: Option<i64>,
}

impl Bill {
    /// Items before this many are kept in memory; no claim has as many.
    pub(super) fn complete(&self) -> bool {
        self.items.len() >= 100_000
    }
}

fn whole(text: Option<&str>) -> Option<i64> {
    text?.trim().parse::<i64>().ok().filter(|n| n.abs() < 1_000_000_000_000)
}

fn yen(amount: i64) -> Value {
    json!({ "value": amount, "currency": "JPY" })
}

impl<S: Sinks> Fhir<'_, S> {
    /// Takes a row of a claim.
    pub(super) fn billed(&mut self, at: u32, record: &Record<'_>) -> Result<(), Reason> {
        let key = match record {
            Record::Claim(r) => r.claim_key,
            Record::ClaimItem(r) => r.claim_key,
            Record::ClaimPayer(r) => r.claim_key,
            _ => None,
        };
        // Rows of a cost file of the DPC survey belong to no claim.
        let month = self.survey.claim(at, key)?;
        let key = key.unwrap_or("");
        let again = matches!(record, Record::Claim(_));
        let same = |b: &Bill| b.person == at && *b.key == *key && !(again && b.head.is_some());
        if !self.bill.as_ref().is_some_and(same) {
            self.close_bill().map_err(|_| Reason::NoPlace)?;
            self.bill = Some(Bill {
                person: at,
                key: key.into(),
                month,
                head: None,
                yen: false,
                items: Vec::new(),
                diagnoses: Vec::new(),
                insurance: Vec::new(),
                total: None,
            });
        }
        let subject = self.subject(at);
        let Some(bill) = &mut self.bill else { return Err(Reason::NoPlace) };
        match record {
            Record::Claim(r) => {
                let billed = node::date_time(r.billed_month);
                let billed = billed.or_else(|| month.map(|m| json!(m.date())));
                bill.yen = r.form == Some("home_nursing");
                bill.total = whole(r.points);
                bill.head = Some(head(r, subject, billed.ok_or(Reason::NoDate)?));
            }
            Record::ClaimPayer(r) => {
                let number = bill.insurance.len() + 1;
                let name = r.payer_no.or(r.payer);
                bill.insurance.push(json!({
                    "sequence": number,
                    "focal": number == 1,
                    "coverage": node::named(name).unwrap_or_else(absent),
                }));
                if r.payer == Some("medical") {
                    bill.total = whole(r.points).or(bill.total);
                }
            }
            Record::ClaimItem(r) if r.code_system == Some("receipt-disease") => {
                let concept = node::concept(r.code_system, r.code, r.text);
                let number = bill.diagnoses.len() + 1;
                bill.diagnoses.push(json!({
                    "sequence": number,
                    "diagnosisCodeableConcept": concept.ok_or(Reason::Empty)?,
                }));
            }
            Record::ClaimItem(r) => {
                let number = bill.items.len() + 1;
                bill.items.push(item(r, number)?);
            }
            _ => return Err(Reason::NoPlace),
        }
        Ok(())
    }

    /// Writes the claim that is open.
    pub(super) fn close_bill(&mut self) -> Result<(), OutError> {
        let Some(bill) = self.bill.take() else { return Ok(()) };
        // The claim's own row stands elsewhere: what is known of the claim is its person and month.
        let mut claim = bill.head.unwrap_or_else(|| {
            let month = bill.month.map(|m| json!(m.date()));
            head(&ClaimRecord::default(), self.subject(bill.person), month.unwrap_or_else(absent))
        });
        let scale = if bill.yen { 1 } else { 10 };
        let mut items = bill.items;
        for item in &mut items {
            if let Some(net) = item.get_mut("net") {
                *net = yen(net["value"].as_i64().unwrap_or(0) * scale);
            }
        }
        if !items.is_empty() {
            claim["item"] = Value::Array(items);
        }
        if !bill.diagnoses.is_empty() {
            claim["diagnosis"] = Value::Array(bill.diagnoses);
        }
        let none = || vec![json!({ "sequence": 1, "focal": true, "coverage": absent() })];
        let insurance = if bill.insurance.is_empty() { none() } else { bill.insurance };
        claim["insurance"] = Value::Array(insurance);
        if let Some(total) = bill.total {
            claim["total"] = yen(total * scale);
        }
        self.write("Claim", claim)
    }
}

fn head(r: &ClaimRecord<'_>, subject: Option<Value>, created: Value) -> Value {
    let kind = match r.form {
        Some("pharmacy") => "pharmacy",
        Some("dental") => "oral",
        Some("home_nursing") => "professional",
        _ => "institutional",
    };
    let site = [r.prefecture.unwrap_or(""), r.institution.unwrap_or("")].concat();
    let provider = Node::default()
        .put("identifier", (!site.is_empty()).then(|| json!({ "value": site })))
        .text("display", r.institution_name)
        .some()
        .unwrap_or_else(absent);
    let month = node::date_time(r.care_month);
    Node::default()
        .text("status", Some("active"))
        .put("type", Some(node::fixed("claim-type", kind)))
        .put("subType", node::concept(Some("receipt-type"), r.claim_type, None))
        .text("use", Some("claim"))
        .put("patient", subject)
        .put("billablePeriod", Node::default().put("start", month.clone()).put("end", month).some())
        .put("created", Some(created))
        .put("provider", Some(provider))
        .put("priority", Some(node::fixed("processpriority", "normal")))
        .value()
}

/// A row; its points are made yen when the form of the claim is known.
fn item(r: &ClaimItemRecord<'_>, number: usize) -> Result<Value, Reason> {
    let concept = node::concept(r.code_system, r.code, r.text);
    let count = whole(r.count).unwrap_or(1);
    let points = whole(r.points).and_then(|p| p.checked_mul(count));
    let node = Node::default()
        .put("sequence", Some(json!(number)))
        .put("category", node::concept(Some("receipt-section"), r.section, None))
        .put("productOrService", Some(concept.ok_or(Reason::Empty)?))
        .put(
            "servicedDate",
            node::date_time(r.started_on).filter(|d| d.as_str().is_some_and(|d| d.len() <= 10)),
        )
        .put("quantity", node::quantity(r.quantity, r.quantity_unit))
        .put("net", points.map(yen));
    Ok(node.value())
}
