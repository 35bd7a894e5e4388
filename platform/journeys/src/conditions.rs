//! Conditions of a decision: those that a machine can hold are held against every later specification; the others are
//! tracked until somebody records that they are fulfilled.
//!
//! A condition that begins with 「除外項目：」 names what must not leave: `table.column`, a column's name in any table, or
//! 「市区町村」 for anything from which the municipality can be read.

use kiban_audit::Event;
use kiban_deid::spec::{RegionLevel, Rule, Spec};
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Digest, Id, LawKey, Product, Timestamp, kinds};
use kiban_release::application::State;
use serde_json::json;
use sqlx::Row as _;

use crate::{Deployment, Error};

/// How a condition begins that names what must not leave.
pub const EXCLUDED: &str = "除外項目：";
/// Anything from which the municipality can be read.
const MUNICIPALITY: [&str; 2] = ["市区町村", "municipality"];
/// Columns that say the municipality as they come.
const SAYS_MUNICIPALITY: [&str; 3] = ["address", "postal_code", "municipality"];

/// A condition of the decision.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Digest of its text: its key.
    pub digest: Digest,
    /// Its text.
    pub text: String,
    /// Held against every later specification by the platform.
    pub enforced: bool,
    /// Fulfilled: when, by whom it was recorded, and how.
    pub closed: Option<(Timestamp, Id<kinds::Account>, String)>,
}

/// A specification lets something leave that a condition excludes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} columns break the conditions of the decision", .columns.len())]
pub struct ConditionBroken {
    /// The columns, as `table.column`, each with the condition's word that it breaks.
    pub columns: Vec<(String, String)>,
}

impl ConditionBroken {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        let named: Vec<String> =
            self.columns.iter().map(|(column, word)| format!("{column}（{word}）")).collect();
        format!(
            "提供の条件で除外された項目が、加工仕様書に含まれています：{}。仕様書から除いてください。",
            named.join("、")
        )
    }
}

/// The words of the conditions that exclude something.
fn words(conditions: &[String]) -> Vec<&str> {
    conditions
        .iter()
        .filter_map(|c| c.trim().strip_prefix(EXCLUDED))
        .flat_map(|list| list.split(['、', ',', '，', '\n']))
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect()
}

/// Can the municipality be read from what a rule leaves of a column?
fn shows_municipality(column: &str, rule: &Rule) -> bool {
    match rule {
        Rule::Drop | Rule::Withhold => false,
        Rule::Region(region) => matches!(region.to, RegionLevel::Municipality),
        Rule::Levels(levels) => levels.iter().any(|rule| shows_municipality(column, rule)),
        _ => SAYS_MUNICIPALITY.contains(&column),
    }
}

/// The columns that leave although a condition excludes them, with the condition's word.
pub fn broken(conditions: &[String], spec: &Spec, product: Product) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for word in words(conditions) {
        for (table, of) in &spec.document().tables {
            for (name, column) in &of.columns {
                let rule = match product {
                    Product::Anonymized => &column.anonymized,
                    Product::Pseudonymized => &column.pseudonymized,
                };
                let Some(rule) = rule else { continue };
                let whole = format!("{table}.{name}");
                let leaves = !matches!(rule, Rule::Drop | Rule::Withhold);
                let hit = if MUNICIPALITY.contains(&word) {
                    shows_municipality(name, rule)
                } else {
                    leaves && (word == whole || word == name)
                };
                if hit {
                    out.push((whole, word.to_owned()));
                }
            }
        }
    }
    out
}

/// Refuse a specification that breaks a condition.
pub(crate) fn hold(conditions: &[String], spec: &Spec, product: Product) -> Result<(), Error> {
    let columns = broken(conditions, spec, product);
    if columns.is_empty() { Ok(()) } else { Err(ConditionBroken { columns }.into()) }
}

