//! A specification gives the same product on both engines.

use kiban_deid::{
    Produced, Releasable,
    finding::{Choice, Decision},
};
use kiban_kernel::{Product, Timestamp};
use kiban_lake::Engine;
use kiban_testkit::id;

use crate::{
    nodes::Nodes,
    world::{World, checked, small_specification, specification},
};

/// Everything that a product says, its payload as a digest.
fn said(produced: &Produced) -> [String; 6] {
    [
        produced.payload().unwrap().digest().to_string(),
        produced.provenance().plan_digest.to_string(),
        format!("{:#?}", produced.changes()),
        format!("{:#?}", produced.risk()),
        format!("{:#?}", produced.findings()),
        format!("{:?}", produced.singled_out()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn both_products_are_the_same_to_the_last_byte() {
    are_the_same(&small_specification(), 120).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "hundreds of plans, each some tenths of a second on a cluster: minutes; run it by hand"]
async fn every_rule_and_adversary_gives_the_same_on_both_engines() {
    are_the_same(&specification(), 180).await;
}

async fn are_the_same(specification: &str, persons: usize) {
    let world = World::of(persons).await;
    let nodes = Nodes::start(world.db.path(), 2);

    let spec = checked(specification, Product::Anonymized);
    let here = world.anonymized(&spec).await.unwrap();
    world.lake.run_on(nodes.engine());
    let there = world.anonymized(&spec).await.unwrap();
    assert_eq!(said(here.produced()), said(there.produced()));
    // The search chose, classes were counted, and rows were removed: there was something to agree about.
    assert!(!here.produced().risk().search.as_ref().unwrap().columns.is_empty());
    assert!(here.produced().changes().tables.iter().any(|t| !t.removed.is_empty()));

    world.lake.run_on(Engine::Embedded);
    let spec = checked(specification, Product::Pseudonymized);
    let here = world.pseudonymized(&spec, &[]).await.unwrap();
    let decisions: Vec<Decision> = here
        .produced()
        .findings()
        .iter()
        .zip([Choice::Coarsen, Choice::Drop, Choice::Keep].into_iter().cycle())
        .map(|(finding, choice)| Decision {
            finding: finding.id,
            choice,
            by: id(7),
            reason: "単体で特定されるため".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        })
        .collect();
    assert!(!decisions.is_empty());
    let here = world.pseudonymized(&spec, &decisions).await.unwrap();
    world.lake.run_on(nodes.engine());
    let there = world.pseudonymized(&spec, &decisions).await.unwrap();
    assert_eq!(said(here.produced()), said(there.produced()));
}
