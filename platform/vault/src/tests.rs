mod compact;
mod crash;
mod history;
mod measure;
mod people;
mod plain;
mod stores;
mod versions;
mod world;

use kiban_kernel::{Bases, Id, Regime, kinds};
use kiban_lake::Snapshot;
use kiban_linkage::{Identity, RawIdentity, Sex};
use kiban_register::{
    Anon52, ClearError, Cleared, Pseudo57, StopRequest, link,
    stop::{self, Scope},
};
use kiban_testkit::each_database;
use world::{HOSPITAL, RESIDENTS, TOWN, World, condition, patient, request, resident, told};

use crate::{STORES, VaultError};

const BOTH: [Regime; 2] = Regime::ALL;

fn lines(persons: &[u32]) -> Vec<String> {
    persons.iter().flat_map(|n| [patient(*n), condition(*n, "I10"), condition(*n, "E11")]).collect()
}

async fn receipt(world: &World) -> kiban_audit::Receipt {
    world.log.read(&world.actor, "test", "test").await.unwrap()
}

// vault.refused-nothing, register.regimes
#[tokio::test]
async fn only_what_is_cleared_is_kept_and_under_its_regime_alone() {
    let world = World::new().await;
    let mut notices =
        [told("p1", &BOTH), told("p2", &[Regime::Anon52]), told("p3", &[Regime::Pseudo57])]
            .concat();
    let mut dead = told("p5", &BOTH);
    for notice in &mut dead {
        notice.died_on = "2026-03-31".parse().ok();
    }
    notices.extend(dead);
    let counts = world.deliver(HOSPITAL, "2026-05-02", &notices, &lines(&[1, 2, 3, 4, 5])).await;
    assert_eq!((counts.accepted_persons, counts.accepted_segments), (3, 9));
    assert_eq!(counts.refused_persons["not_notified"], 1);
    assert_eq!(counts.refused_persons["died_before_notice"], 1);
    assert_eq!(counts.refused_segments.values().sum::<u64>(), 6);
    assert_eq!(counts.refused_rows["anon52/not_notified"], 6, "p3 and p4");

    let rows = world.rows(world.head().await).await;
    let bases = |local: &str| {
        let person = world.person(HOSPITAL, local).to_string();
        let mut found: Vec<u8> =
            rows.iter().filter(|(_, p, _)| *p == person).map(|(_, _, b)| *b).collect();
        found.dedup();
        found
    };
    assert_eq!(bases("p1"), [3]);
    assert_eq!(bases("p2"), [1]);
    assert_eq!(bases("p3"), [2]);
    let refused = [world.person(HOSPITAL, "p4"), world.person(HOSPITAL, "p5")];
    assert!(world.vault.persons_present(&refused).await.unwrap().values().all(|n| *n == 0));
}

#[tokio::test]
async fn a_death_that_only_a_later_record_tells_refuses_the_earlier_ones_too() {
    let world = World::new().await;
    let mut all = lines(&[1]);
    all.push(patient(1).replace("\"gender\"", "\"deceasedDateTime\":\"2026-03-30\",\"gender\""));
    let counts = world.deliver(HOSPITAL, "2026-06-01", &told("p1", &BOTH), &all).await;
    assert_eq!(counts.refused_persons["died_before_notice"], 1);
    assert_eq!(counts.accepted_segments, 0);
    assert_eq!(world.head().await, Snapshot(0), "nothing was stored");
}

// vault.not-in-the-clear, register.no-values
#[tokio::test]
async fn no_named_value_is_on_disk_in_the_clear() {
    let world = World::new().await;
    world.deliver(HOSPITAL, "2026-06-01", &told("p1", &BOTH), &lines(&[1])).await;
    let town = [RESIDENTS.to_owned(), resident(1)];
    world.deliver(TOWN, "2026-06-01", &told("R1", &BOTH), &town).await;
    let prepared = link::prepare(world.vault.lake(), &world.keys, &[]).await.unwrap();
    let mut tx = world.log.begin().await.unwrap();
    prepared.commit(world.vault.lake(), &mut tx).await.unwrap();
    let _ = tx.commit(world::event("test.linked", &world.actor)).await.unwrap();
    world.stop(HOSPITAL, "p1", Bases::from_bits(1)).await;

    let values = [
        "試験姓1",
        "花子",
        "シケンセイ",
        "ｼｹﾝｾｲ",
        "シケンセイハナコ",
        "CHART00001",
        "090-5555",
        "架空市一丁目",
        "19510102",
        "病名I10",
    ];
    let files = world.files();
    assert!(files.iter().any(|f| f.ends_with("governance.sqlite")));
    assert!(files.iter().filter(|f| f.extension().is_some_and(|e| e == "kbs")).count() > 10);
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        for value in values {
            let cp932 = [0x8eu8, 0x8e, 0x8c, 0xb1, 0x90, 0xa9];
            let hit = |needle: &[u8]| bytes.windows(needle.len()).any(|w| w == needle);
            assert!(!hit(value.as_bytes()) && !hit(&cp932), "{value} in {}", file.display());
        }
    }
}

