//! Which pair to look at first, and what a person is made of.

use hashbrown::{HashMap, HashSet};

use crate::{resolve::Union, review::probability, state::State, tool::Run};

/// A pair for the worklist.
#[derive(Clone, PartialEq)]
pub struct Case {
    /// Id of one record.
    pub record_l: String,
    /// Id of the other.
    pub record_r: String,
    /// Log2 odds.
    pub score: f64,
    /// What an answer tells, in bits: the entropy of the model's probability.
    pub information: f64,
    /// How many pairs of records an answer against the present persons would change.
    pub effect: u64,
    /// Are both of one person now?
    pub linked: bool,
    /// Information times effect: the first is the most worth looking at.
    pub priority: f64,
}

impl std::fmt::Debug for Case {
    /// Never a record's id.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Case(score {}, priority {})", self.score, self.priority)
    }
}

/// A person's records and what connects them.
#[derive(Clone, PartialEq)]
pub struct PersonGraph {
    /// Record ids, sorted.
    pub records: Vec<String>,
    /// Who wrote each; empty if not known.
    pub sources: Vec<String>,
    /// All pairs by their places in `records`, with their log2 odds, the strongest first.
    pub edges: Vec<(usize, usize, f64)>,
    /// Edges of at least the joining threshold without which the person falls apart: the weak bridges.
    pub bridges: Vec<(usize, usize)>,
}

impl std::fmt::Debug for PersonGraph {
    /// Never a value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PersonGraph({} records)", self.records.len())
    }
}

/// More records than this are not drawn: copies of one record.
const DRAWN: usize = 200;

fn entropy(p: f64) -> f64 {
    let part = |p: f64| if p <= 0.0 || p >= 1.0 { 0.0 } else { -p * p.log2() };
    part(p) + part(1.0 - p)
}

/// The sizes of the two parts of a person without one pair, along pairs of at least `join`; `None` if it holds.
fn parts(
    members: &[u32],
    edges: &[(u32, u32, f32)],
    skip: (u32, u32),
    join: f64,
) -> Option<(u64, u64)> {
    let place = |i: u32| members.partition_point(|m| *m < i) as u32;
    let mut union = Union::new(members.len());
    for (a, b, score) in edges {
        if (*a, *b) != skip && f64::from(*score) >= join {
            union.join(place(*a), place(*b));
        }
    }
    let (a, b) = (union.root(place(skip.0)), union.root(place(skip.1)));
    if a == b {
        return None;
    }
    let mut count =
        |root: u32| (0..members.len() as u32).filter(|i| union.root(*i) == root).count();
    Some((count(a) as u64, count(b) as u64))
}

impl State {
    /// The worklist: at most `most` pairs, the most worth looking at first; of two persons, or of one person's two
    /// parts, only the pair that tells most. Pairs about which a constraint speaks are left out.
    pub fn worklist(&self, most: usize) -> Vec<Case> {
        let held = self.held();
        let decided: HashSet<(u32, u32)> =
            held.must.iter().copied().chain(held.cannot.iter().copied()).collect();
        let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
        for (row, person) in self.person.iter().enumerate() {
            members.entry(*person).or_default().push(row as u32);
        }
        let mut inside: HashMap<u32, Vec<(u32, u32, f32)>> = HashMap::new();
        for pair in &self.pairs {
            let person = self.person[pair.0 as usize];
            if person == self.person[pair.1 as usize] {
                inside.entry(person).or_default().push(*pair);
            }
        }
        let mut cases: Vec<(f64, u32, u32, f32, u64, bool)> = Vec::new();
        let mut seen: HashMap<(u32, u32), usize> = HashMap::new();
        for (a, b, score) in self.pairs.iter().filter(|p| !decided.contains(&(p.0, p.1))) {
            let (x, y) = (self.person[*a as usize], self.person[*b as usize]);
            let information = entropy(probability(f64::from(*score)));
            let effect = if x == y {
                let list = &members[&x];
                if list.len() > DRAWN {
                    continue;
                }
                let cut = parts(list, &inside[&x], (*a, *b), self.settings.join);
                cut.map_or(1, |(p, q)| p * q)
            } else {
                members[&x].len() as u64 * members[&y].len() as u64
            };
            let case = (information * effect as f64, *a, *b, *score, effect, x == y);
            if x == y {
                cases.push(case);
                continue;
            }
            match seen.entry((x.min(y), x.max(y))) {
                hashbrown::hash_map::Entry::Vacant(v) => {
                    v.insert(cases.len());
                    cases.push(case);
                }
                hashbrown::hash_map::Entry::Occupied(o) => {
                    let best = &mut cases[*o.get()];
                    if case.0 > best.0 {
                        *best = case;
                    }
                }
            }
        }
        cases.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        cases.truncate(most);
        let case = |(priority, a, b, score, effect, linked)| Case {
            record_l: self.id_text(a),
            record_r: self.id_text(b),
            score: f64::from(score),
            information: entropy(probability(f64::from(score))),
            effect,
            linked,
            priority,
        };
        cases.into_iter().map(case).collect()
    }

    /// A record's person, drawn; `None` if there is no such record. A person of more than 200 records is cut there.
    pub fn person_graph(&self, record: &str) -> Option<PersonGraph> {
        let row = self.ids.place(record.as_bytes())?;
        let person = self.person[row as usize];
        let members: Vec<u32> = (person..self.person.len() as u32)
            .filter(|i| self.person[*i as usize] == person)
            .take(DRAWN)
            .collect();
        let scorer = self.scorer();
        let rows = &self.typed.rows;
        let mut edges = Vec::new();
        for (i, a) in members.iter().enumerate() {
            for (j, b) in members.iter().enumerate().skip(i + 1) {
                edges.push((i, j, scorer.score(&rows[*a as usize], &rows[*b as usize]).1));
            }
        }
        edges.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
        let all: Vec<(u32, u32, f32)> =
            edges.iter().map(|e| (members[e.0], members[e.1], e.2 as f32)).collect();
        let join = self.settings.join;
        let bridges = edges
            .iter()
            .filter(|e| e.2 >= join)
            .filter(|e| parts(&members, &all, (members[e.0], members[e.1]), join).is_some())
            .map(|e| (e.0, e.1))
            .collect();
        let source =
            |m: &u32| self.typed.sources.text(u32::from(rows[*m as usize].source)).to_owned();
        Some(PersonGraph {
            records: members.iter().map(|m| self.id_text(*m)).collect(),
            sources: members.iter().map(source).collect(),
            edges,
            bridges,
        })
    }
}

impl Run {
    /// The worklist; see [`State::worklist`].
    pub fn worklist(&self, most: usize) -> Vec<Case> {
        self.state().worklist(most)
    }
}
