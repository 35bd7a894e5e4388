//! Whom linkage serves worse: errors by group, the weakest group first.
//!
//! Linkage errors are not spread evenly: who marries, moves, is newborn or has a foreign name is linked less often,
//! and what is then counted is wrong about exactly those. Where pairs of one person are known from elsewhere (a
//! reviewer's sample, the insured-number history) recall is counted; else the model's own expectation stands in,
//! which does not see what it does not understand.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    review::{Interval, probability, wilson},
    state::State,
    typed::{PartialDate, Row},
};

/// Pairs of records known to be of one person, by record ids.
pub type Known = [(String, String)];

/// What people are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Sex as recorded.
    Sex,
    /// Age at the record.
    Age,
    /// Is the name one of kana or Latin letters alone?
    ForeignName,
    /// Who wrote the record.
    Source,
}

impl Group {
    /// All.
    pub const ALL: [Self; 4] = [Self::Sex, Self::Age, Self::ForeignName, Self::Source];

    /// The Japanese words.
    pub fn ja(self) -> &'static str {
        match self {
            Self::Sex => "性別",
            Self::Age => "年齢",
            Self::ForeignName => "外国人名（カナ・英字のみ）",
            Self::Source => "提供元",
        }
    }
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupReport {
    /// What it is grouped by.
    pub group: Group,
    /// Which: `male`, `0-14`, `yes`, the name of a source.
    pub value: String,
    /// Its records.
    pub records: u64,
    /// Share of its records that are linked to no other.
    pub alone: Interval,
    /// Known pairs of one person with a record of the group.
    pub known: u64,
    /// Share of those that are linked; without known pairs the share that the model expects.
    pub recall: Interval,
    /// Share of the linked pairs with a record of the group that the model expects to be right.
    pub precision: f64,
    /// Share of its records of which a pair lies between clear and hopeless.
    pub unsure: f64,
}

const AGES: [(u32, &str); 7] = [
    (1, "0"),
    (15, "1-14"),
    (40, "15-39"),
    (65, "40-64"),
    (75, "65-74"),
    (90, "75-89"),
    (u32::MAX, "90+"),
];

#[derive(Default, Clone)]
struct Sums {
    records: u64,
    alone: u64,
    known: u64,
    found: u64,
    expected: f64,
    inside: f64,
    linked: f64,
    unsure: u64,
}

impl State {
    fn value(&self, group: Group, row: &Row) -> String {
        match group {
            Group::Sex => ["unknown", "male", "female"][usize::from(row.sex).min(2)].to_owned(),
            Group::Age if row.birth.year() == 0 || row.on == 0 => "unknown".to_owned(),
            Group::Age => {
                let age = PartialDate::year_of_days(row.on).saturating_sub(row.birth.year());
                AGES.iter().find(|a| age < a.0).map_or("90+", |a| a.1).to_owned()
            }
            Group::ForeignName => {
                let letters = self.typed.kana_chars.at(row.full);
                let latin = letters.iter().any(char::is_ascii_alphabetic);
                let kanji = row.full_kanji;
                let foreign = if kanji == 0 {
                    latin
                } else {
                    latin || self.typed.kanji_in_kana[kanji as usize]
                };
                if kanji == 0 && row.full == 0 {
                    "unknown"
                } else {
                    ["no", "yes"][usize::from(foreign)]
                }
                .to_owned()
            }
            Group::Source => self.typed.sources.text(u32::from(row.source)).to_owned(),
        }
    }

    /// Errors by group, the weakest first: the one whose recall is surely lowest (by the upper end of its interval), so
    /// that a small group is on top only if chance does not explain it.
    pub fn bias(&self, known: &Known) -> Vec<GroupReport> {
        let rows = &self.typed.rows;
        let mut sizes = vec![0u32; rows.len()];
        for person in &self.person {
            sizes[*person as usize] += 1;
        }
        let known: Vec<(u32, u32)> = known
            .iter()
            .filter_map(|(l, r)| {
                Some((self.ids.place(l.as_bytes())?, self.ids.place(r.as_bytes())?))
            })
            .collect();
        let mut unsure = vec![false; rows.len()];
        for (a, b, score) in &self.pairs {
            if (0.05..0.95).contains(&probability(f64::from(*score))) {
                unsure[*a as usize] = true;
                unsure[*b as usize] = true;
            }
        }
        let mut out = Vec::new();
        for group in Group::ALL {
            let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
            let mut sums: Vec<Sums> = Vec::new();
            let of: Vec<usize> = rows
                .iter()
                .map(|row| {
                    let next = numbers.len();
                    let number = *numbers.entry(self.value(group, row)).or_insert(next);
                    sums.resize_with(numbers.len(), Sums::default);
                    number
                })
                .collect();
            for (i, number) in of.iter().enumerate() {
                let s = &mut sums[*number];
                s.records += 1;
                s.alone += u64::from(sizes[self.person[i] as usize] == 1);
                s.unsure += u64::from(unsure[i]);
            }
            let ends = |a: u32, b: u32| {
                let (x, y) = (of[a as usize], of[b as usize]);
                [Some(x), (x != y).then_some(y)].into_iter().flatten()
            };
            let linked = |a: u32, b: u32| self.person[a as usize] == self.person[b as usize];
            for (a, b, score) in &self.pairs {
                let p = probability(f64::from(*score));
                for number in ends(*a, *b) {
                    let s = &mut sums[number];
                    s.expected += p;
                    if linked(*a, *b) {
                        s.inside += p;
                        s.linked += 1.0;
                    }
                }
            }
            for (a, b) in &known {
                for number in ends(*a, *b) {
                    sums[number].known += 1;
                    sums[number].found += u64::from(linked(*a, *b));
                }
            }
            out.extend(
                numbers.into_iter().map(|(value, number)| report(group, value, &sums[number])),
            );
        }
        let any = !known.is_empty();
        // groups of which nothing is known come last
        let rank = |g: &GroupReport| {
            let nothing = (any && g.known == 0) || g.value == "unknown";
            (nothing, g.recall.high)
        };
        out.sort_by(|a, b| {
            let (x, y) = (rank(a), rank(b));
            x.0.cmp(&y.0)
                .then(x.1.total_cmp(&y.1))
                .then_with(|| (a.group, &a.value).cmp(&(b.group, &b.value)))
        });
        out
    }
}

fn report(group: Group, value: String, s: &Sums) -> GroupReport {
    let recall = if s.known > 0 {
        wilson(s.found as f64, s.known as f64)
    } else {
        wilson(s.inside, s.expected)
    };
    GroupReport {
        group,
        value,
        records: s.records,
        alone: wilson(s.alone as f64, s.records as f64),
        known: s.known,
        recall,
        precision: if s.linked > 0.0 { s.inside / s.linked } else { 1.0 },
        unsure: s.unsure as f64 / s.records.max(1) as f64,
    }
}
