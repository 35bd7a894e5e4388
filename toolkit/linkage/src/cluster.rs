//! From pairs to persons: union of edges under constraints, independent of order.

use std::collections::{BTreeMap, BTreeSet};

/// Which key made a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyRule {
    /// K1: insurer, symbol, number, branch, birth date.
    Coverage,
    /// K2: kana name, birth date, sex.
    Name,
    /// A model's weight (seam for the probabilistic linker).
    Model,
    /// A reviewer's decision (seam for the review).
    Review,
    /// The answer of the insured-number history.
    History,
}

impl KeyRule {
    /// Rule id.
    pub fn code(self) -> &'static str {
        match self {
            Self::Coverage => "exact.coverage",
            Self::Name => "exact.name",
            Self::Model => "model",
            Self::Review => "review",
            Self::History => "insured_history",
        }
    }
    /// Japanese phrase.
    pub fn ja(self) -> &'static str {
        match self {
            Self::Coverage => "保険者番号・記号・番号・枝番・生年月日が一致",
            Self::Name => "カナ氏名・生年月日・性別が一致",
            Self::Model => "確率的照合",
            Self::Review => "担当者の判断",
            Self::History => "履歴",
        }
    }
}

/// How much an edge bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Joins whatever else is said, two records of one holder too.
    Sure,
    /// A name key that a place or a telephone number bears out.
    Supported,
    /// A name key alone.
    Plain,
}

/// Two records that a rule would join. Numbers are positions in the caller's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The lower position.
    pub a: u32,
    /// The higher position.
    pub b: u32,
    /// Why.
    pub rule: KeyRule,
    /// How much it bears.
    pub strength: Strength,
}

/// Why two records must not be one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApartReason {
    /// The same coverage under two branch numbers.
    OtherBranch,
    /// A reviewer said so.
    Review,
}

/// Two records that must not be one person, unless sure edges join them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Apart {
    /// The lower position.
    pub a: u32,
    /// The higher position.
    pub b: u32,
    /// Why.
    pub reason: ApartReason,
}

/// Why a pair that shares a key was not joined by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeptReason {
    /// K1 agrees, but neither sex nor any name does.
    SexAndNameDiffer,
    /// The same coverage under two branch numbers.
    OtherBranch,
    /// Kanji names differ and so do the places.
    KanjiAndAddressDiffer,
    /// Kanji names differ and nothing bears the key out.
    KanjiDiffersUnsupported,
    /// The key would join two records of one holder: a homonym, or two charts of one person.
    OneHolder,
    /// Joining would bring together records that must stay apart.
    Apart,
}

impl KeptReason {
    /// Machine-readable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::SexAndNameDiffer => "sex_and_name_differ",
            Self::OtherBranch => "other_branch",
            Self::KanjiAndAddressDiffer => "kanji_and_address_differ",
            Self::KanjiDiffersUnsupported => "kanji_differs_unsupported",
            Self::OneHolder => "one_holder",
            Self::Apart => "apart",
        }
    }
    /// Japanese sentence.
    pub fn ja(self) -> &'static str {
        match self {
            Self::SexAndNameDiffer => "保険証の記載は一致するが、性別も氏名も異なる",
            Self::OtherBranch => "同じ記号・番号で枝番が異なる",
            Self::KanjiAndAddressDiffer => "漢字氏名も住所も異なる",
            Self::KanjiDiffersUnsupported => "漢字氏名が異なり、住所・電話番号等の裏付けがない",
            Self::OneHolder => "同じ提供元の別の番号同士が結び付いてしまう（同姓同名のおそれ）",
            Self::Apart => "別人とされた記録同士が結び付いてしまう",
        }
    }
}

/// A pair that shares a key and was not joined by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    /// The lower position.
    pub a: u32,
    /// The higher position.
    pub b: u32,
    /// Which key they share.
    pub rule: KeyRule,
    /// Why they were kept apart.
    pub reason: KeptReason,
}

