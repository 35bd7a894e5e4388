//! What the holder takes back and corrects travels sealed and signed, of persons it sent and of nobody else.

use std::fs;

use kiban_intake::{ReceiveError, SealError, revisions::CorrectionKind};
use kiban_kernel::Regime;

use crate::home::{Home, condition, holds, patient};

const HEAD: &str = "local_id,format,record,reason,on\n";

fn two_persons() -> Home {
    let mut home = Home::new();
    for id in ["p1", "p2"] {
        home.notify(id, &Regime::ALL, "2024-05-01");
    }
    home.file("Patient.ndjson", patient("p1", "MARK-1") + &patient("p2", "MARK-2"));
    home
}

fn write(home: &Home, retractions: &str, corrections: &str) {
    fs::write(home.path().join("retractions.csv"), format!("{HEAD}{retractions}")).unwrap();
    let head = "kind,from,to,reason,on\n";
    fs::write(home.path().join("corrections.csv"), format!("{head}{corrections}")).unwrap();
}

#[test]
fn rows_travel_of_those_who_were_sent_and_of_nobody_else() {
    let mut home = two_persons();
    home.notify("waits", &Regime::ALL, "2025-05-20");
    home.notify("stopped", &Regime::ALL, "2024-05-01");
    home.stop("stopped", "anon52;pseudo57");
    home.file("more.ndjson", patient("waits", "MARK-3") + &patient("stopped", "MARK-4"));
    write(
        &home,
        "p1,fhir_ndjson,Condition/c1,誤登録,2025-05-30\n\
         waits,fhir_ndjson,Condition/SECRET-2,誤登録,2025-05-30\n\
         stopped,fhir_ndjson,Condition/SECRET-3,誤登録,2025-05-30\n",
        "same_person,p1,p2,番号の統合,2025-05-30\n\
         two_persons,p1,nobody-known,番号の分離,2025-05-30\n",
    );
    let report = home.seal("2025-06-01").unwrap();
    assert_eq!((report.retractions, report.corrections), (1, 1));
    assert_eq!((report.kept_back["never_sent"], report.kept_back["stopped"]), (2, 1));
    let plain = home.plain(&report.path);
    assert!(["SECRET", "nobody-known", "waits"].iter().all(|text| !holds(&plain, text)));
    let checked = home.open(&report.path).unwrap();
    assert_eq!(checked.retractions()[0].record, "fhir/Condition/c1");
    assert_eq!(checked.corrections()[0].kind, CorrectionKind::SamePerson);

    // Sent before is enough; then the lists may travel without any record.
    fs::remove_dir_all(home.path().join("in")).unwrap();
    fs::create_dir(home.path().join("in")).unwrap();
    let request = home.request("2025-06-02");
    let entropy = kiban_testkit::SeededEntropy::new(9);
    let report = crate::home::run(&request, &entropy, &kiban_kernel::NoSteps).unwrap();
    assert_eq!((report.kept_segments, report.retractions, report.corrections), (0, 1, 1));
    let checked = home.open(&report.path).unwrap();
    checked.segments::<ReceiveError>(|_| panic!("there is no segment")).unwrap();
    assert_eq!(checked.corrections().len(), 1);
}

#[test]
fn a_bundle_of_deletions_travels_as_rows_of_the_list() {
    let home = two_persons();
    let deleted =
        |what: &str| format!("{{\"request\":{{\"method\":\"DELETE\",\"url\":\"{what}\"}}}}");
    let entries = ["Condition/c1", "Patient/p2", "Patient/SECRET"].map(deleted).join(",");
    home.file(
        "deleted.ndjson",
        format!("{{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{entries}]}}\n"),
    );
    home.file("Condition.ndjson", condition("p1", "NOTE"));
    let report = home.seal("2025-06-01").unwrap();
    assert_eq!((report.retractions, report.withheld_segments["intake.deletion"]), (2, 1));
    assert!(!holds(&home.plain(&report.path), "SECRET"));
    let checked = home.open(&report.path).unwrap();
    let records: Vec<&str> = checked.retractions().iter().map(|r| r.record.as_str()).collect();
    assert_eq!(records, ["fhir/Condition/c1", "fhir/Patient/p2"]);
}

#[test]
fn a_list_that_is_half_readable_stops_everything() {
    let home = two_persons();
    write(&home, "p1,fhir_ndjson,Condition,誤登録,2025-05-30\n", "");
    match home.seal("2025-06-01") {
        Err(e @ SealError::Retractions(_)) => assert!(e.ja().contains("2行目、列「record」")),
        other => panic!("{other:?}"),
    }
    write(&home, "", "same_person,p1,p1,x,2025-05-30\n");
    assert!(matches!(home.seal("2025-06-01"), Err(SealError::Corrections(e)) if e.column == "to"));
    assert_eq!(fs::read_dir(home.path().join("outbox")).unwrap().count(), 0);
    // The lists themselves are no input, wherever they lie.
    write(&home, "", "");
    let report = home.seal("2025-06-01").unwrap();
    assert_eq!((report.retractions, report.corrections), (0, 0));
    assert!(!holds(&home.plain(&report.path), "retractions.csv"));
}
