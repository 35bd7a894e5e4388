//! Rows by the names their own format gives them.

use std::{fs, path::Path};

use kiban_formats::{
    CutError, Format, RawPiece, Want, cut_raw, detect, inspect::Inspection, uke::Keyed,
};

fn found(path: &str) -> Inspection {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path);
    let bytes = fs::read(file).unwrap();
    let name = path.rsplit('/').next().unwrap();
    let format = detect(name, &bytes[..bytes.len().min(65_536)]).unwrap();
    let mut found = Inspection::default();
    found.read(format, name, 1, bytes.as_slice(), 64 << 20, &mut |_| {}).unwrap();
    found
}

#[test]
fn every_row_of_the_conformance_files_has_its_name() {
    let mut files = 0;
    for folder in ["fixtures/uke", "fixtures/dpc", "fixtures/jahis"] {
        let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
        for entry in fs::read_dir(all).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            // Parts of a text that has to be joined first; a file about the facility, whose rows are about nobody.
            if name.starts_with("split_") || name.starts_with("FF3") {
                continue;
            }
            let found = found(&format!("{folder}/{name}"));
            let unknown = found.kinds.keys().filter(|k| k.contains('?')).count();
            assert_eq!((unknown, found.kinds.is_empty()), (0, false), "{name}");
            files += 1;
        }
    }
    assert!(files > 60);
    let claims = found("fixtures/uke/dpc_stay.UKE");
    assert!(claims.kinds["BU 診断群分類"] >= 1 && claims.kinds["CD コーディングデータ"] >= 1);
    assert!(found("fixtures/dpc/EFn_131234567_2404.txt").kinds["EF統合ファイル"] > 1);
    let form1 = found("fixtures/dpc/FF1_131234567_2404.txt");
    assert!(form1.kinds.keys().any(|k| k == "様式1 A006010"));
    assert!(found("fixtures/jahis/notebook_201.txt").kinds["お薬手帳 201 薬品"] >= 1);
}

#[test]
fn a_file_that_tells_of_persons_is_known_by_its_beginning() {
    let mut found = [0, 0];
    for folder in ["tests/fixtures", "tests/fixtures_b"] {
        for (name, bytes) in crate::tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            let Some(format) = detect(&name, &bytes).filter(|f| *f != Format::HealthKit) else {
                continue;
            };
            let (want, mut wanted) = (Want::Persons, false);
            let keyed = Keyed::Institution;
            let cut =
                cut_raw::<CutError>(format, keyed, &name, &bytes[..], 16 << 20, want, |piece| {
                    wanted |= matches!(piece, RawPiece::Segment(unit) if unit.wanted);
                    Ok(())
                });
            let told = want.in_file(format, &name, &bytes[..bytes.len().min(64 << 10)]);
            assert!(told || !wanted || cut.is_err(), "{name}");
            found[usize::from(told)] += 1;
        }
    }
    assert!(found.iter().all(|files| *files > 3), "{found:?}");
}
