//! What a pair inside a component counts for.

use hashbrown::HashMap;

use crate::{
    compare::{Kind, Pattern, Variable, tied},
    constraint::Held,
    resolve::Scorer,
    typed::Row,
};

/// Evidence of one pair counts at most so many bits for or against.
const MOST_BITS: f64 = 14.0;
/// What is not known is no evidence: a pair without birth date or given name, of which nothing speaks against one
/// person, counts so much of what it lacks.
const UNKNOWN: f64 = 0.15;

/// Scores between the records of a component, and pairs that share nothing.
pub(super) struct Evidence {
    /// Log2 odds, row by row; minus infinity where two must stay apart.
    pub(super) scores: Vec<f64>,
    /// 1 where two share no place, telephone or coverage, 0 where that cannot be said, minus infinity where they do.
    pub(super) apart: Vec<f64>,
}

fn kind(pattern: Pattern, v: Variable) -> Kind {
    v.level(pattern.level(v)).map_or(Kind::Missing, |(_, kind)| kind)
}

/// Are they of two by their branch numbers: born on one day, covered together, with other given names? The household's
/// name may have changed meanwhile.
pub(super) fn two_by_branch(pattern: Pattern) -> bool {
    born_and_named(pattern) && pattern.has_other_branch()
}

/// The same birth date and another given name.
fn born_and_named(pattern: Pattern) -> bool {
    kind(pattern, Variable::Birth) == Kind::Same && kind(pattern, Variable::Given) == Kind::Other
}

fn weighed(pattern: Pattern, score: f64) -> f64 {
    let score = score.clamp(-MOST_BITS, MOST_BITS);
    let (birth, given) = (kind(pattern, Variable::Birth), kind(pattern, Variable::Given));
    if score >= 0.0 || birth == Kind::Other || given == Kind::Other {
        return score;
    }
    let unknown = |kind: Kind| if kind == Kind::Missing { UNKNOWN } else { 1.0 };
    score * unknown(birth) * unknown(given)
}

impl Evidence {
    pub(super) fn of(scorer: &Scorer<'_>, held: &Held, members: &[u32]) -> Self {
        let m = members.len();
        let rows: Vec<&Row> = members.iter().map(|i| &scorer.typed.rows[*i as usize]).collect();
        let mut patterns = vec![Pattern::default(); m * m];
        let mut out = Self { scores: vec![0.0; m * m], apart: vec![0.0; m * m] };
        for i in 0..m {
            for j in i + 1..m {
                let (pattern, score) = scorer.score(rows[i], rows[j]);
                patterns[i * m + j] = pattern;
                let score = if held.is_apart(members[i], members[j]) {
                    f64::NEG_INFINITY
                } else {
                    weighed(pattern, score)
                };
                let apart = match tied(pattern) {
                    Some(true) => f64::NEG_INFINITY,
                    Some(false) => 1.0,
                    None => 0.0,
                };
                for at in [i * m + j, j * m + i] {
                    out.scores[at] = score;
                    out.apart[at] = apart;
                }
            }
        }
        out.twins(&rows, &patterns);
        out
    }

    /// Two born on one day in one household are two if their branch numbers say so, or if both given names were written
    /// by two sources each: an error is not made twice.
    fn twins(&mut self, rows: &[&Row], patterns: &[Pattern]) {
        let m = rows.len();
        let two = |i: usize, j: usize| born_and_named(patterns[i * m + j]);
        if !(0..m).any(|i| (i + 1..m).any(|j| two(i, j))) {
            return;
        }
        // by given name: who wrote it
        let mut sources: HashMap<(u32, u32), Vec<u16>> = HashMap::new();
        for row in rows.iter().filter(|r| r.source != 0) {
            let list = sources.entry((row.given, row.given_kanji)).or_default();
            if !list.contains(&row.source) {
                list.push(row.source);
            }
        }
        let twice = |i: usize| {
            let name = (rows[i].given, rows[i].given_kanji);
            name != (0, 0) && sources.get(&name).is_some_and(|s| s.len() > 1)
        };
        for i in 0..m {
            for j in i + 1..m {
                if !two(i, j) {
                    continue;
                }
                let pattern = patterns[i * m + j];
                let branches = two_by_branch(pattern);
                let names = kind(pattern, Variable::Family) == Kind::Same
                    && tied(pattern) == Some(true)
                    && twice(i)
                    && twice(j);
                if branches || names {
                    self.scores[i * m + j] = f64::NEG_INFINITY;
                    self.scores[j * m + i] = f64::NEG_INFINITY;
                }
            }
        }
    }
}
