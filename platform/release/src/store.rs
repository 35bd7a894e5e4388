//! Every SQL statement of this crate.

use kiban_audit::sqlx::{self, AnyConnection, Row as _};
use kiban_govern::{Actor, committee::Member};
use kiban_kernel::{Id, Product, Timestamp, kinds};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    ActError,
    application::{Application, Content, State, Step},
    approval::Evidence,
    session::Minutes,
};

mod case;
mod contract;
mod dataset;

pub use case::{Taken, applications, contents, minutes, taken};
pub(crate) use contract::{add_contract, add_contract_step};
pub use contract::{contract, contracts};
pub(crate) use dataset::{add_approval, add_dataset, add_finding, set_decision};
pub use dataset::{
    application_of, approvals, approved_datasets, datasets, findings, manifest_note,
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
