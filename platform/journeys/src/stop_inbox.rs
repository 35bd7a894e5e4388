//! A request to stop, from the public page to the holder's desk, and what became of it.
//!
//! The Act has the person ask the *holder*, who issues the receipt. The page of the producer only passes the request
//! on: what the person wrote is sealed, opened at the desk of that holder alone (an act on the record), and goes when
//! the desk answers. The person keeps a number that nobody can guess, by which the way of the stop can be looked up.

use age::x25519;
use kiban_audit::Event;
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Bases, Date, Digest, Id, LawKey, Timestamp, jst_date, kinds};
use kiban_register::{
    OrganizationKind, StopRequest, organization,
    stop::{self, Requester, Scope, StoreState},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use crate::{Deployment, Error, inspect, stop_request};

type RequestId = Id<kinds::Event>;

/// What a person writes on the page. No `Debug`: it names somebody.
#[derive(Clone, Serialize, Deserialize)]
pub struct Written {
    /// Name of the patient.
    pub name: String,
    /// Date of birth, as written.
    pub birth: String,
    /// Number at the holder (patient number, insured number), if known.
    pub local_id: String,
    /// How the desk can reach the person.
    pub contact: String,
}

/// A request to be passed on.
#[derive(Clone)]
pub struct Asking {
    /// To which holder.
    pub holder: Id<kinds::Organization>,
    /// Who asks.
    pub requester: Requester,
    /// Regimes; none named is taken as the rule says.
    pub regimes: Bases,
    /// The person agrees to get the receipt in electronic form.
    pub electronic: bool,
    /// What the desk needs.
    pub written: Written,
}

/// A request as the desk's list shows it: nobody is named.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its id.
    pub id: RequestId,
    /// At which holder.
    pub holder: Id<kinds::Organization>,
    /// When it was made.
    pub asked_at: Timestamp,
    /// Who asks.
    pub requester: Requester,
    /// Regimes.
    pub regimes: Bases,
    /// Receipt in electronic form agreed to.
    pub electronic: bool,
    /// When the desk answered.
    pub answered_at: Option<Timestamp>,
    /// The stop on the register.
    pub stop: Option<Id<kinds::Stop>>,
    /// Why the desk declined.
    pub declined: Option<String>,
}

/// Why an act on a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StopRequestRefused {
    /// There is no such request, at least not at this desk.
    #[error("there is no such request")]
    NoSuchRequest,
    /// The desk answered already.
    #[error("the desk answered already")]
    Answered,
    /// What was written cannot be opened.
    #[error("what was written cannot be opened")]
    Sealed,
}

impl StopRequestRefused {
    /// Sentence for the user.
    pub fn ja(self) -> &'static str {
        match self {
            Self::NoSuchRequest => "該当する求めがありません。番号を確かめてください。",
            Self::Answered => "この求めには既に回答しています。",
            Self::Sealed => "求めの内容を開けません。管理者に知らせてください。",
        }
    }
}

/// How far a stop is, for the person who holds the number.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The request.
    pub request: Waiting,
    /// Name of the holder.
    pub holder_name: String,
    /// Number of the holder's receipt.
    pub receipt_number: Option<String>,
    /// The stores, once the producer was told.
    pub stores: Vec<StoreState>,
    /// When the last store had acknowledged.
    pub closed_at: Option<Timestamp>,
}

/// Letters of a number: no `I`, `L`, `O`, `U`.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

fn number(bytes: [u8; 12]) -> String {
    let mut out = String::new();
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 && i % 4 == 0 {
            out.push('-');
        }
        out.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    out
}

/// As it is compared: letters and digits only, the mistakable ones read as digits.
fn digest_of(number: &str) -> String {
    let plain: String = number
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    Digest::of(format!("kiban/stop-request/{plain}").as_bytes()).to_string()
}

