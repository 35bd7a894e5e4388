//! Stops of a predecessor: none is dropped for want of a detail. What a row does not say is assumed on the safe side and
//! remarked; only a row that names no holder or nobody cannot be carried over.

use std::collections::BTreeMap;

use kiban_audit::{Event, Tx};
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Bases, Date, Id, LawKey, Regime, kinds, parse_date};
use kiban_register::{
    Stop, StopError, StopRequest,
    stop::{self, Requester, Scope, Withdrawal},
};
use serde_json::json;

use super::{
    decide::{Known, regimes},
    report::ImportCounts,
};
use crate::{Deployment, Error, stop_request};

/// A withdrawal to be recorded once the stop is in effect everywhere.
pub(super) struct Taken {
    stop: Id<kinds::Stop>,
    withdrawn_on: Date,
    receipt_number: String,
    requester: Requester,
    evidence: String,
}

/// What became of a row: the stop if it is new, and its withdrawal.
#[derive(Default)]
pub(super) struct Carried {
    pub(super) stop: Option<Stop>,
    pub(super) taken: Option<Taken>,
}

/// Carries one row over, in the batch's transaction. The caller puts down which datasets hold the persons.
pub(super) async fn carry(
    on: &Deployment,
    tx: &mut Tx,
    known: &mut Known,
    counts: &mut ImportCounts,
    (cells, row, mark): (&[String; 9], u64, &str),
) -> Result<Carried, Error> {
    let [holder, local_id, regime, requested, receipt, requester, evidence, withdrawn, paper] =
        cells;
    let Some(holder) = known.holder(holder) else {
        counts.refuse("import.holder", row);
        return Ok(Carried::default());
    };
    if local_id.is_empty() {
        counts.refuse("import.person", row);
        return Ok(Carried::default());
    }
    let mut remarks: Vec<&str> = Vec::new();
    let mut or = |found: bool, rule: &'static str| {
        if !found {
            remarks.push(rule);
        }
        found
    };
    let bases = regimes(regime).filter(|_| true);
    or(bases.is_some() || regime.is_empty(), "import.stop-regimes");
    let day = parse_date(requested).ok().filter(|d| *d <= known.today);
    or(day.is_some(), "import.stop-date");
    let requester_read = match requester.as_str() {
        "person" => Some(Requester::Person),
        "guardian" => Some(Requester::Guardian),
        "bereaved_family" | "family" => Some(Requester::BereavedFamily),
        _ => None,
    };
    or(requester_read.is_some(), "import.stop-requester");
    let number = if or(!receipt.is_empty(), "import.stop-receipt") {
        receipt.clone()
    } else {
        format!("{mark}-{row}")
    };
    let paper_of_import = format!("{mark}-{row}");
    let evidence = if or(!evidence.is_empty(), "import.stop-evidence") {
        evidence.clone()
    } else {
        paper_of_import
    };
    let mut request = StopRequest {
        holder,
        local_id: local_id.clone(),
        regimes: bases.unwrap_or(Bases::BOTH),
        requested_on: day.unwrap_or(known.today),
        receipt_number: number,
        requester: requester_read.unwrap_or(Requester::Person),
        evidence,
        scope: Scope::Holder,
        identities: Vec::new(),
    };
    let keys = known.keys.clone();
    let received = match stop_request::take_in(on, tx, &keys, &request).await {
        Err(Error::Stop(StopError::OtherRequest)) => {
            remarks.push("import.stop-receipt-taken");
            request.receipt_number = format!("{}#{mark}-{row}", request.receipt_number);
            stop_request::take_in(on, tx, &keys, &request).await?
        }
        other => other?,
    };
    let mut taken = None;
    if !withdrawn.is_empty() {
        match parse_date(withdrawn).ok().filter(|d| *d >= request.requested_on && *d <= known.today)
        {
            Some(withdrawn_on) if !paper.is_empty() => {
                taken = Some(Taken {
                    stop: received.stop.id,
                    withdrawn_on,
                    receipt_number: paper.clone(),
                    requester: request.requester,
                    evidence: request.evidence.clone(),
                });
            }
            _ => remarks.push("import.withdrawal"),
        }
    }
    if received.new {
        counts.accepted += 1;
        for regime in Regime::ALL.into_iter().filter(|r| received.stop.regimes.contains(*r)) {
            *counts.stops.entry(regime.as_str().to_owned()).or_default() += 1;
        }
        for rule in remarks {
            counts.remark(rule, row);
        }
    } else {
        counts.known += 1;
    }
    Ok(Carried { stop: received.new.then_some(received.stop), taken })
}

/// Records the withdrawals of stops that are in effect everywhere; returns how many wait.
pub(super) async fn withdraw(
    on: &Deployment,
    actor: &Actor,
    taken: &[Taken],
) -> Result<u64, Error> {
    let mut waiting = 0;
    let permit = permit(actor, Act::ImportRegister)?;
    for chunk in taken.chunks(200) {
        let mut tx = on.log.begin().await?;
        let mut recorded: BTreeMap<String, Id<kinds::Stop>> = BTreeMap::new();
        for one in chunk {
            let withdrawal = Withdrawal {
                stop: one.stop,
                withdrawn_on: one.withdrawn_on,
                receipt_number: one.receipt_number.clone(),
                requester: one.requester,
                evidence: one.evidence.clone(),
            };
            match stop::withdraw(&mut tx, &withdrawal).await {
                Ok(()) => {
                    recorded.insert(one.stop.to_string(), one.stop);
                }
                Err(StopError::Withdrawn) => {}
                Err(StopError::Open) => waiting += 1,
                Err(e) => return Err(e.into()),
            }
        }
        if recorded.is_empty() {
            tx.rollback().await?;
            continue;
        }
        let event = Event {
            kind: "register.withdrawals_imported",
            actor: permit.actor(),
            subject: permit.actor().organization.to_string(),
            law: LawKey::new("stop").ok(),
            body: json!({ "withdrawals": recorded.len() }),
        };
        let _ = tx.commit(event).await?;
    }
    Ok(waiting)
}
