//! The vault's five stores answer for themselves, and what comes after a stop was taken back.

use std::collections::BTreeMap;

use arrow::array::AsArray as _;
use kiban_kernel::{Bases, Regime};
use kiban_lake::schema;
use kiban_register::{Erases, stop};

use super::{
    BOTH, lines,
    world::{HOSPITAL, World, condition, day, event, patient, request, told},
};
use crate::STORES;

/// Rows of the persons `p1` and `p2` by table at the newest snapshot.
async fn contents(world: &World) -> BTreeMap<(String, &'static str), u64> {
    let head = world.head().await;
    let mut out = BTreeMap::new();
    for local in ["p1", "p2"] {
        let person = world.person(HOSPITAL, local);
        for table in schema::tables() {
            let batches =
                world.vault.lake().scan_persons(&table.name, head, &[person]).await.unwrap();
            let rows: usize = batches.iter().map(|b| b.num_rows()).sum();
            if rows > 0 {
                out.insert((table.name.clone(), local), rows as u64);
            }
        }
    }
    out
}

// vault.erased
#[tokio::test]
async fn each_store_answers_for_itself_in_any_order() {
    for regimes in [Bases::BOTH, Bases::NONE.with(Regime::Anon52)] {
        let mut outcomes = Vec::new();
        for turn in 0..STORES.len() {
            let world = World::new().await;
            let notices = [told("p1", &BOTH), told("p2", &BOTH)].concat();
            world.deliver(HOSPITAL, "2026-06-01", &notices, &lines(&[1, 2])).await;
            let old = world.head().await;
            let stop = world.receive_stop(&request(HOSPITAL, "p1", regimes), &STORES).await;
            // Each store alone, one after the other, beginning with another one each time; the rest is silent.
            let mut last = None;
            for n in 0..STORES.len() {
                let stores = world.vault.stores();
                let one = &stores[(turn + n) % STORES.len()];
                let ports: [&dyn Erases; 1] = [one];
                let applied =
                    stop::apply(&world.log, &world.actor, stop.id, &ports, world.signer.key())
                        .await
                        .unwrap();
                assert_eq!(applied.open.len(), STORES.len() - 1 - n, "{:?}", applied.open);
                last = Some(applied);
            }
            let sheet = last.unwrap();
            let sheet =
                stop::proof::verify(sheet.proof().unwrap(), &[world.signer.verify_key().clone()])
                    .unwrap();
            let stop::proof::Sheet::Case { stores, .. } = sheet else { panic!("of a case") };
            let erased: Vec<&str> = stores
                .iter()
                .filter(|s| s.counts.get("rows").is_some_and(|n| *n > 0))
                .map(|s| s.store.as_str())
                .collect();
            // Nobody was linked here, so the links held nothing.
            let expected = if regimes == Bases::BOTH {
                vec!["history", "notices", "source", "vault"]
            } else {
                // Every record is still kept under the other regime, so its versions are, too.
                vec!["notices", "source", "vault"]
            };
            assert_eq!(erased, expected);
            let of_source = stores.iter().find(|s| s.store == "source").unwrap();
            let bytes: usize = lines(&[1]).iter().map(String::len).sum();
            assert_eq!(of_source.counts["source_bytes"], bytes as u64);
            let person = world.person(HOSPITAL, "p1");
            for table in schema::tables().iter().filter(|t| erased.len() == 4 || t.name == "person")
            {
                let older =
                    world.vault.lake().scan_persons(&table.name, old, &[person]).await.unwrap();
                assert!(older.is_empty(), "{} of the older snapshot", table.name);
            }
            outcomes.push(contents(&world).await);
        }
        assert!(outcomes.iter().all(|o| *o == outcomes[0]), "{outcomes:#?}");
        let of_p1 = outcomes[0].keys().filter(|(_, p)| *p == "p1").count();
        assert_eq!(of_p1 == 0, regimes == Bases::BOTH);
    }
}