/// Pass a request on to the holder's desk; gives the number for the person.
///
/// # Errors
/// A field is empty, there is no such holder, or the log failed.
/// # Law
/// `stop`
pub async fn ask_stop(on: &Deployment, asking: &Asking) -> Result<String, Error> {
    let filled = |field, text: &str, ja| {
        let count = text.trim().chars().count();
        if count == 0 || count > 200 { Err(Error::Field { field, ja }) } else { Ok(()) }
    };
    filled("name", &asking.written.name, "患者さんの氏名を書いてください。")?;
    filled("birth", &asking.written.birth, "患者さんの生年月日を書いてください。")?;
    filled("contact", &asking.written.contact, "連絡先を書いてください。")?;
    if asking.written.local_id.chars().count() > 64 {
        return Err(Error::Field { field: "local_id", ja: "番号が長すぎます。" });
    }
    let system = inspect::system_actor(on).await?;
    let permit = permit(&system, Act::AskStop)?;
    let text = serde_json::to_vec(&asking.written).unwrap_or_default();
    let sealed = age::encrypt(&on.intake.to_public(), &text)
        .map_err(|_| Error::StopRequest(StopRequestRefused::Sealed))?;
    let id: RequestId = on.new_id()?;
    let mut bytes = [0; 12];
    on.world.entropy.fill(&mut bytes)?;
    let number = number(bytes);
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let found = organization::find(tx.conn(), asking.holder).await;
    if !found.is_ok_and(|o| o.kind == OrganizationKind::Holder) {
        return Err(Error::Field {
            field: "holder", ja: "医療機関・市町村を選んでください。"
        });
    }
    sqlx::query(
        "INSERT INTO journeys_stop_request (id, number_digest, holder, asked_at, requester, regimes, electronic, sealed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id.to_string())
    .bind(digest_of(&number))
    .bind(asking.holder.to_string())
    .bind(at)
    .bind(asking.requester.as_str())
    .bind(i64::from(asking.regimes.bits()))
    .bind(i64::from(asking.electronic))
    .bind(hex::encode(sealed))
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "stop.asked",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("stop").ok(),
        body: json!({ "holder": asking.holder.to_string(), "requester": asking.requester.as_str() }),
    };
    let _ = tx.commit(event).await?;
    Ok(number)
}

fn read(row: &AnyRow) -> Result<Waiting, Error> {
    let damaged = || Error::Unknown { what: "stop request" };
    let text = |i: usize| -> Result<String, Error> { Ok(row.try_get(i)?) };
    let maybe = |i: usize| -> Result<Option<String>, Error> { Ok(row.try_get(i)?) };
    let requester = text(3)?;
    Ok(Waiting {
        id: text(0)?.parse().map_err(|_| damaged())?,
        holder: text(1)?.parse().map_err(|_| damaged())?,
        asked_at: text(2)?.parse().map_err(|_| damaged())?,
        requester: Requester::ALL
            .into_iter()
            .find(|r| r.as_str() == requester)
            .ok_or_else(damaged)?,
        regimes: Bases::from_bits(row.try_get::<i64, _>(4)? as u8),
        electronic: row.try_get::<i64, _>(5)? != 0,
        answered_at: maybe(6)?.map(|t| t.parse()).transpose().map_err(|_| damaged())?,
        stop: maybe(7)?.map(|t| t.parse()).transpose().map_err(|_| damaged())?,
        declined: maybe(8)?,
    })
}

async fn at_desk(
    conn: &mut AnyConnection,
    holder: Id<kinds::Organization>,
    id: RequestId,
) -> Result<Waiting, Error> {
    const SQL: &str = "SELECT id, holder, asked_at, requester, regimes, electronic, answered_at, stop, declined FROM journeys_stop_request WHERE id = $1 AND holder = $2";
    let row = sqlx::query(SQL)
        .bind(id.to_string())
        .bind(holder.to_string())
        .fetch_optional(conn)
        .await?
        .ok_or(Error::StopRequest(StopRequestRefused::NoSuchRequest))?;
    read(&row)
}

/// The requests at the desk of the actor's holder, oldest first.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn stop_requests(on: &Deployment, actor: &Actor) -> Result<Vec<Waiting>, Error> {
    permit(actor, Act::AnswerStopRequest)?;
    const SQL: &str = "SELECT id, holder, asked_at, requester, regimes, electronic, answered_at, stop, declined FROM journeys_stop_request WHERE holder = $1 ORDER BY asked_at, id";
    let rows = sqlx::query(SQL)
        .bind(actor.organization.to_string())
        .fetch_all(&mut *on.reader().await?)
        .await?;
    rows.iter().map(read).collect()
}

