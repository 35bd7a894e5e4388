//! Names in two parts: split where the source wrote them together, turned where it wrote them the wrong way round.
//!
//! The dictionary is the list itself: parts of names that were written apart, with how often they stood first and last.

use std::borrow::Cow;

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::{
    kana::kana_parts,
    kanji::name_kanji,
    list::{Interner, Raw},
    rule::RuleSet,
    text::{compatible, is_katakana},
    typed::rows::Decode,
};

/// The names of one script, and the dictionary: how often each stood first and last where names were written apart.
#[derive(Clone, Default)]
pub(crate) struct Names {
    /// All parts and full names.
    pub(crate) values: Interner,
    /// Of each value how often it stood first and last; those that came later stood nowhere.
    pub(crate) stood: Vec<(u32, u32)>,
    /// All that stood first.
    pub(crate) all: f64,
}

impl Names {
    fn count(&self, text: &str) -> (u32, u32) {
        let id = self.values.find(text.as_bytes());
        id.and_then(|id| self.stood.get(id as usize)).copied().unwrap_or_default()
    }
    fn count_of(&self, id: u32) -> (u32, u32) {
        self.stood.get(id as usize).copied().unwrap_or_default()
    }
    /// Counts names of two parts: by distinct name the numbers of its parts, by record its distinct name.
    fn learn(&mut self, [families, givens]: &[Vec<u32>; 2], of_record: &[u32]) {
        let mut weight = vec![0u32; families.len()];
        for name in of_record {
            weight[*name as usize] += 1;
        }
        self.stood.resize(self.values.len().max(self.stood.len()), (0, 0));
        for ((family, given), weight) in families.iter().zip(givens).zip(weight) {
            if *family != 0 && *given != 0 {
                self.stood[*family as usize].0 += weight;
                self.stood[*given as usize].1 += weight;
                self.all += f64::from(weight);
            }
        }
    }
    /// How much likelier is the name with its family name last?
    fn lean(&self, s: &Split, [family, given, _]: [u32; 3]) -> f32 {
        if family == 0 || given == 0 {
            return 0.0;
        }
        let likely =
            |first: u32, last: u32| (f64::from(first) + 0.2).ln() + (f64::from(last) + 0.2).ln();
        let (one, other) = (self.count_of(family), self.count_of(given));
        let turned = match &s.turn {
            Turn::Swap => other,
            Turn::Last(Some(last)) => self.count(last),
            Turn::Last(None) | Turn::Stay => return 0.0,
        };
        (likely(turned.0, one.1) - likely(one.0, other.1)) as f32
    }
}

/// The names of a list's records.
pub(crate) struct Readings {
    /// The two readings of each distinct name as written.
    pub(crate) of: Vec<Reading>,
    /// Of each record the number of its name as written.
    pub(crate) of_record: Vec<u32>,
    /// Names that were split by the dictionary, by distinct value.
    pub(crate) split: u64,
}

/// A name as it stands and turned round, as numbers of values; 0 is missing.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reading {
    /// Family name, given name, both end to end; as they stand.
    pub(crate) stands: [u32; 3],
    /// The same with the family name last.
    pub(crate) turned: [u32; 3],
    /// Natural logarithm of how much likelier the second is by the dictionary.
    pub(crate) lean: f32,
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

#[derive(Default)]
struct Split {
    /// As it stands: family, given.
    parts: [Option<String>; 2],
    turn: Turn,
    /// One part alone: not known which, or both.
    alone: Option<String>,
}

/// A name with its family name last.
#[derive(Default)]
enum Turn {
    /// The two parts in the other order.
    #[default]
    Swap,
    /// Of a name of more than two parts this one comes first.
    Last(Option<String>),
    /// One part is all there is.
    Stay,
}

