//! Whom linkage serves worse, a person drawn, and that batches give what one run gives.

use std::collections::{BTreeMap, BTreeSet};

use kiban_kernel::{Id, kinds};
use kiban_register::link::{Group, Memory};

use crate::{
    links::{Person, World, person},
    tables::keys,
};

type Source = Id<kinds::PersonSource>;

fn source(holder: u64, local: &str) -> Source {
    keys().person_source(kiban_testkit::id(holder), local)
}

/// People at holder 1, each again at holder 2 or 3; holder 3 writes other kana, another day of birth and no address.
fn country() -> (Vec<Person>, Vec<(Source, Source)>) {
    let (mut all, mut known) = (Vec::new(), Vec::new());
    for n in 0..600 {
        all.push(person(n, 1));
        let mut other = person(n, if n % 4 == 0 { 3 } else { 2 });
        other.local = format!("B{n}");
        if n % 4 == 0 {
            other.kana = other.kana.chars().rev().collect();
            other.kanji = other.kanji.chars().rev().collect();
            other.born = format!("{:04}-01-01", 1930 + n * 37 % 80);
            other.forget_contact();
        }
        known.push((source(1, &format!("{n:05}")), source(other.holder, &other.local)));
        all.push(other);
    }
    (all, known)
}

#[tokio::test]
async fn a_planted_weak_group_stands_on_top() {
    let world = World::new().await;
    let (all, known) = country();
    world.take(&all).await;
    let (_, memory) = world.link(&[], Memory::default()).await;
    let groups = memory.bias(&known);
    let weak = kiban_testkit::id::<kinds::Organization>(3).to_string();
    assert_eq!((groups[0].group, groups[0].value.as_str()), (Group::Source, weak.as_str()));
    let strong = kiban_testkit::id::<kinds::Organization>(2).to_string();
    let strong = groups.iter().find(|g| g.value == strong).unwrap();
    assert!(groups[0].recall.high < strong.recall.low, "{groups:?}");
    assert_eq!(groups[0].known, 150);
    // Without known pairs the model speaks for itself, and nothing breaks.
    assert!(!memory.bias(&[]).is_empty() && Memory::default().bias(&known).is_empty());
}

#[tokio::test]
async fn a_person_is_drawn_with_its_edges_alone_or_together() {
    let world = World::new().await;
    let (all, _) = country();
    world.take(&all).await;
    let (_, memory) = world.link(&[], Memory::default()).await;
    let alone = memory.graph(&[source(1, "00001")]);
    assert_eq!((alone.nodes.len(), alone.edges.len(), alone.parts), (1, 0, 1));
    let (a, b) = (source(1, "00001"), source(2, "B1"));
    let pair = memory.graph(&[b, a, a]);
    assert_eq!((pair.nodes.len(), pair.edges.len(), pair.parts), (2, 1, 1));
    assert!(pair.edges[0].weak_bridge && pair.edges[0].score > 0.0);
    let why = memory.why(a, b).unwrap();
    assert!((why.score - pair.edges[0].score).abs() < 1e-9, "the bars sum to the edge");
    let apart = memory.graph(&[a, source(1, "00002")]);
    assert_eq!(apart.parts, 2, "two persons are not held together: {apart:?}");
}

/// Which sources are together, by the smallest of them.
async fn together(world: &World) -> BTreeSet<Vec<Source>> {
    let mut of: BTreeMap<Id<kinds::Person>, Vec<Source>> = BTreeMap::new();
    for (source, person) in world.persons().await {
        of.entry(person).or_default().push(source);
    }
    of.into_values().collect()
}

#[tokio::test]
async fn deliveries_one_after_the_other_give_the_persons_of_one_run() {
    let (all, _) = country();
    // What the model is depends on the list it was learnt from: both begin with the same first part.
    let (first, rest) = all.split_at(700);
    let (second, third) = rest.split_at(300);
    let stepwise = World::new().await;
    stepwise.take(first).await;
    let (_, memory) = stepwise.link(&[], Memory::default()).await;
    let learnt = memory.to_bytes().unwrap().unwrap();
    stepwise.take(second).await;
    let (_, memory) = stepwise.link(&[], memory).await;
    stepwise.take(third).await;
    drop(stepwise.link(&[], memory).await);

    let at_once = World::new().await;
    at_once.take(first).await;
    at_once.take(second).await;
    at_once.take(third).await;
    drop(at_once.link(&[], Memory::from_bytes(&learnt).unwrap()).await);
    assert_eq!(together(&stepwise).await, together(&at_once).await);
}
