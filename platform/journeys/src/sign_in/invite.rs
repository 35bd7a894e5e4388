//! An invitation: the one-time code by which the person of an account enrols a passkey. It is handed over in person or by
//! another channel than the one the account's mail goes to.

use jiff::Span;
use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Entropy as _, Id, LawKey, OsEntropy, Timestamp, kinds};
use serde_json::json;

use super::entitled;
use crate::{
    Deployment, Error,
    number::{digest_of, number},
};

/// Hours for which an invitation is good.
const HOURS: i64 = 72;

/// An invitation, as its maker sees it once. No `Debug`: the code is a secret.
pub struct Invitation {
    /// The code: sixteen letters and digits, 80 bits.
    pub code: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

pub(super) fn digest_of_code(code: &str) -> String {
    digest_of("invitation", code)
}

/// Invite the person of an account to enrol a passkey. An earlier invitation of the account ends.
///
/// # Errors
/// The actor may not, the account is not active or is barred today, or the log failed.
/// # Law
/// `security`
pub async fn invite(
    on: &Deployment,
    actor: &Actor,
    account: Id<kinds::Account>,
) -> Result<Invitation, Error> {
    let permit = permit(actor, Act::ManageAccounts)?;
    entitled(on, account).await?;
    let mut bytes = [0; 16];
    OsEntropy.fill(&mut bytes)?;
    let code = number(&bytes);
    let mut tx = on.log.begin().await?;
    let at = tx.now();
    let expires_at = at.saturating_add(Span::new().hours(HOURS)).unwrap_or(at);
    sqlx::query(
        "INSERT INTO journeys_invitation (account, code_digest, invited_by, invited_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account) DO UPDATE SET \
         code_digest = excluded.code_digest, invited_by = excluded.invited_by, \
         invited_at = excluded.invited_at, expires_at = excluded.expires_at",
    )
    .bind(account.to_string())
    .bind(digest_of_code(&code))
    .bind(actor.account.to_string())
    .bind(at.to_string())
    .bind(expires_at.to_string())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "account.invited",
        actor: permit.actor(),
        subject: account.to_string(),
        law: LawKey::new("security").ok(),
        body: json!({ "hours": HOURS }),
    };
    let _ = tx.commit(event).await?;
    Ok(Invitation { code, expires_at })
}
