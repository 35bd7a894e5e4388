//! What a linked list that can be added to promises.

use std::{collections::BTreeSet, io::Read};

use kiban_linkage::{
    Constraint, ConstraintKind, Ground, State, StateError, read_constraints, tool,
};
use proptest::prelude::*;

use crate::people::{Dice, country, file};

fn quiet(_: kiban_linkage::Stage) {}

fn link(text: &str) -> tool::Run {
    tool::link(text.as_bytes(), &tool::Options::default(), &quiet).expect("readable")
}

fn clusters(run: &tool::Run) -> String {
    let mut out = Vec::new();
    run.write_clusters(&mut out).expect("memory can be written");
    String::from_utf8(out).expect("ids are text")
}

fn pairs(run: &tool::Run) -> String {
    let mut out = Vec::new();
    run.write_pairs(&mut out).expect("memory can be written");
    String::from_utf8(out).expect("ids are text")
}

fn bytes(state: &State) -> Vec<u8> {
    let mut out = Vec::new();
    state.write(&mut out).expect("memory can be written");
    out
}

fn change(
    state: State,
    rows: &[String],
    erase: &[String],
    options: &tool::Options,
) -> tool::Updated {
    let text = file(rows);
    let mut data = text.as_bytes();
    let add: Option<&mut (dyn Read + Send)> = if rows.is_empty() { None } else { Some(&mut data) };
    tool::update(state, add, erase, options, &quiet).expect("readable")
}

fn add(state: State, rows: &[String]) -> tool::Updated {
    change(state, rows, &[], &tool::Options::default())
}

fn whole(like: &State, rows: &[String], options: &tool::Options) -> tool::Run {
    tool::link_like(like, file(rows).as_bytes(), options, &quiet).expect("readable")
}

fn same(one: &tool::Run, other: &tool::Run) {
    assert_eq!(pairs(one), pairs(other));
    assert_eq!(clusters(one), clusters(other));
}

fn id(row: &str) -> String {
    row.split(',').next().unwrap_or_default().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    // linkage.batch-is-increments
    #[test]
    fn batches_give_what_the_whole_list_gives(seed in 1u64..1000, cuts in prop::collection::vec(0usize..1000, 1..5)) {
        let (mut rows, _) = country(120, seed);
        let mut dice = Dice::new(seed);
        for i in (1..rows.len()).rev() {
            rows.swap(i, dice.below(i + 1));
        }
        // what is learnt comes from a list of its own
        let (other, _) = country(150, seed + 7000);
        let learnt = link(&file(&other)).into_state();
        let nobody = change(learnt.clone(), &[], &learnt.clusters().concat(), &tool::Options::default());
        let mut state = nobody.run.into_state();
        assert_eq!(state.records(), 0);
        let mut at: Vec<usize> = cuts.iter().map(|c| c % (rows.len() + 1)).collect();
        at.extend([0, rows.len()]);
        at.sort_unstable();
        let like = state.clone();
        let mut last = None;
        for w in at.windows(2) {
            let step = add(state, &rows[w[0]..w[1]]);
            state = State::read(&bytes(step.run.state())[..]).expect("what was written");
            last = Some(step.run);
        }
        let all = whole(&like, &rows, &tool::Options::default());
        same(&last.expect("two cuts"), &all);
    }
}

