//! The accounts as the security officer keeps them: who may sign in today, with what, and training.

use std::collections::BTreeMap;

use kiban_audit::Event;
use kiban_govern::{Act, Actor, entitlement, permit};
use kiban_kernel::{Date, Id, LawKey, Timestamp, kinds};
use kiban_register::{Account, account, handler};
use serde_json::json;
use sqlx::Row as _;

use super::{SignInRefused, active};
use crate::{Deployment, Error};

/// An account and how its person signs in.
#[derive(Debug, Clone)]
pub struct AccountRow {
    /// The account.
    pub account: Account,
    /// Last day on which the training is in date, if one is recorded.
    pub trained_until: Option<Date>,
    /// Why nobody may sign in with it today.
    pub barred: Option<entitlement::Barred>,
    /// Passkeys that are not revoked.
    pub passkeys: u64,
    /// When one was last used.
    pub last_used_at: Option<Timestamp>,
    /// When the open invitation ends.
    pub invited_until: Option<Timestamp>,
}

/// All accounts that are active today.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn account_rows(on: &Deployment, actor: &Actor) -> Result<Vec<AccountRow>, Error> {
    permit(actor, Act::ManageAccounts)?;
    let (today, now) = (on.today(), on.world.clock.now().to_string());
    let months = on.rules.int("security.training_months", today)?;
    let mut conn = on.reader().await?;
    let mut keys = BTreeMap::new();
    let rows = sqlx::query(
        "SELECT account, COUNT(*), MAX(last_used_at) FROM journeys_passkey WHERE revoked_at IS NULL GROUP BY account",
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        let counted = (row.try_get::<i64, _>(1)? as u64, row.try_get::<Option<String>, _>(2)?);
        keys.insert(row.try_get::<String, _>(0)?, counted);
    }
    let rows =
        sqlx::query("SELECT account, expires_at FROM journeys_invitation WHERE expires_at > $1")
            .bind(now)
            .fetch_all(&mut *conn)
            .await?;
    let mut invited = BTreeMap::new();
    for row in &rows {
        invited.insert(row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?);
    }
    let mut out = Vec::new();
    for account in account::all(&mut conn).await? {
        if today < account.active_from || account.ended_on.is_some_and(|end| end <= today) {
            continue;
        }
        let listed = match &account.handler {
            Some(number) => handler::of(&mut conn, number).await?,
            None => None,
        };
        let roles = account.roles.iter().copied();
        let mut actor = Actor::new(account.id, account.organization, account.employer, roles);
        if let Some(number) = &account.handler {
            actor = actor.with_handler(number.clone());
        }
        let trained = listed.and_then(|l| l.trained_on);
        let name = account.id.to_string();
        let (passkeys, last) = keys.remove(&name).unwrap_or_default();
        out.push(AccountRow {
            trained_until: trained.map(|day| entitlement::trained_until(day, months)),
            barred: entitlement::may_sign_in(&actor, listed.as_ref(), months, today).err(),
            passkeys,
            last_used_at: last.and_then(|t| t.parse().ok()),
            invited_until: invited.remove(&name).and_then(|t| t.parse().ok()),
            account,
        });
    }
    Ok(out)
}

/// Record a training that the handler of an account completed.
///
/// # Errors
/// The actor may not, the account is bound to no handler, the day is to come, or the log failed.
/// # Law
/// `security`
pub async fn record_training(
    on: &Deployment,
    actor: &Actor,
    of: Id<kinds::Account>,
    completed_on: Date,
    course: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::ManageAccounts)?;
    let person = active(on, of).await?;
    let number = person.handler.ok_or(SignInRefused::NoHandler)?;
    if completed_on > on.today() {
        return Err(Error::Field {
            field: "completed_on",
            ja: "教育を終えた日は今日までの日です。",
        });
    }
    let mut tx = on.log.begin().await?;
    handler::add_training(tx.conn(), &number, completed_on, course).await?;
    let event = Event {
        kind: "account.trained",
        actor: permit.actor(),
        subject: of.to_string(),
        law: LawKey::new("security").ok(),
        body: json!({ "completed_on": completed_on.to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// Revoke all passkeys and the open invitation of an account (a device was lost, the person left).
///
/// # Errors
/// The actor may not, there is no such account, or the log failed.
/// # Law
/// `security`
pub async fn revoke_passkeys(
    on: &Deployment,
    actor: &Actor,
    of: Id<kinds::Account>,
) -> Result<u64, Error> {
    let permit = permit(actor, Act::ManageAccounts)?;
    active(on, of).await?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let done = sqlx::query(
        "UPDATE journeys_passkey SET revoked_at = $2, revoked_why = 'lost' WHERE account = $1 AND revoked_at IS NULL",
    )
    .bind(of.to_string())
    .bind(at)
    .execute(tx.conn())
    .await?
    .rows_affected();
    sqlx::query("DELETE FROM journeys_invitation WHERE account = $1")
        .bind(of.to_string())
        .execute(tx.conn())
        .await?;
    let event = Event {
        kind: "account.passkeys_revoked",
        actor: permit.actor(),
        subject: of.to_string(),
        law: LawKey::new("security").ok(),
        body: json!({ "passkeys": done }),
    };
    let _ = tx.commit(event).await?;
    Ok(done)
}
