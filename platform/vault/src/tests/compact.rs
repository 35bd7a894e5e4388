//! The compact tables of segments and versions against plain maps.

use kiban_kernel::{Bases, Digest, Id, Kind};
use proptest::{collection::vec, prelude::*};

use super::plain::{Plain, Said};
use crate::{
    bases::TableBases,
    id_table::Beside,
    known::KnownSegment,
    version_rows::{Cause, State, VersionRow},
    versions::{Occasion, Rows, Statement, Versions},
};

const PERSONS: u8 = 3;
const RECORDS: u8 = 6;
const SEGMENTS: u8 = 9;
const TEXTS: [&str; 6] = [
    "",
    "20240501100000000",
    "20240501100000001",
    "202405011000",
    "2024-05-01",
    "20250101000000000",
];

fn id<K: Kind>(n: u8) -> Id<K> {
    // Some share their shard and slot.
    Id::from_bytes([n, 0, 0, 0, 0, 0, 0, 0, n % 2, n % 3, 0, 0, n % 2, 0, 0, 0])
}

fn digest(n: u8) -> Digest {
    Digest::from_bytes([n; 32])
}

/// What a delivery does, as the judge and the holder's lists have it.
#[derive(Debug, Clone)]
enum Act {
    State {
        record: u8,
        person: u8,
        segment: u8,
        version: usize,
        taken_back: bool,
        file: u8,
        table: usize,
    },
    TakeBack {
        record: u8,
        latest: i64,
        version: usize,
        digest: u8,
        cause: u8,
    },
    TakeBackUnnamed {
        record: u8,
        person: u8,
        segment: u8,
        digest: u8,
    },
}

fn acts() -> impl Strategy<Value = Act> {
    let state =
        (0..RECORDS, 0..PERSONS, 0..SEGMENTS, 0..TEXTS.len(), any::<bool>(), 0..3_u8, 0..3_usize);
    let state = state.prop_map(|(record, person, segment, version, taken_back, file, table)| {
        Act::State { record, person, segment, version, taken_back, file, table }
    });
    let back = (0..RECORDS, 0..6_i64, 0..TEXTS.len(), 0..3_u8, 0..3_u8);
    let back = back.prop_map(|(record, latest, version, digest, cause)| Act::TakeBack {
        record,
        latest,
        version,
        digest,
        cause,
    });
    let unnamed = (0..RECORDS, 0..PERSONS, 0..SEGMENTS, 0..3_u8);
    let unnamed = unnamed.prop_map(|(record, person, segment, digest)| Act::TakeBackUnnamed {
        record,
        person,
        segment,
        digest,
    });
    prop_oneof![6 => state, 2 => back, 1 => unnamed]
}

fn cause(n: u8) -> Cause {
    [Cause::Source, Cause::List, Cause::Correction][usize::from(n)]
}

/// Record, person, segment, state, version, moment, cause, digest.
type Row = (u8, u8, Option<u8>, usize, usize, i64, u8, u8);

fn row((no, row): (i64, Row)) -> VersionRow {
    let (record, person, segment, state, version, stated_at, by, of) = row;
    VersionRow {
        person: id(person),
        holder: id(0),
        delivery: id(0),
        record: id(record),
        segment: segment.map(id),
        no,
        state: [State::Current, State::Older, State::Withdrawn][state],
        version: TEXTS[version].to_owned(),
        stated_at,
        cause: cause(by),
        digest: digest(of),
    }
}

/// Rows of the lake as a scan may give them: in any order, each with a number of its own.
fn rows() -> impl Strategy<Value = Vec<VersionRow>> {
    let segment = proptest::option::weighted(0.9, 0..SEGMENTS);
    let one =
        (0..RECORDS, 0..PERSONS, segment, 0..3_usize, 0..TEXTS.len(), 0..5_i64, 0..3_u8, 0..3_u8);
    let numbered = |rows: Vec<Row>| (1..).zip(rows).map(row).collect::<Vec<_>>();
    vec(one, 0..20).prop_map(numbered).prop_shuffle()
}

