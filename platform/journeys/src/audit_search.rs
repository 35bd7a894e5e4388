//! Looking through the event log: who did what, and who saw whom.

use std::collections::BTreeSet;

use kiban_audit::StoredEvent;
use kiban_govern::{Act, Actor, Employer, permit};
use kiban_kernel::{Id, kinds};
use kiban_register::stop;
use sqlx::Row as _;

use crate::{Deployment, Error, inspect};

/// What is looked for; what is empty matches everything.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Beginning of the event's kind.
    pub kind: String,
    /// Account id.
    pub actor: String,
    /// Subject.
    pub subject: String,
    /// Openings of identified data only.
    pub openings: bool,
    /// A person, as one holder knows him or her. No `Debug` of the number reaches a log: the search is not written.
    pub person: Option<(Id<kinds::Organization>, String)>,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The newest matching events, newest first, at most [`MOST_EVENTS`].
    pub events: Vec<StoredEvent>,
    /// How many matched.
    pub matched: u64,
    /// Events in the log.
    pub size: u64,
    /// The opaque id of the person looked for.
    pub person: Option<Id<kinds::PersonSource>>,
}

/// How many events a search gives back.
pub const MOST_EVENTS: usize = 200;

/// Search the log. A holder's staff see what their own people did and what concerns their own holder.
///
/// # Errors
/// The actor may not, or the log cannot be read.
/// # Law
/// `inspection`
pub async fn search_events(
    on: &Deployment,
    actor: &Actor,
    search: &Search,
) -> Result<Found, Error> {
    permit(actor, Act::VerifyAudit)?;
    let own = (actor.employer == Employer::Holder).then(|| actor.organization.to_string());
    let mut found = Found { size: on.log.size().await?, ..Found::default() };
    let mut concerning = BTreeSet::new();
    if let Some((holder, local)) = &search.person {
        let person = inspect::person_sources(on, *holder, [local.as_str()]).await?;
        found.person = person.first().copied();
        if let Some(person) = found.person {
            concerning = subjects_of(on, person).await?;
        }
    }
    const PAGE: u64 = 1_000;
    let mut to = found.size;
    while to > 0 {
        let from = to.saturating_sub(PAGE);
        for event in on.log.events(from, to).await?.into_iter().rev() {
            let mine = own.as_ref().is_none_or(|own| {
                event.organization == *own
                    || event.subject == *own
                    || event.body.get("holder").and_then(|h| h.as_str()) == Some(own)
            });
            let fits = mine
                && event.kind.starts_with(&search.kind)
                && (search.actor.is_empty() || event.actor == search.actor)
                && (search.subject.is_empty() || about(&event).any(|s| s == search.subject))
                && (!search.openings || event.kind == "identified.opened")
                && (search.person.is_none() || about(&event).any(|s| concerning.contains(s)));
            if fits {
                found.matched += 1;
                if found.events.len() < MOST_EVENTS {
                    found.events.push(event);
                }
            }
        }
        to = from;
    }
    Ok(found)
}

/// What an event is about; of stops that were applied together, each.
fn about(event: &StoredEvent) -> impl Iterator<Item = &str> {
    let together = ["stops", "acknowledged"].into_iter().flat_map(|key| event.notes(key));
    std::iter::once(event.subject.as_str()).chain(together.filter_map(|s| s.as_str()))
}

/// What events about a person are about: the person, its stops, the requests they came from, and the deliveries that
/// brought its rows.
async fn subjects_of(
    on: &Deployment,
    person: Id<kinds::PersonSource>,
) -> Result<BTreeSet<String>, Error> {
    let mut subjects = BTreeSet::from([person.to_string()]);
    let mut conn = on.reader().await?;
    for stop in stop::all(&mut conn).await? {
        if stop.persons.contains(&person) {
            subjects.insert(stop.id.to_string());
            let requests = sqlx::query("SELECT id FROM journeys_stop_request WHERE stop = $1")
                .bind(stop.id.to_string())
                .fetch_all(&mut *conn)
                .await?;
            for row in requests {
                subjects.insert(row.try_get(0)?);
            }
        }
    }
    drop(conn);
    let head = on.lake.head().await?;
    for batch in on.lake.scan_persons("person", head, &[person]).await? {
        subjects.extend(inspect::texts(&batch, "delivery")?.into_iter().flatten());
    }
    Ok(subjects)
}
