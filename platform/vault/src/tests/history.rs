//! Histories of deliveries and stops against a naive model of what each snapshot must hold.

use std::collections::{BTreeMap, BTreeSet};

use kiban_kernel::{Bases, Regime};
use kiban_lake::Snapshot;
use proptest::prelude::*;

use super::world::{HOSPITAL, World, condition, patient, told};

#[derive(Debug, Clone)]
enum Act {
    /// Persons sent, with what they were told; conditions by code.
    Deliver(Vec<(u32, u8, u8)>),
    Stop(u32, u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let deliver =
        proptest::collection::vec((1..5_u32, 0..4_u8, 0..3_u8), 1..5).prop_map(Act::Deliver);
    let stop = (1..5_u32, 1..4_u8).prop_map(|(p, b)| Act::Stop(p, b));
    proptest::collection::vec(prop_oneof![3 => deliver, 1 => stop], 1..6)
}

/// What the model holds of a snapshot: (person, item, regime bit).
type Items = BTreeSet<(u32, String, u8)>;

#[derive(Default)]
struct Model {
    snapshots: BTreeMap<u64, Items>,
    now: Items,
    stopped: BTreeMap<u32, u8>,
}

impl Model {
    fn deliver(&mut self, sent: &[(u32, u8, u8)]) {
        for (person, told, code) in sent {
            let cleared = told & !self.stopped.get(person).copied().unwrap_or(0);
            for bit in [1, 2].into_iter().filter(|bit| cleared & bit != 0) {
                self.now.insert((*person, "patient".into(), bit));
                self.now.insert((*person, format!("C{code}"), bit));
            }
        }
    }

    /// The vault takes the person out of every snapshot, and what the other regime keeps into the new one.
    fn stop(&mut self, person: u32, bits: u8) {
        *self.stopped.entry(person).or_default() |= bits;
        let touched = self.now.iter().any(|(p, _, b)| *p == person && b & bits != 0);
        self.now.retain(|(p, _, b)| *p != person || b & bits == 0);
        if touched {
            self.snapshots.values_mut().for_each(|items| items.retain(|(p, _, _)| *p != person));
        }
    }
}

fn bases(bits: u8) -> Vec<Regime> {
    Regime::ALL.into_iter().filter(|r| Bases::from_bits(bits).contains(*r)).collect()
}

async fn run(acts: Vec<Act>) {
    let world = World::new().await;
    let mut model = Model::default();
    for (step, act) in acts.into_iter().enumerate() {
        match act {
            Act::Deliver(mut sent) => {
                // one telling per person and delivery
                let mut telling = BTreeMap::new();
                for (person, told, _) in &mut sent {
                    *told = *telling.entry(*person).or_insert(*told);
                }
                let notices: Vec<_> =
                    telling.iter().flat_map(|(p, t)| told(&format!("p{p}"), &bases(*t))).collect();
                let lines: Vec<String> = sent
                    .iter()
                    .flat_map(|(p, _, c)| [patient(*p), condition(*p, &format!("C{c}"))])
                    .collect();
                world.deliver(HOSPITAL, "2026-06-01", &notices, &lines).await;
                model.deliver(&sent);
            }
            Act::Stop(person, bits) => {
                let mut request =
                    super::request(HOSPITAL, &format!("p{person}"), Bases::from_bits(bits));
                request.receipt_number = format!("R{step}");
                let stop = world.receive_stop(&request, &crate::STORES).await;
                world.apply(&stop).await;
                model.stop(person, bits);
            }
        }
        model.snapshots.insert(world.head().await.0, model.now.clone());
        for (at, items) in model.snapshots.iter().filter(|(at, _)| **at > 0) {
            let mut expected: Vec<(String, u8)> = items
                .iter()
                .map(|(p, _, b)| (world.person(HOSPITAL, &format!("p{p}")).to_string(), *b))
                .collect();
            let mut found: Vec<(String, u8)> = Vec::new();
            for (_, person, bits) in world.rows(Snapshot(*at)).await {
                found.extend(
                    [1, 2].into_iter().filter(|b| bits & b != 0).map(|b| (person.clone(), b)),
                );
            }
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "snapshot {at} after step {step}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    // vault.erasure-only, vault.erased, vault.twice-is-once, register.regimes
    #[test]
    fn a_snapshot_changes_by_erasure_only(acts in acts()) {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
            .block_on(run(acts));
    }
}
