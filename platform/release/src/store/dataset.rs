//! SQL of datasets: findings, manifests, approvals.

use kiban_audit::sqlx::{self, Row as _};
use kiban_govern::Actor;
use kiban_kernel::{Digest, Id, Timestamp, kinds};

use super::{Conn, Result, parse, read, write};
use crate::{
    ActError,
    finding::{Decided, Decision, Finding, FindingRow},
};

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

/// Datasets that somebody approved for release, the latest made first.
///
/// # Errors
/// Damaged, or the database fails.
pub async fn approved_datasets(conn: Conn<'_>) -> Result<Vec<Id<kinds::Dataset>>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT dataset FROM release_dataset \
         WHERE dataset IN (SELECT dataset FROM release_approval) ORDER BY at DESC, dataset",
    )
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