/// Words that stand for the given name of a newborn or of nobody, as kana and kanji are compared.
const NO_NAME: [&str; 18] = [
    "ベビー",
    "ベビイ",
    "ベイビー",
    "ベイビイ",
    "ニユウジ",
    "シンセイジ",
    "アカチヤン",
    "フメイ",
    "フシヨウ",
    "ナナシ",
    "乳児",
    "新生児",
    "女児",
    "男児",
    "赤チヤン",
    "不明",
    "不詳",
    "名無",
];

fn tokens(text: &str, script: Script) -> Vec<Option<String>> {
    let parts: Vec<Option<String>> = match script {
        Script::Kana => kana_parts(text),
        Script::Kanji => compatible(text, &mut RuleSet::default())
            .split(|c: char| c.is_whitespace() || matches!(c, '・' | ',' | '、'))
            .filter(|t| !t.is_empty())
            .map(|t| name_kanji(t).map(|n| n.text))
            .collect(),
    };
    let mut out = Vec::with_capacity(parts.len());
    for part in parts {
        // a newborn's dummy name may be written right after the family name
        match part.as_deref().and_then(|p| NO_NAME.iter().find_map(|w| p.strip_suffix(w))) {
            None => out.push(part),
            Some("") => out.push(None),
            Some(family) => out.extend([Some(family.to_owned()), None]),
        }
    }
    out
}

fn split(text: &str, script: Script) -> Split {
    let mut parts = tokens(text, script);
    match parts.len() {
        0 => Split::default(),
        1 => Split { alone: parts.pop().flatten(), ..Split::default() },
        2 => Split { parts: [parts[0].take(), parts[1].take()], ..Split::default() },
        // of a name of three parts the middle one is often left out
        n => Split {
            turn: Turn::Last(parts[n - 1].clone()),
            parts: [parts[0].take(), parts[1].take()],
            ..Split::default()
        },
    }
}

