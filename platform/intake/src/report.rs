//! The report of a delivery: what came, what was kept, what was refused or put into quarantine, and the
//! defects by rule. As data, and as CSV that the holder's staff can open. No values.

mod table;

use std::collections::BTreeMap;

use kiban_kernel::{Digest, Id, Regime, Timestamp, kinds};

use crate::{
    manifest::Manifest,
    place::FileRef,
    quality::{GridCell, Quality, RuleCount},
    rows::{RowTotals, TableBuilders},
    seal::{Checked, Opened, Segment},
};

/// What became of a delivery, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Segments in the delivery.
    pub segments: u64,
    /// Segments kept.
    pub accepted_segments: u64,
    /// Segments already received with the same bytes.
    pub duplicate_segments: u64,
    /// Of the segments kept, those that are history only: a newer version was there, or they take a record back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub history_segments: u64,
    /// Segments of earlier versions whose rows left use because of this delivery.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub superseded_segments: u64,
    /// Records that this delivery took back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub withdrawn_records: u64,
    /// Rows of the holder's lists that had nothing to change: applied before, or of what was never received.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub idle_revisions: u64,
    /// Segments of nobody: not kept.
    pub nobody_segments: u64,
    /// Segments in quarantine, by rule: nothing of them is kept.
    pub quarantined_segments: BTreeMap<String, u64>,
    /// Segments refused by the gate under both regimes, by reason: nothing of them is kept.
    pub refused_segments: BTreeMap<String, u64>,
    /// Persons of whom something was kept.
    pub accepted_persons: u64,
    /// Persons of whom nothing was kept, by reason.
    pub refused_persons: BTreeMap<String, u64>,
    /// Rows refused under a regime, by `regime/reason`; such a row may have been kept under the other.
    pub refused_rows: BTreeMap<String, u64>,
    /// Rows kept, by table.
    pub rows: BTreeMap<String, u64>,
    /// Persons whose notices, as the delivery says them, differ from the register that was taken over, by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub register_differences: BTreeMap<String, u64>,
    /// Persons the holder withheld, by reason, as it declared.
    pub withheld_by_holder: BTreeMap<String, u64>,
    /// Segments the holder withheld, by rule, as it declared.
    pub withheld_segments_by_holder: BTreeMap<String, u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Counts {
    /// Counts that begin with what the holder declared.
    pub fn declared(manifest: &Manifest) -> Self {
        Self {
            withheld_by_holder: manifest.withheld_persons.clone(),
            withheld_segments_by_holder: manifest.withheld_segments.clone(),
            ..Self::default()
        }
    }

    /// Counts rows refused under one regime.
    pub fn refuse_rows(&mut self, regime: Regime, reason: &str, rows: u64) {
        *self.refused_rows.entry(format!("{regime}/{reason}")).or_default() += rows;
    }

    /// Every segment is accounted for exactly once.
    pub fn balances(&self) -> bool {
        self.segments
            == self.accepted_segments
                + self.duplicate_segments
                + self.nobody_segments
                + self.quarantined_segments.values().sum::<u64>()
                + self.refused_segments.values().sum::<u64>()
    }
}

/// One file in a report.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ReportedFile {
    /// Number and masked path.
    pub file: FileRef,
    /// Digest as sent.
    pub sha256: Digest,
    /// Size as sent.
    pub size: u64,
    /// Segments.
    pub segments: u64,
    /// Format.
    pub format: String,
}

/// The report of a delivery.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DeliveryReport {
    /// The delivery.
    pub delivery: Id<kinds::Delivery>,
    /// The sender.
    pub holder: Id<kinds::Organization>,
    /// When it was received.
    pub received_at: Timestamp,
    /// Digest of the sealed file.
    pub sealed_sha256: Digest,
    /// The first files (at most 1,000; the digest of the whole list is in the receipt).
    pub files: Vec<ReportedFile>,
    /// Files in all.
    pub files_total: u64,
    /// What became of it.
    pub counts: Counts,
    /// Defects by rule, with first positions.
    pub rules: BTreeMap<String, RuleCount>,
    /// Names of what no reader reads, with counts.
    pub unread: BTreeMap<String, u64>,
    /// The grid of data quality.
    pub grid: Vec<GridCell>,
    /// Persons whose basics were kept, by class of sex and age.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub population: BTreeMap<String, u64>,
}

/// Collects what a report needs while segments stream by.
#[derive(Debug, Clone, Default)]
pub struct ReportBuilder {
    /// Counts.
    pub counts: Counts,
    /// Defects.
    pub quality: Quality,
    unread: BTreeMap<String, u64>,
}

impl ReportBuilder {
    /// A report on a delivery.
    pub fn new(delivery: &Opened) -> Self {
        Self { counts: Counts::declared(delivery.manifest()), ..Self::default() }
    }

    /// Notes a segment's defects and unread names. Returns false if the segment cannot be kept, because
    /// it is in quarantine or of nobody; it is counted then.
    pub fn segment(&mut self, segment: &Segment<'_>) -> bool {
        self.counts.segments += 1;
        let parsed = segment.parsed;
        if !parsed.issues.is_empty() {
            self.quality.add_issues(&segment.file_ref(), &parsed.issues);
        }
        for name in &parsed.unread {
            crate::holder::count_name(&mut self.unread, name);
        }
        if parsed.rejected {
            let rule = parsed.issues.first().map_or("intake.rejected", |i| i.rule);
            *self.counts.quarantined_segments.entry(rule.to_owned()).or_default() += 1;
            return false;
        }
        if segment.person.is_none_or(str::is_empty) {
            self.counts.nobody_segments += 1;
            return false;
        }
        true
    }

    /// The report.
    pub fn finish(
        mut self,
        checked: &Checked,
        received_at: Timestamp,
        builders: &TableBuilders,
        totals: &RowTotals,
    ) -> DeliveryReport {
        self.counts.rows = totals.iter().map(|(t, n)| (t.to_owned(), n)).collect();
        let mut rules = self.quality.rules().clone();
        for place in rules.values_mut().flat_map(|r| &mut r.places) {
            let index = place.file.number.checked_sub(1).and_then(|n| usize::try_from(n).ok());
            if let Some(file) =
                index.and_then(|n| checked.files().get(n)).filter(|_| place.file.hint.is_empty())
            {
                place.file = FileRef::new(place.file.number, &file.path);
            }
        }
        let mut grid = builders.grid(totals);
        grid.extend(self.quality.plausibility());
        grid.sort_by(|a, b| (a.aspect, &a.table, &a.check).cmp(&(b.aspect, &b.table, &b.check)));
        DeliveryReport {
            delivery: checked.manifest().delivery,
            holder: checked.manifest().holder,
            received_at,
            sealed_sha256: checked.sealed_digest(),
            files: (1_u64..)
                .zip(checked.files())
                .take(1_000)
                .map(|(n, f)| ReportedFile {
                    file: FileRef::new(n, &f.path),
                    sha256: f.sha256,
                    size: f.size,
                    segments: f.segments,
                    format: f.format.clone(),
                })
                .collect(),
            files_total: checked.files().len() as u64,
            counts: self.counts,
            rules,
            unread: self.unread,
            grid,
            population: self.quality.population(),
        }
    }
}
