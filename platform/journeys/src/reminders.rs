//! Reminders and escalation: whoever has the next step hears of it when it has waited too long, and the general manager
//! when it has waited longer. What is written names the case by its number alone: no title, no person, no reason.

use kiban_audit::Event;
use kiban_govern::{Act, Actor, Role, permit};
use kiban_kernel::{Id, LawKey, Timestamp, jst_date, kinds};
use serde_json::json;
use sqlx::Row as _;

use crate::{Deployment, Error, end_of_use::EndState, review, review_track::Next};

/// How loud it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// To whoever has the next step.
    Reminder,
    /// To the general manager.
    Escalation,
}

impl Level {
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::Escalation => "escalation",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Reminder => "催促",
            Self::Escalation => "上申",
        }
    }
}

/// A mail to be sent.
#[derive(Debug, Clone)]
pub struct Mail {
    /// When it was queued.
    pub at: Timestamp,
    /// To whom.
    pub account: Id<kinds::Account>,
    /// How loud.
    pub level: Level,
    /// Number of the case.
    pub about: String,
    /// What it says.
    pub body: String,
}

/// A step that waits.
struct Waiting {
    about: String,
    since: Timestamp,
    /// Who has it.
    of: Vec<Id<kinds::Account>>,
}

/// Who has the next step of everything that waits.
async fn waiting(on: &Deployment) -> Result<Vec<Waiting>, Error> {
    let accounts = crate::accounts(on).await?;
    let system = crate::system_actor(on).await?;
    let with = |role: Role, organization: Id<kinds::Organization>| -> Vec<Id<kinds::Account>> {
        accounts
            .iter()
            .filter(|a| a.roles.contains(&role) && a.organization == organization)
            .map(|a| a.id)
            .collect()
    };
    let ours = |role| with(role, system.organization);
    let mut out = Vec::new();
    // Whoever may see every case: a member of our staff; the cases are read through its eyes.
    let Some(eyes) = ours(Role::CommitteeSecretary).first().copied() else { return Ok(out) };
    let eyes = crate::actor_of(on, eyes).await?;
    for case in crate::cases(on, &eyes).await? {
        let Some(since) = case.steps.last().map(|s| s.at) else { continue };
        let id = case.application.id;
        let next = crate::review_track::progress(on, &eyes, id).await?.next;
        let of = match next {
            Next::Applicant => with(Role::Researcher, case.application.applicant),
            Next::Secretariat | Next::Minutes => ours(Role::CommitteeSecretary),
            Next::Members { .. } => review::review(on, &eyes, id)
                .await?
                .seats
                .iter()
                .filter(|s| !s.recused && !s.voted)
                .map(|s| s.account)
                .collect(),
            Next::Chair => review::review(on, &eyes, id).await?.presiding.into_iter().collect(),
            // Accepted waits for nobody once a contract is signed.
            Next::Manager => {
                let contracts = crate::case(on, &eyes, id).await?.contracts;
                let signed = contracts.iter().any(|c| c.in_force(on.today()));
                if signed { Vec::new() } else { ours(Role::GeneralManager) }
            }
            Next::Nobody => Vec::new(),
        };
        out.push(Waiting { about: id.to_string(), since, of });
    }
    let Some(officer) = ours(Role::DeliveryOfficer).first().copied() else { return Ok(out) };
    let officer = crate::actor_of(on, officer).await?;
    for end in crate::end_of_use::ends_of_use(on, &officer).await? {
        let late = matches!(
            end.state,
            EndState::Awaited { overdue: true } | EndState::SentBack { overdue: true, .. }
        );
        if late {
            // It waits since its last day.
            let midnight = end.due.at(0, 0, 0, 0);
            let Ok(since) = jiff::tz::Offset::constant(9).to_timestamp(midnight) else { continue };
            out.push(Waiting {
                about: end.delivery.dataset.to_string(),
                since,
                of: with(Role::Researcher, end.delivery.recipient),
            });
        }
    }
    for recall in crate::recall::recalls(on, &officer).await? {
        for task in recall.tasks.iter().filter(|t| !t.done() && !t.waits()) {
            out.push(Waiting {
                about: recall.id.to_string(),
                since: recall.at,
                of: with(Role::Researcher, task.organization),
            });
        }
    }
    Ok(out)
}

fn body(level: Level, about: &str, days: i64) -> String {
    match level {
        Level::Reminder => format!(
            "番号 {about} の手続きが{days}日お待ちしています。基盤にサインインして、ホームの画面から進めてください。"
        ),
        Level::Escalation => format!(
            "番号 {about} の手続きが{days}日進んでいません。基盤にサインインして、状況を確かめてください。"
        ),
    }
}

