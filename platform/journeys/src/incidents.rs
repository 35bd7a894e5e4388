//! The register of incidents: what leaked, was lost or damaged, whom it touches, and the clock of the reports to the ministers.
//!
//! The day on which it was noticed is the first day of every period, and weekends count.

use jiff::Span;
use kiban_audit::Event;
use kiban_govern::{Act, Actor, Employer, Role, permit};
use kiban_kernel::{Date, Id, LawKey, RuleError, Rules, Timestamp, kinds};
use serde_json::json;
use sqlx::{Row as _, any::AnyRow};

use crate::{Deployment, Error};

/// Kinds of incidents, with their Japanese names.
pub const INCIDENT_KINDS: [(&str, &str); 4] =
    [("leak", "漏えい"), ("loss", "滅失"), ("damage", "毀損"), ("misuse", "不正な利用・閲覧")];

type IncidentId = Id<kinds::Event>;
type DatasetId = Id<kinds::Dataset>;

/// An incident as it is recorded.
#[derive(Debug, Clone)]
pub struct NewIncident {
    /// One of [`INCIDENT_KINDS`].
    pub kind: String,
    /// Day on which it was noticed.
    pub noticed_on: Date,
    /// A wrongful purpose is feared: the full report has more time.
    pub malicious: bool,
    /// The dataset that it concerns, if it is one.
    pub dataset: Option<DatasetId>,
    /// What happened, without naming a person.
    pub summary: String,
}

/// Reports and the end of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The prompt report (速報).
    Prompt,
    /// The full report (確報).
    Full,
    /// The measures are in place; nothing remains to be done.
    Closed,
}

impl Stage {
    /// All, in order.
    pub const ALL: [Self; 3] = [Self::Prompt, Self::Full, Self::Closed];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Full => "full",
            Self::Closed => "closed",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Prompt => "速報",
            Self::Full => "確報",
            Self::Closed => "終結",
        }
    }
}

/// A stage that was reached.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Which.
    pub stage: Stage,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub account: Id<kinds::Account>,
    /// What was reported or concluded.
    pub text: String,
}

/// Whom an incident with a dataset touches.
#[derive(Debug, Clone)]
pub struct Affected {
    /// Persons in the dataset.
    pub persons: u64,
    /// The user that has it, once delivered.
    pub user: Option<Id<kinds::Organization>>,
    /// The holders that sent records.
    pub holders: Vec<Id<kinds::Organization>>,
}

/// An incident with its clock.
#[derive(Debug, Clone)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// By whom.
    pub account: Id<kinds::Account>,
    /// What was recorded.
    pub recorded: NewIncident,
    /// Last day of the prompt report.
    pub prompt_due: Date,
    /// Last day of the full report.
    pub full_due: Date,
    /// Stages that were reached, in order.
    pub reached: Vec<Reached>,
}

impl Incident {
    /// The stage that comes next; none once it is closed.
    pub fn next(&self) -> Option<Stage> {
        Stage::ALL.into_iter().find(|s| self.reached.iter().all(|r| r.stage != *s))
    }

    /// Last day of the stage that comes next.
    pub fn due(&self) -> Option<Date> {
        match self.next()? {
            Stage::Prompt => Some(self.prompt_due),
            Stage::Full => Some(self.full_due),
            Stage::Closed => None,
        }
    }
}

/// Why an act on an incident is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IncidentRefused {
    /// Another stage comes first, or it was reached already.
    #[error("another stage comes next")]
    Order,
}

impl IncidentRefused {
    /// Sentence for the user.
    pub fn ja(self) -> &'static str {
        "速報、確報、終結の順に、一度ずつ記録します。"
    }
}

/// Last days of the prompt and of the full report.
fn clock(new: &NewIncident, rules: &Rules) -> Result<(Date, Date), RuleError> {
    let on = new.noticed_on;
    let last = |name: &str| -> Result<Date, RuleError> {
        let days = rules.int(name, on)? - 1;
        let span = Span::new().try_days(days).unwrap_or_default();
        Ok(on.saturating_add(span))
    };
    let full = if new.malicious { "incident.full_malicious_days" } else { "incident.full_days" };
    Ok((last("incident.prompt_days")?, last(full)?))
}

