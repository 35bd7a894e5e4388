//! From an accepted application to a produced dataset, and the same again from its manifest.
//!
//! A dataset is recorded as a manifest (snapshot, specification, rules, keys by name, digests), not as rows: what
//! is approved is run again when it is handed over, and must give the same payload.

use kiban_audit::{Event, Tx};
use kiban_deid::{
    self as deid, DatasetKey, ProjectKey,
    finding::{Choice, Decision as DeidDecision},
    spec::Spec,
};
use kiban_deliver::{Licence, Payload, PayloadFile};
use kiban_govern::{Act, Actor, Permit, permit};
use kiban_kernel::{Id, LawKey, Product, kinds};
use kiban_release::{
    Manifest,
    application::{Application, State},
    contract::Contract,
    finding::{Decision, Finding, FindingRow},
    manifest::{FindingFact, TableFact},
};
use serde_json::json;
use sqlx::{AnyConnection, Row as _};

use crate::{
    Deployment, Error, dataset_cases,
    joins::{self, Joined},
    run_dataset::{Content, Stand, run},
};

/// What to produce.
#[derive(Debug, Clone)]
pub struct ProduceRequest {
    /// The accepted application.
    pub application: Id<kinds::Application>,
    /// The specification's text; its digest must be the contract's.
    pub specification: String,
    /// To go on with a dataset whose findings were decided.
    pub dataset: Option<Id<kinds::Dataset>>,
}

/// What was produced.
pub struct Produced {
    /// The dataset.
    pub dataset: Id<kinds::Dataset>,
    /// Content and reports.
    pub content: Content,
    /// The manifest, unless findings wait for a decision or a limit is not kept.
    pub manifest: Option<Manifest>,
    /// Findings without a decision; they block the release.
    pub undecided: Vec<deid::finding::Finding>,
    /// Limits of the specification that are not kept, a Japanese sentence each; they block the release for good.
    pub over_risk: Vec<String>,
    /// Comparisons with the datasets approved before.
    pub joined: Vec<Joined>,
}

/// Everything a run needs that does not depend on the day of the run.
pub(crate) struct Basis {
    pub(crate) dataset: Id<kinds::Dataset>,
    pub(crate) application: Application,
    pub(crate) contract: Contract,
    conditions: Vec<String>,
    use_until: kiban_kernel::Date,
    pub(crate) spec: Spec,
    pub(crate) decided: Vec<FindingRow>,
}

/// Run the specification over what is cleared now, record findings, and, when none is undecided, the manifest.
///
/// # Errors
/// The actor may not; the application is not accepted, the contract not in force or of another specification; the
/// specification breaks the standard of processing; a stop waits for the vault; lake or log failed.
/// # Law
/// `anonymized.making`, `pseudonymized.making`
pub async fn produce_dataset(
    on: &Deployment,
    actor: &Actor,
    request: &ProduceRequest,
) -> Result<Produced, Error> {
    let permit = permit(actor, Act::ProduceDataset)?;
    let dataset = match request.dataset {
        Some(dataset) => dataset,
        None => on.new_id()?,
    };
    let mut conn = on.reader().await?;
    let contracts = kiban_release::contracts(&mut conn, request.application).await?;
    let today = on.today();
    let contract = contracts
        .into_iter()
        .find(|c| c.in_force(today))
        .ok_or(Error::Unknown { what: "contract in force" })?;
    let basis =
        basis(&mut conn, dataset, request.application, contract, &request.specification).await?;
    if basis.spec.digest() != basis.contract.terms.specification {
        return Err(Error::SpecificationDiffers);
    }
    crate::conditions::hold(&basis.conditions, &basis.spec, basis.application.product)?;
    drop(conn);
    start(on, &permit, &basis, &request.specification).await?;
    on.world.steps.step("journeys.production_started");
    let (content, _) = run(on, &basis, &Stand::Now).await?;
    // With findings to decide it is made again: what is approved then is compared.
    let open = content.produced().undecided().next().is_some();
    let joined =
        if open { Vec::new() } else { Box::pin(joins::compare(on, &basis, &content)).await? };
    on.world.steps.step("journeys.produced");
    record(on, &permit, &basis, content, joined).await
}