fn dated(n: u32, code: &str, on: &str) -> String {
    condition(n, code).replace("\"subject\"", &format!("\"recordedDate\":\"{on}\",\"subject\""))
}

// B8: withdrawal of a stop
#[tokio::test]
async fn after_a_withdrawal_only_what_arose_under_a_new_notice_comes_in() {
    let world = World::new().await;
    let old = told("p1", &BOTH);
    let before = [patient(1), dated(1, "I10", "2026-05-20")];
    world.deliver(HOSPITAL, "2026-06-01", &old, &before).await;
    let stop = world.receive_stop(&request(HOSPITAL, "p1", Bases::BOTH), &STORES).await;
    let withdrawal = stop::Withdrawal {
        stop: stop.id,
        withdrawn_on: day("2026-07-01"),
        receipt_number: "撤-1".into(),
        requester: stop::Requester::Person,
        evidence: "本人確認".into(),
    };
    let withdraw = async |withdrawal: &stop::Withdrawal| {
        let mut tx = world.log.begin().await.unwrap();
        stop::withdraw(&mut tx, withdrawal).await?;
        let _ = tx.commit(event("stop.withdrawn", &world.actor)).await.unwrap();
        Ok::<(), kiban_register::StopError>(())
    };
    let open = withdraw(&withdrawal).await;
    assert!(matches!(open, Err(kiban_register::StopError::Open)));
    world.apply(&stop).await;
    let early = stop::Withdrawal { withdrawn_on: day("2026-01-01"), ..withdrawal.clone() };
    assert!(matches!(withdraw(&early).await, Err(kiban_register::StopError::TooEarly)));
    withdraw(&withdrawal).await.unwrap();
    assert!(matches!(withdraw(&withdrawal).await, Err(kiban_register::StopError::Withdrawn)));

    let refused = |counts: &kiban_intake::report::Counts| {
        counts.refused_persons.keys().cloned().collect::<Vec<_>>().join(" ")
    };
    // Before its day the withdrawal does not count.
    let counts = world.deliver(HOSPITAL, "2026-06-30", &old, &before).await;
    assert_eq!(refused(&counts), "stopped");
    // The old notice is none any more.
    let counts = world.deliver(HOSPITAL, "2026-08-01", &old, &before).await;
    assert_eq!(refused(&counts), "notice_before_withdrawal");
    let mut new = old.clone();
    for notice in &mut new {
        notice.notified_on = day("2026-07-02");
    }
    let both = [old, new].concat();
    let sent = [
        patient(1),
        dated(1, "I10", "2026-05-20"),
        condition(1, "E11"),
        dated(1, "J45", "2026-07-02"),
        dated(1, "K21", "2026-08-05"),
    ];
    let counts = world.deliver(HOSPITAL, "2026-08-01", &both, &sent).await;
    assert_eq!(refused(&counts), "wait_running", "the last day of the wait");
    let counts = world.deliver(HOSPITAL, "2026-08-02", &both, &sent).await;
    assert_eq!((counts.accepted_persons, counts.accepted_segments), (1, 3));
    assert_eq!(counts.refused_segments["before_new_notice"], 2, "one too old, one without a date");
    let head = world.head().await;
    let batches = world.vault.lake().scan("condition", head).await.unwrap();
    let mut codes: Vec<String> = batches
        .iter()
        .flat_map(|b| {
            let codes = b.column_by_name("code").unwrap().as_string::<i32>();
            (0..b.num_rows()).map(|r| codes.value(r).to_owned()).collect::<Vec<_>>()
        })
        .collect();
    codes.sort();
    assert_eq!(codes, ["J45", "K21"]);
    // The stop stays on the register; asked again, it holds again.
    let again = kiban_register::StopRequest {
        receipt_number: "受-再".into(),
        ..request(HOSPITAL, "p1", Bases::BOTH)
    };
    let stop = world.receive_stop(&again, &STORES).await;
    world.apply(&stop).await;
    let counts = world.deliver(HOSPITAL, "2026-09-01", &both, &sent).await;
    assert_eq!(refused(&counts), "stopped");
}
