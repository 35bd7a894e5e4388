//! audit.tamper-evident, the database's side: every change of every event is found and named.

use kiban_audit::verify::{CheckpointFault, Finding, Place, Tamper};
use kiban_testkit::{TestDb, each_database};
use proptest::prelude::*;

use crate::deployment::{State, grow, verify, verify_db};

const EVENTS: u64 = 11;

fn bad(index: usize, what: Tamper) -> Finding {
    Finding::Event { index: index as u64, what, place: Place::Database }
}

/// Verify with the copy and without: both must name the same event.
async fn expect(test: &TestDb, state: &State, finding: Finding) {
    state.write(test.db()).await;
    assert_eq!(verify(test).await, Err(finding.clone()));
    assert_eq!(verify_db(test).await, Err(finding.clone()));
    assert!(!finding.ja().is_empty() && !finding.to_string().is_empty());
}

#[tokio::test]
async fn every_tampering_with_every_event_is_named() {
    for test in each_database().await {
        grow(&test.log().await, 0..EVENTS).await;
        let good = State::read(test.db()).await;
        assert_eq!(verify(&test).await.unwrap().events, EVENTS);
        let all = good.events.len();
        for i in 0..all {
            for fixed in [false, true] {
                let mut state = good.clone();
                state.events[i].event = state.events[i].event.replace("\"rows\":", "\"rows\":1");
                if fixed {
                    state.events[i].fix();
                }
                expect(&test, &state, bad(i, Tamper::Changed)).await;

                // Not even JSON any more.
                let mut state = good.clone();
                state.events[i].event = "gone".into();
                if fixed {
                    state.events[i].fix();
                }
                expect(&test, &state, bad(i, Tamper::Changed)).await;

                // Deleted; in one case the rest moves up to close the gap.
                let mut state = good.clone();
                state.events.remove(i);
                if fixed {
                    state.renumber();
                }
                let cut = Tamper::Cut { of: EVENTS };
                let what = if i + 1 == all { cut } else { Tamper::Deleted };
                expect(&test, &state, bad(i, what)).await;

                // A made-up event in between.
                let mut state = good.clone();
                let mut made_up = state.events[i].clone();
                made_up.event = made_up.event.replace("\"rows\":", "\"rows\":9");
                if fixed {
                    made_up.fix();
                }
                state.events.insert(i, made_up);
                state.renumber();
                expect(&test, &state, bad(i, Tamper::Inserted)).await;
            }
            // Swapped with each later one: the texts alone, and the whole rows.
            for j in i + 1..all {
                let mut state = good.clone();
                state.events.swap(i, j);
                state.renumber();
                let what = Tamper::Swapped { with: j as u64 };
                expect(&test, &state, bad(i, what)).await;
            }
            // Cut from here on.
            let mut state = good.clone();
            state.events.truncate(i);
            expect(&test, &state, bad(i, Tamper::Cut { of: EVENTS })).await;
        }
        good.write(test.db()).await;
        assert_eq!(verify(&test).await.unwrap().events, EVENTS);
    }
}

#[tokio::test]
async fn what_stands_beside_the_events_is_checked_too() {
    for test in each_database().await {
        grow(&test.log().await, 0..EVENTS).await;
        let good = State::read(test.db()).await;
        for i in 0..good.events.len() {
            let mut state = good.clone();
            state.events[i].leaf_hash = good.events[(i + 1) % good.events.len()].leaf_hash.clone();
            expect(&test, &state, bad(i, Tamper::LeafHash)).await;
            for column in 0..5 {
                let mut state = good.clone();
                state.events[i].columns[column].push('0');
                expect(&test, &state, bad(i, Tamper::Columns)).await;
            }
            let size = i as u64 + 1;
            let fault = |what| Finding::Checkpoint { size, what, place: Place::Database };
            let mut state = good.clone();
            state.checkpoints.remove(i);
            if i + 1 < good.events.len() {
                expect(&test, &state, fault(CheckpointFault::Missing)).await;
            } else {
                // Without the copy nothing says that the last event was ever committed.
                state.write(test.db()).await;
                assert_eq!(verify(&test).await, Err(fault(CheckpointFault::Missing)));
                assert_eq!(verify_db(&test).await, Err(bad(i, Tamper::Inserted)));
            }
            let mut state = good.clone();
            state.checkpoints[i].1 = good.checkpoints[(i + 1) % 5].1.clone();
            if state != good {
                expect(&test, &state, fault(CheckpointFault::Size)).await;
            }
            let mut state = good.clone();
            state.checkpoints[i].1 = state.checkpoints[i].1.replace("\n\n", "\nmore\n\n");
            state.write(test.db()).await;
            let found = verify(&test).await.unwrap_err();
            assert_eq!(found.event(), Some(i as u64));
            assert!(matches!(found, Finding::Checkpoint { what: CheckpointFault::Note(_), .. }));
        }
        for i in 0..good.nodes.len() {
            let mut state = good.clone();
            state.nodes[i].1 = good.nodes[(i + 1) % good.nodes.len()].1.clone();
            state.write(test.db()).await;
            let found = verify_db(&test).await.unwrap_err();
            assert!(matches!(found, Finding::Event { what: Tamper::Node, .. }), "{found}");
        }
        let extra = Finding::Extra { index: EVENTS };
        let mut state = good.clone();
        state.checkpoints.push((0, good.checkpoints[0].1.clone()));
        expect(&test, &state, extra.clone()).await;
        let mut state = good.clone();
        state.nodes.push((good.nodes.len() as i64, good.nodes[0].1.clone()));
        expect(&test, &state, extra).await;
        let mut state = good.clone();
        let mut before = state.events[0].clone();
        before.index = -1;
        state.events.push(before);
        expect(&test, &state, bad(0, Tamper::Inserted)).await;
    }
}

