//! The whole run: typed rows to persons.

use std::borrow::Cow;

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::{
    candidate::{PASSES, PassReport, candidates, sort_hashed},
    compare::{Pattern, compare},
    constraint::{Bound, Constraint},
    list::{Field, Ids, List, mix},
    model::{CLASSES, Frequency, Model, chance, fit},
    resolve::{NEAR, Rules, Scored, Scorer, persons},
    state::State,
    typed::{Batch, Row, Typed, house, type_list},
};

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading; so many records.
    Read(u64),
    /// Values are brought into comparable form.
    Type,
    /// Candidates are made.
    Candidates,
    /// So many candidates are compared.
    Compare(u64),
    /// The model is fitted.
    Fit,
    /// Persons are made.
    Resolve,
}

/// How to link.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Chance is drawn from this.
    pub seed: u64,
    /// Log2 odds from which groups of records are joined.
    pub join: f64,
    /// Log2 odds from which a pair is worth looking at.
    pub look: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 1, join: 0.0, look: -4.0 }
    }
}

/// What a run tells beside its state.
#[derive(Default)]
pub(crate) struct Stats {
    pub(crate) passes: Vec<PassReport>,
    pub(crate) filled: Vec<(Field, u64, u64)>,
    pub(crate) repeated_ids: u64,
    pub(crate) cut: [u64; 2],
    pub(crate) candidates: u64,
    pub(crate) patterns: u64,
    pub(crate) rounds: usize,
    pub(crate) expected: [f64; CLASSES],
    /// Pairs and joins at a threshold, sorted.
    pub(crate) ties: Vec<(u32, u32, f64)>,
    /// Constraints that do not hold, with what they contradict.
    pub(crate) dropped: Vec<(Bound, Option<Bound>)>,
    /// Constraints that name a record that there is not.
    pub(crate) unknown_constraints: u64,
}

/// Copies of one record say no more than so many: a list with ten thousand of them would teach that all people are
/// alike.
const COPIES: usize = 20;

/// The rows that are counted: of rows that are alike in all values, the first few.
fn few_copies(typed: &Typed) -> Cow<'_, [Row]> {
    let content = |i: u32| {
        let r = &typed.rows[i as usize];
        let kana = |id| typed.kana.values.hash(id);
        let kanji = |id| typed.kanji.values.hash(id);
        let parts = [
            kana(r.full),
            kana(r.given),
            kanji(r.full_kanji),
            kanji(r.given_kanji),
            u64::from(r.birth.packed()),
            typed.postal.values.hash(r.postal),
            house(&typed.places, r),
            typed.phone.values.hash(r.phone),
            typed.insurer.values.hash(r.insurer),
            typed.card.values.hash(r.card),
            typed.person_no.values.hash(r.person_no),
        ];
        parts.into_iter().fold(1, mix)
    };
    let hashed = sort_hashed(typed.rows.len(), |i| Some(content(i as u32)));
    let mut kept: Vec<u32> =
        hashed.groups().flat_map(|g| g.iter().take(COPIES).map(|m| hashed.number(*m))).collect();
    if kept.len() == typed.rows.len() {
        return Cow::Borrowed(&typed.rows);
    }
    kept.sort_unstable();
    kept.into_iter().map(|i| typed.rows[i as usize]).collect()
}

/// Scored pairs.
pub(crate) struct Score {
    /// Pairs of at least `look`.
    pub(crate) scored: Vec<Scored>,
    /// Pairs at a threshold.
    pub(crate) ties: Vec<(u32, u32, f64)>,
}

/// The rows of a pair.
fn ends(pair: u64) -> (u32, u32) {
    ((pair >> 32) as u32, pair as u32)
}

/// Scores pairs; their patterns may be known.
pub(crate) fn score(
    scorer: &Scorer<'_>,
    pairs: &[u64],
    patterns: Option<&[Pattern]>,
    settings: &Settings,
) -> Score {
    let rows = &scorer.typed.rows;
    let near =
        |score: f64| (score - settings.look).abs() <= NEAR || (score - settings.join).abs() <= NEAR;
    let all: Vec<(u32, u32, f64)> = pairs
        .par_iter()
        .enumerate()
        .filter_map(|(i, pair)| {
            let (a, b) = ends(*pair);
            let (x, y) = (&rows[a as usize], &rows[b as usize]);
            let pattern = patterns.map_or_else(|| compare(scorer.typed, x, y), |p| p[i]);
            let score = scorer.score_of(pattern, x, y);
            (score >= settings.look || near(score)).then_some((a, b, score))
        })
        .collect();
    let ties = all.iter().filter(|p| near(p.2)).copied().collect();
    let scored = all
        .into_iter()
        .filter(|p| p.2 >= settings.look)
        .map(|(a, b, score)| (a, b, score as f32))
        .collect();
    Score { scored, ties }
}