/// One request at the actor's desk, without what the person wrote.
///
/// # Errors
/// The actor may not, there is none at this desk, or the database failed.
pub async fn stop_request_at_desk(
    on: &Deployment,
    actor: &Actor,
    id: RequestId,
) -> Result<Waiting, Error> {
    permit(actor, Act::AnswerStopRequest)?;
    at_desk(&mut *on.reader().await?, actor.organization, id).await
}

/// Open what the person wrote, at the desk it was sent to; the opening stands in the log.
///
/// # Errors
/// The actor may not, there is none at this desk, it was answered, or the log failed.
pub async fn open_stop_request(
    on: &Deployment,
    actor: &Actor,
    id: RequestId,
) -> Result<Written, Error> {
    permit(actor, Act::AnswerStopRequest)?;
    let mut conn = on.reader().await?;
    let request = at_desk(&mut conn, actor.organization, id).await?;
    if request.answered_at.is_some() {
        return Err(Error::StopRequest(StopRequestRefused::Answered));
    }
    let sealed: String =
        sqlx::query_scalar("SELECT sealed FROM journeys_stop_request WHERE id = $1")
            .bind(id.to_string())
            .fetch_one(&mut *conn)
            .await?;
    drop(conn);
    let written = kiban_audit::Identified::seal(open(&on.intake, &sealed)?);
    let receipt = on.log.read(actor, "stop.request", &id.to_string()).await?;
    Ok(written.open(&receipt))
}

fn open(identity: &x25519::Identity, sealed: &str) -> Result<Written, Error> {
    let refused = || Error::StopRequest(StopRequestRefused::Sealed);
    let bytes = hex::decode(sealed).map_err(|_| refused())?;
    let text = age::decrypt(identity, &bytes).map_err(|_| refused())?;
    serde_json::from_slice(&text).map_err(|_| refused())
}

/// What the desk writes on the receipt.
#[derive(Clone)]
pub struct Receipting {
    /// The holder's number of the person.
    pub local_id: String,
    /// Number of the receipt.
    pub receipt_number: String,
    /// Reference of what proves the requester's standing.
    pub evidence: String,
}

