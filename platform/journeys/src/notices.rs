//! Versions of a holder's notice over time, letters that came back, and what is due, in counts.
//!
//! Enters: a new version with its statutory items; the days on which persons and ministers were told of a change; a letter
//! that came back. Leaves: rows of the register, one event each. Refuses: a version that changes nothing, a change told
//! after the version began, a letter of another holder's person by that holder's staff.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized`, `notice.guardian`

use std::collections::{BTreeMap, HashMap};

use kiban_audit::Event;
use kiban_govern::{Act, Actor, Employer, gate, permit};
use kiban_kernel::{Bases, Date, Id, LawKey, Regime, kinds};
use kiban_register::{
    ChangeClass, NoticeVersion, StatutoryItems, filing,
    notice::{self, ItemChange},
    notice_change::{self, NoticeChange},
    notice_return::{self, ReturnKey},
};
use serde_json::json;

use crate::{Deployment, Error, person_notices};

type Holder = Id<kinds::Organization>;

/// A version as a person writes it down.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: String,
    effective_from: Date,
    kinds: Vec<String>,
    items: StatutoryItems,
}

/// Reads a version from TOML: `version`, `effective_from`, `kinds`, and the table `items` with the statutory items by the
/// names of [`StatutoryItems`].
///
/// # Errors
/// It does not parse, or chance failed.
pub fn notice_version_of(
    on: &Deployment,
    holder: Holder,
    regime: Regime,
    text: &str,
) -> Result<NoticeVersion, Error> {
    let written: Written =
        toml::from_str(text).map_err(|e| Error::Parties { message: e.message().to_owned() })?;
    Ok(NoticeVersion {
        id: on.new_id()?,
        holder,
        regime,
        version: written.version,
        effective_from: written.effective_from,
        items: written.items,
        kinds: written.kinds,
    })
}

/// A version that was put on the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionAdded {
    /// The version it follows; none for the first.
    pub follows: Option<String>,
    /// What it changes.
    pub changes: Vec<ItemChange>,
    /// The heaviest class.
    pub class: ChangeClass,
}

/// Puts a new version of a holder's notice on the register and says what it changes.
///
/// # Errors
/// The actor may not, a statutory item is empty, the version exists, it changes nothing against the one before, or the log
/// failed.
/// # Law
/// `notice.anonymized`, `notice.pseudonymized`
pub async fn add_notice_version(
    on: &Deployment,
    actor: &Actor,
    new: &NoticeVersion,
) -> Result<VersionAdded, Error> {
    let permit = permit(actor, Act::RegisterNotice)?;
    let mut tx = on.log.begin().await?;
    let all = notice::of(tx.conn(), new.holder).await?;
    if all.iter().any(|v| v.regime == new.regime && v.version == new.version) {
        return Err(Error::Field {
            field: "version",
            ja: "この版は登録済みです。別の版の名を付けてください。",
        });
    }
    notice::add(tx.conn(), new).await?;
    let (mut follows, mut changes) = (None, Vec::new());
    if let Some(old) = notice_change::before(&all, new) {
        changes = notice_change::add(tx.conn(), old, new).await?;
        if changes.is_empty() {
            return Err(Error::Field {
                field: "version",
                ja: "前の版と同じ内容です。変えた項目がなければ新しい版は要りません。",
            });
        }
        follows = Some(old.version.clone());
    }
    let class = changes.iter().map(|c| c.class).max().unwrap_or(ChangeClass::None);
    let items: Vec<u8> = changes.iter().map(|c| c.item).collect();
    let event = Event {
        kind: "notice.version_added",
        actor: permit.actor(),
        subject: new.id.to_string(),
        law: LawKey::new(law(new.regime)).ok(),
        body: json!({ "holder": new.holder.to_string(), "class": class.as_str(), "items": items }),
    };
    let _ = tx.commit(event).await?;
    Ok(VersionAdded { follows, changes, class })
}

fn law(regime: Regime) -> &'static str {
    match regime {
        Regime::Anon52 => "notice.anonymized",
        Regime::Pseudo57 => "notice.pseudonymized",
    }
}

