//! Versions of source records: the newest counts, everything stays in the history.

use std::collections::BTreeMap;

use arrow::array::AsArray as _;
use kiban_formats::{Format, source};
use kiban_intake::{
    report::Counts,
    revisions::{Correction, CorrectionKind, Retraction},
};
use kiban_kernel::{Bases, Regime};
use kiban_lake::Snapshot;
use proptest::prelude::*;

use super::world::{HOSPITAL, RESIDENTS, TOWN, World, day, holder, patient, resident, told};
use crate::{Cause, Revisions, State};

const BOTH: [Regime; 2] = Regime::ALL;

fn named(n: u32, id: &str, code: &str) -> String {
    format!(
        r#"{{"resourceType":"Condition","id":"{id}","subject":{{"reference":"Patient/p{n}"}},"code":{{"coding":[{{"system":"urn:icd10","code":"{code}"}}]}}}}"#
    )
}

/// Codes of the conditions at a snapshot, sorted.
async fn codes(world: &World, at: Snapshot) -> Vec<String> {
    let mut out = Vec::new();
    for batch in world.vault.lake().scan("condition", at).await.unwrap() {
        let codes = batch.column_by_name("code").unwrap().as_string::<i32>();
        out.extend(codes.iter().flatten().map(str::to_owned));
    }
    out.sort();
    out
}

async fn send(world: &World, on: &str, lines: &[String], revisions: Revisions<'_>) -> Counts {
    let notices = [told("p1", &BOTH), told("p2", &BOTH)].concat();
    let prepared = world.prepare_with(HOSPITAL, on, &notices, lines, revisions).await;
    world.commit(prepared).await.unwrap().1
}

async fn deliver(world: &World, on: &str, lines: &[String]) -> Counts {
    send(world, on, lines, Revisions::default()).await
}

fn retraction(record: &str, on: &str) -> Retraction {
    Retraction {
        local_id: "p1".into(),
        format: Format::FhirNdjson,
        record: source::name_of(Format::FhirNdjson, record).unwrap(),
        reason: "誤登録".into(),
        on: day(on),
    }
}

async fn history(world: &World, record: &str) -> Vec<crate::RecordVersion> {
    let id = world.ids.record(holder(HOSPITAL), &format!("fhir/{record}"));
    world.vault.versions_of_record(holder(HOSPITAL), id).await.unwrap()
}

#[tokio::test]
async fn a_correction_counts_alone_and_its_history_shows_both_values() {
    let world = World::new().await;
    let first = [patient(1), named(1, "c1", "I10"), named(1, "c2", "J45")];
    deliver(&world, "2026-06-01", &first).await;
    let before = world.head().await;
    let second = [patient(1), named(1, "c1", "E11"), named(1, "c2", "J45")];
    let counts = deliver(&world, "2026-07-01", &second).await;
    assert_eq!(
        (counts.accepted_segments, counts.duplicate_segments, counts.superseded_segments),
        (1, 2, 1)
    );
    assert_eq!(codes(&world, world.head().await).await, ["E11", "J45"]);
    assert_eq!(codes(&world, before).await, ["I10", "J45"], "what was is as it was");

    let versions = history(&world, "Condition/c1").await;
    assert_eq!(versions.iter().map(|v| v.in_use).collect::<Vec<_>>(), [false, true]);
    assert!(versions.iter().all(|v| v.state == State::Current && v.cause == Cause::Source));
    assert_ne!(versions[0].delivery, versions[1].delivery);
    assert_eq!(versions[0].position, "line 2");
    let receipt = world.log.read(&world.actor, "test", "test").await.unwrap();
    let mut conn = world.db.pool().acquire().await.unwrap();
    for (version, code) in versions.iter().zip(["I10", "E11"]) {
        let read = world.vault.values_of(&mut conn, version, &receipt).await.unwrap();
        let (path, values) = read.unwrap();
        assert_eq!(path, "data/all");
        let told = values.iter().find(|v| (v.table, v.column) == ("condition", "code")).unwrap();
        assert_eq!(told.value, code);
    }
    drop(conn);
    let person = world.person(HOSPITAL, "p1");
    assert_eq!(world.vault.versions_of_person(person).await.unwrap().len(), 4);

    // The same content sealed anew changes nothing; the first content again counts again.
    let head = world.head().await;
    let again = deliver(&world, "2026-07-02", &second).await;
    assert_eq!((again.duplicate_segments, again.accepted_segments), (3, 0));
    assert_eq!(world.head().await, head);
    let back = deliver(&world, "2026-08-01", &first).await;
    assert_eq!((back.accepted_segments, back.superseded_segments), (1, 1));
    assert_eq!(codes(&world, world.head().await).await, ["I10", "J45"]);
    assert_eq!(history(&world, "Condition/c1").await.len(), 3);

    // A delivery that was sealed earlier and comes later is history only.
    let late = [named(1, "c1", "K50")];
    let counts = deliver(&world, "2026-07-15", &late).await;
    assert_eq!((counts.accepted_segments, counts.history_segments), (1, 1));
    assert_eq!(codes(&world, world.head().await).await, ["I10", "J45"]);
    let last = history(&world, "Condition/c1").await.pop().unwrap();
    assert_eq!((last.state, last.in_use), (State::Older, false));

    // A stop takes the history with it.
    world.stop(HOSPITAL, "p1", Bases::BOTH).await;
    assert!(world.vault.versions_of_person(person).await.unwrap().is_empty());
    assert!(codes(&world, before).await.is_empty());
}

