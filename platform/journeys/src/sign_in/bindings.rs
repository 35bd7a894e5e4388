//! Which identity of a provider stands for which account: bound by the security officer, never by signing in.

use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Id, LawKey, kinds};
use serde_json::json;

use super::{SignInRefused, active, provider::Providers};
use crate::{Deployment, Error};

impl Providers {
    /// Let an identity of a provider stand for an account. `subject`: what the provider's tokens say in `sub`.
    ///
    /// # Errors
    /// The actor may not, there is no such account or provider, the subject is none (OpenID Connect Core 1.0, 2: up to
    /// 255 ASCII characters), the identity is bound already, or the log failed.
    /// # Law
    /// `security`
    pub async fn bind(
        &self,
        on: &Deployment,
        actor: &Actor,
        of: Id<kinds::Account>,
        provider: &str,
        subject: &str,
    ) -> Result<(), Error> {
        let permit = permit(actor, Act::ManageAccounts)?;
        active(on, of).await?;
        let issuer = self.issuer_of(provider).ok_or(SignInRefused::NoSuchProvider)?.to_owned();
        let fits =
            (1..=255).contains(&subject.len()) && subject.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            let ja = "認証基盤での識別子（sub）は、255字以内の英数字と記号で書いてください。";
            return Err(Error::Field { field: "subject", ja });
        }
        let mut tx = on.log.begin().await?;
        let at = tx.now().to_string();
        let done = sqlx::query(
            "INSERT INTO journeys_provider_account (issuer, subject, account, bound_at, bound_by) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (issuer, subject) DO NOTHING",
        )
        .bind(issuer)
        .bind(subject.to_owned())
        .bind(of.to_string())
        .bind(at)
        .bind(actor.account.to_string())
        .execute(tx.conn())
        .await?;
        if done.rows_affected() == 0 {
            return Err(SignInRefused::Bound.into());
        }
        let event = Event {
            kind: "account.bound",
            actor: permit.actor(),
            subject: of.to_string(),
            law: LawKey::new("security").ok(),
            body: json!({ "provider": provider }),
        };
        let _ = tx.commit(event).await?;
        Ok(())
    }
}

/// How many identities of providers stand for each account that has any.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn bound_identities(
    on: &Deployment,
    actor: &Actor,
) -> Result<std::collections::BTreeMap<Id<kinds::Account>, u64>, Error> {
    use sqlx::Row as _;
    permit(actor, Act::ManageAccounts)?;
    let rows =
        sqlx::query("SELECT account, COUNT(*) FROM journeys_provider_account GROUP BY account")
            .fetch_all(&mut *on.reader().await?)
            .await?;
    rows.iter()
        .map(|row| {
            let account: String = row.try_get(0)?;
            let account = account.parse().map_err(|_| Error::Unknown { what: "account" })?;
            Ok((account, row.try_get::<i64, _>(1)?.unsigned_abs()))
        })
        .collect()
}

/// Let no identity of any provider stand for an account any more (the person left, the provider was changed).
///
/// # Errors
/// The actor may not, there is no such account, or the log failed.
/// # Law
/// `security`
pub async fn unbind(on: &Deployment, actor: &Actor, of: Id<kinds::Account>) -> Result<u64, Error> {
    let permit = permit(actor, Act::ManageAccounts)?;
    active(on, of).await?;
    let mut tx = on.log.begin().await?;
    let done = sqlx::query("DELETE FROM journeys_provider_account WHERE account = $1")
        .bind(of.to_string())
        .execute(tx.conn())
        .await?
        .rows_affected();
    let event = Event {
        kind: "account.unbound",
        actor: permit.actor(),
        subject: of.to_string(),
        law: LawKey::new("security").ok(),
        body: json!({ "identities": done }),
    };
    let _ = tx.commit(event).await?;
    Ok(done)
}
