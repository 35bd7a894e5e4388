//! What happened in a demo run, as counts: everything the printed summary and the report show.

use std::{collections::BTreeMap, path::PathBuf};

use kiban_journeys::deid::report::AdversaryRisk;

/// A reason and how many persons it held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) regime: String,
    pub(crate) reason_ja: String,
    pub(crate) persons: u64,
}

/// One sealed delivery through both gates.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryStory {
    pub(crate) holder: String,
    pub(crate) on: String,
    pub(crate) persons_in_source: u64,
    pub(crate) persons_sealed: u64,
    pub(crate) segments_sealed: u64,
    pub(crate) held_by_holder: Vec<Held>,
    pub(crate) held_by_producer: Vec<Held>,
    pub(crate) persons_accepted: u64,
    pub(crate) rows: BTreeMap<String, u64>,
    pub(crate) quarantined: Vec<(String, u64)>,
    pub(crate) unread: Vec<(String, u64)>,
}

/// Linkage over holders, held against the truth.
#[derive(Debug, Clone, Default)]
pub(crate) struct LinkageStory {
    pub(crate) records: u64,
    pub(crate) persons: u64,
    pub(crate) pairs_found: u64,
    pub(crate) pairs_true_exact: u64,
    pub(crate) pairs_exact_found: u64,
    pub(crate) pairs_true_all: u64,
    pub(crate) pairs_right: u64,
    pub(crate) pairs_wrong: u64,
}

/// A gate of the people simulated: how many of a group must and did reach a product.
#[derive(Debug, Clone)]
pub(crate) struct GroupStory {
    pub(crate) group_ja: String,
    pub(crate) people: u64,
    pub(crate) expected: [u64; 2],
    pub(crate) reached: [u64; 2],
    /// Records that reached a product they must not reach, or the other way round.
    pub(crate) wrong: u64,
}

/// A rule's effect on one column.
#[derive(Debug, Clone)]
pub(crate) struct RuleStory {
    pub(crate) column: String,
    pub(crate) rule_ja: String,
    pub(crate) article: String,
    pub(crate) changed: u64,
    pub(crate) removed: u64,
}

/// Mean and quartiles of a numeric column before and after.
#[derive(Debug, Clone)]
pub(crate) struct UtilityStory {
    pub(crate) column: String,
    pub(crate) before: [f64; 4],
    pub(crate) after: Option<[f64; 4]>,
    pub(crate) kept_percent: f64,
}

/// One dataset from specification to package.
#[derive(Debug, Clone)]
pub(crate) struct DatasetStory {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) product_ja: &'static str,
    pub(crate) recipient: String,
    pub(crate) persons_cleared: u64,
    pub(crate) persons_suppressed: u64,
    pub(crate) persons_out: u64,
    pub(crate) rows: BTreeMap<String, u64>,
    pub(crate) k_target: Option<u64>,
    pub(crate) k_measured: u64,
    pub(crate) histogram: Vec<(String, u64, u64)>,
    pub(crate) prosecutor: f64,
    pub(crate) marketer: f64,
    pub(crate) adversaries: Vec<AdversaryRisk>,
    /// Planted persons the product could hold, and those an adversary singles out.
    pub(crate) planted: [u64; 2],
    pub(crate) findings: u64,
    pub(crate) rules: Vec<RuleStory>,
    pub(crate) utility: Vec<UtilityStory>,
    pub(crate) sample_header: Vec<String>,
    pub(crate) sample_before: Vec<Vec<String>>,
    pub(crate) sample_after: Vec<Vec<String>>,
    pub(crate) committee: String,
    pub(crate) package: String,
    /// Where the package was opened.
    pub(crate) opened: PathBuf,
    pub(crate) payload_digest: String,
    pub(crate) cells_scanned: u64,
    pub(crate) leaks: u64,
}

/// A stop after delivery.
#[derive(Debug, Clone, Default)]
pub(crate) struct StopStory {
    pub(crate) rows_erased: u64,
    pub(crate) segments_shredded: u64,
    pub(crate) stores: Vec<String>,
    pub(crate) rebuild_refused: String,
    pub(crate) rebuilt_without: u64,
    pub(crate) next_persons: u64,
    pub(crate) present_after: u64,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Story {
    pub(crate) seed: u64,
    pub(crate) persons: u64,
    pub(crate) version: &'static str,
    pub(crate) day_30_held: u64,
    pub(crate) day_31_passed: u64,
    pub(crate) deliveries: Vec<DeliveryStory>,
    pub(crate) linkage: LinkageStory,
    pub(crate) groups: Vec<GroupStory>,
    pub(crate) datasets: Vec<DatasetStory>,
    pub(crate) refusals: Vec<(String, String)>,
    pub(crate) stop: StopStory,
    /// Pseudonyms shared: by two deliveries of a line, by two lines, by the two products.
    pub(crate) pseudonyms: [u64; 3],
    pub(crate) events: u64,
    pub(crate) files_verified: u64,
    pub(crate) seconds: Vec<(String, f64)>,
}