/// Puts on record when persons and ministers were told of a change.
///
/// # Errors
/// The actor may not, there is no such change, it needs a new notice instead, a day lies ahead, or the log failed.
/// # Law
/// `notice.anonymized`, `notice.pseudonymized`
pub async fn tell_notice_change(
    on: &Deployment,
    actor: &Actor,
    (holder, regime, version): (Holder, Regime, &str),
    (persons, ministers): (Date, Date),
    reference: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::RegisterNotice)?;
    if persons > on.today() || ministers > on.today() {
        return Err(Error::Field {
            field: "on",
            ja: "先の日は記録できません。済ませてから記録してください。",
        });
    }
    let mut tx = on.log.begin().await?;
    let change = notice_change::all(tx.conn())
        .await?
        .into_iter()
        .find(|c| c.holder == holder && c.regime == regime && c.to_version == version)
        .ok_or(Error::Unknown { what: "通知文書の変更" })?;
    if change.class == ChangeClass::NewNotice {
        return Err(Error::Field {
            field: "version",
            ja: "この版は変更ではなく新たな通知です。本人ごとに通知してください。",
        });
    }
    notice_change::tell(tx.conn(), holder, regime, version, (persons, ministers), reference)
        .await?;
    let event = Event {
        kind: "notice.change_told",
        actor: permit.actor(),
        subject: holder.to_string(),
        law: LawKey::new(law(regime)).ok(),
        body: json!({
            "regime": regime.as_str(),
            "class": change.class.as_str(),
            "persons_on": persons.to_string(),
            "ministers_on": ministers.to_string(),
        }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// Every change on record; a holder's staff see their own.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn notice_changes(on: &Deployment, actor: &Actor) -> Result<Vec<NoticeChange>, Error> {
    permit(actor, Act::SeeNotices)?;
    let mut all = notice_change::all(&mut *on.reader().await?).await?;
    all.retain(|c| actor.employer != Employer::Holder || c.holder == actor.organization);
    Ok(all)
}

/// A letter that came back to a holder.
#[derive(Clone)]
pub struct ReturnedLetter {
    /// The holder's own id of the person; used for a keyed id and not kept.
    pub local_id: String,
    /// Version of the notice.
    pub version: String,
    /// Regimes whose notice the letter carried.
    pub regimes: Bases,
    /// Day of the notice.
    pub notified_on: Date,
    /// Day on which it came back.
    pub returned_on: Date,
}

/// What became of letters reported as returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReturnsRecorded {
    /// Notices that count for nothing from now on.
    pub new: u64,
    /// On record before.
    pub known: u64,
    /// Persons among the new of whom rows were taken in: [`crate::unnotified`] says what has to go.
    pub taken_in: u64,
}

/// Puts letters that came back on record, all or none: at the gate their notices count for nothing from now on.
///
/// # Errors
/// The actor may not, or not for this holder; a day does not fit; or the log failed.
/// # Law
/// `notice.anonymized`, `notice.pseudonymized`
pub async fn record_returned_letters(
    on: &Deployment,
    actor: &Actor,
    holder: Holder,
    letters: &[ReturnedLetter],
) -> Result<ReturnsRecorded, Error> {
    let permit = permit(actor, Act::ReturnNotice)?;
    if actor.employer == Employer::Holder && holder != actor.organization {
        return Err(Error::Unknown { what: "提供元" });
    }
    let today = on.today();
    let fits = |l: &ReturnedLetter| l.notified_on <= l.returned_on && l.returned_on <= today;
    if !letters.iter().all(fits) {
        return Err(Error::Field {
            field: "returned_on",
            ja: "返送の日が通知の日より前か、先の日です。何も記録していません。",
        });
    }
    let keys = on.register_keys().await?;
    let mut tx = on.log.begin().await?;
    let now = tx.now();
    let (mut out, mut fresh) = (ReturnsRecorded::default(), Vec::new());
    for letter in letters {
        let person = keys.person_source(holder, letter.local_id.trim());
        for regime in Regime::ALL.into_iter().filter(|r| letter.regimes.contains(*r)) {
            let key = ReturnKey {
                person,
                regime,
                version: letter.version.trim().to_owned(),
                notified_on: letter.notified_on,
            };
            if notice_return::add(tx.conn(), holder, &key, letter.returned_on, now).await? {
                out.new += 1;
                fresh.push(person);
            } else {
                out.known += 1;
            }
        }
    }
    fresh.sort_unstable();
    fresh.dedup();
    out.taken_in = person_notices::taken_in(on, &fresh).await?;
    let event = Event {
        kind: "notice.returned",
        actor: permit.actor(),
        subject: holder.to_string(),
        law: LawKey::new("notice.anonymized").ok(),
        body: json!({ "new": out.new, "known": out.known, "taken_in": out.taken_in }),
    };
    let _ = tx.commit(event).await?;
    Ok(out)
}

