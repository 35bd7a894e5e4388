//! The holder's lists, and which rows of the lists of revisions may travel.
//!
//! A row names persons. It is sent only if each of them was sent before or is sent now, and none asked to stop under both
//! regimes: of anybody else the producer holds nothing to revise.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::Path,
};

use kiban_formats::Format;
use kiban_kernel::{Bases, Date};

use super::{SealError, SealRequest, records};
use crate::{
    notices::{
        ListError, NoticeRow, StopRow, mark_returned, parse_notices, parse_returned, parse_stops,
    },
    revisions::{Correction, Retraction, parse_corrections, parse_retractions},
};

/// All lists of a holder.
pub(super) struct Lists {
    pub(super) notices: Vec<NoticeRow>,
    pub(super) stops: Vec<StopRow>,
    pub(super) retractions: Vec<Retraction>,
    pub(super) corrections: Vec<Correction>,
}

/// Rows that travel, and how many do not, by reason.
#[derive(Default)]
pub(super) struct Revisions {
    pub(super) retractions: Vec<Retraction>,
    pub(super) corrections: Vec<Correction>,
    pub(super) kept_back: BTreeMap<String, u64>,
}

/// List of letters that came back, beside the profile; it need not be there.
pub(super) const RETURNED_NAME: &str = "returned.csv";

const MISSING: ListError = ListError { line: 0, column: "" };

pub(super) fn read(request: &SealRequest) -> Result<Lists, SealError> {
    let notices = fs::read(&request.notices).map_err(|_| SealError::Notices(MISSING))?;
    // A missing list of stops is an error too: an empty list must be said, not guessed.
    let stops = fs::read(&request.stops).map_err(|_| SealError::Stops(MISSING))?;
    let mut notices = parse_notices(&notices).map_err(SealError::Notices)?;
    let returned = optional(&request.home.join(RETURNED_NAME), parse_returned);
    mark_returned(&mut notices, &returned.map_err(SealError::Returned)?);
    Ok(Lists {
        notices,
        stops: parse_stops(&stops).map_err(SealError::Stops)?,
        retractions: optional(&request.retractions, parse_retractions)
            .map_err(SealError::Retractions)?,
        corrections: optional(&request.corrections, parse_corrections)
            .map_err(SealError::Corrections)?,
    })
}

/// A list that need not be there.
pub(super) fn optional<T>(
    path: &Path,
    parse: fn(&[u8]) -> Result<Vec<T>, ListError>,
) -> Result<Vec<T>, ListError> {
    match fs::read(path) {
        Ok(bytes) => parse(&bytes),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(_) => Err(MISSING),
    }
}

/// The rows that may travel. `sent_now`: local ids of the persons in this delivery; `deleted`: names of FHIR
/// resources that a bundle of deletions among the inputs names.
pub(super) fn choose(
    request: &SealRequest,
    lists: Lists,
    sent_now: &HashSet<&str>,
    deleted: Vec<String>,
    on: Date,
) -> Result<Revisions, SealError> {
    let mut out = Revisions::default();
    let Lists { mut retractions, corrections, stops, .. } = lists;
    retractions.extend(deleted.into_iter().map(|record| Retraction {
        local_id: record.strip_prefix("fhir/Patient/").unwrap_or_default().to_owned(),
        format: Format::FhirNdjson,
        record,
        reason: "FHIR DELETE".to_owned(),
        on,
    }));
    if retractions.is_empty() && corrections.is_empty() {
        return Ok(out);
    }
    let before = sent_before(request)?;
    let mut stopped: HashMap<&str, Bases> = HashMap::new();
    for stop in &stops {
        let regimes = stopped.entry(&stop.local_id).or_insert(Bases::NONE);
        *regimes = Bases::from_bits(regimes.bits() | stop.regimes.bits());
    }
    let reason = |ids: &[&str]| {
        let unknown =
            |id: &&&str| !id.is_empty() && !sent_now.contains(**id) && !before.contains(**id);
        if ids.iter().any(|id| stopped.get(id) == Some(&Bases::BOTH)) {
            Some("stopped")
        } else {
            ids.iter().find(unknown).map(|_| "never_sent")
        }
    };
    let mut keep = |why: Option<&'static str>| match why {
        None => true,
        Some(why) => {
            *out.kept_back.entry(why.to_owned()).or_default() += 1;
            false
        }
    };
    retractions.retain(|r| keep(reason(&[&r.local_id])));
    let corrections: Vec<Correction> =
        corrections.into_iter().filter(|c| keep(reason(&[&c.from, &c.to]))).collect();
    (out.retractions, out.corrections) = (retractions, corrections);
    Ok(out)
}

/// Local ids in the lists of the deliveries sealed so far.
fn sent_before(request: &SealRequest) -> Result<HashSet<String>, SealError> {
    let outbox = request.home.join("outbox");
    let mut out = HashSet::new();
    for record in records::sent_records(&request.home)? {
        let path = outbox.join(&record.provision.persons_list);
        let bytes = fs::read(path).map_err(SealError::Write)?;
        let rows = parse_notices(&bytes).map_err(|_| SealError::Record)?;
        out.extend(rows.into_iter().map(|n| n.local_id));
    }
    Ok(out)
}
