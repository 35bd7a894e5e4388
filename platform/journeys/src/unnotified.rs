//! Rows that were taken in though no notice was in effect: found, and taken out of use.
//!
//! A letter comes back after the delivery, or the day of a notice proves wrong, so that the wait had not run. What was
//! taken in by then may not be held (Art. 56): it is erased in every store as for a stop, with a proof sheet for each
//! person, and the datasets it went into are marked. It is not hidden behind the gate instead: nothing of the Act lets a
//! producer keep what it may not have, and a new delivery brings it again once it is lawful. Nobody is put on the list of
//! those who said no. The record that the notice failed stays, so that the gate goes on refusing until a new notice's wait
//! is over.
//!
//! # Law
//! `unlawful_receipt`, `erasure`, `notice.anonymized`, `notice.pseudonymized`, `notice.wait`

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::{array::AsArray as _, datatypes::UInt8Type};
use kiban_audit::Event;
use kiban_govern::{Act, Actor, gate, permit};
use kiban_intake::store as deliveries;
use kiban_kernel::{Bases, Date, Id, LawKey, Regime, jst_date, kinds};
use kiban_lake::{DataClass, schema};
use kiban_register::{
    filing, notice_return,
    stop::{self, Applied, UnnotifiedErasure},
};
use serde_json::json;

use crate::{
    Deployment, Error, inspect, person_notices, stop_datasets,
    stop_stores::{STORES, StopStores},
};

type Holder = Id<kinds::Organization>;
type Person = Id<kinds::PersonSource>;

/// Persons whose erasures are decided in one transaction.
const BATCH: usize = 500;

/// What a holder's returned letters leave without a notice, in counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unnotified {
    /// Persons of whom a letter came back.
    pub returned: u64,
    /// Persons of whom something must go.
    pub persons: u64,
    /// By regime.
    pub by_regime: BTreeMap<Regime, u64>,
    /// Datasets that were made with it.
    pub datasets: u64,
}

/// What was taken in of a holder's persons without a notice in effect. Nothing is changed.
///
/// # Errors
/// The actor may not, or lake or database failed.
/// # Law
/// `unlawful_receipt`
pub async fn unnotified(
    on: &Deployment,
    actor: &Actor,
    holder: Holder,
) -> Result<Unnotified, Error> {
    permit(actor, Act::EraseUnnotified)?;
    let (returned, found) = find(on, holder).await?;
    let mut out = Unnotified { returned, persons: found.len() as u64, ..Unnotified::default() };
    for regimes in found.values() {
        for regime in Regime::ALL.into_iter().filter(|r| regimes.contains(*r)) {
            *out.by_regime.entry(regime).or_default() += 1;
        }
    }
    let persons: Vec<Person> = found.into_keys().collect();
    if !persons.is_empty() {
        let mut conn = on.reader().await?;
        out.datasets = stop_datasets::holding(on, &mut conn, &persons).await?.len() as u64;
    }
    Ok(out)
}

/// Takes out of use what [`unnotified`] finds: a case for each person, applied to every store, each with its proof sheet.
/// Done again, it finds nothing; after a crash it goes on (`retry_stops` does too).
///
/// # Errors
/// The actor may not, the reference is empty or long, or lake, database or log failed. A store that does not answer is no
/// error: its cases stay open.
/// # Law
/// `unlawful_receipt`, `erasure`
pub async fn erase_unnotified(
    on: &Deployment,
    actor: &Actor,
    holder: Holder,
    reference: &str,
) -> Result<Vec<Applied>, Error> {
    let permit = permit(actor, Act::EraseUnnotified)?;
    let reference = reference.trim();
    if reference.is_empty() || reference.len() > 60 || !reference.is_ascii() {
        return Err(Error::Field {
            field: "reference",
            ja: "決定の番号を半角英数字（60字以内）で入力してください。記録に残ります。",
        });
    }
    let (_, found) = find(on, holder).await?;
    let mut cases = Vec::with_capacity(found.len());
    let found: Vec<(Person, Bases)> = found.into_iter().collect();
    for some in found.chunks(BATCH) {
        let mut tx = on.log.begin().await?;
        let mut ordered = Vec::with_capacity(some.len());
        for (person, regimes) in some {
            let erasure = UnnotifiedErasure {
                holder,
                person: *person,
                regimes: *regimes,
                decided_on: jst_date(tx.now()),
                reference: reference.to_owned(),
            };
            let entropy = &*on.world.entropy;
            ordered.push(stop::receive_unnotified(&mut tx, &erasure, &STORES, entropy).await?);
        }
        stop_datasets::note(on, &mut tx, &ordered.iter().collect::<Vec<_>>()).await?;
        let ids: Vec<String> = ordered.iter().map(|s| s.id.to_string()).collect();
        let event = Event {
            kind: "notice.unnotified_ordered",
            actor: permit.actor(),
            subject: holder.to_string(),
            law: LawKey::new("unlawful_receipt").ok(),
            body: json!({ "cases": ids.len(), "stops": ids, "reference": reference }),
        };
        let _ = tx.commit(event).await?;
        cases.extend(ordered.into_iter().map(|s| s.id));
    }
    let stores = StopStores::open(on).await?;
    let ports = stores.ports();
    Ok(stop::apply_all(&on.log, permit.actor(), &cases, &ports, on.signer.key()).await?)
}

