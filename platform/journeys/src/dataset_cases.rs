//! Datasets under way: the figures of the newest run, findings, approvals, hand-over; and the package for its user.

use std::path::PathBuf;

use kiban_audit::Event;
use kiban_deid::report::{ChangeReport, RiskSummary};
use kiban_deliver::DeliveryRow;
use kiban_govern::{
    Act, Actor, Employer, Role,
    delivery::{self, RecipientKind, RouteRefusal},
    permit,
};
use kiban_kernel::{Digest, Id, LawKey, Timestamp, kinds};
use kiban_release::{Manifest, finding::FindingRow};
use serde_json::json;
use sqlx::Row as _;

use crate::{CaseHead, Deployment, Error, produce_dataset};

type DatasetId = Id<kinds::Dataset>;

/// Where a dataset stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Findings wait for a decision.
    Findings {
        /// How many.
        undecided: usize,
    },
    /// Every finding is decided; the run that applies the decisions is still to come.
    Decided,
    /// A limit of the specification is not kept.
    OverRisk,
    /// Produced; so many approvals are given.
    Produced {
        /// How many.
        approvals: usize,
    },
    /// Handed over.
    Delivered,
    /// Handed over and erased since.
    Erased,
}

impl Standing {
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Findings { .. } => "findings",
            Self::Decided => "decided",
            Self::OverRisk => "over_risk",
            Self::Produced { .. } => "produced",
            Self::Delivered => "delivered",
            Self::Erased => "erased",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> String {
        match self {
            Self::Findings { undecided } => format!("所見{undecided}件が未判断"),
            Self::Decided => "所見の判断済み（再加工待ち）".into(),
            Self::OverRisk => "リスクが上限超過（提供不可）".into(),
            Self::Produced { approvals: 0 } => "承認待ち（0人承認）".into(),
            Self::Produced { approvals } => format!("{approvals}人承認"),
            Self::Delivered => "提供済み".into(),
            Self::Erased => "消去済み".into(),
        }
    }
}

/// A dataset with all that is known of it.
#[derive(Debug, Clone)]
pub struct DatasetCase {
    /// The dataset.
    pub id: DatasetId,
    /// The application it answers.
    pub application: CaseHead,
    /// When its newest run was.
    pub at: Timestamp,
    /// Digest of its specification.
    pub specification: String,
    /// Where it stands.
    pub standing: Standing,
    /// Sentences of the limits that are not kept.
    pub over_risk: Vec<String>,
    /// Risk of the newest run.
    pub risk: RiskSummary,
    /// Changes of the newest run.
    pub changes: ChangeReport,
    /// Findings, with decisions.
    pub findings: Vec<FindingRow>,
    /// Its manifest, once produced.
    pub manifest: Option<Manifest>,
    /// Who approved.
    pub approvals: Vec<Actor>,
    /// The delivery record.
    pub delivery: Option<DeliveryRow>,
}

/// Why a package may not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchRefused {
    /// It stays in the producer's environment.
    #[error("the package stays in the producer's environment")]
    Stays,
    /// The recipient may not have it any more.
    #[error(transparent)]
    Route(RouteRefusal),
    /// No contract is in force.
    #[error("no contract is in force")]
    NoContract,
    /// It was erased.
    #[error("the package was erased")]
    Erased,
    /// It was erased before anybody fetched it, because persons in it asked to stop.
    #[error("the package was erased for a stop")]
    Stopped,
    /// It was recalled.
    #[error("the dataset was recalled")]
    Recalled,
}

impl FetchRefused {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Stays => {
                "このデータは作成事業者の環境の中だけで利用できます。取り出すことはできません。"
                    .into()
            }
            Self::Route(e) => e.ja(),
            Self::NoContract => "効力のある利用契約がないため、受け取れません。".into(),
            Self::Stopped => {
                "受け取られる前に、含まれる方から提供停止の求めがあったため、消去しました。停止を反映したデータをあらためて提供します。"
                    .into()
            }
            Self::Recalled => "このデータは回収されています。手元の写しを消去し、証拠を提出してください。".into(),
            Self::Erased => "利用期間が終わり、提供データは消去されています。".into(),
        }
    }
}

/// Staff of the producer that work on datasets.
const STAFF: [Role; 7] = [
    Role::Processor,
    Role::Examiner,
    Role::ReleaseApprover,
    Role::DeliveryOfficer,
    Role::GeneralManager,
    Role::SecurityOfficer,
    Role::Auditor,
];