/// What a linker says of the records: the seam between linkers and clusters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pairs {
    /// Pairs to join.
    pub edges: Vec<Edge>,
    /// Pairs that must not meet.
    pub apart: Vec<Apart>,
    /// Pairs that share a key and are not joined by it.
    pub kept: Vec<Kept>,
    /// Keys shared by too many records, which joined nobody, per rule.
    pub hot_keys: BTreeMap<KeyRule, u32>,
}

impl Pairs {
    /// Sorted, each pair and rule once, the lower position first.
    pub fn normalise(&mut self) {
        for e in &mut self.edges {
            (e.a, e.b) = (e.a.min(e.b), e.a.max(e.b));
        }
        for e in &mut self.apart {
            (e.a, e.b) = (e.a.min(e.b), e.a.max(e.b));
        }
        for e in &mut self.kept {
            (e.a, e.b) = (e.a.min(e.b), e.a.max(e.b));
        }
        self.edges.retain(|e| e.a != e.b);
        self.edges.sort_unstable();
        self.edges.dedup();
        self.apart.sort_unstable();
        self.apart.dedup();
        self.kept.sort_unstable();
        self.kept.dedup();
    }
}

/// Persons, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clusters {
    /// Positions of each person's records, sorted; the list sorted by its first position. Every record
    /// is in exactly one.
    pub persons: Vec<Vec<u32>>,
    /// Edges that were used.
    pub edges: Vec<Edge>,
    /// Pairs that share a key and were kept apart by it, with the reason.
    pub kept: Vec<Kept>,
    /// Keys that joined nobody because too many share them.
    pub hot_keys: BTreeMap<KeyRule, u32>,
}

impl Clusters {
    /// For each record the position of its person in `persons`.
    pub fn person_of(&self) -> Vec<u32> {
        let records = self.persons.iter().map(Vec::len).sum();
        let mut out = vec![0; records];
        for (p, members) in self.persons.iter().enumerate() {
            for m in members {
                out[*m as usize] = p as u32;
            }
        }
        out
    }
}

/// Joins records into persons. `holders[i]` is the holder of record `i`.
///
/// Sure edges join first and unconditionally. What they made is then joined by the other edges, one
/// connected component at a time: if all of a component's edges would bring together two records of one
/// holder, or a pair that must stay apart, only its supported edges are used; if those still would, none.
/// So nothing depends on the order of edges.
pub fn clusters(holders: &[u32], pairs: &Pairs) -> Clusters {
    let mut pairs = pairs.clone();
    pairs.normalise();
    let n = holders.len();
    let within = |e: &&Edge| (e.b as usize) < n;
    let sure: Vec<Edge> = pairs
        .edges
        .iter()
        .filter(within)
        .filter(|e| e.strength == Strength::Sure)
        .copied()
        .collect();
    let name: Vec<Edge> = pairs
        .edges
        .iter()
        .filter(within)
        .filter(|e| e.strength != Strength::Sure)
        .copied()
        .collect();

    let mut base = Union::new(n);
    for e in &sure {
        base.join(e.a, e.b);
    }
    let check = Check::new(holders, &mut base, &name, &pairs.apart);

    let mut done = base.clone();
    let mut used = sure;
    let mut kept = pairs.kept;
    let mut open = components(&mut base, &name);
    while let Some(edges) = open.pop() {
        match check.conflict(&mut base, &edges) {
            None => {
                for e in &edges {
                    done.join(e.a, e.b);
                }
                used.extend(edges);
            }
            Some(reason) => {
                let (supported, plain): (Vec<Edge>, Vec<Edge>) =
                    edges.iter().partition(|e| e.strength == Strength::Supported);
                // all supported: another round would be the same
                let dropped = if plain.is_empty() { &supported } else { &plain };
                kept.extend(dropped.iter().map(|e| Kept { a: e.a, b: e.b, rule: e.rule, reason }));
                if !plain.is_empty() {
                    open.extend(components(&mut base, &supported));
                }
            }
        }
    }

    let mut by_root: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for i in 0..n as u32 {
        by_root.entry(done.root(i)).or_default().push(i);
    }
    let mut persons: Vec<Vec<u32>> = by_root.into_values().collect();
    persons.sort_unstable();
    used.sort_unstable();
    kept.sort_unstable();
    kept.dedup();
    // kept by one rule, joined in the end by another path: not an open question
    kept.retain(|k| (k.b as usize) < n && done.root(k.a) != done.root(k.b));
    Clusters { persons, edges: used, kept, hot_keys: pairs.hot_keys }
}

