//! The review side of a linked list.

use kiban_linkage::{
    review::{self, Group},
    tool,
};

use crate::people::{country, file};

fn link(text: &str) -> tool::Run {
    tool::link(text.as_bytes(), &tool::Options::default(), &|_| {}).expect("readable")
}

fn id(row: &str) -> String {
    row.split(',').next().unwrap_or_default().to_owned()
}

#[test]
fn the_worklist_begins_with_what_tells_most() {
    let (rows, _) = country(600, 21);
    let run = link(&file(&rows));
    let list = run.worklist(50);
    assert!(list.len() > 5, "{}", list.len());
    assert!(list.windows(2).all(|w| w[0].priority >= w[1].priority));
    for case in &list {
        let (reasons, score) = run.why(&case.record_l, &case.record_r).expect("both are there");
        assert!((score - case.score).abs() < 1e-4);
        assert!((case.priority - case.information * case.effect as f64).abs() < 1e-12);
        assert!(case.information <= 1.0 && case.effect > 0);
        assert!(reasons.iter().all(|r| !r.ja().is_empty()));
    }
    // what was decided is not asked again
    let first = &list[0];
    let constraint = kiban_linkage::Constraint {
        record_l: first.record_l.clone(),
        record_r: first.record_r.clone(),
        kind: kiban_linkage::ConstraintKind::Cannot,
        ground: kiban_linkage::Ground::Reviewer,
    };
    let options = tool::Options { constraints: vec![constraint], ..tool::Options::default() };
    let decided = tool::update(run.into_state(), None, &[], &options, &|_| {}).expect("a state");
    let again = decided.run.worklist(usize::MAX);
    let pair = |c: &review::Case| (c.record_l.clone(), c.record_r.clone());
    assert!(again.iter().all(|c| pair(c) != pair(first)));
}

#[test]
fn a_person_is_drawn_however_small() {
    let (rows, _) = country(100, 22);
    let run = link(&file(&rows));
    let clusters = run.state().clusters();
    let one = clusters.iter().find(|c| c.len() == 1).expect("somebody has one record");
    let graph = run.state().person_graph(&one[0]).expect("a record");
    assert_eq!((graph.records.len(), graph.edges.len(), graph.bridges.len()), (1, 0, 0));
    let two = clusters.iter().find(|c| c.len() == 2).expect("somebody has two records");
    let graph = run.state().person_graph(&two[1]).expect("a record");
    assert_eq!(&graph.records, two);
    assert_eq!((graph.edges.len(), &graph.bridges[..]), (1, &[(0, 1)][..]));
    assert!(graph.sources.iter().all(|s| s == "A" || s == "B"));
    let four = clusters.iter().find(|c| c.len() == 4).expect("somebody has four records");
    let graph = run.state().person_graph(&four[0]).expect("a record");
    assert_eq!(graph.edges.len(), 6);
    assert!(run.state().person_graph("nobody").is_none());
}

#[test]
fn a_planted_weak_group_is_on_top() {
    let (mut rows, truth) = country(700, 23);
    // one source writes other given names and birth dates in half of its records
    for (i, row) in rows.iter_mut().enumerate().filter(|(i, _)| i % 7 == 0) {
        let mut cells: Vec<String> = row.split(',').map(str::to_owned).collect();
        cells[1] = "Z".to_owned();
        if i % 2 == 0 {
            cells[3] = format!("未知{i}　仮{i}");
            cells[4] = format!("ミチ　カリ{}", ["ア", "イ", "ウ", "エ"][i % 4]);
            cells[6] = format!("19{:02}-0{}-1{}", 30 + i % 60, 1 + i % 9, i % 10);
        }
        *row = cells.join(",");
    }
    let run = link(&file(&rows));
    let known: Vec<(String, String)> = (0..rows.len())
        .flat_map(|i| (i + 1..rows.len().min(i + 5)).map(move |j| (i, j)))
        .filter(|(i, j)| truth[*i] == truth[*j])
        .map(|(i, j)| (id(&rows[i]), id(&rows[j])))
        .collect();
    let report = run.state().bias(&known);
    assert_eq!((report[0].group, report[0].value.as_str()), (Group::Source, "Z"));
    assert!(report[0].recall.high < 0.7, "{:?}", report[0].recall);
    assert!(report.iter().filter(|g| g.group == Group::Sex).all(|g| g.records > 0 && g.known > 0));
    // without a truth, who is linked to nobody shows the same
    let blind = run.state().bias(&[]);
    let weak = blind.iter().find(|g| g.value == "Z").expect("the source");
    let rest = blind.iter().find(|g| g.value == "A").expect("a source");
    assert!(weak.alone.low > rest.alone.high);
}

#[test]
fn a_sample_plan_of_a_run_has_every_pair_once() {
    let (rows, _) = country(300, 24);
    let run = link(&file(&rows));
    let plan = run.sample_plan(100, 1);
    let all: u64 = plan.strata.iter().map(|s| s.pairs).sum();
    assert_eq!(all, run.state().pairs() as u64);
    for stratum in &plan.strata {
        for (l, r) in &stratum.sample {
            let (_, score) = run.why(l, r).expect("both are there");
            assert!(score >= stratum.from - 1e-4);
        }
    }
    // all judged alike: precision of one
    let answers: Vec<review::Answer> = plan
        .strata
        .iter()
        .map(|s| review::Answer {
            pairs: s.pairs,
            linked: s.linked,
            judged: s.sample.len() as u64,
            same: if s.linked { s.sample.len() as u64 } else { 0 },
        })
        .collect();
    let found = review::estimate(&answers);
    assert!((found.precision.value - 1.0).abs() < 1e-9 && found.precision.low > 0.9);
}