fn may_see(actor: &Actor, dataset: &DatasetCase) -> bool {
    let staff = actor.employer == Employer::Producer && STAFF.iter().any(|r| actor.has(*r));
    let own = actor.has(Role::Researcher)
        && actor.organization == dataset.application.application.applicant;
    staff || own && matches!(dataset.standing, Standing::Delivered | Standing::Erased)
}

/// Keep the figures of a run, in its transaction.
pub(crate) async fn keep(
    tx: &mut kiban_audit::Tx,
    dataset: DatasetId,
    application: Id<kinds::Application>,
    produced: &kiban_deid::Produced,
) -> Result<(), Error> {
    let at = tx.now().to_string();
    let unwritable = |_| Error::Unknown { what: "report" };
    let risk = serde_json::to_string(produced.risk()).map_err(unwritable)?;
    let changes = serde_json::to_string(produced.changes()).map_err(unwritable)?;
    sqlx::query(
        "INSERT INTO journeys_report (dataset, application, at, specification, risk, changes) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (dataset) DO UPDATE SET at = excluded.at, \
         specification = excluded.specification, risk = excluded.risk, changes = excluded.changes",
    )
    .bind(dataset.to_string())
    .bind(application.to_string())
    .bind(at)
    .bind(produced.provenance().specification_digest.to_string())
    .bind(risk)
    .bind(changes)
    .execute(tx.conn())
    .await?;
    Ok(())
}

impl Deployment {
    async fn dataset_case(&self, id: DatasetId) -> Result<DatasetCase, Error> {
        const TABLE: &str = "journeys_report";
        let mut conn = self.reader().await?;
        let row = sqlx::query(
            "SELECT application, at, specification, risk, changes FROM journeys_report WHERE dataset = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *conn)
        .await?
        .ok_or(Error::Unknown { what: "データセット" })?;
        let damaged = || Error::Unknown { what: TABLE };
        let text = |i: usize| -> Result<String, Error> { Ok(row.try_get(i)?) };
        let application: Id<kinds::Application> = text(0)?.parse().map_err(|_| damaged())?;
        let findings = kiban_release::findings(&mut conn, id).await?;
        let over_risk = produce_dataset::over_risk(&mut conn, id).await?.unwrap_or_default();
        let manifest = match kiban_release::manifest_note(&mut conn, id).await {
            Ok(note) => Some(Manifest::open(&note, &[self.signer.verify_key().clone()])?),
            Err(kiban_release::ActError::NotFound { .. }) => None,
            Err(e) => return Err(e.into()),
        };
        let approvals = kiban_release::approvals(&mut conn, id).await?;
        let delivery = kiban_deliver::delivery(&mut conn, id).await?;
        let undecided = findings.iter().filter(|f| f.decided.is_none()).count();
        let standing = match &delivery {
            Some(d) if d.erased_at.is_some() => Standing::Erased,
            Some(_) => Standing::Delivered,
            None if !over_risk.is_empty() => Standing::OverRisk,
            None if undecided > 0 => Standing::Findings { undecided },
            None if manifest.is_none() => Standing::Decided,
            None => Standing::Produced { approvals: approvals.len() },
        };
        drop(conn);
        let system = crate::system_actor(self).await?;
        Ok(DatasetCase {
            id,
            application: self.any_case(&system, application).await?,
            at: text(1)?.parse().map_err(|_| damaged())?,
            specification: text(2)?,
            standing,
            over_risk,
            risk: serde_json::from_str(&text(3)?).map_err(|_| damaged())?,
            changes: serde_json::from_str(&text(4)?).map_err(|_| damaged())?,
            findings,
            manifest,
            approvals: approvals.into_iter().map(|(actor, _)| actor).collect(),
            delivery,
        })
    }
}

/// The datasets that the actor may see, the newest run first.
///
/// # Errors
/// The database failed.
pub async fn datasets(on: &Deployment, actor: &Actor) -> Result<Vec<DatasetCase>, Error> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT dataset FROM journeys_report ORDER BY at DESC, dataset")
            .fetch_all(&mut *on.reader().await?)
            .await?;
    let mut out = Vec::new();
    for id in ids {
        let id = id.parse().map_err(|_| Error::Unknown { what: "dataset" })?;
        let dataset = on.dataset_case(id).await?;
        if may_see(actor, &dataset) {
            out.push(dataset);
        }
    }
    Ok(out)
}

