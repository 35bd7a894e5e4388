//! One person's state for the complaint desk, the call centre and the stop desk: notices, waits, stops, bases with their
//! reasons, how many datasets used the person. No name, no clinical value.
//!
//! Each look-up is an event with its purpose and the reference of the case. The person stands in it under a keyed mark
//! ([`kiban_register::RegisterKeys::looked_up`]): who has the number can ask who looked, nothing else joins with it.
//!
//! # Law
//! `complaints`, `notice.anonymized`, `notice.pseudonymized`, `stop`

use std::collections::{BTreeMap, BTreeSet};

use arrow::{array::AsArray as _, datatypes::UInt8Type};
use kiban_audit::Event;
use kiban_govern::{
    Act, Actor, Employer,
    gate::{self, Reason},
    permit,
};
use kiban_kernel::{Bases, Date, Id, LawKey, PartialDate, Regime, Timestamp, kinds};
use kiban_lake::{DataClass, schema};
use kiban_register::{
    Gate, PersonFacts, PersonNotice, filing,
    link::{self, Identity, RawIdentity, Sex},
    notice_return, stop,
};
use serde_json::json;

use crate::{
    Deployment, Error, Fate, corrections, datasets_of_stop, person_notices, register_differences,
};

/// Why a person is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookUpPurpose {
    /// A complaint is handled.
    Complaint,
    /// Somebody calls.
    Call,
    /// A stop is taken in or followed up.
    StopDesk,
    /// An inspection asks.
    Inspection,
}

impl LookUpPurpose {
    /// All purposes.
    pub const ALL: [Self; 4] = [Self::Complaint, Self::Call, Self::StopDesk, Self::Inspection];
    /// Text form; stands in the event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::Call => "call",
            Self::StopDesk => "stop_desk",
            Self::Inspection => "inspection",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Complaint => "苦情の処理",
            Self::Call => "電話等の問合せ",
            Self::StopDesk => "停止の求めの受付",
            Self::Inspection => "検査への対応",
        }
    }
}

/// One notice and its wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeState {
    /// Under which regime.
    pub regime: Regime,
    /// Version of the holder's notice.
    pub version: String,
    /// Day of the notice.
    pub notified_on: Date,
    /// How it was given.
    pub channel: String,
    /// Was a guardian told too?
    pub guardian: bool,
    /// Last day of the wait: held on it, passing from the next day.
    pub wait_until: Date,
    /// Day on which its letter came back.
    pub returned_on: Option<Date>,
    /// The person was told through a guardian and came, or comes, of age on this day.
    pub of_age_on: Option<Date>,
    /// It was taken over from a predecessor's register.
    pub taken_over: bool,
}

/// One stop of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopState {
    /// The stop.
    pub id: Id<kinds::Stop>,
    /// The holder at which it was asked.
    pub holder: Id<kinds::Organization>,
    /// It was asked at another holder and passed on to all.
    pub passed_on: bool,
    /// Number of the holder's receipt.
    pub receipt_number: String,
    /// Day of the request.
    pub requested_on: Date,
    /// Who asked; the producer where what lacked a notice was erased.
    pub requester: stop::Requester,
    /// Regimes.
    pub regimes: Bases,
    /// When every store had acknowledged.
    pub closed_at: Option<Timestamp>,
    /// Stores that are silent.
    pub open_stores: u64,
    /// Day on which it was taken back.
    pub withdrawn_on: Option<Date>,
    /// Datasets that held the person when it was received, by what became of them.
    pub datasets: BTreeMap<&'static str, u64>,
}

/// What the gate says under a regime today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasisState {
    /// The regime.
    pub regime: Regime,
    /// Would anything that is sent today be taken in?
    pub passes: bool,
    /// Why not.
    pub reason: Option<Reason>,
    /// Records that are held under the regime: rows of all tables but the person's own.
    pub records: u64,
    /// Datasets that were made with records of the person.
    pub datasets: u64,
}

impl NoticeState {
    /// What the person's age asks for, in a sentence; none if he or she was told in person.
    pub fn age_ja(&self, all: &[Self], today: Date) -> Option<String> {
        let day = self.of_age_on?;
        let later =
            |n: &&Self| n.regime == self.regime && n.notified_on >= day && n.returned_on.is_none();
        Some(if today < day {
            format!(
                "通知の時は16歳未満のため、保護者等にも通知しています。{day}に16歳になります。その後、本人にあらためて通知します。"
            )
        } else if let Some(n) = all.iter().find(later) {
            format!(
                "通知の時は16歳未満でした（{day}に16歳）。{}に本人にあらためて通知しています。",
                n.notified_on
            )
        } else {
            format!(
                "{day}に16歳になりましたが、本人への通知がまだありません。次の受診の時などに通知してください。"
            )
        })
    }

