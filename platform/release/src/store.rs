//! Every SQL statement of this crate.

use kiban_audit::sqlx::{self, AnyConnection, Row as _};
use kiban_govern::{Actor, committee::Member};
use kiban_kernel::{Digest, Id, Product, Timestamp, kinds};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    ActError,
    application::{Application, Content, State, Step},
    approval::Evidence,
    contract::{self, Contract, Terms},
    finding::{Decided, Decision, Finding, FindingRow},
    session::Minutes,
};

type Conn<'a> = &'a mut AnyConnection;
type Result<T> = std::result::Result<T, ActError>;

fn read<T: DeserializeOwned>(table: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| ActError::Damaged { table })
}
fn parse<T: std::str::FromStr>(table: &'static str, text: &str) -> Result<T> {
    text.parse().map_err(|_| ActError::Damaged { table })
}
fn write<T: Serialize>(table: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| ActError::Damaged { table })
}
fn product_of(text: &str) -> Result<Product> {
    [Product::Anonymized, Product::Pseudonymized]
        .into_iter()
        .find(|p| p.as_str() == text)
        .ok_or(ActError::Damaged { table: "release_application" })
}

pub(crate) async fn add_application(conn: Conn<'_>, a: &Application) -> Result<()> {
    sqlx::query("INSERT INTO release_application (application, project, applicant, product) VALUES ($1, $2, $3, $4)")
        .bind(a.id.to_string())
        .bind(a.project.to_string())
        .bind(a.applicant.to_string())
        .bind(a.product.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn add_content(
    conn: Conn<'_>,
    application: Id<kinds::Application>,
    version: i64,
    content: &Content,
) -> Result<()> {
    sqlx::query("INSERT INTO release_content (application, version, content, digest) VALUES ($1, $2, $3, $4)")
        .bind(application.to_string())
        .bind(version)
        .bind(write("release_content", content)?)
        .bind(content.digest().to_string())
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn add_step(
    conn: Conn<'_>,
    application: Id<kinds::Application>,
    seq: i64,
    at: Timestamp,
    actor: &Actor,
    step: &Step,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO release_step (application, seq, at, actor, step) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(application.to_string())
    .bind(seq)
    .bind(at.to_string())
    .bind(write("release_step", actor)?)
    .bind(write("release_step", step)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// An application, its state folded from its steps.
///
/// # Errors
/// Not found, damaged, or the database fails.
pub async fn application(conn: Conn<'_>, id: Id<kinds::Application>) -> Result<Application> {
    const TABLE: &str = "release_step";
    let row = sqlx::query(
        "SELECT project, applicant, product FROM release_application WHERE application = $1",
    )
    .bind(id.to_string())
    .fetch_optional(&mut *conn)
    .await?
    .ok_or(ActError::NotFound { what: "application" })?;
    let steps =
        sqlx::query("SELECT at, actor, step FROM release_step WHERE application = $1 ORDER BY seq")
            .bind(id.to_string())
            .fetch_all(&mut *conn)
            .await?;
    let mut state = None;
    for step in &steps {
        let at = parse(TABLE, &step.try_get::<String, _>(0)?)?;
        let actor: Actor = read(TABLE, &step.try_get::<String, _>(1)?)?;
        let taken: Step = read(TABLE, &step.try_get::<String, _>(2)?)?;
        state = Some(
            State::after(state.as_ref(), &taken, &actor, at)
                .map_err(|_| ActError::Damaged { table: TABLE })?,
        );
    }
    Ok(Application {
        id,
        project: parse(TABLE, &row.try_get::<String, _>(0)?)?,
        applicant: parse(TABLE, &row.try_get::<String, _>(1)?)?,
        product: product_of(&row.try_get::<String, _>(2)?)?,
        state: state.ok_or(ActError::Damaged { table: TABLE })?,
        steps: steps.len() as i64,
    })
}

/// The newest content of an application, with its version.
///
/// # Errors
/// Not found, damaged, or the database fails.
pub async fn content(conn: Conn<'_>, id: Id<kinds::Application>) -> Result<(i64, Content)> {
    let row = sqlx::query(
        "SELECT version, content FROM release_content WHERE application = $1 ORDER BY version DESC LIMIT 1",
    )
    .bind(id.to_string())
    .fetch_optional(conn)
    .await?
    .ok_or(ActError::NotFound { what: "application" })?;
    Ok((row.try_get(0)?, read("release_content", &row.try_get::<String, _>(1)?)?))
}

pub(crate) async fn add_roster(conn: Conn<'_>, at: Timestamp, members: &[Member]) -> Result<i64> {
    let version: i64 =
        sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) + 1 FROM release_roster")
            .fetch_one(&mut *conn)
            .await?;
    sqlx::query("INSERT INTO release_roster (version, at, members) VALUES ($1, $2, $3)")
        .bind(version)
        .bind(at.to_string())
        .bind(write("release_roster", &members)?)
        .execute(conn)
        .await?;
    Ok(version)
}

/// The newest roster of the committee, with its version.
///
/// # Errors
/// There is none, damaged, or the database fails.
pub async fn roster(conn: Conn<'_>) -> Result<(i64, Vec<Member>)> {
    let row =
        sqlx::query("SELECT version, members FROM release_roster ORDER BY version DESC LIMIT 1")
            .fetch_optional(conn)
            .await?
            .ok_or(ActError::NotFound { what: "roster" })?;
    Ok((row.try_get(0)?, read("release_roster", &row.try_get::<String, _>(1)?)?))
}

pub(crate) async fn add_session(
    conn: Conn<'_>,
    id: Id<kinds::Session>,
    application: Id<kinds::Application>,
    minutes: &Minutes,
    outcome: &'static str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO release_session (session, application, roster, held_on, minutes, outcome) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.to_string())
    .bind(application.to_string())
    .bind(minutes.roster)
    .bind(minutes.held_on.to_string())
    .bind(write("release_session", minutes)?)
    .bind(outcome)
    .execute(conn)
    .await?;
    Ok(())
}

async fn session(
    conn: Conn<'_>,
    id: Id<kinds::Session>,
) -> Result<Option<(Id<kinds::Session>, Minutes, Vec<Member>)>> {
    const TABLE: &str = "release_session";
    let row = sqlx::query(
        "SELECT s.minutes, r.members FROM release_session s JOIN release_roster r ON r.version = s.roster \
         WHERE s.session = $1",
    )
    .bind(id.to_string())
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let minutes = read(TABLE, &row.try_get::<String, _>(0)?)?;
    Ok(Some((id, minutes, read(TABLE, &row.try_get::<String, _>(1)?)?)))
}

pub(crate) async fn add_contract(
    conn: Conn<'_>,
    id: Id<kinds::Contract>,
    terms: &Terms,
) -> Result<()> {
    sqlx::query("INSERT INTO release_contract (contract, application, terms, digest) VALUES ($1, $2, $3, $4)")
        .bind(id.to_string())
        .bind(terms.application.to_string())
        .bind(write("release_contract", terms)?)
        .bind(terms.digest().to_string())
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn add_contract_step(
    conn: Conn<'_>,
    id: Id<kinds::Contract>,
    seq: i64,
    at: Timestamp,
    actor: &Actor,
    step: contract::Step,
) -> Result<()> {
    sqlx::query("INSERT INTO release_contract_step (contract, seq, at, actor, step) VALUES ($1, $2, $3, $4, $5)")
        .bind(id.to_string())
        .bind(seq)
        .bind(at.to_string())
        .bind(write("release_contract_step", actor)?)
        .bind(write("release_contract_step", &step)?)
        .execute(conn)
        .await?;
    Ok(())
}

/// A contract, its state folded from its steps.
///
/// # Errors
/// Not found, damaged, or the database fails.
pub async fn contract(conn: Conn<'_>, id: Id<kinds::Contract>) -> Result<Contract> {
    const TABLE: &str = "release_contract_step";
    let terms: String =
        sqlx::query_scalar("SELECT terms FROM release_contract WHERE contract = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *conn)
            .await?
            .ok_or(ActError::NotFound { what: "contract" })?;
    let terms: Terms = read("release_contract", &terms)?;
    let steps = sqlx::query(
        "SELECT at, actor, step FROM release_contract_step WHERE contract = $1 ORDER BY seq",
    )
    .bind(id.to_string())
    .fetch_all(conn)
    .await?;
    let (mut state, mut bound) = (None, true);
    for row in &steps {
        let at = parse(TABLE, &row.try_get::<String, _>(0)?)?;
        let actor: Actor = read(TABLE, &row.try_get::<String, _>(1)?)?;
        let step: contract::Step = read(TABLE, &row.try_get::<String, _>(2)?)?;
        if let contract::Step::Accept { terms: signed } | contract::Step::Sign { terms: signed } =
            step
        {
            bound &= signed == terms.digest();
        }
        state = Some(
            contract::State::after(state.as_ref(), &step, &actor, at)
                .map_err(|_| ActError::Damaged { table: TABLE })?,
        );
    }
    let state = state.ok_or(ActError::Damaged { table: TABLE })?;
    Ok(Contract { id, terms, state, bound, steps: steps.len() as i64 })
}

/// The contracts of an application.
///
/// # Errors
/// Damaged, or the database fails.
pub async fn contracts(
    conn: Conn<'_>,
    application: Id<kinds::Application>,
) -> Result<Vec<Contract>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT contract FROM release_contract WHERE application = $1 ORDER BY contract",
    )
    .bind(application.to_string())
    .fetch_all(&mut *conn)
    .await?;
    let mut out = Vec::with_capacity(ids.len());
    for id in ids {
        out.push(contract(&mut *conn, parse("release_contract", &id)?).await?);
    }
    Ok(out)
}

/// Record a finding; one of the same dataset recorded before keeps its decision.
pub(crate) async fn add_finding(
    conn: Conn<'_>,
    dataset: Id<kinds::Dataset>,
    finding: &Finding,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO release_finding (dataset, finding, facts) VALUES ($1, $2, $3) \
         ON CONFLICT (dataset, finding) DO UPDATE SET facts = excluded.facts",
    )
    .bind(dataset.to_string())
    .bind(finding.id.to_string())
    .bind(write("release_finding", finding)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Decide an undecided finding; `false` if it was decided before.
pub(crate) async fn set_decision(
    conn: Conn<'_>,
    dataset: Id<kinds::Dataset>,
    id: Id<kinds::Finding>,
    decided: &Decided,
) -> Result<bool> {
    let known: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM release_finding WHERE dataset = $1 AND finding = $2",
    )
    .bind(dataset.to_string())
    .bind(id.to_string())
    .fetch_one(&mut *conn)
    .await?;
    if known == 0 {
        return Err(ActError::NotFound { what: "finding" });
    }
    let done = sqlx::query(
        "UPDATE release_finding SET decision = $3, reason = $4, actor = $5, at = $6 \
         WHERE dataset = $1 AND finding = $2 AND decision IS NULL",
    )
    .bind(dataset.to_string())
    .bind(id.to_string())
    .bind(decided.decision.as_str())
    .bind(&decided.reason)
    .bind(write("release_finding", &decided.by)?)
    .bind(decided.at.to_string())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The findings of a dataset, with their decisions.
///
/// # Errors
/// Damaged, or the database fails.
pub async fn findings(conn: Conn<'_>, dataset: Id<kinds::Dataset>) -> Result<Vec<FindingRow>> {
    const TABLE: &str = "release_finding";
    let rows = sqlx::query(
        "SELECT facts, decision, reason, actor, at FROM release_finding WHERE dataset = $1 ORDER BY finding",
    )
    .bind(dataset.to_string())
    .fetch_all(conn)
    .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let finding = read(TABLE, &row.try_get::<String, _>(0)?)?;
        let decided = match row.try_get::<Option<String>, _>(1)? {
            None => None,
            Some(text) => Some(Decided {
                decision: Decision::ALL
                    .into_iter()
                    .find(|d| d.as_str() == text)
                    .ok_or(ActError::Damaged { table: TABLE })?,
                reason: row.try_get(2)?,
                by: read(TABLE, &row.try_get::<String, _>(3)?)?,
                at: parse(TABLE, &row.try_get::<String, _>(4)?)?,
            }),
        };
        out.push(FindingRow { dataset, finding, decided });
    }
    Ok(out)
}

pub(crate) async fn add_dataset(
    conn: Conn<'_>,
    dataset: Id<kinds::Dataset>,
    application: Id<kinds::Application>,
    at: Timestamp,
    note: &str,
    digest: Digest,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO release_dataset (dataset, application, at, manifest, digest) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(dataset.to_string())
    .bind(application.to_string())
    .bind(at.to_string())
    .bind(note)
    .bind(digest.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Datasets made for an application, oldest first.
///
/// # Errors
/// Damaged, or the database fails.
pub async fn datasets(
    conn: Conn<'_>,
    application: Id<kinds::Application>,
) -> Result<Vec<Id<kinds::Dataset>>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT dataset FROM release_dataset WHERE application = $1 ORDER BY at",
    )
    .bind(application.to_string())
    .fetch_all(conn)
    .await?;
    ids.iter().map(|id| parse("release_dataset", id)).collect()
}

/// The signed manifest of a dataset, as recorded when it was made.
///
/// # Errors
/// Not found, or the database fails.
pub async fn manifest_note(conn: Conn<'_>, dataset: Id<kinds::Dataset>) -> Result<String> {
    sqlx::query_scalar("SELECT manifest FROM release_dataset WHERE dataset = $1")
        .bind(dataset.to_string())
        .fetch_optional(conn)
        .await?
        .ok_or(ActError::NotFound { what: "dataset" })
}

/// The application a dataset answers.
///
/// # Errors
/// Not found, or the database fails.
pub async fn application_of(
    conn: Conn<'_>,
    dataset: Id<kinds::Dataset>,
) -> Result<Id<kinds::Application>> {
    let text: String =
        sqlx::query_scalar("SELECT application FROM release_dataset WHERE dataset = $1")
            .bind(dataset.to_string())
            .fetch_optional(conn)
            .await?
            .ok_or(ActError::NotFound { what: "dataset" })?;
    parse("release_dataset", &text)
}

pub(crate) async fn add_approval(
    conn: Conn<'_>,
    dataset: Id<kinds::Dataset>,
    seq: i64,
    at: Timestamp,
    actor: &Actor,
    digest: Digest,
) -> Result<()> {
    sqlx::query("INSERT INTO release_approval (dataset, seq, at, actor, digest) VALUES ($1, $2, $3, $4, $5)")
        .bind(dataset.to_string())
        .bind(seq)
        .bind(at.to_string())
        .bind(write("release_approval", actor)?)
        .bind(digest.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// The approvals of a dataset, in order, with the digest of the manifest each approved.
///
/// # Errors
/// Damaged, or the database fails.
pub async fn approvals(
    conn: Conn<'_>,
    dataset: Id<kinds::Dataset>,
) -> Result<Vec<(Actor, Digest)>> {
    const TABLE: &str = "release_approval";
    let rows =
        sqlx::query("SELECT actor, digest FROM release_approval WHERE dataset = $1 ORDER BY seq")
            .bind(dataset.to_string())
            .fetch_all(conn)
            .await?;
    rows.iter()
        .map(|r| {
            let actor = read(TABLE, &r.try_get::<String, _>(0)?)?;
            Ok((actor, parse(TABLE, &r.try_get::<String, _>(1)?)?))
        })
        .collect()
}

/// Everything on record about a dataset.
pub(crate) async fn evidence(conn: Conn<'_>, dataset: Id<kinds::Dataset>) -> Result<Evidence> {
    let row =
        sqlx::query("SELECT application, manifest, digest FROM release_dataset WHERE dataset = $1")
            .bind(dataset.to_string())
            .fetch_optional(&mut *conn)
            .await?
            .ok_or(ActError::NotFound { what: "dataset" })?;
    let id = parse("release_dataset", &row.try_get::<String, _>(0)?)?;
    let application = application(&mut *conn, id).await?;
    let session = match &application.state {
        State::Accepted { session: held, .. } => session(&mut *conn, *held).await?,
        _ => None,
    };
    Ok(Evidence {
        note: row.try_get(1)?,
        stored_digest: parse("release_dataset", &row.try_get::<String, _>(2)?)?,
        contracts: contracts(&mut *conn, id).await?,
        findings: findings(&mut *conn, dataset).await?,
        approvals: approvals(&mut *conn, dataset).await?,
        application,
        session,
    })
}
