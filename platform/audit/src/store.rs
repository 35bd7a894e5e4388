//! Every SQL statement of this crate.

use sqlx::{AnyConnection, Row as _};
use tlog_tiles::tlog::{Hash, stored_hash_index};

use crate::{event::StoredEvent, tree::Fetched};

const LOCK: &str = "LOCK TABLE audit_event IN EXCLUSIVE MODE";
const COUNT: &str = "SELECT COALESCE(MAX(event_index) + 1, 0) FROM audit_event";
const NODE: &str = "SELECT hash FROM audit_node WHERE node_index = $1";
const NODES: &str = "SELECT node_index, hash FROM audit_node \
     WHERE node_index >= $1 AND node_index < $2 ORDER BY node_index";
const ADD_EVENT: &str = "INSERT INTO audit_event \
     (event_index, at, kind, actor, organization, subject, event, leaf_hash) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const ADD_NODE: &str = "INSERT INTO audit_node (node_index, hash) VALUES ($1, $2)";
const ADD_CHECKPOINT: &str = "INSERT INTO audit_checkpoint (tree_size, note) VALUES ($1, $2)";
const LAST_CHECKPOINT: &str =
    "SELECT tree_size, note FROM audit_checkpoint ORDER BY tree_size DESC LIMIT 1";
const CHECKPOINT: &str = "SELECT note FROM audit_checkpoint WHERE tree_size = $1";
const CHECKPOINTS: &str = "SELECT tree_size, note FROM audit_checkpoint \
     WHERE tree_size >= $1 AND tree_size < $2 ORDER BY tree_size";
const EVENTS: &str = "SELECT event_index, at, kind, actor, organization, subject, event, leaf_hash \
     FROM audit_event WHERE event_index >= $1 AND event_index < $2 ORDER BY event_index";
const ABOUT: &str = "SELECT event FROM audit_event WHERE subject = $1 ORDER BY event_index";
const CHECKPOINT_ROWS: &str = "SELECT COUNT(*) FROM audit_checkpoint";
const NODE_ROWS: &str = "SELECT COUNT(*) FROM audit_node";
const BELOW_ZERO: &str = "SELECT COUNT(*) FROM audit_event WHERE event_index < 0";

/// A row of `audit_event`.
#[derive(Debug, Clone)]
pub(crate) struct EventRow {
    pub(crate) index: u64,
    pub(crate) columns: [String; 5],
    pub(crate) event: String,
    pub(crate) leaf_hash: String,
}

impl EventRow {
    pub(crate) fn of(event: &StoredEvent, text: String, leaf: Hash) -> Self {
        Self {
            index: event.index,
            columns: columns(event),
            event: text,
            leaf_hash: leaf.to_string(),
        }
    }
}

/// What the columns beside an event's text must say.
pub(crate) fn columns(event: &StoredEvent) -> [String; 5] {
    [
        event.at.to_string(),
        event.kind.clone(),
        event.actor.clone(),
        event.organization.clone(),
        event.subject.clone(),
    ]
}

type Conn<'a> = &'a mut AnyConnection;

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// PostgreSQL: let one transaction append at a time. Readers are not held up.
pub(crate) async fn lock(conn: Conn<'_>) -> sqlx::Result<()> {
    sqlx::query(LOCK).execute(conn).await.map(drop)
}

pub(crate) async fn count(conn: Conn<'_>) -> sqlx::Result<u64> {
    sqlx::query_scalar::<_, i64>(COUNT).fetch_one(conn).await.map(unsigned)
}

pub(crate) async fn below_zero(conn: Conn<'_>) -> sqlx::Result<u64> {
    sqlx::query_scalar::<_, i64>(BELOW_ZERO).fetch_one(conn).await.map(unsigned)
}

/// How many checkpoints and tree hashes there are, wherever they stand.
pub(crate) async fn rows(conn: Conn<'_>) -> sqlx::Result<(u64, u64)> {
    let checkpoints: i64 = sqlx::query_scalar(CHECKPOINT_ROWS).fetch_one(&mut *conn).await?;
    let nodes: i64 = sqlx::query_scalar(NODE_ROWS).fetch_one(conn).await?;
    Ok((unsigned(checkpoints), unsigned(nodes)))
}

