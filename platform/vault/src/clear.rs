//! What of a segment the gate clears. After a withdrawn stop a segment is kept whole or not at all: its oldest record
//! decides.

use kiban_formats::Record;
use kiban_intake::report::Counts;
use kiban_kernel::{Bases, ColumnClass, Date, parse_moment};
use kiban_lake::schema;
use kiban_register::PersonGate;

use crate::{
    bases::{TableBases, minus},
    refusal::refusal,
};

/// What is cleared of a segment.
pub(crate) struct ClearedSegment {
    /// By table.
    pub(crate) tables: TableBases,
    /// Is every record cleared under some regime?
    pub(crate) whole: bool,
    /// Why nothing is, if nothing is.
    pub(crate) reason: &'static str,
}

/// Judges the records of a segment; refused rows are counted.
pub(crate) fn clear(
    gate: &PersonGate,
    records: &[Record<'_>],
    counts: &mut Counts,
) -> ClearedSegment {
    let too_old = if gate.has_floor() { gate.too_old(earliest(records)) } else { Vec::new() };
    let (mut tables, mut whole) = (TableBases::default(), true);
    // A table's rows are judged alike: the gate is asked once for all of them.
    let mut rows = [0_u64; Record::TABLES.len()];
    for record in records {
        rows[record.table_index()] += 1;
    }
    for (place, rows) in rows.into_iter().enumerate().filter(|(_, rows)| *rows > 0) {
        let decision = gate.decide(Record::TABLES[place]);
        for (regime, reason) in &decision.refused {
            counts.refuse_rows(*regime, reason.code(), rows);
        }
        let mut bases = decision.bases;
        for (regime, reason) in too_old.iter().filter(|(r, _)| decision.bases.contains(*r)) {
            counts.refuse_rows(*regime, reason.code(), rows);
            bases = minus(bases, Bases::NONE.with(*regime));
        }
        whole &= !bases.is_empty();
        tables.add_at(place, bases);
    }
    let reason = match too_old.first() {
        Some((_, old)) if !gate.bases().is_empty() => old.code(),
        _ => refusal(gate, records.first().map(Record::table)),
    };
    ClearedSegment { tables, whole, reason }
}

/// The first day to which any record of a segment may belong; `None` if one of them does not say when it arose. A record
/// belongs to the last day it names; a date known in part is read as early as it may mean. Of a person's own particulars
/// (name, birth, address) no day is asked.
fn earliest(records: &[Record<'_>]) -> Option<Date> {
    let mut first = Date::MAX;
    for record in records.iter().filter(|r| !matches!(r, Record::Person(_))) {
        first = first.min(last_named(record)?);
    }
    Some(first)
}

fn last_named(record: &Record<'_>) -> Option<Date> {
    let table = schema::table(record.table())?;
    let mut last = None;
    record.for_each(|column, value| {
        let dated = table
            .columns
            .iter()
            .any(|c| c.name == column && c.class == ColumnClass::Date && c.name != "birth_on");
        if let Some(day) = value.filter(|_| dated).and_then(day) {
            last = last.max(Some(day));
        }
    });
    last
}

fn day(text: &str) -> Option<Date> {
    parse_moment(text).ok().map(|moment| moment.date.earliest())
}
