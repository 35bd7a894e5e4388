//! Names in two parts: split where the source wrote them together, turned where it wrote them the wrong way round.
//!
//! The dictionary is the list itself: parts of names that were written apart, with how often they stood first and last.

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::{
    kana::kana_parts,
    kanji::name_kanji,
    list::{Interner, Raw},
    rule::RuleSet,
    text::{compatible, is_katakana},
};

/// The parts of each raw value of a name column.
pub(crate) struct Parts {
    /// Family and given name of each raw value, as numbers in `values`; 0 is missing.
    pub(crate) of: Vec<(u32, u32)>,
    /// Family and given name end to end.
    pub(crate) full: Vec<u32>,
    /// All parts and full names.
    pub(crate) values: Interner,
    /// Names that were split by the dictionary, by distinct value.
    pub(crate) split: u64,
    /// Names that were turned, by distinct value.
    pub(crate) turned: u64,
}

/// Kana, or kanji?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    Kana,
    Kanji,
}

/// The columns a name may stand in: whole, or in two.
pub(crate) struct NameColumns<'a> {
    pub(crate) whole: &'a Raw,
    pub(crate) family: &'a Raw,
    pub(crate) given: &'a Raw,
}

#[derive(Clone, Default)]
struct Split {
    family: Option<String>,
    given: Option<String>,
    /// One part alone: not known which, or both.
    alone: Option<String>,
    /// The source wrote two parts.
    apart: bool,
}

fn tokens(text: &str, script: Script) -> Vec<Option<String>> {
    match script {
        Script::Kana => kana_parts(text),
        Script::Kanji => compatible(text, &mut RuleSet::default())
            .split(|c: char| c.is_whitespace() || matches!(c, '・' | ',' | '、'))
            .filter(|t| !t.is_empty())
            .map(|t| name_kanji(t).map(|n| n.text))
            .collect(),
    }
}

fn joined(parts: &[Option<String>]) -> Option<String> {
    let all: String = parts.iter().flatten().map(String::as_str).collect();
    (!all.is_empty() && parts.iter().all(Option::is_some)).then_some(all)
}

fn split(text: &str, script: Script) -> Split {
    let mut parts = tokens(text, script);
    match parts.len() {
        0 => Split::default(),
        1 => Split { alone: parts.pop().flatten(), ..Split::default() },
        _ => Split {
            family: parts[0].take(),
            given: joined(&parts[1..]),
            alone: None,
            apart: true,
        },
    }
}

/// How often a part stood first and last.
type Counts = HashMap<String, (u32, u32)>;

