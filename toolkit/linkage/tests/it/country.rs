//! Lists of the made-up country, with truth: how many pairs come out right, and the pairs that linkers get wrong.

use std::collections::{BTreeMap, HashMap};

use kiban_country::persons::{
    HardPair, LIST_COLUMNS, ListParams, ListProfile, ListSize, PersonList, PersonRecord, Tag,
};
use kiban_linkage::tool;

fn list(seed: u64, records: u64, profile: ListProfile) -> PersonList {
    let size = ListSize::Records(records);
    PersonList::new(ListParams { seed, size, profile, ..ListParams::default() }).expect("a list")
}

/// The cluster of each record, by record id.
fn linked<'a>(records: impl Iterator<Item = &'a PersonRecord>) -> HashMap<String, String> {
    let mut text = csv::Writer::from_writer(Vec::new());
    text.write_record(LIST_COLUMNS).expect("memory can be written");
    for record in records {
        text.write_record(&record.cells).expect("memory can be written");
    }
    let text = text.into_inner().expect("memory can be written");
    let run = tool::link(&text[..], &tool::Options::default(), &|_| {}).expect("readable");
    let mut out = Vec::new();
    run.write_clusters(&mut out).expect("memory can be written");
    let out = String::from_utf8(out).expect("ids are text");
    let pair = |l: &str| l.split_once(',').map(|(id, c)| (id.to_owned(), c.to_owned()));
    out.lines().skip(1).filter_map(pair).collect()
}

#[derive(Default)]
struct Score {
    right: usize,
    made: usize,
    all: usize,
    /// By tag that one of both has: pairs found, pairs.
    tags: BTreeMap<Tag, (usize, usize)>,
    /// People who share a cluster with another.
    merged: usize,
    people: usize,
}

impl Score {
    fn of(records: &[PersonRecord]) -> Self {
        let clusters = linked(records.iter());
        let mut out = Self::default();
        let pairs = |n: usize| n * n.saturating_sub(1) / 2;
        let (mut people, mut found) =
            (BTreeMap::<u64, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        for record in records {
            let cluster = clusters[&record.cells[0]].as_str();
            people.entry(record.person).or_default().push((cluster, record.tags));
            found.entry(cluster).or_default().push(record.person);
        }
        out.people = people.len();
        for mut who in found.into_values() {
            out.made += pairs(who.len());
            who.sort_unstable();
            who.dedup();
            out.merged += if who.len() > 1 { who.len() } else { 0 };
        }
        for records in people.values() {
            out.all += pairs(records.len());
            for (at, (a, tags)) in records.iter().enumerate() {
                for (b, others) in &records[at + 1..] {
                    out.right += usize::from(a == b);
                    for tag in Tag::ALL {
                        if tags.has(tag) != others.has(tag) {
                            let of = out.tags.entry(tag).or_default();
                            *of = (of.0 + usize::from(a == b), of.1 + 1);
                        }
                    }
                }
            }
        }
        out
    }
    fn f1(&self) -> f64 {
        2.0 * self.right as f64 / (self.made + self.all) as f64
    }
    fn recall(&self, tag: Tag) -> f64 {
        let (found, all) = self.tags[&tag];
        found as f64 / all as f64
    }
}

#[test]
fn lists_come_out_right() {
    for (profile, least, merged) in
        [(ListProfile::Base, 0.995, 0.004), (ListProfile::Sparse, 0.985, 0.014)]
    {
        let records: Vec<PersonRecord> = list(31, 20_000, profile).records().collect();
        let score = Score::of(&records);
        assert!(score.f1() >= least, "{}", score.f1());
        assert!(score.merged as f64 <= merged * score.people as f64, "{}", score.merged);
        assert!(score.recall(Tag::Swapped) >= 0.9, "{}", score.recall(Tag::Swapped));
        assert!(score.recall(Tag::Marriage) >= 0.93, "{}", score.recall(Tag::Marriage));
    }
}

#[test]
fn no_class_of_hard_pairs_is_under_its_target() {
    let mut right = BTreeMap::new();
    for seed in [32, 33] {
        let list = list(seed, 30_000, ListProfile::Base);
        let hard: Vec<HardPair> = list.hard_pairs(21);
        assert!(hard.len() >= 500);
        let records: Vec<PersonRecord> = list.records().collect();
        let all = records.iter().chain(hard.iter().flat_map(|p| p.records.iter().chain(&p.others)));
        let clusters = linked(all);
        for pair in &hard {
            let [a, b] = pair.records.each_ref().map(|r| &clusters[&r.cells[0]]);
            let of: &mut (usize, usize) = right.entry(pair.class).or_default();
            *of = (of.0 + usize::from((a == b) == pair.class.same()), of.1 + 1);
        }
    }
    let under: Vec<_> = right
        .iter()
        .filter(|(class, (right, all))| (*right as f64) < class.target() * *all as f64)
        .collect();
    assert!(under.is_empty(), "{under:?}");
}