/// Record that something happened. The event holds no text.
///
/// # Errors
/// The actor may not, a field is wrong, there is no such dataset, or the log failed.
/// # Law
/// `incident`
pub async fn record_incident(
    on: &Deployment,
    actor: &Actor,
    new: &NewIncident,
) -> Result<IncidentId, Error> {
    let permit = permit(actor, Act::RecordIncident)?;
    if INCIDENT_KINDS.iter().all(|(kind, _)| *kind != new.kind) {
        return Err(Error::Field { field: "kind", ja: "種類を選んでください。" });
    }
    if new.noticed_on > on.today() {
        return Err(Error::Field {
            field: "noticed_on", ja: "知った日は今日までの日です。"
        });
    }
    let summary = new.summary.trim();
    if summary.is_empty() || summary.chars().count() > 4_000 {
        return Err(Error::Field {
            field: "summary", ja: "概要を4,000字以内で書いてください。"
        });
    }
    if let Some(dataset) = new.dataset {
        persons_of(on, dataset).await?.ok_or(Error::Field {
            field: "dataset",
            ja: "そのデータセットはありません。番号を確かめてください。",
        })?;
    }
    clock(new, &on.rules)?;
    let id: IncidentId = on.new_id()?;
    let dataset = new.dataset.map(|d| d.to_string());
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_incident (id, recorded_at, account, kind, noticed_on, malicious, dataset, summary) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id.to_string())
    .bind(at)
    .bind(actor.account.to_string())
    .bind(new.kind.clone())
    .bind(new.noticed_on.to_string())
    .bind(i64::from(new.malicious))
    .bind(dataset.clone())
    .bind(summary.to_owned())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "incident.recorded",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("incident").ok(),
        body: json!({ "kind": new.kind, "noticed_on": new.noticed_on.to_string(), "dataset": dataset }),
    };
    let _ = tx.commit(event).await?;
    Ok(id)
}