// vault.twice-is-once
#[tokio::test]
async fn the_same_segments_again_change_nothing_and_a_missing_basis_is_added() {
    for db in each_database().await {
        let world = World::over(db).await;
        let only52 = told("p1", &[Regime::Anon52]);
        world.deliver(HOSPITAL, "2026-05-02", &only52, &lines(&[1])).await;
        let (first, before) = (world.head().await, world.rows(world.head().await).await);
        let again = world.deliver(HOSPITAL, "2026-05-03", &only52, &lines(&[1])).await;
        assert_eq!((again.duplicate_segments, again.accepted_segments), (3, 0));
        assert_eq!(world.head().await, first, "no new snapshot");

        let counts = world.deliver(HOSPITAL, "2026-06-01", &told("p1", &BOTH), &lines(&[1])).await;
        assert_eq!(counts.accepted_segments, 3);
        let rows = world.rows(world.head().await).await;
        for bit in [1, 2] {
            let under = rows.iter().filter(|(_, _, b)| b & bit != 0).count();
            assert_eq!(under, before.len(), "each row once under regime {bit}");
        }
        let last = world.deliver(HOSPITAL, "2026-06-02", &told("p1", &BOTH), &lines(&[1])).await;
        assert_eq!(last.duplicate_segments, 3);
        assert_eq!(world.rows(first).await, before, "the old snapshot is as it was");
    }
}

// vault.same-bytes
#[tokio::test]
async fn a_row_is_traced_to_the_bytes_sent() {
    let world = World::new().await;
    let sent = lines(&[1]);
    world.deliver(HOSPITAL, "2026-06-01", &told("p1", &BOTH), &sent).await;
    let town = [RESIDENTS.to_owned(), resident(7)];
    world.deliver(TOWN, "2026-06-01", &told("R7", &BOTH), &town).await;
    let receipt = receipt(&world).await;
    let mut conn = world.db.pool().acquire().await.unwrap();
    let person = world.person(HOSPITAL, "p1");
    for line in &sent {
        let segment = world.ids.id(person, b"", line.as_bytes());
        let got = world
            .vault
            .trace(&mut conn, person, segment, world.head().await, &receipt)
            .await
            .unwrap();
        assert_eq!(got.bytes, line.as_bytes());
    }
    let person = world.person(TOWN, "R7");
    let segment = world.ids.id(person, RESIDENTS.as_bytes(), town[1].as_bytes());
    let got =
        world.vault.trace(&mut conn, person, segment, world.head().await, &receipt).await.unwrap();
    assert_eq!((got.bytes, got.position.as_str()), (town.concat().into_bytes(), "row 2"));
    let other = world
        .vault
        .trace(&mut conn, world.person(TOWN, "R8"), segment, world.head().await, &receipt)
        .await;
    assert!(matches!(other, Err(VaultError::NoSegment)));
}

// vault.erased, register.stopped
#[tokio::test]
async fn a_stopped_person_is_in_no_snapshot_and_is_refused_when_sent_again() {
    let world = World::new().await;
    let notices = [told("p1", &BOTH), told("p2", &BOTH)].concat();
    world.deliver(HOSPITAL, "2026-06-01", &notices, &lines(&[1, 2])).await;
    let first = world.head().await;
    let stop = world.receive_stop(&request(HOSPITAL, "p1", Bases::NONE), &STORES).await;
    assert_eq!(stop.regimes, Bases::BOTH, "none named: both");
    let mut conn = world.db.pool().acquire().await.unwrap();
    let open = Cleared::<Anon52>::mint(&mut conn, world.vault.lake()).await;
    assert!(matches!(open, Err(ClearError::OpenStops { count: 1 })));

    let applied = world.apply(&stop).await;
    assert!(applied.open.is_empty());
    let text =
        kiban_audit::note::verify(applied.proof().unwrap(), &[world.signer.verify_key().clone()])
            .unwrap();
    assert!(
        text.contains("受-1-p1-0")
            && text.contains("- vault: bytes ")
            && text.contains("- source: bytes ")
    );
    let (gone, stays) = (world.person(HOSPITAL, "p1"), world.person(HOSPITAL, "p2"));
    assert!(world.vault.persons_present(&[gone]).await.unwrap().values().all(|n| *n == 0));
    assert_eq!(world.rows(first).await.len(), 3, "the old snapshot holds p2 alone");

    let cleared = Cleared::<Anon52>::mint(&mut conn, world.vault.lake()).await.unwrap();
    assert_eq!(cleared.watermark(), 1);
    let (again, since) =
        Cleared::<Pseudo57>::again(&mut conn, world.vault.lake(), first, 0).await.unwrap();
    assert_eq!((again.snapshot(), since.len(), since[0].persons.clone()), (first, 1, vec![gone]));
    assert!(stop::affected(&mut conn, 0, |p| *p == stays).await.unwrap().is_empty());
    assert_eq!(stop::affected(&mut conn, 0, |p| *p == gone).await.unwrap().len(), 1);

    let head = world.head().await;
    let receipt = receipt(&world).await;
    let segment = world.ids.id(gone, b"", patient(1).as_bytes());
    let traced = world.vault.trace(&mut conn, gone, segment, head, &receipt).await;
    assert!(matches!(traced, Err(VaultError::NoSegment)));
    let counts = world.deliver(HOSPITAL, "2026-07-01", &notices, &lines(&[1, 2])).await;
    assert_eq!((counts.refused_persons["stopped"], counts.duplicate_segments), (1, 3));
    assert!(world.vault.persons_present(&[gone]).await.unwrap().values().all(|n| *n == 0));

    let twice = world.apply(&stop).await;
    assert_eq!(twice.proof(), applied.proof());
    assert_eq!(world.head().await, head, "nothing more to do");
}