/// The hashes at these stored hash indexes; one that is missing or malformed is left out.
pub(crate) async fn nodes_at(conn: Conn<'_>, indexes: &[u64]) -> sqlx::Result<Fetched> {
    let mut found = Fetched::default();
    for index in indexes {
        let hash: Option<String> =
            sqlx::query_scalar(NODE).bind(signed(*index)).fetch_optional(&mut *conn).await?;
        if let Some(hash) = hash.and_then(|h| Hash::parse_hash(&h).ok()) {
            found.0.insert(*index, hash);
        }
    }
    Ok(found)
}

/// The stored hashes that belong to leaves `from..to`.
pub(crate) async fn nodes_of_leaves(conn: Conn<'_>, from: u64, to: u64) -> sqlx::Result<Fetched> {
    let rows = sqlx::query(NODES)
        .bind(signed(stored_hash_index(0, from)))
        .bind(signed(stored_hash_index(0, to)))
        .fetch_all(conn)
        .await?;
    let mut found = Fetched::default();
    for row in rows {
        let text: String = row.try_get(1)?;
        if let Ok(hash) = Hash::parse_hash(&text) {
            found.0.insert(unsigned(row.try_get(0)?), hash);
        }
    }
    Ok(found)
}

pub(crate) async fn add(
    conn: Conn<'_>,
    row: &EventRow,
    nodes: &[Hash],
    checkpoint: &str,
) -> sqlx::Result<()> {
    let mut query = sqlx::query(ADD_EVENT).bind(signed(row.index));
    for column in &row.columns {
        query = query.bind(column);
    }
    query.bind(&row.event).bind(&row.leaf_hash).execute(&mut *conn).await?;
    let first = stored_hash_index(0, row.index);
    for (i, hash) in nodes.iter().enumerate() {
        let at = signed(first + i as u64);
        sqlx::query(ADD_NODE).bind(at).bind(hash.to_string()).execute(&mut *conn).await?;
    }
    let size = signed(row.index + 1);
    sqlx::query(ADD_CHECKPOINT).bind(size).bind(checkpoint).execute(conn).await.map(drop)
}

pub(crate) async fn last_checkpoint(conn: Conn<'_>) -> sqlx::Result<Option<(u64, String)>> {
    let row = sqlx::query(LAST_CHECKPOINT).fetch_optional(conn).await?;
    row.map(|r| Ok((unsigned(r.try_get(0)?), r.try_get(1)?))).transpose()
}

pub(crate) async fn checkpoint(conn: Conn<'_>, size: u64) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(CHECKPOINT).bind(signed(size)).fetch_optional(conn).await
}

pub(crate) async fn checkpoints(
    conn: Conn<'_>,
    from: u64,
    to: u64,
) -> sqlx::Result<Vec<(u64, String)>> {
    let rows = sqlx::query(CHECKPOINTS).bind(signed(from)).bind(signed(to)).fetch_all(conn).await?;
    rows.iter().map(|r| Ok((unsigned(r.try_get(0)?), r.try_get(1)?))).collect()
}

pub(crate) async fn about(conn: Conn<'_>, subject: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(ABOUT).bind(subject.to_owned()).fetch_all(conn).await
}

pub(crate) async fn events(conn: Conn<'_>, from: u64, to: u64) -> sqlx::Result<Vec<EventRow>> {
    let rows = sqlx::query(EVENTS).bind(signed(from)).bind(signed(to)).fetch_all(conn).await?;
    rows.iter()
        .map(|r| {
            Ok(EventRow {
                index: unsigned(r.try_get(0)?),
                columns: [
                    r.try_get(1)?,
                    r.try_get(2)?,
                    r.try_get(3)?,
                    r.try_get(4)?,
                    r.try_get(5)?,
                ],
                event: r.try_get(6)?,
                leaf_hash: r.try_get(7)?,
            })
        })
        .collect()
}