/// As the judge does it.
pub(super) fn state(versions: &mut Versions, on: Occasion, said: &Said<'_>, table: usize) -> Rows {
    let segment = versions.segments.insert(said.segment);
    let known = versions.segments.is_known(segment);
    let statement = Statement {
        record: said.record,
        person: versions.persons.insert(said.person),
        segment,
        version: said.version,
        taken_back: said.taken_back,
        file: said.file,
        known,
    };
    let rows = versions.state(on, &statement);
    let mut kept = versions.segments.kept(segment);
    add(&mut kept, table);
    versions.segments.keep(segment, kept);
    rows
}

pub(super) fn add(kept: &mut KnownSegment, table: usize) {
    let mut tables = TableBases::default();
    tables.add_at(table, Bases::BOTH);
    kept.tables.merge(tables);
    kept.bytes |= table == 1;
}

fn compare(versions: &Versions, plain: &Plain) -> Result<(), TestCaseError> {
    prop_assert_eq!(&versions.rows, &plain.rows);
    prop_assert_eq!(&versions.ended, &plain.ended);
    prop_assert_eq!(versions.withdrawn, plain.withdrawn);
    for person in 0..=PERSONS {
        prop_assert_eq!(versions.in_use_of(id(person)), plain.in_use_of(id(person)));
    }
    for record in 0..=RECORDS {
        prop_assert_eq!(versions.knows(id(record)), plain.knows(id(record)));
    }
    for segment in 0..=SEGMENTS {
        prop_assert_eq!(versions.has_segment(id(segment)), plain.has_segment(id(segment)));
        prop_assert_eq!(versions.segments.get(&id(segment)), plain.known.get(&id(segment)));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]
    #[test]
    fn compact_tables_say_what_plain_maps_say(
        rows in rows(),
        known in vec((0..SEGMENTS, 0..3_usize), 0..6),
        deliveries in vec((0..6_i64, vec(acts(), 0..12)), 0..4),
    ) {
        let mut sorted = rows.clone();
        sorted.sort_by_key(|row| row.no);
        let (mut versions, mut plain) = (Versions::default(), Plain::of(sorted));
        for (segment, table) in known {
            let place = versions.segments.insert(id(segment));
            let mut kept = versions.segments.kept(place);
            add(&mut kept, table);
            versions.segments.keep(place, kept);
            add(plain.known.entry(id(segment)).or_default(), table);
        }
        let mut numbers = Beside::default();
        for row in &rows {
            versions.learn(row, &mut numbers);
        }
        compare(&versions, &plain)?;
        for (n, (stated_at, acts)) in (1..).zip(deliveries) {
            let on = Occasion { holder: id(0), delivery: id(n), stated_at };
            for act in acts {
                match act {
                    Act::State { record, person, segment, version, taken_back, file, table } => {
                        let (record, person, segment) = (id(record), id(person), id(segment));
                        let (version, file) = (TEXTS[version], digest(file));
                        let said = Said { record, person, segment, version, taken_back, file };
                        let rows = state(&mut versions, on, &said, table);
                        prop_assert_eq!(rows, plain.state(on, &said));
                        add(plain.known.entry(segment).or_default(), table);
                    }
                    Act::TakeBack { record, latest, version, digest: of, cause: by } => {
                        let (latest, of, by) = ((latest, TEXTS[version]), digest(of), cause(by));
                        prop_assert_eq!(
                            versions.take_back(on, id(record), latest, of, by),
                            plain.take_back(on, id(record), latest, of, by)
                        );
                    }
                    Act::TakeBackUnnamed { record, person, segment, digest: of } => {
                        let (person, segment, of) = (id(person), id(segment), digest(of));
                        prop_assert_eq!(
                            versions.take_back_unnamed(on, id(record), person, segment, of),
                            plain.take_back_unnamed(on, id(record), person, segment, of)
                        );
                    }
                }
                compare(&versions, &plain)?;
            }
        }
        let known = versions.judged();
        for segment in 0..=SEGMENTS {
            prop_assert_eq!(known.get(&id(segment)), plain.known.get(&id(segment)));
        }
    }
}
