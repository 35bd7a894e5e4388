//! Stops from the paper to the proof: every store, a store that is off, datasets on their way, backups, rates.

pub(crate) mod family;
mod restore;
mod stores;

use kiban_journeys::{
    Parties, StopRequest,
    kernel::{Bases, Date},
    stop::{Requester, Scope},
};

use crate::support::{files::csv_rows, site::Site};

/// Local ids of a holder that reach both products and did not stop.
pub(crate) fn in_both(site: &Site, holder: &str) -> Vec<String> {
    let stopped: Vec<String> =
        site.stops(holder, "stops_after_sending.csv").into_iter().map(|s| s.local_id).collect();
    csv_rows(&site.truth().join("regimes.csv"))
        .into_iter()
        .filter(|r| {
            r["holder"] == holder && r["reaches_anon"] == "yes" && r["reaches_pseudo"] == "yes"
        })
        .map(|r| r["local_id"].clone())
        .filter(|id| !stopped.contains(id))
        .collect()
}

pub(crate) fn request(holder: &str, local_id: &str, receipt: &str, on: Date) -> StopRequest {
    StopRequest {
        holder: Parties::organization_id(holder),
        local_id: local_id.to_owned(),
        regimes: Bases::BOTH,
        requested_on: on,
        receipt_number: receipt.to_owned(),
        requester: Requester::BereavedFamily,
        evidence: "戸籍謄本 R8-12".to_owned(),
        scope: Scope::Holder,
        identities: Vec::new(),
    }
}