/// The edges of each connected component over what sure edges made.
fn components(base: &mut Union, edges: &[Edge]) -> Vec<Vec<Edge>> {
    let ends: Vec<(u32, u32)> = edges.iter().map(|e| (base.root(e.a), base.root(e.b))).collect();
    let mut roots: Vec<u32> = ends.iter().flat_map(|(a, b)| [*a, *b]).collect();
    roots.sort_unstable();
    roots.dedup();
    let place = |root: u32| roots.partition_point(|r| *r < root) as u32;
    let mut local = Union::new(roots.len());
    for (a, b) in &ends {
        local.join(place(*a), place(*b));
    }
    let mut out: BTreeMap<u32, Vec<Edge>> = BTreeMap::new();
    for (edge, (a, _)) in edges.iter().zip(&ends) {
        out.entry(local.root(place(*a))).or_default().push(*edge);
    }
    out.into_values().collect()
}

/// What sure edges made, and who of it must not meet.
struct Check {
    holders: BTreeMap<u32, BTreeSet<u32>>,
    apart: BTreeMap<u32, BTreeSet<u32>>,
}

impl Check {
    fn new(holders: &[u32], base: &mut Union, edges: &[Edge], apart: &[Apart]) -> Self {
        let named: BTreeSet<u32> =
            edges.iter().flat_map(|e| [base.root(e.a), base.root(e.b)]).collect();
        let mut by_root: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for (i, h) in holders.iter().enumerate() {
            let root = base.root(i as u32);
            if named.contains(&root) {
                by_root.entry(root).or_default().insert(*h);
            }
        }
        let mut apart_of: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for p in apart.iter().filter(|p| (p.b as usize) < holders.len()) {
            let (a, b) = (base.root(p.a), base.root(p.b));
            if a != b {
                apart_of.entry(a).or_default().insert(b);
                apart_of.entry(b).or_default().insert(a);
            }
        }
        Self { holders: by_root, apart: apart_of }
    }

    /// Would joining all these edges' ends bring together what must not meet?
    fn conflict(&self, base: &mut Union, edges: &[Edge]) -> Option<KeptReason> {
        let roots: BTreeSet<u32> =
            edges.iter().flat_map(|e| [base.root(e.a), base.root(e.b)]).collect();
        if roots.iter().any(|r| self.apart.get(r).is_some_and(|a| !a.is_disjoint(&roots))) {
            return Some(KeptReason::Apart);
        }
        let mut seen = BTreeSet::new();
        let twice = roots
            .iter()
            .filter_map(|r| self.holders.get(r))
            .any(|holders| holders.iter().any(|h| !seen.insert(*h)));
        twice.then_some(KeptReason::OneHolder)
    }
}

/// Union-find with path halving; the lowest member is the root, so that the result has one form.
#[derive(Clone)]
struct Union(Vec<u32>);

impl Union {
    fn new(n: usize) -> Self {
        Self((0..n as u32).collect())
    }
    fn root(&mut self, mut i: u32) -> u32 {
        while self.0[i as usize] != i {
            let up = self.0[self.0[i as usize] as usize];
            self.0[i as usize] = up;
            i = up;
        }
        i
    }
    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}

#[cfg(test)]
mod tests;