/// Persons of the holder with a letter that came back: how many, and under which regimes something was taken in on a day
/// on which no other notice had run its wait.
async fn find(on: &Deployment, holder: Holder) -> Result<(u64, BTreeMap<Person, Bases>), Error> {
    let today = on.today();
    let mut conn = on.reader().await?;
    let returned = notice_return::of(&mut conn, holder, today).await?;
    let filings = filing::of(&mut conn, holder).await?;
    drop(conn);
    let persons: BTreeSet<Person> = returned.keys().map(|key| key.person).collect();
    let count = persons.len() as u64;
    let persons: Vec<Person> = persons.into_iter().collect();
    let head = on.lake.head().await?;
    if persons.is_empty() || head.0 == 0 {
        return Ok((count, BTreeMap::new()));
    }
    // Last days of the waits of notices that stand.
    let mut waits: HashMap<(Person, Regime), Vec<Date>> = HashMap::new();
    for one in person_notices::of_all(on, &persons).await? {
        let n = &one.notice;
        let key = notice_return::ReturnKey {
            person: one.person,
            regime: n.regime,
            version: n.version.clone(),
            notified_on: n.notified_on,
        };
        if returned.contains_key(&key) {
            continue;
        }
        let promised = filing::deciding(&filings, n.regime, today).and_then(|f| f.wait_days);
        let until = gate::wait_until(n.notified_on, promised, today, &on.rules)?;
        waits.entry((one.person, n.regime)).or_default().push(until);
    }
    let received: HashMap<String, Date> = deliveries::list(on.log.db().pool(), Some(holder))
        .await?
        .into_iter()
        .map(|d| (d.id.to_string(), jst_date(d.received_at)))
        .collect();
    let mut out: BTreeMap<Person, Bases> = BTreeMap::new();
    let identified = schema::tables()
        .iter()
        .filter(|t| t.data_class == DataClass::Identified)
        .map(|t| t.name.as_str());
    for table in identified {
        for batch in on.lake.scan_persons(table, head, &persons).await? {
            let bases = batch
                .column_by_name("bases")
                .and_then(|c| c.as_primitive_opt::<UInt8Type>())
                .ok_or(Error::Unknown { what: "bases" })?;
            let names = inspect::texts(&batch, "person_source")?;
            let of = inspect::texts(&batch, "delivery")?;
            for ((person, delivery), held) in names.into_iter().zip(of).zip(bases) {
                let (Some(person), Some(held)) = (person, held) else { continue };
                let person: Person =
                    person.parse().map_err(|_| Error::Unknown { what: "person_source" })?;
                // Of a delivery that is not on record nobody can say when it came: it counts as the oldest.
                let day = delivery.and_then(|d| received.get(&d).copied()).unwrap_or(Date::MIN);
                let held = Bases::from_bits(held);
                for regime in Regime::ALL.into_iter().filter(|r| held.contains(*r)) {
                    let told = waits.get(&(person, regime)).into_iter().flatten();
                    if !told.into_iter().any(|until| *until < day) {
                        let entry = out.entry(person).or_insert(Bases::NONE);
                        *entry = entry.with(regime);
                    }
                }
            }
        }
    }
    Ok((count, out))
}