#[tokio::test]
async fn what_is_taken_back_leaves_use_and_stays_in_the_history() {
    let world = World::new().await;
    let lines = [patient(1), named(1, "c1", "I10"), named(1, "c2", "J45"), named(1, "c3", "K50")];
    deliver(&world, "2026-06-01", &lines).await;
    // By the source itself.
    let error = named(1, "c1", "I10").replace(
        "\"subject\"",
        "\"verificationStatus\":{\"coding\":[{\"code\":\"entered-in-error\"}]},\"subject\"",
    );
    let counts = deliver(&world, "2026-06-02", std::slice::from_ref(&error)).await;
    assert_eq!((counts.history_segments, counts.withdrawn_records), (1, 1));
    assert_eq!(codes(&world, world.head().await).await, ["J45", "K50"]);
    assert_eq!(deliver(&world, "2026-06-03", &[error]).await.duplicate_segments, 1);
    // By the list; of an unknown record, and a second time, nothing.
    let list = [retraction("Condition/c2", "2026-06-03"), retraction("Condition/x", "2026-06-03")];
    let revisions = Revisions { retractions: &list, corrections: &[] };
    let counts = send(&world, "2026-06-04", &[], revisions).await;
    assert_eq!((counts.withdrawn_records, counts.idle_revisions), (1, 1));
    assert_eq!(codes(&world, world.head().await).await, ["K50"]);
    let versions = history(&world, "Condition/c2").await;
    assert_eq!(versions.last().map(|v| (v.state, v.cause)), Some((State::Withdrawn, Cause::List)));
    let head = world.head().await;
    let again = send(&world, "2026-06-05", &[], revisions).await;
    assert_eq!((again.withdrawn_records, again.idle_revisions), (0, 2));
    assert_eq!(world.head().await, head);
    // The holder sends the record anew: it counts, and the old row of the list does not take it back again.
    deliver(&world, "2026-06-06", &[named(1, "c2", "J45")]).await;
    assert_eq!(codes(&world, world.head().await).await, ["J45", "K50"]);
    send(&world, "2026-06-07", &[], revisions).await;
    assert_eq!(codes(&world, world.head().await).await, ["J45", "K50"]);
}

fn correction(kind: CorrectionKind, from: &str, to: &str) -> Correction {
    Correction {
        kind,
        from: from.into(),
        to: to.into(),
        delivery: None,
        reason: "取違え".into(),
        on: day("2026-06-02"),
    }
}

