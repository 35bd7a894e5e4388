//! The insured-number history (履歴照会): which numbers were one person's, asked and answered by files.
//!
//! The form of the files is our own (`kiban.insured-history/1`) until the official interface's specification is loaded; it
//! claims nothing about that interface. A request names each person by a keyed number that serves nothing else. An
//! answer lists the numbers that this person had: whoever of ours bears one of them, with the same birth date, is the
//! same person, with the reason 「履歴」.

use std::collections::{BTreeMap, BTreeSet};

use kiban_kernel::{Date, Digest, Id, kinds};
use kiban_lake::Lake;
use kiban_linkage::{Identity, KeyRule, Member, RawIdentity};
use sqlx::AnyConnection;

use super::{Constraint, LinkError, read};
use crate::{
    keys::RegisterKeys,
    store::{StoreError, parsed},
};

type Source = Id<kinds::PersonSource>;
const TABLE: &str = "register_link_history";
/// First line of both files.
const TITLE: &str = "# kiban.insured-history/1";
const REQUEST: &str = "query,insurer_no,symbol,number,branch,birth_date";
const ANSWER: &str = "query,insurer_no,symbol,number,branch";

/// What an answer's file says of our sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryAnswers {
    /// Sources that are one person.
    pub pairs: Vec<(Source, Source)>,
    /// Queries answered.
    pub queries: u64,
    /// Queries that we did not ask, or of which nobody is here any more.
    pub unknown: u64,
    /// Lines that are no answer.
    pub unread: u64,
    /// Digest of the file.
    pub digest: Digest,
}

pub(crate) async fn members(lake: &Lake) -> Result<(Vec<Source>, Vec<Member>), LinkError> {
    let head = lake.head().await?;
    if head.0 == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    let found =
        read::sources(&lake.scan("person", head).await?, &lake.scan("coverage", head).await?)?;
    Ok((found.ids, found.members))
}

/// Insurer, symbol, number, branch and birth of each number an identity has; an own number only.
fn numbers(member: &Member) -> BTreeSet<(String, [String; 4], Date)> {
    member
        .identities
        .iter()
        .filter_map(|i| {
            let text = |n: &Option<kiban_linkage::Normal>| {
                n.as_ref().map(|n| n.text.clone()).unwrap_or_default()
            };
            let birth = i.birth?;
            Some((
                i.key1()?,
                [text(&i.insurer), text(&i.symbol), text(&i.number), text(&i.branch)],
                birth,
            ))
        })
        .collect()
}

/// The request: one line for each number of each of the sources (of all, if none is named).
///
/// # Errors
/// The lake failed.
pub async fn request_of(
    lake: &Lake,
    keys: &RegisterKeys,
    of: &BTreeSet<Source>,
) -> Result<String, LinkError> {
    let (ids, members) = members(lake).await?;
    let mut out = format!("{TITLE}\n{REQUEST}\n");
    for (source, member) in ids.iter().zip(&members) {
        if !of.is_empty() && !of.contains(source) {
            continue;
        }
        for (_, [insurer, symbol, number, branch], birth) in numbers(member) {
            let query = keys.history_query(*source);
            let birth = birth.to_string();
            let cells: [&str; 6] = [&query, &insurer, &symbol, &number, &branch, &birth];
            out.push_str(&cells.join(","));
            out.push('\n');
        }
    }
    Ok(out)
}

/// What an answer's file says: whoever bears a number of the answer, and was born on the day of the person asked about,
/// is that person.
///
/// # Errors
/// The lake failed. A file that is no answer gives `unread` lines.
pub async fn answers_of(
    lake: &Lake,
    keys: &RegisterKeys,
    file: &str,
) -> Result<HistoryAnswers, LinkError> {
    let (ids, members) = members(lake).await?;
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    let mut bearers: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (at, (source, member)) in ids.iter().zip(&members).enumerate() {
        asked.insert(keys.history_query(*source), at);
        for (key, ..) in numbers(member) {
            bearers.entry(key).or_default().insert(at);
        }
    }
    let mut out = HistoryAnswers {
        pairs: Vec::new(),
        queries: 0,
        unknown: 0,
        unread: 0,
        digest: Digest::of(file.as_bytes()),
    };
    let (mut queries, mut unknown, mut pairs) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for line in file.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') || line == ANSWER {
            continue;
        }
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let [query, insurer, symbol, number, branch] = cells[..] else {
            out.unread += 1;
            continue;
        };
        let Some(at) = asked.get(query) else {
            unknown.insert(query.to_owned());
            continue;
        };
        queries.insert(*at);
        for birth in members[*at].identities.iter().filter_map(|i| i.birth).collect::<BTreeSet<_>>()
        {
            let identity = Identity::normalise(&RawIdentity {
                birth_on: Some(birth),
                insurer_no: Some(insurer),
                insured_symbol: Some(symbol),
                insured_number: Some(number),
                insured_branch: Some(branch),
                ..RawIdentity::default()
            });
            let Some(key) = identity.key1() else { continue };
            for other in bearers.get(&key).into_iter().flatten().filter(|o| *o != at) {
                let (a, b) = (ids[*at], ids[*other]);
                pairs.insert((a.min(b), a.max(b)));
            }
        }
    }
    out.queries = queries.len() as u64;
    out.unknown = unknown.len() as u64;
    out.pairs = pairs.into_iter().collect();
    Ok(out)
}

/// Puts the pairs of an answer on record; how many are new.
///
/// # Errors
/// The database failed.
pub async fn record_answers(
    conn: &mut AnyConnection,
    answers: &HistoryAnswers,
    on: Date,
) -> Result<u64, StoreError> {
    let mut new = 0;
    for (a, b) in &answers.pairs {
        new += sqlx::query(
            "INSERT INTO register_link_history (a_source, b_source, answered_on, digest) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (a_source, b_source) DO NOTHING",
        )
        .bind(a.to_string())
        .bind(b.to_string())
        .bind(on.to_string())
        .bind(answers.digest.to_string())
        .execute(&mut *conn)
        .await?
        .rows_affected();
    }
    Ok(new)
}

/// What linking has to respect of all answers.
///
/// # Errors
/// The database failed.
pub async fn history_constraints(conn: &mut AnyConnection) -> Result<Vec<Constraint>, StoreError> {
    let rows = sqlx::query(
        "SELECT a_source, b_source FROM register_link_history ORDER BY a_source, b_source",
    )
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Constraint {
                doubtful: parsed(row, TABLE, "a_source")?,
                other: parsed(row, TABLE, "b_source")?,
                one_person: true,
                by: KeyRule::History,
            })
        })
        .collect()
}