#[derive(Debug, Clone)]
enum Act {
    Change(usize, usize, u8),
    Delete(usize),
    Double(usize, usize),
    Swap(usize, usize),
    Cut(usize),
    Checkpoint(usize, usize),
    Node(usize, usize),
}

fn act() -> impl Strategy<Value = Act> {
    let n = 0..1000_usize;
    prop_oneof![
        (n.clone(), n.clone(), 1..=255_u8).prop_map(|(i, at, x)| Act::Change(i, at, x)),
        n.clone().prop_map(Act::Delete),
        (n.clone(), n.clone()).prop_map(|(i, j)| Act::Double(i, j)),
        (n.clone(), n.clone()).prop_map(|(i, j)| Act::Swap(i, j)),
        n.clone().prop_map(Act::Cut),
        (n.clone(), n.clone()).prop_map(|(i, j)| Act::Checkpoint(i, j)),
        (n.clone(), n).prop_map(|(i, j)| Act::Node(i, j)),
    ]
}

fn apply(state: &mut State, act: &Act, fix: bool) {
    let all = state.events.len().max(1);
    match *act {
        Act::Change(i, at, x) if !state.events.is_empty() => {
            let row = &mut state.events[i % all];
            let mut bytes = std::mem::take(&mut row.event).into_bytes();
            let at = at % bytes.len();
            bytes[at] = b' ' + (bytes[at] ^ x) % 95;
            row.event = String::from_utf8_lossy(&bytes).into_owned();
        }
        Act::Delete(i) if !state.events.is_empty() => drop(state.events.remove(i % all)),
        Act::Double(i, j) if !state.events.is_empty() => {
            let row = state.events[i % all].clone();
            state.events.insert(j % all, row);
        }
        Act::Swap(i, j) if !state.events.is_empty() => state.events.swap(i % all, j % all),
        Act::Cut(i) => state.events.truncate(i % all),
        Act::Checkpoint(i, j) => {
            let all = state.checkpoints.len();
            state.checkpoints[i % all].1 = state.checkpoints[j % all].1.clone();
        }
        Act::Node(i, j) => {
            let all = state.nodes.len();
            state.nodes[i % all].1 = state.nodes[j % all].1.clone();
        }
        _ => {}
    }
    state.renumber();
    if fix {
        state.events.iter_mut().for_each(super::deployment::Row::fix);
    }
}

#[test]
fn random_tampering_is_always_found() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test = runtime.block_on(async {
        let test = TestDb::sqlite().await;
        grow(&test.log().await, 0..EVENTS).await;
        test
    });
    let good = runtime.block_on(State::read(test.db()));
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() };
    proptest!(config, |(acts in proptest::collection::vec(act(), 1..4), fix: bool)| {
        let mut state = good.clone();
        for act in &acts {
            apply(&mut state, act, fix);
        }
        // Places and leaf hashes may have been mended back to what they were.
        let first = (0..20).find(|i| state.events.get(*i) != good.events.get(*i));
        runtime.block_on(async {
            state.write(test.db()).await;
            let whole = verify(&test).await;
            let alone = verify_db(&test).await;
            prop_assert_eq!(whole.is_ok(), state == good, "{:?}", whole);
            prop_assert_eq!(alone.is_ok(), state == good, "{:?}", alone);
            if let (Some(first), true) = (first, state.checkpoints == good.checkpoints && state.nodes == good.nodes) {
                prop_assert_eq!(whole.unwrap_err().event(), Some(first as u64));
                prop_assert_eq!(alone.unwrap_err().event(), Some(first as u64));
            }
            Ok(())
        })?;
    });
}