#[tokio::test]
async fn records_under_a_wrong_number_leave_use_and_what_is_sent_anew_counts() {
    let world = World::new().await;
    let first = [
        patient(1),
        patient(2),
        named(1, "c1", "I10"),
        named(1, "c2", "J45"),
        named(2, "c3", "K50"),
    ];
    deliver(&world, "2026-06-01", &first).await;
    // c2 was of p2: under p1 everything is in doubt until it comes again.
    let wrong = [correction(CorrectionKind::WrongPatient, "p1", "p2")];
    let revisions = Revisions { retractions: &[], corrections: &wrong };
    let anew = [patient(1), named(1, "c1", "I10"), named(2, "c2", "J45")];
    let counts = send(&world, "2026-06-03", &anew, revisions).await;
    assert_eq!(counts.withdrawn_records, 3, "patient, c1, c2");
    assert_eq!(codes(&world, world.head().await).await, ["I10", "J45", "K50"]);
    let rows = world.vault.lake().scan("condition", world.head().await).await.unwrap();
    let mut of_p2 = 0;
    let p2 = world.person(HOSPITAL, "p2").to_string();
    for batch in &rows {
        let persons = batch.column_by_name("person_source").unwrap().as_string::<i32>();
        of_p2 += persons.iter().flatten().filter(|p| *p == p2).count();
    }
    assert_eq!(of_p2, 2);
    let versions = history(&world, "Condition/c2").await;
    assert_eq!(versions.last().map(|v| v.person), Some(world.person(HOSPITAL, "p2")));

    // Rows that have no name in their source leave too, and come back with their bytes.
    let town = |on, lines: Vec<String>, revisions| {
        let world = &world;
        async move {
            let notices = told("R1", &BOTH);
            let prepared = world.prepare_with(TOWN, on, &notices, &lines, revisions).await;
            world.commit(prepared).await.unwrap().1
        }
    };
    let table = vec![RESIDENTS.to_owned(), resident(1)];
    let rows_of = async || {
        let person = [world.person(TOWN, "R1")];
        let at = world.head().await;
        let batches = world.vault.lake().scan_persons("person", at, &person).await.unwrap();
        batches.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>()
    };
    town("2026-06-01", table.clone(), Revisions::default()).await;
    assert_eq!(rows_of().await, 1);
    let two = [correction(CorrectionKind::TwoPersons, "R1", "R2")];
    let revisions = Revisions { retractions: &[], corrections: &two };
    let counts = town("2026-06-02", vec![RESIDENTS.to_owned()], revisions).await;
    assert_eq!(counts.withdrawn_records, 1);
    assert_eq!(rows_of().await, 0);
    let counts = town("2026-06-03", table.clone(), Revisions::default()).await;
    assert_eq!(counts.accepted_segments, 1);
    assert_eq!(rows_of().await, 1);
    assert_eq!(town("2026-06-04", table, Revisions::default()).await.duplicate_segments, 1);
}

#[derive(Debug, Clone)]
struct Sent(Vec<(u8, u8)>);

fn deliveries() -> impl Strategy<Value = Vec<Sent>> {
    let one = proptest::collection::vec((0..4_u8, 0..4_u8), 1..6).prop_map(Sent);
    proptest::collection::vec(one, 1..6)
}

async fn play(deliveries: Vec<Sent>) {
    let world = World::new().await;
    let mut model: BTreeMap<u8, u8> = BTreeMap::new();
    let mut snapshots = Vec::new();
    for (n, Sent(sent)) in deliveries.iter().enumerate() {
        // The code 3 stands for a record entered in error.
        let lines: Vec<String> = sent
            .iter()
            .map(|(id, code)| {
                let line = named(1, &format!("c{id}"), &format!("C{code}"));
                if *code == 3 {
                    let status = "\"verificationStatus\":{\"coding\":[{\"code\":\"entered-in-error\"}]},\"subject\"";
                    line.replace("\"subject\"", status)
                } else {
                    line
                }
            })
            .collect();
        let counts = deliver(&world, &format!("2026-06-{:02}", n + 1), &lines).await;
        assert_eq!(counts.segments, sent.len() as u64);
        for (id, code) in sent {
            if *code == 3 {
                model.remove(id);
            } else {
                model.insert(*id, *code);
            }
        }
        let mut expected: Vec<String> = model.values().map(|c| format!("C{c}")).collect();
        expected.sort();
        snapshots.push((world.head().await, expected));
        for (at, expected) in snapshots.iter().filter(|(at, _)| at.0 > 0) {
            assert_eq!(codes(&world, *at).await, *expected, "at {at} after {n}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    // vault.newest-counts, vault.erasure-only
    #[test]
    fn the_last_word_on_each_record_counts_and_snapshots_stay(deliveries in deliveries()) {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
            .block_on(play(deliveries));
    }
}
