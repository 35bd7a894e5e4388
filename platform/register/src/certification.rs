//! The register of certifications; `kiban_govern::certification` decides what a history means.

use std::collections::BTreeMap;

use kiban_govern::certification::{Certification, CertificationKind, Step, StepError};
use kiban_kernel::{Id, kinds};
use sqlx::AnyConnection;

use crate::store::{StoreError, int, json, parsed, to_json};

const TABLE: &str = "register_certification";
const STEPS: &str = "register_certification_step";

/// Why a certification could not be registered or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificationError {
    /// The register could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The step is not allowed.
    #[error(transparent)]
    Step(#[from] StepError),
}

impl CertificationError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Store(e) => e.ja(),
            Self::Step(e) => e.ja(),
        }
    }
}

/// Register a certification with the history it has.
///
/// # Errors
/// The database failed.
pub async fn add(
    conn: &mut AnyConnection,
    id: Id<kinds::Certification>,
    certification: &Certification,
) -> Result<(), CertificationError> {
    sqlx::query("INSERT INTO register_certification (id, organization, kind) VALUES ($1, $2, $3)")
        .bind(id.to_string())
        .bind(certification.organization().to_string())
        .bind(certification.kind().as_str())
        .execute(&mut *conn)
        .await
        .map_err(StoreError::from)?;
    for (no, step) in certification.history().iter().enumerate() {
        add_step(conn, id, no, step).await?;
    }
    Ok(())
}

/// Take a further step.
///
/// # Errors
/// There is no such certification, the step is not allowed, or the database failed.
pub async fn step(
    conn: &mut AnyConnection,
    id: Id<kinds::Certification>,
    step: Step,
) -> Result<Certification, CertificationError> {
    let mut certification =
        by_id(conn).await?.remove(&id).ok_or(StoreError::Missing { what: "認定" })?;
    certification.step(step.clone())?;
    add_step(conn, id, certification.history().len() - 1, &step).await?;
    Ok(certification)
}

async fn add_step(
    conn: &mut AnyConnection,
    id: Id<kinds::Certification>,
    no: usize,
    step: &Step,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO register_certification_step (certification, step_no, step) VALUES ($1, $2, $3)")
        .bind(id.to_string())
        .bind(no as i64)
        .bind(to_json(step, STEPS, "step")?)
        .execute(conn)
        .await?;
    Ok(())
}

/// All certifications of all organizations, by id.
///
/// # Errors
/// The database failed, or a stored history is not allowed.
pub async fn all(conn: &mut AnyConnection) -> Result<Vec<Certification>, CertificationError> {
    Ok(by_id(conn).await?.into_values().collect())
}

/// All certifications with their ids.
///
/// # Errors
/// The database failed, or a stored history is not allowed.
pub async fn by_id(
    conn: &mut AnyConnection,
) -> Result<BTreeMap<Id<kinds::Certification>, Certification>, CertificationError> {
    let heads = sqlx::query("SELECT id, organization, kind FROM register_certification")
        .fetch_all(&mut *conn)
        .await
        .map_err(StoreError::from)?;
    let steps = sqlx::query("SELECT certification, step_no, step FROM register_certification_step")
        .fetch_all(conn)
        .await
        .map_err(StoreError::from)?;
    let mut histories: BTreeMap<Id<kinds::Certification>, BTreeMap<i64, Step>> = BTreeMap::new();
    for row in &steps {
        histories
            .entry(parsed(row, STEPS, "certification")?)
            .or_default()
            .insert(int(row, STEPS, "step_no")?, json(row, STEPS, "step")?);
    }
    let mut out = BTreeMap::new();
    for row in &heads {
        let id = parsed(row, TABLE, "id")?;
        let kind: CertificationKind = parsed(row, TABLE, "kind")?;
        let steps = histories.remove(&id).unwrap_or_default().into_values();
        out.insert(
            id,
            Certification::from_history(parsed(row, TABLE, "organization")?, kind, steps)?,
        );
    }
    Ok(out)
}