// linkage.batch-is-increments, for groups that become too large to be paired in full, and small again
#[test]
fn hot_groups_come_and_go() {
    let (mut rows, _) = country(150, 3);
    let base = rows.len();
    let copy = |i: usize, phone: usize| {
        format!(
            "X{i:06},A,2020-01-01,佐藤　花子,サトウ　ハナコ,2,1980-01-{:02},100-0001,千代田区千代田1-1,03-1111-{phone:04},06139999,1,2,01",
            2 + i / 500
        )
    };
    rows.extend((0..900).map(|i| copy(i * 7919 % 900, i % 13)));
    // open birth dates of one name
    rows.extend(
        (0..400).map(|i| format!("Y{i:06},B,,佐藤　花子,サトウ　ハナコ,2,,,,{:02}{i:08},,,,", 3)),
    );
    let like = link(&file(&rows[..base])).into_state();
    let mut dice = Dice::new(5);
    for i in (1..rows.len()).rev() {
        rows.swap(i, dice.below(i + 1));
    }
    let all: Vec<String> = like.clusters().concat();
    let mut state = change(like, &[], &all, &tool::Options::default()).run.into_state();
    let like = state.clone();
    let mut capped = 0;
    for end in [400, 700, 1100, rows.len()] {
        let start = state.records();
        let step = add(state, &rows[start..end]);
        capped += step.report.capped_groups;
        same(&step.run, &whole(&like, &rows[..end], &tool::Options::default()));
        state = step.run.into_state();
    }
    assert!(capped > 0);
    // most copies go: their groups are small again
    let erase: Vec<String> =
        rows.iter().filter(|r| r.starts_with('X')).take(750).map(|r| id(r)).collect();
    let left: Vec<String> = rows.iter().filter(|r| !erase.contains(&id(r))).cloned().collect();
    let step = change(state, &[], &erase, &tool::Options::default());
    assert_eq!(step.report.erased, 750);
    same(&step.run, &whole(&like, &left, &tool::Options::default()));
}

#[test]
fn corrections_and_erasures_give_what_the_list_without_them_gives() {
    let (rows, _) = country(300, 11);
    let (now, later) = rows.split_at(rows.len() - 60);
    let state = link(&file(now)).into_state();
    let like = state.clone();
    // a record is corrected: it takes over what another says
    let corrected: Vec<String> = (0..20)
        .map(|i| format!("{},{}", id(&now[i]), now[i + 100].split_once(',').expect("cells").1))
        .collect();
    let erase: Vec<String> =
        now[40..80].iter().map(|r| id(r)).chain(["nobody".to_owned()]).collect();
    let batch = [&corrected[..], later].concat();
    let step = change(state, &batch, &erase, &tool::Options::default());
    let r = step.report;
    assert_eq!((r.added, r.corrected, r.erased, r.not_there), (60, 20, 40, 1));
    let left = [&corrected[..], &now[20..40], &now[80..], later].concat();
    same(&step.run, &whole(&like, &left, &tool::Options::default()));
    // and what is left is what a run with the state's own memory finds
    same(&step.run, &whole(step.run.state(), &left, &tool::Options::default()));
}

// linkage.batch-is-increments: threads and the order of rows
#[test]
fn threads_and_order_leave_no_mark_on_a_state() {
    let (rows, _) = country(200, 12);
    let (now, later) = rows.split_at(rows.len() / 2);
    let mut turned = later.to_vec();
    turned.reverse();
    let one = |threads, later: &[String]| {
        let options = tool::Options { threads: Some(threads), ..tool::Options::default() };
        let run = tool::link(file(now).as_bytes(), &options, &quiet).expect("readable");
        let step = change(run.into_state(), later, &[], &options);
        (clusters(&step.run), pairs(&step.run), bytes(step.run.state()))
    };
    let first = one(1, later);
    assert!(first == one(2, later) && first == one(4, later));
    let other = one(2, &turned);
    assert!(first.0 == other.0 && first.1 == other.1);
}

/// The bytes of a value as they could stand in a state.
fn traces(value: &str) -> Vec<Vec<u8>> {
    let utf16: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let letters: Vec<u8> = value.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    vec![value.as_bytes().to_vec(), utf16, letters]
}

fn finds(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|w| w == part)
}