/// Record a report to the ministers, or the end.
///
/// # Errors
/// The actor may not, there is no such incident, another stage comes next, nothing is written, or the log failed.
/// # Law
/// `incident`
pub async fn report_incident(
    on: &Deployment,
    actor: &Actor,
    id: IncidentId,
    stage: Stage,
    text: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::ReportIncident)?;
    let incident = incident(on, actor, id).await?;
    if incident.next() != Some(stage) {
        return Err(IncidentRefused::Order.into());
    }
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 4_000 {
        return Err(Error::Field {
            field: "text", ja: "内容を4,000字以内で書いてください。"
        });
    }
    let mut tx = on.log.begin().await?;
    let at = tx.now();
    // The key refuses a second of the same stage, should two be under way at once.
    sqlx::query(
        "INSERT INTO journeys_incident_stage (incident, stage, at, account, text) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id.to_string())
    .bind(stage.as_str())
    .bind(at.to_string())
    .bind(actor.account.to_string())
    .bind(text.to_owned())
    .execute(tx.conn())
    .await?;
    let late = incident.due().is_some_and(|due| kiban_kernel::jst_date(at) > due);
    let event = Event {
        kind: "incident.reported",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("incident").ok(),
        body: json!({ "stage": stage.as_str(), "late": late }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// Roles that see the register, besides those who record.
const READERS: [Role; 3] = [Role::SecurityOfficer, Role::GeneralManager, Role::Auditor];

fn may_see(actor: &Actor) -> bool {
    let reader = actor.employer == Employer::Producer && READERS.iter().any(|r| actor.has(*r));
    reader || permit(actor, Act::RecordIncident).is_ok()
}

/// The incidents, newest first; none for who may not see them.
///
/// # Errors
/// No rule is in force, or the database failed.
pub async fn incidents(on: &Deployment, actor: &Actor) -> Result<Vec<Incident>, Error> {
    const SQL: &str = "SELECT id, recorded_at, account, kind, noticed_on, malicious, dataset, summary \
         FROM journeys_incident ORDER BY recorded_at DESC, id";
    if !may_see(actor) {
        return Ok(Vec::new());
    }
    let mut conn = on.reader().await?;
    let rows = sqlx::query(SQL).fetch_all(&mut *conn).await?;
    let stages = sqlx::query(
        "SELECT incident, stage, at, account, text FROM journeys_incident_stage ORDER BY at",
    )
    .fetch_all(&mut *conn)
    .await?;
    drop(conn);
    rows.iter().map(|row| read(row, &stages, &on.rules)).collect()
}

/// An incident.
///
/// # Errors
/// There is none for the actor, or as [`incidents`].
pub async fn incident(on: &Deployment, actor: &Actor, id: IncidentId) -> Result<Incident, Error> {
    let all = incidents(on, actor).await?;
    all.into_iter().find(|i| i.id == id).ok_or(Error::Unknown { what: "incident" })
}

fn read(row: &AnyRow, stages: &[AnyRow], rules: &Rules) -> Result<Incident, Error> {
    let damaged = || Error::Unknown { what: "incident" };
    let text = |i: usize| -> Result<String, Error> { Ok(row.try_get(i)?) };
    let id = text(0)?;
    let dataset: Option<String> = row.try_get(6)?;
    let recorded = NewIncident {
        kind: text(3)?,
        noticed_on: text(4)?.parse().map_err(|_| damaged())?,
        malicious: row.try_get::<i64, _>(5)? != 0,
        dataset: dataset.map(|d| d.parse()).transpose().map_err(|_| damaged())?,
        summary: text(7)?,
    };
    let mut reached = Vec::new();
    for stage in stages {
        if stage.try_get::<String, _>(0)? != id {
            continue;
        }
        let name: String = stage.try_get(1)?;
        reached.push(Reached {
            stage: Stage::ALL.into_iter().find(|s| s.as_str() == name).ok_or_else(damaged)?,
            at: stage.try_get::<String, _>(2)?.parse().map_err(|_| damaged())?,
            account: stage.try_get::<String, _>(3)?.parse().map_err(|_| damaged())?,
            text: stage.try_get(4)?,
        });
    }
    reached.sort_by_key(|r| r.stage);
    let (prompt_due, full_due) = clock(&recorded, rules)?;
    Ok(Incident {
        id: id.parse().map_err(|_| damaged())?,
        recorded_at: text(1)?.parse().map_err(|_| damaged())?,
        account: text(2)?.parse().map_err(|_| damaged())?,
        recorded,
        prompt_due,
        full_due,
        reached,
    })
}

/// Persons of a dataset's newest run; none if there is no such dataset.
async fn persons_of(on: &Deployment, dataset: DatasetId) -> Result<Option<u64>, Error> {
    let row = sqlx::query("SELECT risk FROM journeys_report WHERE dataset = $1")
        .bind(dataset.to_string())
        .fetch_optional(&mut *on.reader().await?)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let risk: kiban_deid::report::RiskSummary = serde_json::from_str(&row.try_get::<String, _>(0)?)
        .map_err(|_| Error::Unknown { what: "report" })?;
    Ok(Some(risk.persons_out))
}

/// Whom an incident touches, if it concerns a dataset.
///
/// # Errors
/// The database failed.
pub async fn affected(on: &Deployment, incident: &Incident) -> Result<Option<Affected>, Error> {
    let Some(dataset) = incident.recorded.dataset else { return Ok(None) };
    let persons = persons_of(on, dataset).await?.unwrap_or_default();
    let mut conn = on.reader().await?;
    let user = kiban_deliver::delivery(&mut conn, dataset).await?.map(|d| d.recipient);
    drop(conn);
    let sent = kiban_intake::store::list(on.log.db().pool(), None).await?;
    let mut holders: Vec<_> = sent.into_iter().map(|d| d.holder).collect();
    holders.sort();
    holders.dedup();
    Ok(Some(Affected { persons, user, holders }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_notice_is_the_first_day() {
        let rules = Rules::built_in().unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let mut new = NewIncident {
            kind: "leak".into(),
            noticed_on: day("2026-02-27"),
            malicious: false,
            dataset: None,
            summary: "x".into(),
        };
        assert_eq!(clock(&new, &rules).unwrap(), (day("2026-03-03"), day("2026-03-28")));
        new.malicious = true;
        assert_eq!(clock(&new, &rules).unwrap(), (day("2026-03-03"), day("2026-04-27")));
    }
}
