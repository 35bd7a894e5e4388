//! Bytes: the same from the same seed, in the promised encodings, soon.

use std::fs;

use kiban_country::{
    Calendar, Country, CountryError, Fixtures, NoProgress, Params, Specialist, fixtures,
};
use proptest::prelude::*;

use crate::{OnDisk, tree};

fn small(seed: u64) -> Params {
    let specialist = Some(Specialist { persons: 40, ..Specialist::default() });
    Params { seed, persons: 600, specialist, ..Params::default() }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let (one, again) = (OnDisk::new(&small(7)), OnDisk::new(&small(7)));
    let (one, again) = (tree(one.root()), tree(again.root()));
    assert_eq!(one.keys().collect::<Vec<_>>(), again.keys().collect::<Vec<_>>());
    assert!(one == again, "the bytes differ");
    let other = OnDisk::new(&small(8));
    let name = "holders/municipality/source/persons.csv";
    assert_ne!(fs::read(other.path(name)).expect("file"), one[std::path::Path::new(name)]);
}

#[test]
fn files_stand_where_they_should_in_their_encodings() {
    let country = OnDisk::new(&small(1));
    let bytes = |name: &str| fs::read(country.path(name)).expect("file");
    let source = "holders/municipality/source";
    for name in ["coverage.csv", "death.csv"] {
        let bytes = bytes(&format!("{source}/{name}"));
        assert!(bytes.starts_with(b"\xef\xbb\xbf") && std::str::from_utf8(&bytes).is_ok());
    }
    for name in ["persons.csv", "checkup.csv"] {
        let bytes = bytes(&format!("{source}/{name}"));
        assert!(std::str::from_utf8(&bytes).is_err());
        assert!(!encoding_rs::SHIFT_JIS.decode(&bytes).2);
        let lines = bytes.strip_suffix(b"\n").expect("an end").split(|b| *b == b'\n');
        assert!(lines.into_iter().all(|line| line.ends_with(b"\r")));
    }
    for holder in country.country.holders() {
        for paper in
            ["notices.csv", "stops.csv", "stops_after_sending.csv", "stops_after_product.csv"]
        {
            let path = format!("holders/{}/{paper}", holder.name());
            assert!(!bytes(&path).is_empty());
        }
    }
    let header = bytes("holders/hospital_a/notices.csv");
    let expected = b"local_id,regime,notice_version,notified_on,channel,guardian,died_on\n";
    assert!(header.starts_with(expected));
    let storage = tree(&country.path("holders/hospital_a/source"));
    assert_eq!(storage.len(), 702);
    assert_eq!(tree(&country.path("holders/hospital_b/source")).len(), 16);
}

#[test]
fn hospitals_may_come_from_folders_too() {
    let dir = tempfile::tempdir().expect("folder");
    fixtures::unpack_ssmix2(&dir.path().join("a")).expect("storage");
    fixtures::unpack_fhir(&dir.path().join("b")).expect("export");
    let from = Fixtures { ssmix2: Some(dir.path().join("a")), fhir: Some(dir.path().join("b")) };
    let outside = OnDisk::new(&Params { fixtures: from, ..small(7) });
    let embedded = OnDisk::new(&small(7));
    assert!(tree(outside.root()) == tree(embedded.root()), "the bytes differ");
}

#[test]
fn a_folder_with_a_country_is_left_alone() {
    let country = OnDisk::new(&small(1));
    let before = tree(country.root());
    let refused = country.country.write(country.root(), &mut NoProgress);
    assert!(matches!(refused, Err(CountryError::NotEmpty { entry: "holders" })));
    assert!(tree(country.root()) == before);
}

#[test]
fn parameters_out_of_range_are_refused() {
    let refused = |params: Params| Country::generate(&params).expect_err("refused");
    let too_few = refused(Params { persons: 3, ..Params::default() });
    assert!(matches!(too_few, CountryError::Persons { asked: 3, .. }));
    let mut params = Params::default();
    params.shares.waiting = 0.95;
    assert!(matches!(refused(params), CountryError::Share { name: "shares" }));
    let mut calendar = Calendar::default();
    calendar.delivery_date = calendar.delivery_date.yesterday().expect("a day");
    let early = refused(Params { calendar, ..Params::default() });
    assert!(matches!(early, CountryError::CalendarTooShort { wait_days: 30 }));
    assert!(early.ja().contains("30日"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a speed limit can only be checked with a clock")]
fn a_hundred_thousand_people_take_seconds() {
    let begun = std::time::Instant::now();
    let country = OnDisk::new(&Params { persons: 100_000, ..Params::default() });
    let taken = begun.elapsed();
    assert_eq!(country.country.residents(), 100_000);
    // about 1 s alone; the machine that runs the tests may be busy
    assert!(taken.as_secs() < 20, "took {taken:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn any_seed_and_size_make_a_country(seed: u64, persons in 20u32..900, homonyms in 0u32..4) {
        let params = Params { seed, persons, planted_homonyms: homonyms, ..Params::default() };
        let country = OnDisk::new(&params);
        prop_assert_eq!(country.country.residents(), persons as usize);
        let rows = country.table("holders/municipality/source/persons.csv").len();
        prop_assert_eq!(rows, persons as usize);
    }
}