/// Tell a holder's desk that a chart must be looked at for an enquiry, by its number.
pub(crate) async fn tell_chart(
    on: &Deployment,
    tx: &mut kiban_audit::Tx,
    account: Id<kinds::Account>,
    about: &str,
) -> Result<(), Error> {
    let (id, at): (Id<kinds::Event>, _) = (on.new_id()?, tx.now().to_string());
    let body = format!(
        "番号 {about} の照会について、診療録の確認をお願いします。基盤にサインインして、ホームの画面から進めてください。"
    );
    sqlx::query(
        "INSERT INTO journeys_outbox (id, at, account, level, about, since, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account, level, about, since) DO NOTHING",
    )
    .bind(id.to_string())
    .bind(at.clone())
    .bind(account.to_string())
    .bind(Level::Reminder.as_str())
    .bind(about.to_owned())
    .bind(at)
    .bind(body)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Queue what is due today. The same step is told once on each level to each person; doing it again adds nothing.
///
/// # Guarantee
/// `journeys.mail-says-nothing`: a mail holds the number of a case and a count of days, nothing else of the case.
/// # Errors
/// The actor may not, no rule is in force, or the log failed.
/// # Law
/// `committee`
pub async fn queue_reminders(on: &Deployment, actor: &Actor) -> Result<u64, Error> {
    let permit = permit(actor, Act::SendReminders)?;
    let mails = due(on).await?;
    let mut tx = on.log.begin().await?;
    let queued = queue(on, &mut tx, mails).await?;
    finish(on, tx, &permit, queued).await?;
    Ok(queued)
}

/// The same for a day, once: `None` if the day's was done meanwhile.
pub(crate) async fn queue_daily(
    on: &Deployment,
    system: &Actor,
    day: kiban_kernel::Date,
) -> Result<Option<u64>, Error> {
    let permit = permit(system, Act::SendReminders)?;
    let mails = due(on).await?;
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    let first = sqlx::query(
        "INSERT INTO journeys_daily (day, at) VALUES ($1, $2) ON CONFLICT (day) DO NOTHING",
    )
    .bind(day.to_string())
    .bind(at)
    .execute(tx.conn())
    .await?;
    if first.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(None);
    }
    let queued = queue(on, &mut tx, mails).await?;
    finish(on, tx, &permit, queued).await?;
    Ok(Some(queued))
}

/// A mail that is due: to whom, how loud, about what, waiting since when, for how many days.
type Due = (Id<kinds::Account>, Level, String, Timestamp, i64);

async fn due(on: &Deployment) -> Result<Vec<Due>, Error> {
    let today = on.today();
    let after = on.rules.int("reminder.after_days", today)?;
    let escalate = on.rules.int("reminder.escalate_after_days", today)?;
    let system = crate::system_actor(on).await?;
    let managers: Vec<Id<kinds::Account>> = crate::accounts(on)
        .await?
        .iter()
        .filter(|a| {
            a.roles.contains(&Role::GeneralManager) && a.organization == system.organization
        })
        .map(|a| a.id)
        .collect();
    let mut mails = Vec::new();
    for step in waiting(on).await? {
        let days = jst_date(step.since).until(today).map_or(0, |span| i64::from(span.get_days()));
        if days > after {
            let told = |a: &Id<kinds::Account>| {
                (*a, Level::Reminder, step.about.clone(), step.since, days)
            };
            mails.extend(step.of.iter().map(told));
        }
        if days > escalate && !step.of.is_empty() {
            mails.extend(
                managers
                    .iter()
                    .map(|a| (*a, Level::Escalation, step.about.clone(), step.since, days)),
            );
        }
    }
    Ok(mails)
}

async fn queue(on: &Deployment, tx: &mut kiban_audit::Tx, mails: Vec<Due>) -> Result<u64, Error> {
    let at = tx.now().to_string();
    let mut queued = 0;
    for (account, level, about, since, days) in mails {
        let id: Id<kinds::Event> = on.new_id()?;
        let done = sqlx::query(
            "INSERT INTO journeys_outbox (id, at, account, level, about, since, body) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account, level, about, since) DO NOTHING",
        )
        .bind(id.to_string())
        .bind(at.clone())
        .bind(account.to_string())
        .bind(level.as_str())
        .bind(about.clone())
        .bind(since.to_string())
        .bind(body(level, &about, days))
        .execute(tx.conn())
        .await?;
        queued += done.rows_affected();
    }
    Ok(queued)
}

async fn finish(
    on: &Deployment,
    tx: kiban_audit::Tx,
    permit: &kiban_govern::Permit,
    queued: u64,
) -> Result<(), Error> {
    let system = crate::system_actor(on).await?;
    let event = Event {
        kind: "reminders.queued",
        actor: permit.actor(),
        subject: system.organization.to_string(),
        law: LawKey::new("committee").ok(),
        body: json!({ "queued": queued }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// The mails that are to be sent, the newest first.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn outbox(on: &Deployment, actor: &Actor) -> Result<Vec<Mail>, Error> {
    permit(actor, Act::SendReminders)?;
    let rows = sqlx::query(
        "SELECT at, account, level, about, body FROM journeys_outbox ORDER BY at DESC, id",
    )
    .fetch_all(&mut *on.reader().await?)
    .await?;
    let damaged = || Error::Unknown { what: "mail" };
    let mut out = Vec::with_capacity(rows.len());
    for row in &rows {
        let level: String = row.try_get(2)?;
        out.push(Mail {
            at: row.try_get::<String, _>(0)?.parse().map_err(|_| damaged())?,
            account: row.try_get::<String, _>(1)?.parse().map_err(|_| damaged())?,
            level: [Level::Reminder, Level::Escalation]
                .into_iter()
                .find(|l| l.as_str() == level)
                .ok_or_else(damaged)?,
            about: row.try_get(3)?,
            body: row.try_get(4)?,
        });
    }
    Ok(out)
}