// vault.erased, register.regimes
#[tokio::test]
async fn a_stop_under_one_regime_leaves_what_the_other_clears() {
    for db in each_database().await {
        let world = World::over(db).await;
        let notices = [told("p1", &BOTH), told("p2", &[Regime::Anon52])].concat();
        world.deliver(HOSPITAL, "2026-06-01", &notices, &lines(&[1, 2])).await;
        let of_52 = Bases::NONE.with(Regime::Anon52);
        let applied = world.stop(HOSPITAL, "p1", of_52).await;
        assert!(applied.proof().is_some());
        let (p1, p2) = (world.person(HOSPITAL, "p1"), world.person(HOSPITAL, "p2"));
        let rows = world.rows(world.head().await).await;
        let bases = |p: Id<kinds::PersonSource>| -> Vec<u8> {
            rows.iter().filter(|(_, of, _)| *of == p.to_string()).map(|(_, _, b)| *b).collect()
        };
        assert_eq!(bases(p1), [2, 2, 2]);
        assert_eq!(bases(p2), [1, 1, 1]);
        for at in 1..world.head().await.0 {
            let of_52 = world
                .rows(Snapshot(at))
                .await
                .into_iter()
                .any(|(_, p, b)| p == p1.to_string() && b & 1 != 0);
            assert!(!of_52, "no snapshot holds the stopped basis");
        }
        let receipt = receipt(&world).await;
        let mut conn = world.db.pool().acquire().await.unwrap();
        let segment = world.ids.id(p1, b"", patient(1).as_bytes());
        let got =
            world.vault.trace(&mut conn, p1, segment, world.head().await, &receipt).await.unwrap();
        assert_eq!(got.bytes, patient(1).as_bytes(), "kept for the other regime under a new key");

        let head = world.head().await;
        let again = world.deliver(HOSPITAL, "2026-07-01", &notices, &lines(&[1])).await;
        assert_eq!(
            (again.duplicate_segments, world.head().await),
            (3, head),
            "not taken in again under 52"
        );
        world.stop(HOSPITAL, "p2", of_52).await;
        assert!(world.vault.persons_present(&[p2]).await.unwrap().values().all(|n| *n == 0));
        world.stop(HOSPITAL, "p1", Bases::NONE.with(Regime::Pseudo57)).await;
        assert!(world.vault.persons_present(&[p1]).await.unwrap().values().all(|n| *n == 0));
        let (keys,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM lake_person_key")
            .fetch_one(&mut *conn)
            .await
            .unwrap();
        assert_eq!(keys, 0, "no key of source bytes is left");
    }
}

#[tokio::test]
async fn a_stop_that_comes_between_makes_the_delivery_stale() {
    let world = World::new().await;
    let notices = told("p1", &BOTH);
    let prepared = world.prepare(HOSPITAL, "2026-06-01", &notices, &lines(&[1])).await;
    world.stop(HOSPITAL, "p1", Bases::BOTH).await;
    assert!(matches!(world.commit(prepared).await, Err(VaultError::Stale)));
    let counts = world.deliver(HOSPITAL, "2026-06-01", &notices, &lines(&[1])).await;
    assert_eq!(counts.refused_persons["stopped"], 1);
    world.vault.lake().collect().await.unwrap();
    assert!(
        !world.files().iter().any(|f| f.extension().is_some_and(|e| e == "kbs")),
        "no byte stays"
    );
}

#[tokio::test]
async fn a_segment_of_which_a_part_is_refused_keeps_its_rows_and_not_its_bytes() {
    let world = World::new().await;
    // the notice lists no notes: a report's text is refused, its patient kept
    let report = r#"{"resourceType":"DiagnosticReport","subject":{"reference":"Patient/p1"},"code":{"text":"肝機能"},"issued":"2024-01-02","conclusion":"異常なし"}"#;
    let sent = vec![patient(1), report.to_owned()];
    let counts = world.deliver(HOSPITAL, "2026-06-01", &told("p1", &BOTH), &sent).await;
    assert_eq!(counts.refused_segments["item_not_listed"], 1);
    assert_eq!(counts.accepted_persons, 1);
}

#[tokio::test]
async fn persons_are_linked_over_holders_and_keep_their_id() {
    let world = World::new().await;
    let relink = async || {
        let prepared = link::prepare(world.vault.lake(), &world.keys, &[]).await.unwrap();
        let report = prepared.report.clone();
        let mut tx = world.log.begin().await.unwrap();
        let at = prepared.commit(world.vault.lake(), &mut tx).await.unwrap();
        let _ = tx.commit(world::event("test.linked", &world.actor)).await.unwrap();
        (report, link::at(world.vault.lake(), at).await.unwrap())
    };
    let all = [1, 2, 3];
    let notices: Vec<_> = all.iter().flat_map(|n| told(&format!("p{n}"), &BOTH)).collect();
    world.deliver(HOSPITAL, "2026-06-01", &notices, &lines(&all)).await;
    let (report, before) = relink().await;
    assert_eq!((report.persons, report.created, report.across_holders), (3, 3, 0));

    let town: Vec<String> =
        [RESIDENTS.to_owned()].into_iter().chain([1, 2, 9].map(resident)).collect();
    let notices: Vec<_> = [1, 2, 9].iter().flat_map(|n| told(&format!("R{n}"), &BOTH)).collect();
    world.deliver(TOWN, "2026-06-01", &notices, &town).await;
    let (report, after) = relink().await;
    assert_eq!((report.person_sources, report.persons, report.across_holders), (6, 4, 2));
    assert_eq!(report.pairs["exact.name"], 2);
    for n in [1, 2] {
        let (here, there) =
            (world.person(HOSPITAL, &format!("p{n}")), world.person(TOWN, &format!("R{n}")));
        assert_eq!(after[&here], after[&there]);
        assert_eq!(after[&here], before[&here], "the oldest member's id");
    }
    let (head, (report, same)) = (world.head().await, relink().await);
    assert_eq!(
        (report.created, same, world.head().await),
        (0, after.clone(), head),
        "nothing new, no snapshot"
    );

    // the town's record outlives the hospital's and keeps the person's id
    world.stop(HOSPITAL, "p1", Bases::BOTH).await;
    let (_, left) = relink().await;
    assert!(!left.contains_key(&world.person(HOSPITAL, "p1")));
    assert_eq!(left[&world.person(TOWN, "R1")], before[&world.person(HOSPITAL, "p1")]);
}

// register.stopped
#[tokio::test]
async fn a_stop_at_all_holders_reaches_what_is_linked_and_what_comes_later() {
    let world = World::new().await;
    world.deliver(HOSPITAL, "2026-06-01", &told("p1", &BOTH), &lines(&[1])).await;
    let town = [RESIDENTS.to_owned(), resident(1), resident(2)];
    let notices = [told("R1", &BOTH), told("R2", &BOTH)].concat();
    world.deliver(TOWN, "2026-06-01", &notices, &town).await;
    let prepared = link::prepare(world.vault.lake(), &world.keys, &[]).await.unwrap();
    let mut tx = world.log.begin().await.unwrap();
    prepared.commit(world.vault.lake(), &mut tx).await.unwrap();
    let _ = tx.commit(world::event("test.linked", &world.actor)).await.unwrap();

    let identity = Identity::normalise(&RawIdentity {
        name_kana: Some("シケンセイ ハナコ"),
        birth_on: "1951-01-02".parse().ok(),
        sex: Some(Sex::Female),
        ..RawIdentity::default()
    });
    let asked = StopRequest {
        scope: Scope::AllHolders,
        identities: vec![identity],
        ..request(HOSPITAL, "p1", Bases::BOTH)
    };
    let stop = world.receive_stop(&asked, &STORES).await;
    let linked = [world.person(HOSPITAL, "p1"), world.person(TOWN, "R1")];
    assert!(linked.iter().all(|p| stop.persons.contains(p)) && stop.persons.len() == 2);
    world.apply(&stop).await;
    assert!(world.vault.persons_present(&linked).await.unwrap().values().all(|n| *n == 0));
    let counts = world.deliver(TOWN, "2026-07-01", &notices, &town).await;
    assert_eq!(counts.refused_persons["stopped"], 1);
    assert_eq!(counts.duplicate_segments, 1, "R2 is another person");
}
