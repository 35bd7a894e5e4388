//! Reading the database's side of the log.

use std::collections::HashMap;

use sqlx::AnyConnection;
use tlog_tiles::tlog::stored_hash_count;

use super::finding::{Finding, Place, Tamper};
use crate::{
    event::StoredEvent,
    layout::TILE,
    store::{self, EventRow},
    tree::Fetched,
};

pub(super) fn unreadable(_: sqlx::Error) -> Finding {
    Finding::Unreadable(Place::Database)
}

/// The database's side.
pub(super) struct Stored<'a> {
    conn: &'a mut AnyConnection,
    /// One past the highest place that has an event.
    pub(super) count: u64,
    /// Size of the newest stored checkpoint.
    pub(super) signed: u64,
    pub(super) newest: Option<String>,
}

#[derive(Default)]
pub(super) struct StoredPage {
    pub(super) rows: HashMap<u64, EventRow>,
    pub(super) checkpoints: HashMap<u64, String>,
    pub(super) nodes: Fetched,
}

impl<'a> Stored<'a> {
    pub(super) async fn open(conn: &'a mut AnyConnection) -> Result<Self, Finding> {
        if store::below_zero(conn).await.map_err(unreadable)? > 0 {
            let (index, what) = (0, Tamper::Inserted);
            return Err(Finding::Event { index, what, place: Place::Database });
        }
        let count = store::count(conn).await.map_err(unreadable)?;
        let newest = store::last_checkpoint(conn).await.map_err(unreadable)?;
        let (signed, newest) = newest.map_or((0, None), |(size, text)| (size, Some(text)));
        Ok(Self { conn, count, signed, newest })
    }

    pub(super) async fn page(&mut self, from: u64) -> Result<StoredPage, Finding> {
        let to = from + TILE;
        let rows = store::events(self.conn, from, to).await.map_err(unreadable)?;
        let checkpoints =
            store::checkpoints(self.conn, from + 1, to + 1).await.map_err(unreadable)?;
        let nodes = store::nodes_of_leaves(self.conn, from, to).await.map_err(unreadable)?;
        Ok(StoredPage {
            rows: rows.into_iter().map(|r| (r.index, r)).collect(),
            checkpoints: checkpoints.into_iter().collect(),
            nodes,
        })
    }

    /// When every event, checkpoint and hash was found right: there must be no others.
    pub(super) async fn check_nothing_else(&mut self) -> Result<(), Finding> {
        let (checkpoints, nodes) = store::rows(self.conn).await.map_err(unreadable)?;
        if checkpoints == self.count && nodes == stored_hash_count(self.count) {
            return Ok(());
        }
        Err(Finding::Extra { index: self.count })
    }

    /// Which place the event at `index` claims in its text.
    pub(super) async fn claim(&mut self, index: u64) -> Result<Option<u64>, Finding> {
        let rows =
            store::events(self.conn, index, index.saturating_add(1)).await.map_err(unreadable)?;
        Ok(rows.first().and_then(|r| claim(r.event.as_bytes())))
    }
}

/// The place an event's text says it has.
pub(super) fn claim(text: &[u8]) -> Option<u64> {
    Some(StoredEvent::parse(std::str::from_utf8(text).ok()?)?.index)
}