    /// Was it the notice in effect for what is sent on a day: its wait over, its letter not back?
    pub fn covers(&self, on: Date) -> bool {
        self.wait_until < on && self.returned_on.is_none_or(|back| on < back)
    }
}

/// What is known of one person at one holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonState {
    /// The holder.
    pub holder: Id<kinds::Organization>,
    /// Is anything of the person on the register: a notice, a record, a stop?
    pub known: bool,
    /// Notices, the oldest first.
    pub notices: Vec<NoticeState>,
    /// Stops, in the order of receipt.
    pub stops: Vec<StopState>,
    /// By regime.
    pub bases: Vec<BasisState>,
    /// Day of death, as far as known.
    pub died_on: Option<PartialDate>,
    /// Deliveries in which something of the person was taken in.
    pub deliveries: u64,
}

/// Who the person says to be, for what was never taken in: with kana name, birth and sex together, stops that another
/// holder passed on to all holders are found by their keyed hashes. Nothing of it is kept.
#[derive(Clone)]
pub struct Described {
    /// Kana name, family name first.
    pub name_kana: String,
    /// Day of birth.
    pub birth_on: Date,
    /// Sex: `1`, `2`, `男`, `女`, `M` or `F`; anything else says nothing, and nothing is found.
    pub sex: String,
}

impl Described {
    fn identity(&self) -> Identity {
        Identity::normalise(&RawIdentity {
            name_kana: Some(&self.name_kana),
            birth_on: Some(self.birth_on),
            sex: match self.sex.trim() {
                "1" | "男" => Some(Sex::Male),
                "2" | "女" => Some(Sex::Female),
                code => Sex::from_code(code),
            },
            ..RawIdentity::default()
        })
    }
}

/// Looks one person up by the holder's own number. The holder's staff look up their own.
///
/// # Errors
/// As [`look_up_described`].
/// # Law
/// `complaints`
pub async fn look_up_person(
    on: &Deployment,
    actor: &Actor,
    holder: Id<kinds::Organization>,
    local_id: &str,
    about: (LookUpPurpose, &str),
) -> Result<PersonState, Error> {
    look_up_described(on, actor, holder, local_id, None, about).await
}

/// As [`look_up_person`], with what the person says of who he or she is.
///
/// # Errors
/// The actor may not, or not at this holder; the number or the reference is empty; or lake, database or log failed.
pub async fn look_up_described(
    on: &Deployment,
    actor: &Actor,
    holder: Id<kinds::Organization>,
    local_id: &str,
    described: Option<&Described>,
    (purpose, reference): (LookUpPurpose, &str),
) -> Result<PersonState, Error> {
    let permit = permit(actor, Act::LookUpPerson)?;
    if actor.employer == Employer::Holder && holder != actor.organization {
        return Err(Error::Unknown { what: "提供元" });
    }
    let (local_id, reference) = (local_id.trim(), reference.trim());
    if local_id.is_empty() {
        return Err(Error::Field {
            field: "local_id", ja: "提供元での番号を入力してください。"
        });
    }
    if reference.is_empty() || reference.len() > 60 || !reference.is_ascii() {
        return Err(Error::Field {
            field: "reference",
            ja: "受付簿の番号を半角英数字（60字以内）で入力してください。照会の記録に残ります。",
        });
    }
    let keys = on.register_keys().await?;
    // First the record that somebody looks, then the look.
    let tx = on.log.begin().await?;
    let event = Event {
        kind: "person.looked_up",
        actor: permit.actor(),
        subject: holder.to_string(),
        law: LawKey::new("complaints").ok(),
        body: json!({
            "purpose": purpose.as_str(),
            "reference": reference,
            "mark": keys.looked_up(holder, local_id),
        }),
    };
    let _ = tx.commit(event).await?;
    state(on, holder, local_id, described).await
}