/// The desk issues the receipt: the stop is on the register from this commit, and what the person wrote is gone.
///
/// # Errors
/// The actor may not, there is none at this desk, it was answered, the receipt lacks something, or the log failed.
/// # Law
/// `stop`, `stop.receipt`
pub async fn issue_receipt(
    on: &Deployment,
    actor: &Actor,
    id: RequestId,
    receipting: &Receipting,
) -> Result<stop::Received, Error> {
    permit(actor, Act::AnswerStopRequest)?;
    let permit = permit(actor, Act::RecordStop)?;
    let keys = on.register_keys().await?;
    let mut tx = on.log.begin().await?;
    let request = at_desk(tx.conn(), actor.organization, id).await?;
    if request.answered_at.is_some() {
        return Err(Error::StopRequest(StopRequestRefused::Answered));
    }
    let asked = StopRequest {
        holder: request.holder,
        local_id: receipting.local_id.trim().to_owned(),
        regimes: request.regimes,
        requested_on: jst_date(request.asked_at),
        receipt_number: receipting.receipt_number.trim().to_owned(),
        requester: request.requester,
        evidence: receipting.evidence.trim().to_owned(),
        scope: Scope::Holder,
        identities: Vec::new(),
    };
    let received = stop_request::receive(on, &mut tx, &keys, &asked).await?;
    if !received.new {
        return Err(Error::Stop(kiban_register::StopError::OtherRequest));
    }
    let at = tx.now().to_string();
    sqlx::query(
        "UPDATE journeys_stop_request SET answered_at = $2, stop = $3, sealed = '' WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(at)
    .bind(received.stop.id.to_string())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "stop.received",
        actor: permit.actor(),
        subject: received.stop.id.to_string(),
        law: LawKey::new("stop.receipt").ok(),
        body: json!({ "request": id.to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(received)
}

/// The desk declines a request (the person could not be found, say); what was written is gone.
///
/// # Errors
/// The actor may not, there is none at this desk, it was answered, there is no reason, or the log failed.
pub async fn decline_stop_request(
    on: &Deployment,
    actor: &Actor,
    id: RequestId,
    reason: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::AnswerStopRequest)?;
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 400 {
        return Err(Error::Field {
            field: "reason", ja: "受付できない理由を書いてください。"
        });
    }
    let mut tx = on.log.begin().await?;
    let request = at_desk(tx.conn(), actor.organization, id).await?;
    if request.answered_at.is_some() {
        return Err(Error::StopRequest(StopRequestRefused::Answered));
    }
    let at = tx.now().to_string();
    sqlx::query(
        "UPDATE journeys_stop_request SET answered_at = $2, declined = $3, sealed = '' WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(at)
    .bind(reason.to_owned())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "stop.declined",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("stop").ok(),
        body: json!({}),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// How far the stop is whose number the person holds.
///
/// # Errors
/// There is none, or the database failed.
pub async fn stop_progress(on: &Deployment, number: &str) -> Result<Progress, Error> {
    const SQL: &str = "SELECT id, holder, asked_at, requester, regimes, electronic, answered_at, stop, declined FROM journeys_stop_request WHERE number_digest = $1";
    let mut conn = on.reader().await?;
    let row = sqlx::query(SQL)
        .bind(digest_of(number))
        .fetch_optional(&mut *conn)
        .await?
        .ok_or(Error::StopRequest(StopRequestRefused::NoSuchRequest))?;
    let request = read(&row)?;
    let holder_name = organization::find(&mut conn, request.holder).await?.name;
    let mut progress = Progress {
        holder_name,
        receipt_number: None,
        stores: Vec::new(),
        closed_at: None,
        request,
    };
    if let Some(id) = progress.request.stop {
        let stop = stop::find(&mut conn, id).await?;
        progress.stores = stop::stores(&mut conn, id).await?;
        progress.closed_at = stop.closed_at;
        progress.receipt_number = Some(stop.receipt_number);
    }
    Ok(progress)
}

/// A stop with its stores and how long it has run.
#[derive(Debug, Clone)]
pub struct StopRow {
    /// The stop.
    pub stop: kiban_register::Stop,
    /// The stores.
    pub stores: Vec<StoreState>,
    /// The day by which every store must have acknowledged.
    pub due: Date,
    /// Not closed, and the day has passed.
    pub overdue: bool,
}

/// Every stop on the register against every store, the newest first; a holder's staff see their own.
///
/// # Errors
/// The actor may not see stops, or the database or a rule failed.
/// # Law
/// `stop`
pub async fn stops(on: &Deployment, actor: &Actor) -> Result<Vec<StopRow>, Error> {
    use kiban_govern::{Employer, Role};
    let own = actor.employer == Employer::Holder && actor.has(Role::HolderStaff);
    let roles = [
        Role::IntakeOfficer,
        Role::SecurityOfficer,
        Role::GeneralManager,
        Role::ReleaseApprover,
        Role::Auditor,
    ];
    let staff = actor.employer == Employer::Producer && roles.iter().any(|role| actor.has(*role));
    if !own && !staff {
        permit(actor, Act::ApplyStop)?;
    }
    let mut conn = on.reader().await?;
    let today = on.today();
    let mut out = Vec::new();
    for stop in stop::all(&mut conn).await? {
        if own && stop.holder != actor.organization {
            continue;
        }
        let begun = jst_date(stop.received_at);
        let days = on.rules.int("stop.due_days", begun)?;
        let mut due = begun;
        for _ in 0..days {
            due = due.tomorrow().unwrap_or(due);
        }
        let stores = stop::stores(&mut conn, stop.id).await?;
        let overdue = stop.closed_at.is_none() && today > due;
        out.push(StopRow { stop, stores, due, overdue });
    }
    out.reverse();
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_the_same_however_it_is_typed() {
        let made = number([0, 1, 10, 31, 32, 33, 7, 8, 9, 20, 21, 22]);
        assert_eq!(made, "01AZ-0178-9MNP");
        assert_eq!(digest_of(&made), digest_of("oIaz 0l78 9mnp"));
        assert_ne!(digest_of(&made), digest_of("01AZ-0178-9MNQ"));
    }
}
