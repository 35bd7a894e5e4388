use jiff::civil::date;
use kiban_kernel::{Id, kinds};
use kiban_lake::id_table::IdTable;

use super::*;

#[test]
fn five_places_and_the_whole_count_are_kept() {
    let mut q = Quality::default();
    for i in 0..37 {
        q.add("x.y", 1, || (FileRef::new(1, "data/a"), format!("line {i}")));
    }
    let rule = &q.rules()["x.y"];
    assert_eq!((rule.count, rule.places.len()), (37, FIRST_PLACES));
    assert_eq!(rule.places[4].position, "line 4");
}

#[test]
fn the_last_class_of_a_person_counts_whoever_noted_it() {
    let mut table: IdTable<kinds::PersonSource, ()> = IdTable::default();
    let mut id = |n: u8| table.insert(Id::from_bytes([n; 16]));
    assert_eq!(size_of::<Noted>(), 8);
    let (mut one, mut other) = (Quality::default(), Quality::default());
    one.class(id(1), "F.60-69");
    one.class(id(2), "F.60-69");
    one.class(id(2), "M.60-69");
    other.class(id(3), "M.90+");
    other.class(id(1), "M.90+");
    other.birth(id(4), date(2000, 1, 1));
    let mut whole = Quality::default();
    whole.absorb(one.clone());
    assert_eq!(whole.population(), one.population());
    whole.absorb(other);
    let found: Vec<(String, u64)> = whole.population().into_iter().collect();
    assert_eq!(found, [("M.60-69".to_owned(), 1), ("M.90+".to_owned(), 2)]);
}

#[test]
fn visits_before_birth_are_counted_in_any_order() {
    let mut table: IdTable<kinds::PersonSource, ()> = IdTable::default();
    let [a, b] = [1, 2].map(|n| table.insert(Id::from_bytes([n; 16])));
    let mut q = Quality::default();
    for i in 0..37 {
        q.visit(a, date(1990, 1, 1), 1, i);
    }
    q.visit(a, date(2020, 1, 1), 1, 99);
    q.visit(b, date(1990, 1, 1), 1, 100);
    q.birth(a, date(2000, 5, 5));
    q.visit(a, date(1999, 1, 1), 2, 1);
    let cell = &q.plausibility()[0];
    assert_eq!((cell.checked, cell.failed), (39, 38));
    assert!((cell.percent() - 97.43).abs() < 0.01);
}