async fn state(
    on: &Deployment,
    holder: Id<kinds::Organization>,
    local_id: &str,
    described: Option<&Described>,
) -> Result<PersonState, Error> {
    let (keys, today) = (on.register_keys().await?, on.today());
    let person = keys.person_source(holder, local_id);
    let told = person_notices::of(on, person).await?;
    let mut conn = on.reader().await?;
    let filings = filing::of(&mut conn, holder).await?;
    let returned = notice_return::of(&mut conn, holder, today).await?;
    let imports = register_differences::imports(&mut conn).await?;
    let mut notices = Vec::with_capacity(told.len());
    for one in &told {
        let n = &one.notice;
        let promised = filing::deciding(&filings, n.regime, today).and_then(|f| f.wait_days);
        let key = notice_return::ReturnKey {
            person,
            regime: n.regime,
            version: n.version.clone(),
            notified_on: n.notified_on,
        };
        notices.push(NoticeState {
            regime: n.regime,
            version: n.version.clone(),
            notified_on: n.notified_on,
            channel: n.channel.clone(),
            guardian: n.guardian,
            wait_until: gate::wait_until(n.notified_on, promised, today, &on.rules)?,
            returned_on: returned.get(&key).copied(),
            of_age_on: one.of_age_on,
            taken_over: imports.contains_key(&one.source),
        });
    }
    // Made here, made elsewhere and passed on, or before the first delivery.
    let mut identities = link::identities_of(&on.lake, &[person]).await?;
    identities.extend(described.map(Described::identity));
    let mut found = stop::of_person(&mut conn, person).await?;
    for one in stop::of_identities(&mut conn, &keys, &identities).await? {
        if found.iter().all(|s| s.id != one.id) {
            found.push(one);
        }
    }
    found.sort_by_key(|s| s.no);
    let mut stops = Vec::new();
    for found in found {
        let stores = stop::stores(&mut conn, found.id).await?;
        let withdrawal = stop::withdrawal(&mut conn, found.id).await?;
        stops.push(StopState {
            id: found.id,
            holder: found.holder,
            passed_on: found.holder != holder,
            receipt_number: found.receipt_number,
            requested_on: found.requested_on,
            requester: found.requester,
            regimes: found.regimes,
            closed_at: found.closed_at,
            open_stores: stores.iter().filter(|s| s.acknowledged_at.is_none()).count() as u64,
            withdrawn_on: withdrawal.map(|w| w.withdrawn_on),
            datasets: BTreeMap::new(),
        });
    }
    let gate = Gate::load(&mut conn, &keys, holder, today, &on.rules).await?;
    let made = corrections::touched_by_regime(on, &mut conn, &[person]).await?;
    drop(conn);
    for found in &mut stops {
        for (_, fate) in datasets_of_stop(on, found.id).await? {
            let fate: Fate = fate;
            *found.datasets.entry(fate.label_ja()).or_default() += 1;
        }
    }
    let died_on = told.iter().filter_map(|n| n.died_on).min_by_key(PartialDate::latest);
    let own: Vec<PersonNotice> = told.iter().map(|n| n.notice.clone()).collect();
    let facts = PersonFacts {
        local_id,
        notices: &own,
        died_on,
        // Whether a guardian had to be told was judged when the notice came in; what is unknown counts as of age.
        birth_on: None,
        identities: &identities,
    };
    let decided = gate.person(&facts);
    let (records, deliveries) = held(on, person).await?;
    let bases = Regime::ALL
        .into_iter()
        .map(|regime| BasisState {
            regime,
            passes: decided.bases().contains(regime),
            reason: decided.reason(regime),
            records: records.get(&regime).copied().unwrap_or(0),
            datasets: made.iter().filter(|(r, _)| *r == regime).count() as u64,
        })
        .collect();
    let known = !notices.is_empty() || !stops.is_empty() || deliveries > 0;
    Ok(PersonState { holder, known, notices, stops, bases, died_on, deliveries })
}

/// Rows held under each regime, and in how many deliveries they came. Counts alone.
async fn held(
    on: &Deployment,
    person: Id<kinds::PersonSource>,
) -> Result<(BTreeMap<Regime, u64>, u64), Error> {
    let (mut rows, mut deliveries) = (BTreeMap::new(), BTreeSet::new());
    let head = on.lake.head().await?;
    if head.0 == 0 {
        return Ok((rows, 0));
    }
    for table in schema::tables().iter().filter(|t| t.data_class == DataClass::Identified) {
        for batch in on.lake.scan_persons(&table.name, head, &[person]).await? {
            let bases = batch
                .column_by_name("bases")
                .and_then(|c| c.as_primitive_opt::<UInt8Type>())
                .ok_or(Error::Unknown { what: "bases" })?;
            let of = batch
                .column_by_name("delivery")
                .and_then(|c| c.as_string_opt::<i32>())
                .ok_or(Error::Unknown { what: "delivery" })?;
            deliveries.extend(of.iter().flatten().map(str::to_owned));
            if table.name == "person" {
                continue;
            }
            for regime in Regime::ALL {
                let bit = Bases::NONE.with(regime).bits();
                let n = bases.iter().flatten().filter(|b| b & bit != 0).count() as u64;
                *rows.entry(regime).or_default() += n;
            }
        }
    }
    Ok((rows, deliveries.len() as u64))
}
