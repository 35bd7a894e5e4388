//! A linked list that can be added to, corrected and erased from, and kept between runs.
//!
//! Enters: what a run made of a list. Leaves: the same after a change, with the persons that a run over all records
//! with the same model would find. What a list teaches once (the weights, the dictionary of names, how common values
//! are, which passes are made) stays as it was learnt: a state is linked anew when it has grown much.

mod bytes;
mod columns;
mod prune;
mod update;

use crate::{
    candidate::PASSES,
    compare::compare,
    constraint::{Bound, Constraint, Held, held},
    linker::Settings,
    list::Ids,
    model::{Frequency, Model, Reason},
    resolve::{Rules, Scored, Scorer, persons},
    typed::Typed,
};

pub use bytes::StateError;
pub(crate) use update::{Change, update};

/// A linked list: records in comparable form, the model with all that it learnt of the list, scored pairs, persons.
///
/// It holds what identifies people: keep it where the list itself may be kept.
#[derive(Clone)]
pub struct State {
    /// Of each row, in order.
    pub(crate) ids: Ids,
    pub(crate) typed: Typed,
    pub(crate) frequency: Frequency,
    pub(crate) model: Model,
    pub(crate) settings: Settings,
    /// Passes that proposed too much.
    pub(crate) left_out: [bool; PASSES.len()],
    /// Pairs of at least `settings.look`, with their scores, sorted.
    pub(crate) pairs: Vec<Scored>,
    /// Of each row the first row of its person.
    pub(crate) person: Vec<u32>,
    /// Constraints, sorted.
    pub(crate) bounds: Vec<Bound>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("records", &self.ids.len())
            .field("pairs", &self.pairs.len())
            .finish_non_exhaustive()
    }
}

impl State {
    /// Records.
    pub fn records(&self) -> usize {
        self.ids.len()
    }

    /// Persons.
    pub fn persons(&self) -> usize {
        self.person.iter().enumerate().filter(|(i, p)| *i as u32 == **p).count()
    }

    /// Pairs worth looking at.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Is there a record of this id?
    pub fn has(&self, record: &str) -> bool {
        self.ids.place(record.as_bytes()).is_some()
    }

    /// The records of each person, both sorted.
    pub fn clusters(&self) -> Vec<Vec<String>> {
        let mut of: Vec<Vec<String>> = vec![Vec::new(); self.person.len()];
        for (row, person) in self.person.iter().enumerate() {
            of[*person as usize].push(self.id_text(row as u32));
        }
        of.retain(|c| !c.is_empty());
        of
    }

    pub(crate) fn id_text(&self, row: u32) -> String {
        String::from_utf8_lossy(self.ids.at(row as usize)).into_owned()
    }

    pub(crate) fn scorer(&self) -> Scorer<'_> {
        Scorer {
            typed: &self.typed,
            model: &self.model,
            frequency: &self.frequency,
            weighed: hashbrown::HashMap::new(),
        }
    }

    /// Why two rows score as they do.
    /// Pairs worth looking at: the ids of the two records, the log2 odds, and whether both are of one person now.
    pub fn scored(&self) -> impl Iterator<Item = (String, String, f64, bool)> + '_ {
        self.pairs.iter().map(|(a, b, score)| {
            let linked = self.person[*a as usize] == self.person[*b as usize];
            (self.id_text(*a), self.id_text(*b), f64::from(*score), linked)
        })
    }

    /// Why two records score as they do, variable by variable, and the log2 odds; `None` if one of them is not there.
    pub fn why_of(&self, record_l: &str, record_r: &str) -> Option<(Vec<Reason>, f64)> {
        let (a, b) = (self.ids.place(record_l.as_bytes())?, self.ids.place(record_r.as_bytes())?);
        Some(self.why(a, b))
    }

    pub(crate) fn why(&self, a: u32, b: u32) -> (Vec<Reason>, f64) {
        let rows = &self.typed.rows;
        let (a, b) = (&rows[a.min(b) as usize], &rows[a.max(b) as usize]);
        let pattern = compare(&self.typed, a, b);
        self.model.why(pattern, self.frequency.rarity(pattern, a, b))
    }

    /// The rows of constraints; how many name a record that there is not.
    pub(crate) fn bounds_of(&self, constraints: &[Constraint]) -> (Vec<Bound>, u64) {
        let mut out = Vec::new();
        let mut unknown = 0;
        for c in constraints {
            match (self.ids.place(c.record_l.as_bytes()), self.ids.place(c.record_r.as_bytes())) {
                (Some(a), Some(b)) if a != b => {
                    let (kind, ground) = (c.kind, c.ground);
                    out.push(Bound { a: a.min(b), b: a.max(b), kind, ground });
                }
                _ => unknown += 1,
            }
        }
        (out, unknown)
    }

    pub(crate) fn held(&self) -> Held {
        held(self.ids.len(), &self.bounds)
    }

    /// Persons anew from some pairs.
    pub(crate) fn resolve(
        &self,
        held: &Held,
        pairs: &[Scored],
    ) -> (Vec<u32>, Vec<(u32, u32, f64)>) {
        let scorer = self.scorer();
        persons(&Rules { scorer: &scorer, join: self.settings.join, held }, pairs)
    }
}
