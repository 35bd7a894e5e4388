//! An event: what one transaction did, as one line of canonical JSON.

use std::collections::BTreeMap;

use kiban_govern::Actor;
use kiban_kernel::{LawKey, Timestamp};
use serde_json::{Map, Value, json};

use crate::{canonical, log::LogError};

/// Longest event, in bytes: the entry bundle's length prefix has two bytes.
pub const MAX_EVENT: usize = u16::MAX as usize;

/// What a transaction did. Ids, counts, digests and codes only: a string that is not short printable
/// ASCII is refused ([`LogError::NotOpaque`]).
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// Dotted kind, `delivery.received`.
    pub kind: &'static str,
    /// Who acted.
    pub actor: &'a Actor,
    /// Opaque id of what it is about.
    pub subject: String,
    /// The provision it rests on.
    pub law: Option<LawKey>,
    /// Further facts: an object, or null for none.
    pub body: Value,
}

/// An event as the log holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Its place in the log, from 0.
    pub index: u64,
    /// When its transaction began.
    pub at: Timestamp,
    /// Dotted kind.
    pub kind: String,
    /// Account id of who acted.
    pub actor: String,
    /// Id of the actor's organization.
    pub organization: String,
    /// Opaque id of what it is about.
    pub subject: String,
    /// Law key.
    pub law: Option<String>,
    /// Further facts and the transaction's notes.
    pub body: Value,
}

impl StoredEvent {
    /// The notes under `key` that parts of the transaction left with [`crate::Tx::note`], in order.
    pub fn notes(&self, key: &str) -> &[Value] {
        match self.body.get(key) {
            Some(Value::Array(many)) => many,
            Some(one) => std::slice::from_ref(one),
            None => &[],
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let field = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            index: value.get("index")?.as_u64()?,
            at: field("at")?.parse().ok()?,
            kind: field("kind")?,
            actor: field("actor")?,
            organization: field("organization")?,
            subject: field("subject")?,
            law: match value.get("law")? {
                Value::Null => None,
                law => Some(law.as_str()?.to_owned()),
            },
            body: value.get("body")?.clone(),
        })
    }
}

/// The canonical text of an event at its place in the log.
pub(crate) fn encode(
    event: &Event<'_>,
    index: u64,
    at: Timestamp,
    notes: BTreeMap<&'static str, Vec<Value>>,
) -> Result<String, LogError> {
    let mut body = match &event.body {
        Value::Null => Map::new(),
        Value::Object(map) => map.clone(),
        _ => return Err(LogError::Body),
    };
    for (key, mut values) in notes {
        let value = match values.len() {
            1 if !matches!(values[0], Value::Array(_)) => values.remove(0),
            _ => Value::Array(values),
        };
        if body.insert(key.to_owned(), value).is_some() {
            return Err(LogError::NoteTwice(key));
        }
    }
    let value = json!({
        "actor": event.actor.account.to_string(),
        "at": at.to_string(),
        "body": body,
        "index": index,
        "kind": event.kind,
        "law": event.law.as_ref().map(LawKey::as_str),
        "organization": event.actor.organization.to_string(),
        "subject": event.subject,
    });
    if let Some(string) = canonical::first_not_opaque(&value) {
        return Err(LogError::NotOpaque { string });
    }
    let mut text = String::new();
    canonical::write(&value, &mut text);
    if text.len() > MAX_EVENT {
        return Err(LogError::TooLong { bytes: text.len() });
    }
    Ok(text)
}
