//! Holds on records: while one stands, the record's clock stands still and it never falls due.
//!
//! Enters: which record, why, under which reference. Leaves: a row and one event; the reason stays in the database, the
//! reference is in the log. Refuses: a record that is not on the list, a second hold on the same record, an end without a
//! hold. The days on hold are added to the record's clock when the hold ends.
//!
//! # Law
//! `books`, `receipt_record`, `stop.receipt`

use std::collections::HashMap;

use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Date, Id, Timestamp, jst_date, kinds};
use serde::Serialize;
use serde_json::json;
use sqlx::{AnyConnection, Row as _};

use crate::{
    Deployment, Error,
    retention::{Kept, retained_records},
};

/// A hold that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegalHold {
    /// Day on which it began.
    pub since: Date,
    /// Why.
    pub reason: String,
    /// Reference of the order or case.
    pub reference: String,
    /// Who put it on.
    pub account: Id<kinds::Account>,
}

/// The holds of one record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HoldsOf {
    /// The one that stands.
    pub(crate) standing: Option<LegalHold>,
    /// Whole days on hold until now, ended holds included.
    pub(crate) days: i64,
}

/// All holds, by kind and record.
pub(crate) async fn all(
    conn: &mut AnyConnection,
    today: Date,
) -> Result<HashMap<(String, String), HoldsOf>, Error> {
    let damaged = || Error::Unknown { what: "legal hold" };
    let rows = sqlx::query(
        "SELECT kind, record, since, reason, reference, account, ended_at FROM journeys_legal_hold ORDER BY since",
    )
    .fetch_all(conn)
    .await?;
    let mut out: HashMap<(String, String), HoldsOf> = HashMap::new();
    for row in &rows {
        let day = |text: String| -> Result<Date, Error> {
            Ok(jst_date(text.parse::<Timestamp>().map_err(|_| damaged())?))
        };
        let since = day(row.try_get(2)?)?;
        let ended: Option<String> = row.try_get(6)?;
        let ended = ended.map(day).transpose()?;
        let of = out.entry((row.try_get(0)?, row.try_get(1)?)).or_default();
        let until = ended.unwrap_or(today).max(since);
        of.days += until.since(since).map_or(0, |span| i64::from(span.get_days()));
        if ended.is_none() {
            let account: String = row.try_get(5)?;
            of.standing = Some(LegalHold {
                since,
                reason: row.try_get(3)?,
                reference: row.try_get(4)?,
                account: account.parse().map_err(|_| damaged())?,
            });
        }
    }
    Ok(out)
}

/// Puts a record on hold: its clock stands still from today.
///
/// # Errors
/// The actor may not, there is no such record, it is on hold, reason or reference lack, or the log failed.
/// # Law
/// `books`
pub async fn hold_record(
    on: &Deployment,
    actor: &Actor,
    (kind, record): (Kept, &str),
    reason: &str,
    reference: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::HoldRecord)?;
    let (reason, reference) = (reason.trim(), reference.trim());
    if reason.is_empty() || reason.chars().count() > 400 {
        return Err(Error::Field {
            field: "reason",
            ja: "期限の進行を止める理由（400字以内）を書いてください。",
        });
    }
    if reference.is_empty() || reference.len() > 60 || !reference.is_ascii() {
        return Err(Error::Field {
            field: "reference",
            ja: "命令・事件の番号を半角英数字（60字以内）で入力してください。",
        });
    }
    let known = retained_records(on, actor).await?;
    let Some(found) = known.iter().find(|r| r.kind == kind && r.id == record) else {
        return Err(Error::Unknown { what: "記録" });
    };
    if found.hold.is_some() {
        return Err(Error::Field {
            field: "record",
            ja: "この記録は既に期限の進行を止めています。",
        });
    }
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_legal_hold (kind, record, since, reason, reference, account) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(kind.as_str())
    .bind(record.to_owned())
    .bind(at)
    .bind(reason.to_owned())
    .bind(reference.to_owned())
    .bind(actor.account.to_string())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "retention.held",
        actor: permit.actor(),
        subject: record.to_owned(),
        law: kind.law(),
        body: json!({ "record": kind.as_str(), "reference": reference }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// Ends a hold: the clock goes on, later by the days on hold.
///
/// # Errors
/// The actor may not, the record is not on hold, or the log failed.
/// # Law
/// `books`
pub async fn release_record(
    on: &Deployment,
    actor: &Actor,
    (kind, record): (Kept, &str),
) -> Result<(), Error> {
    let permit = permit(actor, Act::HoldRecord)?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let done = sqlx::query(
        "UPDATE journeys_legal_hold SET ended_at = $3, ended_by = $4 WHERE kind = $1 AND record = $2 AND ended_at IS NULL",
    )
    .bind(kind.as_str())
    .bind(record.to_owned())
    .bind(at)
    .bind(actor.account.to_string())
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::Unknown { what: "期限の進行の停止" });
    }
    let event = Event {
        kind: "retention.released",
        actor: permit.actor(),
        subject: record.to_owned(),
        law: kind.law(),
        body: json!({ "record": kind.as_str() }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}