// linkage.erased
#[test]
fn an_erased_person_leaves_no_trace() {
    let (rows, _) = country(60, 13);
    let unique = [
        "P1,病院Ｚ,2020-01-02,龍造寺　鶴姫,ﾘｭｳｿﾞｳｼﾞ ﾂﾙﾋﾒ,2,S09.11.23,987-6543,青森県北津軽郡鶴田町大字胡桃舘7丁目89番地12,0173-22-9876,06987654,甲乙,7654321,05",
        "P2,病院Ｚ,2021-01-02,龍造寺鶴姫,りゅうぞうじ　つるひめ,女,19341123,9876543,北津軽郡鶴田町大字胡桃舘７－８９－１２,0173229876,06987654,甲乙,7654321,05",
    ];
    let mut all = rows.clone();
    all.extend(unique.map(str::to_owned));
    let run = link(&file(&all));
    assert!(clusters(&run).contains("P2,P1"), "they are of one person");
    let constraint = Constraint {
        record_l: "P1".to_owned(),
        record_r: id(&rows[0]),
        kind: ConstraintKind::Cannot,
        ground: Ground::Reviewer,
    };
    let options = tool::Options { constraints: vec![constraint], ..tool::Options::default() };
    let before = change(run.into_state(), &[], &[], &options).run.into_state();
    let values = [
        "P1",
        "P2",
        "病院Ｚ",
        "龍造寺",
        "鶴姫",
        "リユウゾウジ",
        "リュウゾウジ",
        "ﾘｭｳｿﾞｳｼﾞ",
        "ツルヒメ",
        "リユウゾウジツルヒメ",
        "龍造寺鶴姫",
        "19341123",
        "S09.11.23",
        "9876543",
        "987-6543",
        "鶴田町",
        "胡桃舘",
        "胡桃館",
        "0173229876",
        "0173-22-9876",
        "06987654",
        "甲乙|7654321",
        "7654321",
        "甲乙",
    ];
    let numbers = [1934u32 * 512 + 11 * 32 + 23];
    let held = bytes(&before);
    let seen = values.iter().filter(|v| traces(v).iter().any(|t| finds(&held, t))).count();
    assert!(seen >= 12, "the search finds what is there: {seen}");
    assert!(numbers.iter().all(|n| finds(&held, &n.to_le_bytes())));

    let erase = ["P1".to_owned(), "P2".to_owned()];
    let after = change(before, &[], &erase, &tool::Options::default());
    assert_eq!(after.report.erased, 2);
    let held = bytes(after.run.state());
    for value in values {
        for trace in traces(value) {
            assert!(!finds(&held, &trace), "{value}");
        }
        // hashes as the candidates' keys are made of, and plain digests of their low and high halves
        let hash = kiban_linkage_hash(value);
        assert!(!finds(&held, &hash.to_le_bytes()), "hash of {value}");
        assert!(!finds(&held, &((hash >> 32) as u32 | 1).to_le_bytes()), "key of {value}");
    }
    assert!(numbers.iter().all(|n| !finds(&held, &n.to_le_bytes())));
    same(&after.run, &whole(after.run.state(), &rows, &tool::Options::default()));
}

/// The hash of a value as the linker makes it, written anew.
fn kiban_linkage_hash(value: &str) -> u64 {
    let mix = |seed: u64, value: u64| {
        let wide =
            u128::from(seed ^ 0x9E37_79B9_7F4A_7C15) * u128::from(value ^ 0xD6E8_FEB8_6659_FD93);
        (wide as u64) ^ ((wide >> 64) as u64)
    };
    let bytes = value.as_bytes();
    let mut hash = mix(0x51_7C_C1_B7_27_22_0A_95, bytes.len() as u64);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        hash = mix(hash, u64::from_le_bytes(chunk.try_into().expect("eight")));
    }
    let mut last = [0; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    mix(hash, u64::from_le_bytes(last))
}

