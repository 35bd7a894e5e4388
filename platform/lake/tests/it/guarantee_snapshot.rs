//! `lake.snapshot` and `lake.one-commit`: generated histories, compared with a naive model.

use std::collections::BTreeMap;

use kiban_lake::{LakeError, Snapshot};
use kiban_testkit::{NoSteps, each_database};
use proptest::prelude::*;

use crate::support::{Deployment, batch, person};

const TABLES: [&str; 2] = ["condition", "person_link"];
const PERSONS: u64 = 12;

#[derive(Debug, Clone)]
enum Act {
    /// Both tables in one transaction.
    Append([Vec<(u64, i64)>; 2]),
    Replace(usize, Vec<(u64, i64)>),
    Erase(Vec<u64>),
    /// Appended, and the transaction given up.
    GiveUp(usize, Vec<(u64, i64)>),
    /// Staged and never appended.
    Forget(usize, Vec<(u64, i64)>),
    Reopen,
}

fn rows() -> impl Strategy<Value = Vec<(u64, i64)>> {
    prop::collection::vec((0..PERSONS, -1000..1000_i64), 0..15)
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (rows(), rows()).prop_map(|(a, b)| Act::Append([a, b])),
        1 => (0..2_usize, rows()).prop_map(|(t, r)| Act::Replace(t, r)),
        2 => prop::collection::vec(0..PERSONS, 0..4).prop_map(Act::Erase),
        1 => (0..2_usize, rows()).prop_map(|(t, r)| Act::GiveUp(t, r)),
        1 => (0..2_usize, rows()).prop_map(|(t, r)| Act::Forget(t, r)),
        1 => Just(Act::Reopen),
    ]
}

/// For each snapshot, the rows of each table.
#[derive(Default)]
struct Model(BTreeMap<u64, [Vec<(u64, i64)>; 2]>);

impl Model {
    fn next(&mut self) -> &mut [Vec<(u64, i64)>; 2] {
        let (head, last) =
            self.0.last_key_value().map_or((0, Default::default()), |(s, t)| (*s, t.clone()));
        self.0.entry(head + 1).or_insert(last)
    }

    fn erase(&mut self, persons: &[u64]) {
        self.next();
        for rows in self.0.values_mut().flatten() {
            rows.retain(|(p, _)| !persons.contains(p));
        }
    }
}

async fn run(mut d: Deployment, acts: Vec<Act>, can_reopen: bool) {
    let mut model = Model::default();
    let stage = async |d: &Deployment, t: usize, rows: &[(u64, i64)]| {
        d.lake.stage(TABLES[t], vec![batch(TABLES[t], rows)]).await.unwrap()
    };
    for act in acts {
        match act {
            Act::Append(rows) => {
                let staged = vec![stage(&d, 0, &rows[0]).await, stage(&d, 1, &rows[1]).await];
                let mut tx = d.log.begin().await.unwrap();
                let snapshot = d.lake.append(&mut tx, staged).await.unwrap();
                let _ = d.commit(tx).await;
                model.next().iter_mut().zip(rows).for_each(|(all, new)| all.extend(new));
                assert_eq!(Some(&snapshot.0), model.0.keys().last());
            }
            Act::Replace(t, rows) => {
                let staged = stage(&d, t, &rows).await;
                let mut tx = d.log.begin().await.unwrap();
                d.lake.replace(&mut tx, TABLES[t], vec![staged]).await.unwrap();
                let _ = d.commit(tx).await;
                model.next()[t] = rows;
            }
            Act::Erase(persons) => {
                d.erase(&persons).await;
                model.erase(&persons);
            }
            Act::GiveUp(t, rows) => {
                let staged = stage(&d, t, &rows).await;
                let mut tx = d.log.begin().await.unwrap();
                d.lake.append(&mut tx, vec![staged]).await.unwrap();
                tx.rollback().await.unwrap();
            }
            Act::Forget(t, rows) => drop(stage(&d, t, &rows).await),
            Act::Reopen if can_reopen => {
                let dir = d.dir.clone();
                drop(d);
                d = Deployment::in_folder(&dir, std::sync::Arc::new(NoSteps)).await;
                assert_eq!(d.verify().await.findings, [], "opening leaves no orphan");
            }
            Act::Reopen => {}
        }
    }
    // A commit decides what became of transactions that were given up.
    d.append(TABLES[0], &[]).await;
    model.next();
    d.lake.collect().await.unwrap();
    assert_eq!(d.lake.head().await.unwrap().0, *model.0.keys().last().unwrap());
    for (snapshot, tables) in &model.0 {
        for (table, want) in TABLES.iter().zip(tables) {
            let mut want = want.clone();
            want.sort_unstable();
            assert_eq!(d.rows(table, Snapshot(*snapshot)).await, want, "{table} at {snapshot}");
            let some = d
                .lake
                .scan_persons(table, Snapshot(*snapshot), &[person(3), person(5)])
                .await
                .unwrap();
            want.retain(|(p, _)| [3, 5].contains(p));
            assert_eq!(crate::support::numbers(table, &some), want);
        }
    }
    let report = d.verify().await;
    assert_eq!(report.findings, []);
    assert_eq!(report.snapshots, model.0.len() as u64);
    assert_eq!(report.files, d.disk().len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_snapshot_reads_as_the_model_says(acts in prop::collection::vec(act(), 0..10)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            run(Deployment::in_folder(dir.path(), std::sync::Arc::new(NoSteps)).await, acts, true).await;
        });
    }
}

#[tokio::test]
async fn one_history_on_each_database() {
    for db in each_database().await {
        let acts = vec![
            Act::Append([vec![(1, 1), (2, 2), (9, 3)], vec![(1, 5)]]),
            Act::Append([vec![(1, 7), (3, 8)], vec![]]),
            Act::GiveUp(0, vec![(4, 4)]),
            Act::Replace(1, vec![(2, 6), (1, 9)]),
            Act::Erase(vec![1]),
            Act::Append([vec![(5, 5)], vec![(5, 5)]]),
        ];
        run(Deployment::on(&db).await, acts, false).await;
    }
}

#[tokio::test]
async fn several_changes_of_one_transaction_make_one_event() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), std::sync::Arc::new(NoSteps)).await;
    let a = d.lake.stage("condition", vec![batch("condition", &[(1, 1)])]).await.unwrap();
    let b = d.lake.stage("person_link", vec![batch("person_link", &[(1, 1)])]).await.unwrap();
    let mut tx = d.log.begin().await.unwrap();
    assert_eq!(d.lake.append(&mut tx, vec![a]).await.unwrap(), Snapshot(1));
    assert_eq!(d.lake.replace(&mut tx, "person_link", vec![b]).await.unwrap(), Snapshot(2));
    let _ = d.commit(tx).await;
    let events = d.log.events(0, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].notes("lake").len(), 2);
    assert_eq!(d.verify().await.findings, []);
}

#[tokio::test]
async fn a_snapshot_of_the_future_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let d = Deployment::in_folder(dir.path(), std::sync::Arc::new(NoSteps)).await;
    assert_eq!(d.rows("person", Snapshot(0)).await, []);
    let got = d.lake.scan("person", Snapshot(1)).await;
    assert!(matches!(got, Err(LakeError::NoSnapshot { at: 1, head: 0 })));
    assert!(matches!(d.lake.scan("nothing", Snapshot(0)).await, Err(LakeError::UnknownTable)));
}
