//! What an application changes against what the committee approved before: field by field, a line each.

use std::collections::BTreeSet;

use kiban_govern::{Actor, track::Amended};
use kiban_kernel::{Digest, Id, kinds};
use kiban_release::application::{Content, Step, label_ja};
use serde_json::Value;

use crate::{Deployment, Error};

/// A field that differs from what was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field of the content.
    pub field: String,
    /// Its Japanese name.
    pub label: String,
    /// Entries that are new, for a field that is a list.
    pub added: Vec<String>,
    /// Entries that are gone, for a field that is a list.
    pub removed: Vec<String>,
    /// The text before, for a field that is no list.
    pub from: String,
    /// The text now, for a field that is no list.
    pub to: String,
}

impl Change {
    /// The change in one line: 「データ項目：＋measurement.value_num」.
    pub fn line_ja(&self) -> String {
        let mut parts: Vec<String> = self.added.iter().map(|a| format!("＋{a}")).collect();
        parts.extend(self.removed.iter().map(|r| format!("−{r}")));
        if parts.is_empty() {
            parts.push(format!("{} → {}", first_line(&self.from), first_line(&self.to)));
        }
        format!("{}：{}", self.label, parts.join("、"))
    }
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(40).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// Fields whose change leaves the substance as the committee saw it.
const LIGHT: [&str; 9] = [
    "items",
    "data_from",
    "data_until",
    "use_from",
    "use_until",
    "handlers",
    "place",
    "publication",
    "funding",
];

/// Fields that [`label_ja`] names under another name, or not at all.
const NAMES: [(&str, &str); 7] = [
    ("data_from", "対象期間の始め"),
    ("data_until", "対象期間の終わり"),
    ("use_from", "利用期間の始め"),
    ("use_until", "利用期間の終わり"),
    ("co_users", "共同利用者"),
    ("trustees", "取扱受託者"),
    ("interested", "利害関係のある事業者"),
];

/// An entry of a list as a text.
fn entry(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(of) => of.values().filter_map(Value::as_str).collect::<Vec<_>>().join("／"),
        other => other.to_string(),
    }
}

/// The fields that differ, in the order of the form's names.
pub fn changes(approved: &Content, now: &Content) -> Vec<Change> {
    let of = |content: &Content| serde_json::to_value(content).unwrap_or_default();
    let (before, after) = (of(approved), of(now));
    let empty = serde_json::Map::new();
    let before = before.as_object().unwrap_or(&empty);
    let mut out = Vec::new();
    for (field, to) in after.as_object().unwrap_or(&empty) {
        let from = before.get(field).unwrap_or(&Value::Null);
        if from == to {
            continue;
        }
        let label = NAMES.iter().find(|(name, _)| name == field).map(|(_, ja)| *ja);
        let mut change = Change {
            field: field.clone(),
            label: label.unwrap_or_else(|| label_ja(field)).to_owned(),
            added: Vec::new(),
            removed: Vec::new(),
            from: String::new(),
            to: String::new(),
        };
        match (from, to) {
            (Value::Array(from), Value::Array(to)) => {
                let set = |all: &[Value]| all.iter().map(entry).collect::<BTreeSet<String>>();
                let (from, to) = (set(from), set(to));
                change.added = to.difference(&from).cloned().collect();
                change.removed = from.difference(&to).cloned().collect();
                // The same entries in another order are no change.
                if change.added.is_empty() && change.removed.is_empty() {
                    continue;
                }
            }
            (from, to) => (change.from, change.to) = (entry(from), entry(to)),
        }
        out.push(change);
    }
    out
}

/// How far the changes go.
pub(crate) fn amended(changes: &[Change]) -> Amended {
    Amended {
        items_added: changes
            .iter()
            .filter(|c| c.field == "items")
            .map(|c| c.added.len() as u64)
            .sum(),
        heavy: changes.iter().any(|c| !LIGHT.contains(&c.field.as_str())),
    }
}

/// What the application changes against the content on which the producer last decided to provide; none if it never did.
///
/// # Errors
/// There is no such application for the actor, or the database failed.
pub async fn amendment(
    on: &Deployment,
    actor: &Actor,
    id: Id<kinds::Application>,
) -> Result<Option<Vec<Change>>, Error> {
    let head = on.seen(actor, id).await?;
    let (mut submitted, mut approved): (Option<Digest>, Option<Digest>) = (None, None);
    for taken in &head.steps {
        match &taken.step {
            Step::Submit { content } => submitted = Some(*content),
            Step::Accept { .. } => approved = submitted,
            _ => {}
        }
    }
    let Some(approved) = approved else { return Ok(None) };
    let contents = kiban_release::contents(&mut *on.reader().await?, id).await?;
    let found = contents.into_iter().map(|(_, content)| content).find(|c| c.digest() == approved);
    Ok(found.map(|approved| changes(&approved, &head.content)))
}
