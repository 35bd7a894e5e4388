//! How common the values are on which a pair agrees.

use crate::{
    compare::{Pattern, SWAPPED, Variable},
    typed::{Row, Typed},
};

/// Frequencies of values, each against the usual frequency of a value on which two strangers agree.
pub(crate) struct Frequency {
    family: Vec<f32>,
    given: Vec<f32>,
    family_kanji: Vec<f32>,
    given_kanji: Vec<f32>,
    birth: hashbrown::HashMap<u32, f32>,
    postal: Vec<f32>,
}

/// No value counts as rarer than this.
const RAREST: f64 = 1.0 / 256.0;
const COMMONEST: f64 = 64.0;

fn relative(counts: &[u32]) -> Vec<f32> {
    let known: f64 = counts.iter().skip(1).map(|c| f64::from(*c)).sum();
    let squares: f64 = counts.iter().skip(1).map(|c| f64::from(*c) * f64::from(*c)).sum();
    if squares == 0.0 {
        return vec![1.0; counts.len()];
    }
    // f(v) over the sum of squares of f
    counts
        .iter()
        .map(|c| (f64::from(*c) * known / squares).clamp(RAREST, COMMONEST) as f32)
        .collect()
}

fn count(len: usize, rows: &[Row], of: impl Fn(&Row) -> u32) -> Vec<u32> {
    let mut out = vec![0; len];
    for row in rows {
        out[of(row) as usize] += 1;
    }
    out
}

impl Frequency {
    pub(crate) fn of(t: &Typed) -> Self {
        let rows = &t.rows;
        let mut dates: hashbrown::HashMap<u32, u32> = hashbrown::HashMap::new();
        for row in rows.iter().filter(|r| r.birth.is_full()) {
            *dates.entry(row.birth.packed()).or_default() += 1;
        }
        let mut keys: Vec<u32> = dates.keys().copied().collect();
        keys.sort_unstable();
        let counts: Vec<u32> = std::iter::once(0).chain(keys.iter().map(|k| dates[k])).collect();
        let birth = keys.iter().copied().zip(relative(&counts).into_iter().skip(1)).collect();
        Self {
            family: relative(&count(t.kana.values.len(), rows, |r| r.family)),
            given: relative(&count(t.kana.values.len(), rows, |r| r.given)),
            family_kanji: relative(&count(t.kanji.values.len(), rows, |r| r.family_kanji)),
            given_kanji: relative(&count(t.kanji.values.len(), rows, |r| r.given_kanji)),
            birth,
            postal: relative(&count(t.postal.values.len(), rows, |r| r.postal)),
        }
    }

    /// How much more often than usual two strangers would agree on these values.
    pub(crate) fn rarity(&self, pattern: Pattern, a: &Row, b: &Row) -> f64 {
        let name = |level: usize, kana: &[f32], kanji: &[f32], k: (u32, u32), j: (u32, u32)| {
            if level >= SWAPPED {
                return 1.0;
            }
            if level % 4 == 1 && j.0 == j.1 {
                f64::from(kanji[j.0 as usize])
            } else if level / 4 == 1 && k.0 == k.1 {
                f64::from(kana[k.0 as usize])
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
            self.birth.get(&a.birth.packed()).map_or(1.0, |f| f64::from(*f).max(0.25))
        } else {
            1.0
        };
        let postal = if a.postal == b.postal && pattern.level(Variable::Place) % 5 != 1 {
            f64::from(self.postal[a.postal as usize]).max(0.25)
        } else {
            1.0
        };
        family * given * birth * if a.postal == 0 { 1.0 } else { postal }
    }
}
