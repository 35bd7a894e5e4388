//! Presenting a passkey: to sign in, and to show again who sits there before an act that cannot be taken back.

use kiban_audit::Event;
use kiban_govern::Actor;
use kiban_kernel::{Id, LawKey, kinds};
use kiban_passkey::{Assertion, Credential, PublicKey, Refused, encode};
use serde_json::json;
use sqlx::Row as _;

use super::{Passkeys, SignInRefused, entitled, pending::Purpose};
use crate::{Deployment, Error};

/// A passkey as it is presented.
#[derive(Debug, Clone, Default)]
pub struct Presented {
    /// Id of the credential.
    pub credential: Vec<u8>,
    /// Whom the authenticator says it stands for; empty if it does not say.
    pub user: Vec<u8>,
    /// Its answer.
    pub assertion: Assertion,
}

/// What the browser needs to ask for a passkey of an account.
#[derive(Debug, Clone)]
pub struct Confirming {
    /// The challenge, base64url.
    pub challenge: String,
    /// Passkeys of the account, base64url.
    pub allowed: Vec<String>,
}

impl Passkeys {
    /// Ask for any passkey of this site; gives the challenge, base64url.
    ///
    /// # Errors
    /// Too many are being asked, or chance failed.
    pub fn sign_in_begin(&self, on: &Deployment, visitor: &str) -> Result<String, Error> {
        let now = on.world.clock.now();
        Ok(encode(&self.pending.ask(visitor, Purpose::SignIn, now)?))
    }

    /// Sign in with a passkey.
    ///
    /// # Errors
    /// Nothing was asked, the passkey is unknown or its answer refused, the account is barred, or the log failed.
    /// # Law
    /// `security`
    pub async fn sign_in_finish(
        &self,
        on: &Deployment,
        visitor: &str,
        presented: &Presented,
    ) -> Result<Actor, Error> {
        let now = on.world.clock.now();
        let (_, challenge) = self.pending.take(visitor, now, |p| *p == Purpose::SignIn)?;
        self.accept(on, None, &challenge, presented, "account.signed_in").await
    }

    /// Ask for a passkey of the account that is signed in.
    ///
    /// # Errors
    /// Too many are being asked, or the database failed.
    pub async fn confirm_begin(
        &self,
        on: &Deployment,
        visitor: &str,
        account: Id<kinds::Account>,
    ) -> Result<Confirming, Error> {
        self.ask_of(on, visitor, account, Purpose::Confirm(account)).await
    }

    /// Ask for a passkey of the account whose first factor a provider showed.
    ///
    /// # Errors
    /// The account has none, too many are being asked, or the database failed.
    pub async fn second_begin(
        &self,
        on: &Deployment,
        visitor: &str,
        account: Id<kinds::Account>,
    ) -> Result<Confirming, Error> {
        let asked = self.ask_of(on, visitor, account, Purpose::Second(account)).await?;
        if asked.allowed.is_empty() {
            return Err(SignInRefused::NoSecond.into());
        }
        Ok(asked)
    }

    /// Sign in with the second factor.
    ///
    /// # Errors
    /// As [`Self::sign_in_finish`]; a passkey of another account is unknown.
    /// # Law
    /// `security`
    pub async fn second_finish(
        &self,
        on: &Deployment,
        visitor: &str,
        account: Id<kinds::Account>,
        presented: &Presented,
    ) -> Result<Actor, Error> {
        let now = on.world.clock.now();
        let wanted = |p: &Purpose| *p == Purpose::Second(account);
        let (_, challenge) = self.pending.take(visitor, now, wanted)?;
        self.accept(on, Some(account), &challenge, presented, "account.signed_in").await
    }

    async fn ask_of(
        &self,
        on: &Deployment,
        visitor: &str,
        account: Id<kinds::Account>,
        purpose: Purpose,
    ) -> Result<Confirming, Error> {
        let rows = sqlx::query(
            "SELECT id FROM journeys_passkey WHERE account = $1 AND revoked_at IS NULL ORDER BY id",
        )
        .bind(account.to_string())
        .fetch_all(&mut *on.reader().await?)
        .await?;
        let mut allowed = Vec::new();
        for row in &rows {
            let id = hex::decode(row.try_get::<String, _>(0)?);
            allowed.push(encode(&id.map_err(|_| Error::Unknown { what: "passkey" })?));
        }
        let now = on.world.clock.now();
        let challenge = self.pending.ask(visitor, purpose, now)?;
        Ok(Confirming { challenge: encode(&challenge), allowed })
    }