/// What a run starts from.
#[derive(Clone, Copy, Default)]
pub(crate) struct Start<'a> {
    /// A fitted model to be used as it is.
    pub(crate) model: Option<&'a Model>,
    /// A state whose model, dictionary, frequencies and passes are used as they are.
    pub(crate) like: Option<&'a State>,
    pub(crate) constraints: &'a [Constraint],
}

/// Links a list; its columns are dropped on the way.
pub(crate) fn link(
    list: &mut List,
    start: &Start<'_>,
    settings: &Settings,
    progress: &(dyn Fn(Stage) + Sync),
) -> (State, Stats) {
    progress(Stage::Type);
    let mut typed = start.like.map(|l| l.typed.without_rows()).unwrap_or_default();
    let Batch { rows, order, filled, repeated_ids, cut } =
        type_list(list, &mut typed, start.like.is_none());
    typed.rows = rows;
    let ids = list.record_ids.in_order(&order);
    drop(order);
    // nothing of the list is needed from here
    list.columns = Vec::new();
    list.record_ids = Ids::default();
    progress(Stage::Candidates);
    let (pairs, passes) = candidates(&typed, start.like.map(|l| &l.left_out));
    let candidates = pairs.len() as u64;
    progress(Stage::Compare(candidates));
    let rows = &typed.rows;
    let compared: Vec<Pattern> = pairs
        .par_iter()
        .map(|pair| {
            let (a, b) = ends(*pair);
            compare(&typed, &rows[a as usize], &rows[b as usize])
        })
        .collect();
    let counts = compared
        .par_chunks(1 << 16)
        .map(|chunk| {
            let mut counts: HashMap<Pattern, u64> = HashMap::new();
            for pattern in chunk {
                *counts.entry(*pattern).or_default() += 1;
            }
            counts
        })
        .reduce(HashMap::new, |mut a, b| {
            for (pattern, n) in b {
                *a.entry(pattern).or_default() += n;
            }
            a
        });
    let mut patterns: Vec<(Pattern, u64)> = counts.into_iter().collect();
    patterns.par_sort_unstable();
    progress(Stage::Fit);
    let (model, frequency, rounds, expected) = match (start.like, start.model) {
        (Some(like), _) => (like.model.clone(), like.frequency.clone(), 0, [0.0; CLASSES]),
        (None, model) => {
            let counted = few_copies(&typed);
            let frequency = Frequency::of(&typed, &counted);
            if let Some(model) = model {
                (model.clone(), frequency, 0, [0.0; CLASSES])
            } else {
                let chance = chance(&typed, &counted, settings.seed);
                let fit = fit(&patterns, &chance, counted.len());
                (fit.model, frequency, fit.rounds, fit.expected)
            }
        }
    };
    let weighed = patterns.iter().map(|(p, _)| (*p, model.weigh(*p))).collect();
    let scorer = Scorer { typed: &typed, model: &model, frequency: &frequency, weighed };
    let Score { scored, mut ties } = score(&scorer, &pairs, Some(&compared), settings);
    drop(compared);
    drop(pairs);
    progress(Stage::Resolve);
    let mut left_out = [false; PASSES.len()];
    for (out, pass) in left_out.iter_mut().zip(&passes) {
        *out = pass.left_out;
    }
    let Scorer { weighed, .. } = scorer;
    let (settings, person) = (settings.clone(), Vec::new());
    let mut state = State {
        ids,
        typed,
        frequency,
        model,
        settings,
        left_out,
        pairs: scored,
        person,
        bounds: Vec::new(),
    };
    let (mut bounds, unknown_constraints) = state.bounds_of(start.constraints);
    bounds.sort_unstable();
    bounds.dedup();
    state.bounds = bounds;
    let held = state.held();
    let scorer = Scorer { weighed, ..state.scorer() };
    let rules = Rules { scorer: &scorer, join: state.settings.join, held: &held };
    let (person, joins) = persons(&rules, &state.pairs);
    state.person = person;
    ties.extend(joins);
    sort_ties(&mut ties);
    let stats = Stats {
        passes,
        filled,
        repeated_ids,
        cut,
        candidates,
        patterns: patterns.len() as u64,
        rounds,
        expected,
        ties,
        dropped: held.dropped,
        unknown_constraints,
    };
    (state, stats)
}

/// Ties in one order, each once.
pub(crate) fn sort_ties(ties: &mut Vec<(u32, u32, f64)>) {
    ties.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    ties.dedup();
}