/// Hold the conditions of an application's decision against the specification that a contract is to name.
pub(crate) async fn hold_for_contract(
    on: &Deployment,
    application: Id<kinds::Application>,
    specification: Digest,
) -> Result<(), Error> {
    let mut conn = on.reader().await?;
    let found = kiban_release::application(&mut conn, application).await;
    let Ok(application) = found else { return Ok(()) };
    let State::Accepted { conditions, .. } = &application.state else { return Ok(()) };
    let text: Option<String> =
        sqlx::query_scalar("SELECT specification FROM journeys_specification WHERE digest = $1")
            .bind(specification.to_string())
            .fetch_optional(&mut *conn)
            .await?;
    match text {
        // A text that is not on record yet is held when it is run.
        None => Ok(()),
        Some(text) => hold(conditions, &Spec::parse(&text)?, application.product),
    }
}

/// The conditions of an application's decision.
///
/// # Errors
/// There is no such application for the actor, or the database failed.
/// # Law
/// `contract`
pub async fn conditions(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<Vec<Condition>, Error> {
    let head = on.seen(actor, id).await?;
    let State::Accepted { conditions, .. } = &head.application.state else {
        return Ok(Vec::new());
    };
    let damaged = || Error::Unknown { what: "condition" };
    let rows = sqlx::query(
        "SELECT condition, at, account, note FROM journeys_condition WHERE application = $1",
    )
    .bind(id.to_string())
    .fetch_all(&mut *on.reader().await?)
    .await?;
    let mut out = Vec::new();
    for text in conditions {
        let digest = Digest::of(text.as_bytes());
        let mut closed = None;
        for row in &rows {
            if row.try_get::<String, _>(0)? == digest.to_string() {
                closed = Some((
                    row.try_get::<String, _>(1)?.parse().map_err(|_| damaged())?,
                    row.try_get::<String, _>(2)?.parse().map_err(|_| damaged())?,
                    row.try_get(3)?,
                ));
            }
        }
        let enforced = text.trim().starts_with(EXCLUDED);
        out.push(Condition { digest, text: text.clone(), enforced, closed });
    }
    Ok(out)
}

/// Record that a condition is fulfilled.
///
/// # Errors
/// The actor may not, there is no such condition, it is recorded already or held by the platform, nothing is written, or
/// the log failed.
/// # Law
/// `contract`
pub async fn close_condition(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
    condition: Digest,
    note: &str,
) -> Result<(), Error> {
    let permit = permit(actor, Act::ScreenApplication)?;
    let all = conditions(on, actor, id).await?;
    let found = all.iter().find(|c| c.digest == condition && !c.enforced && c.closed.is_none());
    found.ok_or(Error::Unknown { what: "条件" })?;
    let note = note.trim();
    if note.is_empty() || note.chars().count() > 1_000 {
        return Err(Error::Field {
            field: "note",
            ja: "満たされたことの説明を1,000字以内で書いてください。",
        });
    }
    let mut tx = on.log.begin().await?;
    let at = tx.now().to_string();
    sqlx::query(
        "INSERT INTO journeys_condition (application, condition, at, account, note) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id.to_string())
    .bind(condition.to_string())
    .bind(at)
    .bind(actor.account.to_string())
    .bind(note.to_owned())
    .execute(tx.conn())
    .await?;
    let event = Event {
        kind: "application.condition_closed",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("contract").ok(),
        body: json!({ "condition": condition.to_string() }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_municipality_finds_what_would_show_it_and_nothing_else() {
        let spec = Spec::parse(include_str!("../../../spec/demo/spec.toml")).unwrap();
        let found = |words: &str, product| {
            broken(&[format!("{EXCLUDED}{words}")], &spec, product)
                .into_iter()
                .map(|(column, _)| column)
                .collect::<Vec<_>>()
        };
        let pseudo = Product::Pseudonymized;
        assert_eq!(found("市区町村", pseudo), ["person.address"]);
        assert!(found("市区町村", Product::Anonymized).is_empty());
        assert_eq!(found("person.sex、 なし", pseudo), ["person.sex"]);
        assert_eq!(found("sex", pseudo), ["person.sex"]);
        assert!(found("person.name_kanji", pseudo).is_empty(), "it is dropped anyway");
        assert!(broken(&["結果を公表すること".to_owned()], &spec, pseudo).is_empty());
    }
}