/// What is due at one holder, in persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoticesDue {
    /// Persons told under Art. 52 alone.
    pub only52: u64,
    /// Persons told through a guardian who have come of age since and were not told in person.
    pub at16: u64,
    /// Persons who come of age within the next 90 days.
    pub soon16: u64,
    /// Letters that came back.
    pub returned: u64,
    /// Persons told at all.
    pub told: u64,
    /// Of these, persons of whom no wait is over: nothing of them passes yet.
    pub waiting: u64,
}

/// What is due by holder, from the register of notices; a holder's staff see their own. Whom it concerns the holder's own
/// client says (`kiban holder letters due`).
///
/// # Errors
/// The actor may not, or lake or database failed.
/// # Law
/// `notice.guardian`
pub async fn notices_due(
    on: &Deployment,
    actor: &Actor,
) -> Result<BTreeMap<Holder, NoticesDue>, Error> {
    permit(actor, Act::SeeNotices)?;
    let (today, soon) = (on.today(), on.today().saturating_add(jiff::Span::new().days(90)));
    let returned = notice_return::counts(&mut *on.reader().await?).await?;
    let mut out: BTreeMap<Holder, NoticesDue> = BTreeMap::new();
    for (holder, letters) in returned {
        out.entry(holder).or_default().returned = letters;
    }
    let mut conn = on.reader().await?;
    let mut filings = HashMap::new();
    for party in kiban_register::organization::all(&mut conn).await? {
        filings.insert(party.id, filing::of(&mut conn, party.id).await?);
    }
    drop(conn);
    let over = |holder: &Holder, regime: Regime, told: Date| {
        let of = filings.get(holder).map(Vec::as_slice).unwrap_or_default();
        let promised = filing::deciding(of, regime, today).and_then(|f| f.wait_days);
        gate::wait_until(told, promised, today, &on.rules).is_ok_and(|until| until < today)
    };
    #[derive(Default)]
    struct Told {
        over: bool,
        regimes: u8,
        latest: Option<Date>,
        of_age: Option<Date>,
    }
    let barred = person_notices::returned(on).await?;
    // One bucket of persons after the other: a person's rows lie in one bucket.
    person_notices::by_bucket(on, &mut |rows| {
        let mut persons: HashMap<(Holder, Id<kinds::PersonSource>), Told> = HashMap::new();
        for row in rows {
            let key = ReturnKey {
                person: row.person,
                regime: row.notice.regime,
                version: row.notice.version.clone(),
                notified_on: row.notice.notified_on,
            };
            if barred.contains_key(&key) {
                continue;
            }
            let told = persons.entry((row.holder, row.person)).or_default();
            told.over |= over(&row.holder, row.notice.regime, row.notice.notified_on);
            told.regimes |= Bases::NONE.with(row.notice.regime).bits();
            told.latest = told.latest.max(Some(row.notice.notified_on));
            told.of_age = told.of_age.max(row.of_age_on);
        }
        for ((holder, _), told) in persons {
            let due = out.entry(holder).or_default();
            due.told += 1;
            due.waiting += u64::from(!told.over);
            let regimes = Bases::from_bits(told.regimes);
            due.only52 += u64::from(!regimes.contains(Regime::Pseudo57));
            if let (Some(day), Some(latest)) = (told.of_age, told.latest)
                && latest < day
            {
                due.at16 += u64::from(day <= today);
                due.soon16 += u64::from(today < day && day <= soon);
            }
        }
    })
    .await?;
    if actor.employer == Employer::Holder {
        out.retain(|holder, _| *holder == actor.organization);
    }
    Ok(out)
}