#[test]
fn a_state_is_read_whole_or_not_at_all() {
    let (rows, _) = country(40, 14);
    let state = link(&file(&rows)).into_state();
    let good = bytes(&state);
    let again = State::read(&good[..]).expect("what was written");
    assert_eq!(bytes(&again), good);
    assert!(matches!(State::read(&b"PK\x03\x04"[..]), Err(StateError::Foreign)));
    let mut newer = good.clone();
    newer[8] = 9;
    assert!(matches!(State::read(&newer[..]), Err(StateError::Version)));
    for at in (16..good.len()).step_by(good.len() / 97) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        assert!(State::read(&bad[..]).is_err(), "byte {at}");
        assert!(matches!(State::read(&good[..at]), Err(StateError::Damaged)), "cut at {at}");
    }
    let twice = link(&file(&[rows[0].clone(), rows[0].clone()]));
    assert!(matches!(
        twice.state().write(&mut Vec::new()),
        Err(StateError::RepeatedIds { count: 1 })
    ));
    assert!(
        tool::update(
            state,
            Some(&mut file(&[rows[0].clone(), rows[0].clone()]).as_bytes()),
            &[],
            &tool::Options::default(),
            &quiet
        )
        .is_err()
    );
}

// linkage.constraints
#[test]
fn constraints_hold_and_contradictions_are_told() {
    let (rows, truth) = country(150, 15);
    let plain = link(&file(&rows));
    let of = |text: &str| -> Vec<BTreeSet<String>> {
        let mut groups = std::collections::BTreeMap::<String, BTreeSet<String>>::new();
        for line in text.lines().skip(1) {
            let (record, cluster) = line.split_once(',').expect("two columns");
            groups.entry(cluster.to_owned()).or_default().insert(record.to_owned());
        }
        groups.into_values().collect()
    };
    let together = |groups: &[BTreeSet<String>], a: &str, b: &str| {
        groups.iter().any(|g| g.contains(a) && g.contains(b))
    };
    let groups = of(&clusters(&plain));
    // two records of one person held apart, two strangers put together, and a circle that cannot be
    let (x, y) = (0..rows.len())
        .flat_map(|i| (i + 1..(i + 4).min(rows.len())).map(move |j| (i, j)))
        .find(|(i, j)| truth[*i] == truth[*j] && together(&groups, &id(&rows[*i]), &id(&rows[*j])))
        .map(|(i, j)| (id(&rows[i]), id(&rows[j])))
        .expect("somebody has two records");
    let (p, q, r) = (id(&rows[100]), id(&rows[150]), id(&rows[200]));
    let csv = format!(
        "record_id_l,record_id_r,kind,reason\n{x},{y},cannot,reviewer\n{p},{q},must,insured_history\n{q},{r},must,insured_history\n{r},{p},cannot,twins\nnobody,{p},must,\n"
    );
    let constraints = read_constraints(csv.as_bytes()).expect("a file of constraints");
    let options = tool::Options { constraints, ..tool::Options::default() };
    let run = tool::link(file(&rows).as_bytes(), &options, &quiet).expect("readable");
    let groups = of(&clusters(&run));
    assert!(!together(&groups, &x, &y));
    assert!(together(&groups, &p, &q) && together(&groups, &q, &r));
    let against = run.contradictions();
    assert_eq!((against.len(), against[0].dropped.ground), (1, Ground::Twins));
    let report = run.report();
    assert_eq!(
        (report.constraints, report.contradictions, report.constraints_of_unknown_records),
        (4, 1, 1)
    );
    // given later they do the same, and they stay
    let later = change(plain.into_state(), &[], &[], &options);
    same(&later.run, &whole(later.run.state(), &rows, &options));
    assert_eq!(clusters(&later.run), clusters(&run));
    let state = State::read(&bytes(later.run.state())[..]).expect("what was written");
    assert_eq!(clusters(&change(state, &[], &[], &tool::Options::default()).run), clusters(&run));
    assert!(read_constraints("record_id_l,record_id_r,kind\na,b,perhaps\n".as_bytes()).is_err());
}
