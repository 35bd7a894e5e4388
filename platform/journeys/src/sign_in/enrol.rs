//! Enrolling a passkey: the code of an invitation, then a new key of the person's own authenticator.

use kiban_audit::Event;
use kiban_kernel::{Id, LawKey, Timestamp, kinds};
use kiban_passkey::{ALGORITHMS, Attestation, encode};
use serde_json::json;
use sqlx::Row as _;

use super::{Passkeys, SignInRefused, entitled, invite::digest_of_code, pending::Purpose};
use crate::{Deployment, Error};

/// What the browser needs to make a passkey.
#[derive(Debug, Clone)]
pub struct Creating {
    /// The challenge, base64url.
    pub challenge: String,
    /// The account.
    pub account: Id<kinds::Account>,
    /// The account as the authenticator keeps it, base64url.
    pub user: String,
    /// Passkeys that the account has: their authenticators make no second one. Base64url.
    pub known: Vec<String>,
    /// Accepted algorithms, best first.
    pub algorithms: [i32; 3],
}

impl Passkeys {
    /// Show a code, and be asked to make a passkey. The code is not used up yet.
    ///
    /// # Errors
    /// The code is none, the account is barred, too many are being asked, or the database failed.
    pub async fn enrol_begin(
        &self,
        on: &Deployment,
        visitor: &str,
        code: &str,
    ) -> Result<Creating, Error> {
        let now = on.world.clock.now();
        let code = digest_of_code(code);
        let account = invited(on, &code, now).await?;
        entitled(on, account).await?;
        let rows = sqlx::query(
            "SELECT id FROM journeys_passkey WHERE account = $1 AND revoked_at IS NULL",
        )
        .bind(account.to_string())
        .fetch_all(&mut *on.reader().await?)
        .await?;
        let mut known = Vec::new();
        for row in &rows {
            let id = hex::decode(row.try_get::<String, _>(0)?);
            known.push(encode(&id.map_err(|_| Error::Unknown { what: "passkey" })?));
        }
        let challenge = self.pending.ask(visitor, Purpose::Enrol { account, code }, now)?;
        Ok(Creating {
            challenge: encode(&challenge),
            user: encode(&account.to_bytes()),
            account,
            known,
            algorithms: ALGORITHMS,
        })
    }

    /// The passkey that was made. The invitation is used up.
    ///
    /// # Errors
    /// Nothing was asked, the answer is refused, the invitation is gone, the passkey is known, or the log failed.
    /// # Law
    /// `security`
    pub async fn enrol_finish(
        &self,
        on: &Deployment,
        visitor: &str,
        answer: &Attestation,
    ) -> Result<Id<kinds::Account>, Error> {
        let now = on.world.clock.now();
        let is = |p: &Purpose| matches!(p, Purpose::Enrol { .. });
        let (purpose, challenge) = self.pending.take(visitor, now, is)?;
        let Purpose::Enrol { account, code } = purpose else {
            return Err(SignInRefused::NotAsked.into());
        };
        let made = self.party.register(&challenge, answer).map_err(SignInRefused::from)?;
        let actor = entitled(on, account).await?;
        let mut tx = on.log.begin().await?;
        let at = tx.now();
        let used = sqlx::query(
            "DELETE FROM journeys_invitation WHERE account = $1 AND code_digest = $2 AND expires_at > $3",
        )
        .bind(account.to_string())
        .bind(code)
        .bind(at.to_string())
        .execute(tx.conn())
        .await?;
        if used.rows_affected() == 0 {
            return Err(SignInRefused::NoSuchCode.into());
        }
        let added = sqlx::query(
            "INSERT INTO journeys_passkey (id, account, public_key, counter, backup_eligible, enrolled_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
        )
        .bind(hex::encode(&made.id))
        .bind(account.to_string())
        .bind(hex::encode(made.key.to_cose()))
        .bind(i64::from(made.count))
        .bind(i64::from(made.backup_eligible))
        .bind(at.to_string())
        .execute(tx.conn())
        .await?;
        if added.rows_affected() == 0 {
            return Err(SignInRefused::Known.into());
        }
        let event = Event {
            kind: "account.enrolled",
            actor: &actor,
            subject: account.to_string(),
            law: LawKey::new("security").ok(),
            body: json!({ "algorithm": made.key.algorithm(), "synced": made.backup_eligible }),
        };
        let _ = tx.commit(event).await?;
        Ok(account)
    }
}

/// The account of a code that is good now.
async fn invited(on: &Deployment, code: &str, now: Timestamp) -> Result<Id<kinds::Account>, Error> {
    let row = sqlx::query(
        "SELECT account FROM journeys_invitation WHERE code_digest = $1 AND expires_at > $2",
    )
    .bind(code.to_owned())
    .bind(now.to_string())
    .fetch_optional(&mut *on.reader().await?)
    .await?
    .ok_or(SignInRefused::NoSuchCode)?;
    let account: String = row.try_get(0)?;
    account.parse().map_err(|_| Error::Unknown { what: "account" })
}