/// One dataset.
///
/// # Errors
/// There is none that the actor may see, or the database failed.
pub async fn dataset(on: &Deployment, actor: &Actor, id: DatasetId) -> Result<DatasetCase, Error> {
    let dataset = on.dataset_case(id).await?;
    if may_see(actor, &dataset) {
        Ok(dataset)
    } else {
        Err(Error::Unknown { what: "データセット" })
    }
}

/// The texts of the specifications on record, the newest first: digest and text.
///
/// # Errors
/// The database failed.
pub async fn specifications(on: &Deployment) -> Result<Vec<(String, String)>, Error> {
    let rows = sqlx::query(
        "SELECT digest, specification FROM journeys_specification ORDER BY at DESC, digest",
    )
    .fetch_all(&mut *on.reader().await?)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Put a specification's text on record, so that a contract can name it.
///
/// # Errors
/// The actor may not, the text breaks the standard of processing for the product, or the log failed.
/// # Law
/// `contract`
pub async fn propose_specification(
    on: &Deployment,
    actor: &Actor,
    product: kiban_kernel::Product,
    text: &str,
) -> Result<Digest, Error> {
    let permit = permit(actor, Act::SignContract)?;
    let spec = kiban_deid::spec::Spec::parse(text)?;
    spec.check(product, &on.rules, on.today())?;
    let digest = spec.digest();
    if specifications(on).await?.iter().any(|(known, _)| *known == digest.to_string()) {
        return Ok(digest);
    }
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_specification (digest, specification, at) VALUES ($1, $2, $3) \
         ON CONFLICT (digest) DO NOTHING",
    )
    .bind(digest.to_string())
    .bind(text.to_owned())
    .bind(at)
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "specification.proposed",
        actor: permit.actor(),
        subject: digest.to_string(),
        law: LawKey::new("contract").ok(),
        body: json!({}),
    };
    let _ = tx.commit(event).await?;
    Ok(digest)
}

/// The sealed package, for the people of its recipient: judged again at this moment, and on the record.
///
/// # Errors
/// The actor may not; there is no such dataset for the actor; it stays in the producer's environment; certification
/// or contract is no longer in effect; erased.
/// # Law
/// `pseudonymized.provision`
pub async fn fetch_package(
    on: &Deployment,
    actor: &Actor,
    id: DatasetId,
) -> Result<PathBuf, Error> {
    let permit = permit(actor, Act::OpenPackage)?;
    let dataset = dataset(on, actor, id).await?;
    let Some(row) = dataset.delivery else {
        return Err(Error::Unknown { what: "データセット" });
    };
    if row.recipient != actor.organization {
        return Err(Error::Unknown { what: "データセット" });
    }
    if row.erased_at.is_some() {
        let why: Option<String> =
            sqlx::query_scalar("SELECT reason FROM deliver_erasure WHERE dataset = $1")
                .bind(id.to_string())
                .fetch_optional(&mut *on.reader().await?)
                .await?;
        let stopped = why.as_deref() == Some("stopped");
        return Err(if stopped { FetchRefused::Stopped } else { FetchRefused::Erased }.into());
    }
    if crate::recall::is_recalled(on, id).await? {
        return Err(FetchRefused::Recalled.into());
    }
    if !row.route.leaves() {
        return Err(FetchRefused::Stays.into());
    }
    still_entitled(on, &row).await?;
    let path = on.packages()?.folder(id).join("package.age");
    let event = Event {
        kind: "package.fetched",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("books").ok(),
        body: json!({ "package": row.package.to_string() }),
    };
    let _ = on.log.begin().await?.commit(event).await?;
    Ok(path)
}

/// May the recipient of a delivery still have it today: certification, contract?
pub(crate) async fn still_entitled(on: &Deployment, row: &DeliveryRow) -> Result<(), Error> {
    let today = on.today();
    let certifications = on.certifications().await?;
    delivery::route(
        row.recipient,
        RecipientKind::User,
        row.product,
        row.route,
        &certifications,
        today,
    )
    .map_err(FetchRefused::Route)?;
    let contract = kiban_release::contract(&mut *on.reader().await?, row.contract).await?;
    if !contract.in_force(today) {
        return Err(FetchRefused::NoContract.into());
    }
    Ok(())
}
