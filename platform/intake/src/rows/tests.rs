use arrow::{
    array::{
        Array as _, AsArray as _, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    },
    datatypes::DataType,
};
use jiff::civil::date;
use kiban_formats::{
    Arena,
    record::{EncounterRecord, MeasurementRecord, MedicationRecord, PersonRecord},
};
use kiban_lake::id_table::IdTable;

use super::*;
use crate::{
    place::FileRef,
    quality::{END_BEFORE_START, FUTURE},
};

fn context() -> RowContext<'static> {
    RowContext {
        person_source: Id::from_bytes([1; 16]),
        person: somebody(),
        holder: Id::from_bytes([2; 16]),
        delivery: Id::from_bytes([3; 16]),
        segment: Id::from_bytes([4; 16]),
        source_file: "data/a.ndjson",
        file_number: 1,
        line: 1,
        parser: "fhir/1",
    }
}

fn somebody() -> Place {
    IdTable::<kinds::PersonSource, ()>::default().insert(Id::from_bytes([1; 16]))
}

fn push(tables: &mut TableBuilders, record: &Record<'_>, quality: &mut Quality) {
    let records = std::slice::from_ref(record);
    tables.push(&[Kept { context: context(), records, bases: |_| Some(Bases::BOTH) }], quality);
}

fn column<'a, T: 'static>(batch: &'a RecordBatch, name: &str) -> &'a T {
    batch.column_by_name(name).unwrap().as_any().downcast_ref().unwrap()
}

/// A column of text, as the lake reads it back.
fn text(batch: &RecordBatch, name: &str) -> StringArray {
    let column = arrow::compute::cast(batch.column_by_name(name).unwrap(), &DataType::Utf8);
    column.unwrap().as_string::<i32>().clone()
}

#[test]
fn every_record_fits_its_schema() {
    let tables = TableBuilders::new(date(2025, 6, 1)).unwrap();
    assert_eq!(tables.tables.len(), Record::TABLES.len());
    for (i, table) in tables.tables.iter().enumerate() {
        assert_eq!(table.name, Record::TABLES[i]);
        assert!(COMMON.iter().zip(&table.schema.columns).all(|(c, s)| *c == s.name));
    }
}

#[test]
fn text_is_kept_whatever_becomes_of_the_typed_value() {
    let mut tables = TableBuilders::new(date(2025, 6, 1)).unwrap();
    let mut quality = Quality::default();
    let arena = Arena::new();
    let measure = |at: &'static str, num: &'static str| {
        arena.record(MeasurementRecord {
            position: "OBX[3]".into(),
            value_text: Some(num),
            value_num: Some(num),
            measured_at: Some(at),
            ..MeasurementRecord::default()
        })
    };
    for record in
        [measure("202405061230", "１５．３"), measure("2024", "2.5"), measure("soon", "1+")]
    {
        push(&mut tables, &record, &mut quality);
    }
    let mut totals = RowTotals::default();
    let taken = tables.take_large(1).pop().unwrap();
    totals.add(&taken);
    let batch = &taken.batch().unwrap();
    let at: &TimestampMicrosecondArray = column(batch, "measured_at");
    let text = text(batch, "measured_at_text");
    let num: &Float64Array = column(batch, "value_num");
    assert_eq!((at.is_null(0), at.is_null(1), at.is_null(2)), (false, true, true));
    assert_eq!((text.value(1), text.value(2)), ("2024", "soon"));
    assert_eq!((num.value(0), num.value(1), num.is_null(2)), (15.3, 2.5, true));
    let counts: Vec<(&str, u64)> =
        quality.rules().iter().map(|(r, c)| (r.as_str(), c.count)).collect();
    assert_eq!(counts, [("date.partial", 1), ("date.unreadable", 1), ("number.unreadable", 1)]);
    assert_eq!(
        quality.rules()["date.unreadable"].places[0].position,
        "OBX[3] measurement.measured_at"
    );
    assert_eq!(tables.rows(), 0);
    let grid = tables.grid(&totals);
    let cell =
        |check: &str, aspect| grid.iter().find(|c| c.check == check && c.aspect == aspect).unwrap();
    assert_eq!(
        (
            cell("measured_at", Aspect::Conformance).checked,
            cell("measured_at", Aspect::Conformance).failed
        ),
        (3, 1)
    );
    assert_eq!(cell("unit", Aspect::Completeness).failed, 3);
}

#[test]
fn implausible_dates_are_counted() {
    let mut tables = TableBuilders::new(date(2025, 6, 1)).unwrap();
    let mut quality = Quality::default();
    let arena = Arena::new();
    let visit = |start: &'static str, end: &'static str| {
        arena.record(EncounterRecord {
            start_at: Some(start),
            end_at: Some(end),
            ..EncounterRecord::default()
        })
    };
    push(&mut tables, &visit("20240501", "20240430"), &mut quality);
    push(&mut tables, &visit("202405011000", "20240501"), &mut quality);
    push(&mut tables, &visit("20260101", "20260102"), &mut quality);
    let person = PersonRecord { birth_on: Some("20240502"), ..PersonRecord::default() };
    push(&mut tables, &Record::from(&person), &mut quality);
    let count = |rule: &str| quality.rules().get(rule).map_or(0, |r| r.count);
    assert_eq!(
        (count(END_BEFORE_START), count(FUTURE), count(crate::quality::BEFORE_BIRTH)),
        (1, 1, 2)
    );
}

#[test]
fn doses_have_a_number_beside_the_text() {
    let mut tables = TableBuilders::new(date(2025, 6, 1)).unwrap();
    let record =
        MedicationRecord { dose: Some("2 錠"), days: Some("7"), ..MedicationRecord::default() };
    push(&mut tables, &Record::from(&record), &mut Quality::default());
    let batch = tables.take_large(1).remove(0).batch().unwrap();
    let (days, dose): (&Float64Array, _) = (column(&batch, "days"), text(&batch, "dose_text"));
    assert_eq!((days.value(0), dose.value(0)), (7.0, "2 錠"));
}

#[test]
fn lots_are_the_same_in_new_room_and_small_tables_wait() {
    let arena = Arena::new();
    let measure = |n: usize| {
        arena.record(MeasurementRecord {
            position: arena.text(&format!("OBX[{n}]")).into(),
            code: Some(["K", "Na"][n % 2]),
            value_num: (!n.is_multiple_of(3)).then(|| arena.text(&format!("{}.5", n % 7))),
            measured_at: Some("20240506"),
            ..MeasurementRecord::default()
        })
    };
    let person = arena.record(PersonRecord { sex: Some("1"), ..PersonRecord::default() });
    let mut lots: Vec<Vec<RecordBatch>> = Vec::new();
    for restocks in [false, true] {
        let mut tables = TableBuilders::new(date(2025, 6, 1)).unwrap();
        let mut quality = Quality::default();
        let mut batches = Vec::new();
        for lot in 0..3 {
            push(&mut tables, &person, &mut quality);
            (0..50).for_each(|n| push(&mut tables, &measure(50 * lot + n), &mut quality));
            for rows in tables.take_large(10) {
                assert_eq!((rows.name(), rows.len()), ("measurement", 50));
                let columns = rows.columns().unwrap();
                batches.push(columns.batch().unwrap());
                if restocks {
                    tables.restock(Spare::of(columns));
                }
            }
        }
        assert_eq!(tables.rows(), 3, "the persons wait");
        assert_eq!(tables.take_large(1)[0].len(), 3);
        lots.push(batches);
    }
    assert_eq!(lots[0], lots[1]);
}

#[test]
fn what_two_saw_of_one_delivery_is_added_up() {
    let place = |n: u64| move || (FileRef::new(n, "data/a"), format!("line {n}"));
    let (mut one, mut other) = (Quality::default(), Quality::default());
    (0..4).for_each(|n| one.add("x.y", 2, place(n)));
    (4..9).for_each(|n| other.add("x.y", 1, place(n)));
    other.add("x.z", 1, place(0));
    other.class(somebody(), "1/40");
    one.absorb(other);
    let rule = &one.rules()["x.y"];
    let places: Vec<&str> = rule.places.iter().map(|p| p.position.as_str()).collect();
    assert_eq!((rule.count, places), (13, vec!["line 0", "line 1", "line 2", "line 3", "line 4"]));
    assert_eq!((one.rules()["x.z"].count, one.population()["1/40"]), (1, 1));
}