/// Types a name column. `decode` gives the text of a raw value.
pub(crate) fn name_parts(
    columns: &NameColumns<'_>,
    script: Script,
    decode: &(dyn Fn(&[u8]) -> String + Sync),
) -> (Parts, Vec<u32>) {
    // one distinct value a combination of the three columns
    let records = columns.whole.ids.len().max(columns.family.ids.len()).max(columns.given.ids.len());
    let at = |raw: &Raw, i: usize| raw.ids.get(i).copied().unwrap_or(0);
    let (combos, of_record): (Vec<[u32; 3]>, Vec<u32>) =
        if columns.family.ids.is_empty() && columns.given.ids.is_empty() {
            ((0..columns.whole.values.len() as u32).map(|v| [v, 0, 0]).collect(), columns.whole.ids.clone())
        } else {
            let mut numbers: HashMap<[u32; 3], u32> = HashMap::new();
            let mut combos = Vec::new();
            let of = (0..records)
                .map(|i| {
                    let combo = [at(columns.whole, i), at(columns.family, i), at(columns.given, i)];
                    *numbers.entry(combo).or_insert_with(|| {
                        combos.push(combo);
                        combos.len() as u32 - 1
                    })
                })
                .collect();
            (combos, of)
        };
    let mut weight = vec![0u32; combos.len()];
    for id in &of_record {
        weight[*id as usize] += 1;
    }
    let text = |raw: &Raw, id: u32| if id == 0 { String::new() } else { decode(raw.values.bytes(id)) };
    let mut splits: Vec<Split> = combos
        .par_iter()
        .map(|[whole, family, given]| {
            let mut out = split(&text(columns.whole, *whole), script);
            if *family != 0 || *given != 0 {
                out = Split {
                    family: joined(&tokens(&text(columns.family, *family), script)),
                    given: joined(&tokens(&text(columns.given, *given), script)),
                    alone: None,
                    apart: true,
                };
            }
            out
        })
        .collect();
    let mut counts: Counts = HashMap::new();
    for (s, w) in splits.iter().zip(&weight) {
        if let (Some(family), Some(given)) = (&s.family, &s.given) {
            counts.entry_ref(family.as_str()).or_default().0 += w;
            counts.entry_ref(given.as_str()).or_default().1 += w;
        }
    }
    let (split, turned) = splits
        .par_iter_mut()
        .map(|s| (u64::from(cut(s, &counts)), u64::from(turn(s, &counts))))
        .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let mut values = Interner::default();
    let mut of = Vec::with_capacity(splits.len());
    let mut full = Vec::with_capacity(splits.len());
    let mut both = String::new();
    for s in splits {
        let mut number = |t: &Option<String>| t.as_ref().map_or(0, |t| values.intern(t.as_bytes()));
        of.push((number(&s.family), number(&s.given)));
        both.clear();
        if let (Some(family), Some(given)) = (&s.family, &s.given) {
            both.push_str(family);
            both.push_str(given);
        } else if let Some(alone) = &s.alone {
            both.push_str(alone);
        }
        full.push(values.intern(both.as_bytes()));
    }
    (Parts { of, full, values, split, turned }, of_record)
}

/// Splits what was written together where both halves are known, or one is and it is common.
fn cut(s: &mut Split, counts: &Counts) -> bool {
    let Some(alone) = s.alone.take() else { return false };
    let count = |t: &str| counts.get(t).copied().unwrap_or_default();
    let mut best = (0.0, 0);
    for (i, _) in alone.char_indices().skip(1) {
        let (first, last) = (count(&alone[..i]).0, count(&alone[i..]).1);
        let score = match (first, last) {
            (0, 0) => 0.0,
            (0, l) => f64::from(l) * 1e-3,
            (f, 0) => f64::from(f) * 1e-3,
            (f, l) => f64::from(f) * f64::from(l),
        };
        // at a tie the longer family name
        if score > 0.0 && score >= best.0 {
            best = (score, i);
        }
    }
    if best.1 == 0 {
        // one part: a known family or given name, else unknown
        let (first, last) = count(&alone);
        if first > last {
            s.family = Some(alone);
        } else if last > 0 {
            s.given = Some(alone);
        } else {
            s.alone = Some(alone);
        }
        return false;
    }
    s.given = Some(alone[best.1..].to_owned());
    s.family = Some(alone[..best.1].to_owned());
    true
}

/// Turns a name whose first part is far more often a given name and whose last part a family name.
fn turn(s: &mut Split, counts: &Counts) -> bool {
    let (Some(family), Some(given)) = (&s.family, &s.given) else { return false };
    let count = |t: &str| {
        let (first, last) = counts.get(t).copied().unwrap_or_default();
        (f64::from(first) + 0.2, f64::from(last) + 0.2)
    };
    let (f, g) = (count(family), count(given));
    // each half must say so by itself
    let turned = f.1 > 4.0 * f.0 && g.0 > 4.0 * g.1 && f.1 * g.0 > 100.0 * f.0 * g.1;
    if turned {
        std::mem::swap(&mut s.family, &mut s.given);
    }
    turned
}

/// Is the text kana alone, so that it says nothing against kanji?
pub(crate) fn kana_only(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| is_katakana(c) || c.is_ascii_alphabetic())
}