/// Types a name column. `decode` gives the text of a raw value; the dictionary learns from this list if it may.
pub(crate) fn name_parts(
    columns: &NameColumns<'_>,
    script: Script,
    decode: Decode<'_>,
    names: &mut Names,
    learn: bool,
) -> Readings {
    // one distinct value a combination of the three columns
    let records =
        columns.whole.ids.len().max(columns.family.ids.len()).max(columns.given.ids.len());
    let at = |raw: &Raw, i: usize| raw.ids.get(i).copied().unwrap_or(0);
    let (combos, of_record): (Vec<[u32; 3]>, Vec<u32>) =
        if columns.family.ids.is_empty() && columns.given.ids.is_empty() {
            (
                (0..columns.whole.values.len() as u32).map(|v| [v, 0, 0]).collect(),
                columns.whole.ids.clone(),
            )
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
    let mut splits: Vec<Split> = combos
        .par_iter()
        .map(|[whole, family, given]| {
            if *family == 0 && *given == 0 {
                return split(&text(columns.whole, *whole, decode), script);
            }
            let parts = [
                joined(&tokens(&text(columns.family, *family, decode), script)),
                joined(&tokens(&text(columns.given, *given, decode), script)),
            ];
            Split { parts, ..Split::default() }
        })
        .collect();
    let mut ids = [Vec::new(), Vec::new()];
    for (place, ids) in ids.iter_mut().enumerate() {
        ids.reserve(splits.len());
        names.values.intern_all(splits.iter().map(|s| s.part(place)), ids);
    }
    if learn {
        names.learn(&ids, &of_record);
    }
    let known: &Names = names;
    let split = splits.par_iter_mut().map(|s| u64::from(cut(s, known))).sum();
    let [families, givens] = &mut ids;
    for (s, (family, given)) in splits.iter().zip(families.iter_mut().zip(givens.iter_mut())) {
        // those that were cut
        if (*family, *given) == (0, 0) {
            *family = names.values.intern(s.part(0));
            *given = names.values.intern(s.part(1));
        }
    }
    let mut fulls = Vec::with_capacity(splits.len());
    {
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        for s in &splits {
            s.full(&mut bytes);
            ends.push(bytes.len());
        }
        names.values.intern_all(ends.windows(2).map(|w| &bytes[w[0]..w[1]]), &mut fulls);
    }
    let mut full = Vec::new();
    let of = splits
        .iter()
        .enumerate()
        .map(|(i, s)| {
            let stands = [families[i], givens[i], fulls[i]];
            let lean = names.lean(s, stands);
            let turned = match &s.turn {
                // what nobody will read needs no number
                _ if lean <= -6.0 => stands,
                Turn::Stay => stands,
                turn => {
                    let first = match turn {
                        Turn::Last(last) => last.as_deref(),
                        _ => s.parts[1].as_deref(),
                    };
                    full.clear();
                    if let (Some(first), Some(last)) = (first, &s.parts[0]) {
                        full.extend_from_slice(first.as_bytes());
                        full.extend_from_slice(last.as_bytes());
                    } else if let Some(alone) = &s.alone {
                        full.extend_from_slice(alone.as_bytes());
                    }
                    let values = &mut names.values;
                    let first = values.intern(first.unwrap_or_default().as_bytes());
                    [first, stands[0], values.intern(&full)]
                }
            };
            Reading { stands, turned, lean }
        })
        .collect();
    Readings { of, of_record, split }
}

fn text<'a>(raw: &'a Raw, id: u32, decode: Decode<'_>) -> Cow<'a, str> {
    if id == 0 { Cow::default() } else { decode(raw.values.bytes(id)) }
}

impl Split {
    fn part(&self, place: usize) -> &[u8] {
        self.parts[place].as_deref().unwrap_or_default().as_bytes()
    }
    /// Adds both parts end to end, or the one that there is if it is not known which.
    fn full(&self, to: &mut Vec<u8>) {
        if let [Some(family), Some(given)] = &self.parts {
            to.extend_from_slice(family.as_bytes());
            to.extend_from_slice(given.as_bytes());
        } else if let Some(alone) = &self.alone {
            to.extend_from_slice(alone.as_bytes());
        }
    }
}

/// A name of one part is so often a family or given name alone.
const ALONE: f64 = 0.005;

/// Splits what was written together where that is likelier than one part standing alone.
fn cut(s: &mut Split, known: &Names) -> bool {
    let Some(alone) = s.alone.take() else { return false };
    let all = known.all.max(1.0);
    let count = |t: &str| known.count(t);
    // a half that was never seen counts as one in ten records
    let share = |n: u32| if n == 0 { 0.1 / all } else { f64::from(n) / all };
    let mut best = (0.0, 0);
    for (i, _) in alone.char_indices().skip(1) {
        let (first, last) = (count(&alone[..i]).0, count(&alone[i..]).1);
        let score = if first == 0 && last == 0 { 0.0 } else { share(first) * share(last) };
        // at a tie the longer family name
        if score > 0.0 && score >= best.0 {
            best = (score, i);
        }
    }
    let (first, last) = count(&alone);
    if ALONE * f64::from(first.max(last)) / all >= best.0 {
        // one part: a known family or given name, else unknown
        match (first, last) {
            (0, 0) => s.alone = Some(alone),
            (f, l) if f > l => s.parts[0] = Some(alone),
            _ => s.parts[1] = Some(alone),
        }
        s.turn = Turn::Stay;
        return false;
    }
    s.parts = [Some(alone[..best.1].to_owned()), Some(alone[best.1..].to_owned())];
    true
}

fn joined(parts: &[Option<String>]) -> Option<String> {
    let all: String = parts.iter().flatten().map(String::as_str).collect();
    (!all.is_empty() && parts.iter().all(Option::is_some)).then_some(all)
}

/// Is the text kana alone, so that it says nothing against kanji?
pub(crate) fn kana_only(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| is_katakana(c) || c.is_ascii_alphabetic())
}
