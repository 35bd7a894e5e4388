//! Segments of a holder that the lake holds already, and those that versions of records name.
//!
//! Enters: rows of `source_segment`, and the segments of a delivery as they are judged. Leaves: to which tables a segment's
//! rows went and whether its bytes are kept; a place that stands for the segment's id in other tables. Refuses: a row that cannot
//! be read.
//!
//! # Memory
//! 26 bytes a segment of the holder, whichever delivery it came in: its id, 4 bytes for what is kept of it, its share of the
//! index. What is kept is the same for most segments: each such value stands once in a list. While rows are loaded some
//! [`ROWS_AT_ONCE`](crate::scan::ROWS_AT_ONCE) of them are in memory besides.

use std::collections::HashMap;

use kiban_kernel::{Id, kinds};
use kiban_lake::{Lake, Snapshot};

use crate::{
    VaultError,
    bases::TableBases,
    id_table::{IdTable, Place},
    scan::each_batch,
    segments::{Columns, TABLE},
};

/// What is kept of one segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct KnownSegment {
    pub(crate) tables: TableBases,
    pub(crate) bytes: bool,
}

/// The lake has a row of the segment, or will have one with this delivery.
const KNOWN: u32 = 1 << 31;
/// The segment is a version of a record, by a row of the lake.
const VERSION: u32 = 1 << 30;
/// The other bits: which of the values that are kept.
const WHICH: u32 = VERSION - 1;

/// By segment id.
pub(crate) struct Known {
    segments: IdTable<kinds::Segment, u32>,
    /// Every value once; the default first.
    values: Vec<KnownSegment>,
    places: HashMap<KnownSegment, u32>,
}

impl Default for Known {
    fn default() -> Self {
        let none = KnownSegment::default();
        Self {
            segments: IdTable::default(),
            values: vec![none],
            places: HashMap::from([(none, 0)]),
        }
    }
}

impl Known {
    /// The place of a segment. One that is not there gets one, and is not known for that.
    pub(crate) fn insert(&mut self, segment: Id<kinds::Segment>) -> Place {
        self.segments.insert(segment)
    }

    /// The segment at a place.
    pub(crate) fn id(&self, place: Place) -> Id<kinds::Segment> {
        self.segments.id(place)
    }

    /// Is the segment in the lake, or taken in by this delivery?
    pub(crate) fn is_known(&self, place: Place) -> bool {
        self.segments.value(place) & KNOWN != 0
    }

    /// What is kept of the segment at a place; of one that is not known, nothing.
    pub(crate) fn kept(&self, place: Place) -> KnownSegment {
        self.values[(self.segments.value(place) & WHICH) as usize]
    }

    /// Sets what is kept of a segment, which is known from here on.
    pub(crate) fn keep(&mut self, place: Place, kept: KnownSegment) {
        let before = self.segments.value(place);
        let which = if self.kept(place) == kept { before & WHICH } else { self.which(kept) };
        *self.segments.value_mut(place) = before & VERSION | KNOWN | which;
    }

    /// Which of the values it is.
    fn which(&mut self, kept: KnownSegment) -> u32 {
        let next = self.values.len() as u32;
        let which = *self.places.entry(kept).or_insert(next);
        if which == next {
            self.values.push(kept);
        }
        which
    }

    /// What is kept of a segment that is known.
    pub(crate) fn get(&self, segment: &Id<kinds::Segment>) -> Option<&KnownSegment> {
        let value = self.segments.value(self.segments.find(*segment)?);
        (value & KNOWN != 0).then(|| &self.values[(value & WHICH) as usize])
    }

    /// The lake has a row that names the segment as a version of a record.
    pub(crate) fn set_version(&mut self, place: Place) {
        *self.segments.value_mut(place) |= VERSION;
    }

    /// Was [`Self::set_version`] called for the segment?
    pub(crate) fn is_version(&self, segment: Id<kinds::Segment>) -> bool {
        self.segments.find(segment).is_some_and(|at| self.segments.value(at) & VERSION != 0)
    }
}

/// The holder's segments in the lake at a snapshot.
pub(crate) async fn load(
    lake: &Lake,
    at: Snapshot,
    holder: Id<kinds::Organization>,
) -> Result<Known, VaultError> {
    let mut known = Known::default();
    let holder = holder.to_string();
    each_batch(lake, TABLE, at, |batch| {
        let columns = Columns(batch);
        let holders = columns.text("holder")?;
        for row in (0..batch.num_rows()).filter(|row| holders.value(*row) == holder) {
            let place = known.insert(columns.id("segment", row)?);
            let mut kept = known.kept(place);
            kept.tables.merge(columns.tables(row)?);
            kept.bytes |= columns.place(row)?.is_some();
            known.keep(place, kept);
        }
        Ok(())
    })
    .await?;
    Ok(known)
}
