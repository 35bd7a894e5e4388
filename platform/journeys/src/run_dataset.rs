//! A dataset's content, from its basis and a stand of the data: the same plans whenever it is made.

use kiban_deid::{
    self as deid, DatasetKey, ProjectKey, Releasable as _,
    finding::{Choice, Decision as DeidDecision},
    spec::Checked,
};
use kiban_kernel::Product;
use kiban_register::{Anon52, Cleared, Pseudo57, stop::TouchingStop};
use kiban_release::{
    Manifest,
    finding::{Decision, FindingRow},
};

use crate::{Deployment, Error, map_codes, produce_dataset::Basis};

/// One of the two products.
pub enum Content {
    /// 匿名加工医療情報
    Anonymized(deid::Anonymized),
    /// 仮名加工医療情報
    Pseudonymized(deid::Pseudonymized),
}

impl Content {
    /// Rows and reports.
    pub fn produced(&self) -> &deid::Produced {
        match self {
            Self::Anonymized(p) => p.produced(),
            Self::Pseudonymized(p) => p.produced(),
        }
    }
}

/// The stand of the lake that a run reads.
pub(crate) enum Stand {
    Now,
    Of { snapshot: u64, watermark: u64, mapping: u64 },
}

impl Stand {
    /// The stand that a manifest records.
    pub(crate) fn recorded(manifest: &Manifest) -> Self {
        // Manifests of earlier versions know no mappings: none was in effect.
        let mapping = manifest.provenance.get("mapping_version").and_then(|v| v.as_u64());
        Self::Of {
            snapshot: manifest.snapshot,
            watermark: manifest.stop_watermark,
            mapping: mapping.unwrap_or(0),
        }
    }
}

fn checked(on: &Deployment, basis: &Basis) -> Result<Checked, Error> {
    // The rules of the day on which the contract was made hold for the dataset, also when it is built again.
    Ok(basis.spec.check(basis.application.product, &on.rules, basis.contract.terms.from)?)
}

/// A dataset's content, with its risks measured.
pub(crate) async fn run(
    on: &Deployment,
    basis: &Basis,
    stand: &Stand,
) -> Result<(Content, Vec<TouchingStop>), Error> {
    make(on, basis, stand, checked(on, basis)?).await
}

/// A dataset's content only to compare another with.
pub(crate) async fn run_unmeasured(
    on: &Deployment,
    basis: &Basis,
    stand: &Stand,
) -> Result<(Content, Vec<TouchingStop>), Error> {
    make(on, basis, stand, checked(on, basis)?.unmeasured()).await
}

async fn make(
    on: &Deployment,
    basis: &Basis,
    stand: &Stand,
    checked: Checked,
) -> Result<(Content, Vec<TouchingStop>), Error> {
    let version = match stand {
        Stand::Now => None,
        Stand::Of { mapping, .. } => Some(*mapping),
    };
    let codes = map_codes::code_map(on, version).await?;
    let mut conn = on.reader().await?;
    let ring = on.lake.ring().clone();
    match basis.application.product {
        Product::Anonymized => {
            let (cleared, since) = match stand {
                Stand::Now => (Cleared::<Anon52>::mint(&mut conn, &on.lake).await?, Vec::new()),
                Stand::Of { snapshot, watermark, .. } => {
                    Cleared::<Anon52>::again(
                        &mut conn,
                        &on.lake,
                        kiban_lake::Snapshot(*snapshot),
                        *watermark,
                    )
                    .await?
                }
            };
            let key = DatasetKey::of(&ring, &mut conn, basis.dataset).await?;
            Ok((
                Content::Anonymized(
                    deid::anonymize(&on.lake, &cleared, &codes, &checked, &key).await?,
                ),
                since,
            ))
        }
        Product::Pseudonymized => {
            let (cleared, since) = match stand {
                Stand::Now => (Cleared::<Pseudo57>::mint(&mut conn, &on.lake).await?, Vec::new()),
                Stand::Of { snapshot, watermark, .. } => {
                    Cleared::<Pseudo57>::again(
                        &mut conn,
                        &on.lake,
                        kiban_lake::Snapshot(*snapshot),
                        *watermark,
                    )
                    .await?
                }
            };
            let key = ProjectKey::of(&ring, &mut conn, basis.application.project).await?;
            let decisions = decisions(&basis.decided);
            let product =
                deid::pseudonymize(&on.lake, &cleared, &codes, &checked, &key, &decisions).await?;
            Ok((Content::Pseudonymized(product), since))
        }
    }
}

fn decisions(rows: &[FindingRow]) -> Vec<DeidDecision> {
    rows.iter()
        .filter_map(|row| {
            let decided = row.decided.as_ref()?;
            Some(DeidDecision {
                finding: row.finding.id,
                choice: match decided.decision {
                    Decision::Keep => Choice::Keep,
                    Decision::Coarsen => Choice::Coarsen,
                    Decision::Drop => Choice::Drop,
                },
                by: decided.by.account,
                reason: decided.reason.clone(),
                at: decided.at,
            })
        })
        .collect()
}
