//! The keys by which the deployment knows whose signature counts.

use kiban_audit::{Event, note::VerifyKey};
use kiban_govern::{Act, Actor, permit};
use kiban_intake::KnownHolder;
use kiban_kernel::{Digest, Id, kinds};
use serde_json::json;
use sqlx::{AnyConnection, Row as _};

use crate::{Deployment, Error};

/// Register the key a data holder signs its deliveries with; it replaces an earlier one.
///
/// # Errors
/// The actor may not, the key is malformed, or the organization is unknown.
pub(crate) async fn register_signing_key(
    on: &Deployment,
    actor: &Actor,
    organization: Id<kinds::Organization>,
    key: &VerifyKey,
) -> Result<(), Error> {
    let permit = permit(actor, Act::RegisterOrganization)?;
    let key = key.to_string();
    let mut tx = on.log.begin().await?;
    let since = tx.now().to_string();
    kiban_register::organization::find(tx.conn(), organization).await?;
    sqlx::query(
        "INSERT INTO journeys_signing_key (organization, public_key, since) VALUES ($1, $2, $3) \
         ON CONFLICT (organization) DO UPDATE SET public_key = excluded.public_key, since = excluded.since",
    )
    .bind(organization.to_string())
    .bind(key.clone())
    .bind(since)
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "party.key_registered",
        actor: permit.actor(),
        subject: organization.to_string(),
        law: None,
        body: json!({ "key_sha256": Digest::of(key.as_bytes()).to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// The holders whose signature counts.
pub(crate) async fn holders(conn: &mut AnyConnection) -> Result<Vec<KnownHolder>, Error> {
    let rows = sqlx::query("SELECT organization, public_key FROM journeys_signing_key")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(KnownHolder {
                id: row
                    .try_get::<String, _>("organization")?
                    .parse()
                    .map_err(|_| Error::Unknown { what: "organization" })?,
                key: row.try_get::<String, _>("public_key")?.parse()?,
            })
        })
        .collect()
}
