//! A request to stop, from the public page to the holder's desk, and what became of it.
//!
//! The Act has the person ask the *holder*, who issues the receipt. The page of the producer only passes the request
//! on: what the person wrote is sealed, opened at the desk of that holder alone (an act on the record), and goes when
//! the desk answers. The person keeps a number that nobody can guess, by which the way of the stop can be looked up.

use kiban_audit::Event;
use kiban_govern::{Act, permit};
use kiban_kernel::{Bases, Id, LawKey, Timestamp, kinds};
use kiban_register::{
    OrganizationKind, organization,
    stop::{self, Requester, StoreState},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{Row as _, any::AnyRow};

use crate::{
    Deployment, Error, inspect,
    number::{digest_of, number},
};

pub(crate) type RequestId = Id<kinds::Event>;

/// What the numbers are for.
const NUMBER: &str = "stop-request";

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
    let number = number(&bytes);
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
    .bind(digest_of(NUMBER, &number))
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

pub(crate) fn read(row: &AnyRow) -> Result<Waiting, Error> {
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

/// How far the stop is whose number the person holds.
///
/// # Errors
/// There is none, or the database failed.
pub async fn stop_progress(on: &Deployment, number: &str) -> Result<Progress, Error> {
    const SQL: &str = "SELECT id, holder, asked_at, requester, regimes, electronic, answered_at, stop, declined FROM journeys_stop_request WHERE number_digest = $1";
    let mut conn = on.reader().await?;
    let row = sqlx::query(SQL)
        .bind(digest_of(NUMBER, number))
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
