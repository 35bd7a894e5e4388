//! How common the values are on which a pair agrees.

use crate::{
    compare::{Pattern, SWAPPED, Variable},
    typed::{Row, Typed},
};

/// How often each value of a kind stood, against the usual frequency of a value on which two strangers agree.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Counts {
    /// By number of the value; 0 is missing, and values that came later stood nowhere.
    pub(crate) of: Vec<u32>,
    /// What one of them weighs; 0 if there was none.
    pub(crate) weight: f64,
}

/// Frequencies of values.
#[derive(Clone, Default)]
pub(crate) struct Frequency {
    pub(crate) family: Counts,
    pub(crate) given: Counts,
    pub(crate) family_kanji: Counts,
    pub(crate) given_kanji: Counts,
    pub(crate) postal: Counts,
    /// By packed date.
    pub(crate) birth: hashbrown::HashMap<u32, u32>,
    pub(crate) birth_weight: f64,
}

/// No value counts as rarer than this.
const RAREST: f64 = 1.0 / 256.0;
const COMMONEST: f64 = 64.0;

/// f(v) over the sum of squares of f is the count times this.
fn weight(counts: impl Iterator<Item = u32> + Clone) -> f64 {
    let known: f64 = counts.clone().map(f64::from).sum();
    let squares: f64 = counts.map(|c| f64::from(c) * f64::from(c)).sum();
    if squares == 0.0 { 0.0 } else { known / squares }
}

/// A value that was not counted is as rare as one that was seen once.
fn relative(count: Option<u32>, weight: f64) -> f64 {
    if weight == 0.0 {
        return 1.0;
    }
    (f64::from(count.unwrap_or(0).max(1)) * weight).clamp(RAREST, COMMONEST)
}

impl Counts {
    fn of(len: usize, rows: &[Row], of: impl Fn(&Row) -> u32) -> Self {
        let mut out = vec![0; len];
        for row in rows {
            out[of(row) as usize] += 1;
        }
        let weight = weight(out.iter().skip(1).copied());
        Self { of: out, weight }
    }
    fn at(&self, id: u32) -> f64 {
        relative(self.of.get(id as usize).copied(), self.weight)
    }
}

impl Frequency {
    /// Of the values of some rows.
    pub(crate) fn of(t: &Typed, rows: &[Row]) -> Self {
        let mut birth: hashbrown::HashMap<u32, u32> = hashbrown::HashMap::new();
        for row in rows.iter().filter(|r| r.birth.is_full()) {
            *birth.entry(row.birth.packed()).or_default() += 1;
        }
        // sums in one order
        let mut counts: Vec<u32> = birth.values().copied().collect();
        counts.sort_unstable();
        let (kana, kanji) = (t.kana.values.len(), t.kanji.values.len());
        Self {
            family: Counts::of(kana, rows, |r| r.family),
            given: Counts::of(kana, rows, |r| r.given),
            family_kanji: Counts::of(kanji, rows, |r| r.family_kanji),
            given_kanji: Counts::of(kanji, rows, |r| r.given_kanji),
            postal: Counts::of(t.postal.values.len(), rows, |r| r.postal),
            birth,
            birth_weight: weight(counts.iter().copied()),
        }
    }

    /// How much more often than usual two strangers would agree on these values.
    pub(crate) fn rarity(&self, pattern: Pattern, a: &Row, b: &Row) -> f64 {
        let name = |level: usize, kana: &Counts, kanji: &Counts, k: (u32, u32), j: (u32, u32)| {
            if level >= SWAPPED {
                return 1.0;
            }
            if level % 4 == 1 && j.0 == j.1 {
                kanji.at(j.0)
            } else if level / 4 == 1 && k.0 == k.1 {
                kana.at(k.0)
            } else {
                1.0
            }
        };
        let family = name(
            pattern.level(Variable::Family),
            &self.family,
            &self.family_kanji,
            (a.family, b.family),
            (a.family_kanji, b.family_kanji),
        );
        let given = name(
            pattern.level(Variable::Given),
            &self.given,
            &self.given_kanji,
            (a.given, b.given),
            (a.given_kanji, b.given_kanji),
        );
        let birth = if pattern.level(Variable::Birth) == 1 {
            relative(self.birth.get(&a.birth.packed()).copied(), self.birth_weight).max(0.25)
        } else {
            1.0
        };
        let postal = if a.postal == b.postal && pattern.level(Variable::Place) % 5 != 1 {
            self.postal.at(a.postal).max(0.25)
        } else {
            1.0
        };
        family * given * birth * if a.postal == 0 { 1.0 } else { postal }
    }
}
