//! The whole run: typed rows to persons.

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::{
    candidate::{PassReport, candidates, sort_hashed},
    compare::{Pattern, compare},
    list::{List, mix},
    model::{CLASSES, Frequency, Model, Reason, chance, fit},
    resolve::{Scorer, persons},
    typed::{Row, Typed, house, type_list},
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

/// What a run found.
pub(crate) struct Linked {
    pub(crate) typed: Typed,
    pub(crate) person: Vec<u32>,
    /// Pairs of at least `look`, with their scores.
    pub(crate) pairs: Vec<(u32, u32, f32)>,
    pub(crate) passes: Vec<PassReport>,
    pub(crate) model: Model,
    pub(crate) candidates: u64,
    pub(crate) patterns: u64,
    pub(crate) rounds: usize,
    pub(crate) expected: [f64; CLASSES],
}

/// Copies of one record say no more than so many: a list with ten thousand of them would teach that all people are
/// alike.
const COPIES: usize = 20;

/// The rows that are counted: of rows that are alike in all values, the first few.
fn few_copies(typed: &Typed) -> Vec<Row> {
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
    kept.sort_unstable();
    kept.into_iter().map(|i| typed.rows[i as usize]).collect()
}

impl Linked {
    /// Why two rows score as they do.
    pub(crate) fn why(&self, a: usize, b: usize) -> (Vec<Reason>, f64) {
        let (a, b) = (&self.typed.rows[a], &self.typed.rows[b]);
        let pattern = compare(&self.typed, a, b);
        let counted = few_copies(&self.typed);
        let rarity = Frequency::of(&self.typed, &counted).rarity(pattern, a, b);
        self.model.why(pattern, rarity)
    }
}

/// Links a list; its columns are dropped on the way. A given model is used as it is; else one is fitted.
pub(crate) fn link(
    list: &mut List,
    model: Option<&Model>,
    settings: &Settings,
    progress: &(dyn Fn(Stage) + Sync),
) -> Linked {
    progress(Stage::Type);
    let typed = type_list(list);
    // only the record ids are needed from here
    list.columns = Vec::new();
    progress(Stage::Candidates);
    let (pairs, passes) = candidates(&typed);
    let candidates = pairs.len() as u64;
    progress(Stage::Compare(candidates));
    let rows = &typed.rows;
    let ends = |pair: u64| ((pair >> 32) as u32, pair as u32);
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
    let counted = few_copies(&typed);
    let (model, rounds, expected) = match model {
        Some(model) => (model.clone(), 0, [0.0; CLASSES]),
        None => {
            let chance = chance(&typed, &counted, settings.seed);
            let fit = fit(&patterns, &chance, counted.len());
            (fit.model, fit.rounds, fit.expected)
        }
    };
    let frequency = Frequency::of(&typed, &counted);
    let weighed = patterns.iter().map(|(p, _)| (*p, model.weigh(*p))).collect();
    let scorer = Scorer { typed: &typed, model: &model, frequency: &frequency, weighed };
    let scored: Vec<(u32, u32, f32)> = pairs
        .par_iter()
        .zip(&compared)
        .filter_map(|(pair, pattern)| {
            let (a, b) = ends(*pair);
            let score = scorer.score_of(*pattern, &rows[a as usize], &rows[b as usize]);
            (score >= settings.look).then_some((a, b, score as f32))
        })
        .collect();
    drop(compared);
    drop(pairs);
    progress(Stage::Resolve);
    let person = persons(&scorer, &scored, settings.join);
    drop(scorer);
    let patterns = patterns.len() as u64;
    Linked { person, pairs: scored, passes, candidates, patterns, rounds, expected, model, typed }
}