pub(crate) async fn basis(
    conn: &mut AnyConnection,
    dataset: Id<kinds::Dataset>,
    id: Id<kinds::Application>,
    contract: Contract,
    specification: &str,
) -> Result<Basis, Error> {
    let application = kiban_release::application(conn, id).await?;
    let (_, content) = kiban_release::content(conn, id).await?;
    let State::Accepted { conditions, .. } = &application.state else {
        return Err(Error::Unknown { what: "accepted application" });
    };
    Ok(Basis {
        dataset,
        conditions: conditions.clone(),
        contract,
        use_until: content.use_until,
        spec: Spec::parse(specification)?,
        decided: kiban_release::findings(conn, dataset).await?,
        application,
    })
}

/// The specification's text and the dataset's key are on record before anything is made with them.
async fn start(on: &Deployment, permit: &Permit, basis: &Basis, text: &str) -> Result<(), Error> {
    let mut tx = on.log.begin().await?;
    let (digest, at) = (basis.spec.digest().to_string(), tx.now().to_string());
    sqlx::query(
        "INSERT INTO journeys_specification (digest, specification, at) VALUES ($1, $2, $3) \
         ON CONFLICT (digest) DO NOTHING",
    )
    .bind(digest.clone())
    .bind(text.to_owned())
    .bind(at)
    .execute(tx.conn())
    .await?;
    let ring = on.lake.ring().clone();
    match basis.application.product {
        Product::Anonymized => drop(DatasetKey::of(&ring, tx.conn(), basis.dataset).await?),
        Product::Pseudonymized => {
            drop(ProjectKey::of(&ring, tx.conn(), basis.application.project).await?);
        }
    }
    let event = Event {
        kind: "dataset.started",
        actor: permit.actor(),
        subject: basis.dataset.to_string(),
        law: LawKey::new(law(basis.application.product)).ok(),
        body: json!({ "application": basis.application.id.to_string(), "specification": digest }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

pub(crate) fn law(product: Product) -> &'static str {
    match product {
        Product::Anonymized => "anonymized.making",
        Product::Pseudonymized => "pseudonymized.making",
    }
}

/// The files of a package: what the product gives, and the licence.
pub(crate) fn payload(basis: &Basis, content: &Content) -> Result<Payload, Error> {
    let files = content.produced().payload()?.files;
    let files = files.into_iter().map(|f| PayloadFile { path: f.path, bytes: f.bytes }).collect();
    let licence = Licence {
        product: basis.application.product,
        contract: &basis.contract.terms.text,
        conditions: &basis.conditions,
        use_until: basis.use_until,
    };
    Ok(Payload::assemble(files, &licence).map_err(kiban_deliver::DeliverError::from)?)
}

async fn record(
    on: &Deployment,
    permit: &Permit,
    basis: &Basis,
    content: Content,
    joined: Vec<Joined>,
) -> Result<Produced, Error> {
    let produced = content.produced();
    let known = |id| basis.decided.iter().any(|row| row.finding.id == id);
    let new: Vec<Finding> = produced
        .findings()
        .iter()
        .filter(|f| !known(f.id))
        .map(|f| Finding {
            id: f.id,
            rule: f.kind.as_str().to_owned(),
            columns: f.columns.clone(),
            persons: f.persons,
        })
        .collect();
    let undecided: Vec<_> = produced.undecided().cloned().collect();
    let mut tx = on.log.begin().await?;
    kiban_release::record_findings(&mut tx, permit, basis.dataset, &new).await?;
    let mut over_risk = produced.risk().over_limits_ja();
    over_risk.extend(joins::record(&mut tx, basis.dataset, &joined).await?);
    mark_risk(&mut tx, basis.dataset, &over_risk).await?;
    dataset_cases::keep(&mut tx, basis.dataset, basis.application.id, produced).await?;
    let manifest = if undecided.is_empty() && over_risk.is_empty() {
        let payload = payload(basis, &content)?;
        let manifest = manifest(basis, produced, &payload, tx.now(), permit.actor().organization);
        let note = manifest.sign(on.signer.key())?;
        let keys = [on.signer.verify_key().clone()];
        Some(kiban_release::record_dataset(&mut tx, permit, &note, &keys).await?)
    } else {
        None
    };
    let event = Event {
        kind: match (&manifest, over_risk.is_empty()) {
            (Some(_), _) => "dataset.produced",
            (None, true) => "dataset.findings",
            (None, false) => "dataset.over_risk",
        },
        actor: permit.actor(),
        subject: basis.dataset.to_string(),
        law: LawKey::new(law(basis.application.product)).ok(),
        body: json!({
            "persons": produced.risk().persons_out,
            "suppressed": produced.risk().persons_suppressed,
            "undecided": undecided.len(),
            "over_limits": over_risk.len(),
        }),
    };
    let _ = tx.commit(event).await?;
    Ok(Produced { dataset: basis.dataset, content, manifest, undecided, over_risk, joined })
}

/// A dataset over a limit is on record, so that whoever asks for its release is told why not; what an earlier run of
/// the dataset left there goes.
pub(crate) async fn mark_risk(
    tx: &mut Tx,
    dataset: Id<kinds::Dataset>,
    reasons: &[String],
) -> Result<(), Error> {
    if reasons.is_empty() {
        sqlx::query("DELETE FROM journeys_over_risk WHERE dataset = $1")
            .bind(dataset.to_string())
            .execute(tx.conn())
            .await?;
        return Ok(());
    }
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_over_risk (dataset, at, reasons) VALUES ($1, $2, $3) \
         ON CONFLICT (dataset) DO UPDATE SET at = excluded.at, reasons = excluded.reasons",
    )
    .bind(dataset.to_string())
    .bind(at)
    .bind(reasons.join("\n"))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Why a dataset must not be released, if a limit is not kept.
pub(crate) async fn over_risk(
    conn: &mut AnyConnection,
    dataset: Id<kinds::Dataset>,
) -> Result<Option<Vec<String>>, Error> {
    let row = sqlx::query("SELECT reasons FROM journeys_over_risk WHERE dataset = $1")
        .bind(dataset.to_string())
        .fetch_optional(&mut *conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let reasons: String = row.try_get(0)?;
    Ok(Some(reasons.lines().map(str::to_owned).collect()))
}

fn manifest(
    basis: &Basis,
    produced: &deid::Produced,
    payload: &Payload,
    at: kiban_kernel::Timestamp,
    producer: Id<kinds::Organization>,
) -> Manifest {
    let provenance = produced.provenance();
    let applied = |decision: Option<&DeidDecision>| match decision.map(|d| d.choice) {
        Some(Choice::Coarsen) => Some(Decision::Coarsen),
        Some(Choice::Drop) => Some(Decision::Drop),
        Some(Choice::Keep) | None => None,
    };
    let columns =
        |table: &str| produced.dictionary().iter().filter(|e| e.table == table).count() as u32;
    Manifest {
        dataset: basis.dataset,
        project: basis.application.project,
        application: basis.application.id,
        product: basis.application.product,
        producer,
        recipient: basis.application.applicant,
        created_at: at,
        snapshot: provenance.snapshot.unwrap_or_default(),
        stop_watermark: provenance.stop_watermark.unwrap_or_default(),
        specification: provenance.specification_digest,
        rules: provenance.rules_digest,
        code_maps: [("plan", Some(provenance.plan_digest)), ("mapping", provenance.mapping_digest)]
            .into_iter()
            .filter_map(|(name, digest)| Some((name.to_owned(), digest?)))
            .collect(),
        key_versions: provenance.keys.iter().map(|k| (k.clone(), "1".to_owned())).collect(),
        software: provenance.software.clone(),
        provenance: serde_json::to_value(provenance).unwrap_or_default(),
        persons: produced.risk().persons_out,
        tables: produced
            .changes()
            .tables
            .iter()
            .map(|t| TableFact {
                name: t.table.clone(),
                rows: t.rows_out,
                columns: columns(&t.table),
            })
            .collect(),
        findings: produced
            .findings()
            .iter()
            .map(|f| FindingFact { id: f.id, applied: applied(f.decision.as_ref()) })
            .collect(),
        files: payload.facts(),
        payload: payload.digest(),
    }
}