    /// Show again, with a passkey of the account that is signed in, who sits there.
    ///
    /// # Errors
    /// As [`Self::sign_in_finish`]; a passkey of another account is unknown.
    /// # Law
    /// `security`
    pub async fn confirm_finish(
        &self,
        on: &Deployment,
        visitor: &str,
        account: Id<kinds::Account>,
        presented: &Presented,
    ) -> Result<(), Error> {
        let now = on.world.clock.now();
        let wanted = |p: &Purpose| *p == Purpose::Confirm(account);
        let (_, challenge) = self.pending.take(visitor, now, wanted)?;
        self.accept(on, Some(account), &challenge, presented, "account.confirmed").await?;
        Ok(())
    }

    /// Hold what is presented against the register; on the record.
    async fn accept(
        &self,
        on: &Deployment,
        of: Option<Id<kinds::Account>>,
        challenge: &[u8],
        presented: &Presented,
        kind: &'static str,
    ) -> Result<Actor, Error> {
        let id = hex::encode(&presented.credential);
        let (account, credential) = kept(on, &id).await?;
        let says = presented.user.as_slice();
        let another = !says.is_empty() && says != account.to_bytes();
        if another || of.is_some_and(|of| of != account) {
            return Err(SignInRefused::Unknown.into());
        }
        let count = match self.party.authenticate(challenge, &credential, &presented.assertion) {
            Ok(count) => count,
            Err(Refused::CounterWentBack) => {
                suspect(on, account, &id).await?;
                return Err(SignInRefused::Answer(Refused::CounterWentBack).into());
            }
            Err(refused) => return Err(SignInRefused::Answer(refused).into()),
        };
        let actor = entitled(on, account).await?;
        let mut tx = on.log.begin().await?;
        let at = tx.now().to_string();
        // The counter as it was read: of two answers at once one is refused.
        let done = sqlx::query(
            "UPDATE journeys_passkey SET counter = $3, last_used_at = $4 \
             WHERE id = $1 AND counter = $2 AND revoked_at IS NULL",
        )
        .bind(id)
        .bind(i64::from(credential.count))
        .bind(i64::from(count))
        .bind(at)
        .execute(tx.conn())
        .await?;
        if done.rows_affected() == 0 {
            return Err(SignInRefused::Unknown.into());
        }
        let event = Event {
            kind,
            actor: &actor,
            subject: account.to_string(),
            law: LawKey::new("security").ok(),
            body: json!({ "by": "passkey" }),
        };
        let _ = tx.commit(event).await?;
        Ok(actor)
    }
}

/// A passkey on the register that was not revoked, and whose it is.
async fn kept(on: &Deployment, id: &str) -> Result<(Id<kinds::Account>, Credential), Error> {
    let row = sqlx::query(
        "SELECT account, public_key, counter, backup_eligible FROM journeys_passkey \
         WHERE id = $1 AND revoked_at IS NULL",
    )
    .bind(id.to_owned())
    .fetch_optional(&mut *on.reader().await?)
    .await?
    .ok_or(SignInRefused::Unknown)?;
    let damaged = || Error::Unknown { what: "passkey" };
    let key = hex::decode(row.try_get::<String, _>(1)?).map_err(|_| damaged())?;
    let credential = Credential {
        id: hex::decode(id).map_err(|_| damaged())?,
        key: PublicKey::from_cose(&key).map_err(|_| damaged())?,
        count: u32::try_from(row.try_get::<i64, _>(2)?).map_err(|_| damaged())?,
        backup_eligible: row.try_get::<i64, _>(3)? != 0,
    };
    let account: String = row.try_get(0)?;
    Ok((account.parse().map_err(|_| damaged())?, credential))
}

/// The counter went back under a signature that fits: the key was copied. It is used no more.
async fn suspect(on: &Deployment, account: Id<kinds::Account>, id: &str) -> Result<(), Error> {
    let actor = crate::inspect::system_actor(on).await?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    sqlx::query(
        "UPDATE journeys_passkey SET revoked_at = $2, revoked_why = 'suspect' WHERE id = $1",
    )
    .bind(id.to_owned())
    .bind(at)
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "account.passkey_suspect",
        actor: &actor,
        subject: account.to_string(),
        law: LawKey::new("security").ok(),
        body: json!({ "why": "counter" }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}
