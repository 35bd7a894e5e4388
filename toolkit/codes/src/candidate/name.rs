//! A name as weighed features, and what it says of specimen, method and strength.

use std::sync::OnceLock;

use hashbrown::HashMap;
use unicode_normalization::UnicodeNormalization as _;

use super::{
    fold::{self, Letter, Piece, Script},
    lexicon::{Domain, Symbol, lexicon},
};
use crate::{
    exact::{Decimal, Rational},
    unit::{Dimension, Unit},
};

/// Shares of the two spaces in the similarity of names: names with synonyms replaced, and names as spelled.
const CANONICAL: f32 = 0.65;
const SPELLED: f32 = 0.35;

/// What a feature counts inside its space, before its rarity.
const CONCEPT: f32 = 2.0;
const WORD: f32 = 1.0;
const PAIR: f32 = 0.6;

/// A feature: a key, the weight of its kind, and its space.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feature {
    pub(super) key: u64,
    pub(super) weight: f32,
    pub(super) canonical: bool,
}

impl Feature {
    /// The share of the feature's space.
    pub(super) const fn share(self) -> f32 {
        if self.canonical { CANONICAL } else { SPELLED }
    }
}

/// A name, read.
#[derive(Clone, Debug, Default)]
pub(super) struct Name {
    /// Sorted by key, each once.
    pub(super) features: Vec<Feature>,
    pub(super) specimen: Option<u16>,
    pub(super) method: Option<u16>,
    pub(super) concepts: Vec<u16>,
    pub(super) strengths: Vec<Strength>,
}

/// An amount in a name: `5mg`, `0.5 g`, `30分`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Strength {
    pub(super) size: Rational,
    pub(super) dimension: Dimension,
}

/// 64-bit FNV-1a over code points: the same on every machine and in every run.
fn hash(seed: u64, parts: impl IntoIterator<Item = u32>) -> u64 {
    parts.into_iter().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, part| {
        part.to_le_bytes()
            .into_iter()
            .fold(hash, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    })
}

const EDGE: u32 = 0;
/// Symbols stand above all code points.
const SYMBOLS: u32 = 0x20_0000;

pub(super) fn read(text: &str, domain: Domain) -> Name {
    let lexicon = lexicon(domain);
    let letters = fold::letters(text, lexicon);
    let mut name = Name { strengths: strengths(text), ..Name::default() };
    let spelled: Vec<(u32, bool, Script)> =
        letters.iter().map(|l| (l.c as u32, l.begins, l.script)).collect();
    features(&spelled, false, &mut name.features);
    let mut core = letters.clone();
    if domain == Domain::Laboratory
        && let Some(at) = urine_mark(&letters)
    {
        name.specimen = lexicon.specimen("urine");
        core.remove(at);
    }
    let mut canonical: Vec<(u32, bool, Script)> = Vec::with_capacity(letters.len());
    let mut after_symbol = false;
    for piece in fold::pieces(&core, lexicon) {
        match piece {
            Piece::Symbol(Symbol::Concept(at)) => {
                if !name.concepts.contains(&at) {
                    name.concepts.push(at);
                    canonical.push((SYMBOLS + u32::from(at), true, Script::Other));
                }
                after_symbol = true;
            }
            Piece::Symbol(symbol) => {
                match symbol {
                    Symbol::Specimen(at) => name.specimen = name.specimen.or(Some(at)),
                    Symbol::Method(at) => name.method = name.method.or(Some(at)),
                    _ => {}
                }
                after_symbol = true;
            }
            Piece::Letter(letter) => {
                canonical.push((letter.c as u32, letter.begins || after_symbol, letter.script));
                after_symbol = false;
            }
        }
    }
    // A name that is all specimen, method and noise is compared by them after all.
    if canonical.is_empty() {
        canonical.clone_from(&spelled);
    }
    features(&canonical, true, &mut name.features);
    name.features.sort_by(|a, b| a.key.cmp(&b.key).then(b.weight.total_cmp(&a.weight)));
    name.features.dedup_by_key(|f| f.key);
    name
}

/// `U-Cr`, `Na(U)`: the place of a word that is the letter U beside other words.
fn urine_mark(letters: &[Letter]) -> Option<usize> {
    (0..letters.len()).find(|at| {
        letters[*at].c == 'u'
            && letters[*at].begins
            && letters.len() > 1
            && letters.get(at + 1).is_none_or(|next| next.begins)
    })
}

fn features(letters: &[(u32, bool, Script)], canonical: bool, out: &mut Vec<Feature>) {
    let space = u64::from(canonical);
    let mut add = |kind: u64, parts: &[u32], weight: f32| {
        let key = hash(kind * 2 + space, parts.iter().copied());
        out.push(Feature { key, weight, canonical });
    };
    let mut word: Vec<u32> = Vec::new();
    for (c, begins, _) in letters {
        if *c >= SYMBOLS {
            add(1, &[*c], CONCEPT);
        }
        if *begins && !word.is_empty() {
            add(2, &word, WORD);
            word.clear();
        }
        word.push(*c);
    }
    if !word.is_empty() {
        add(2, &word, WORD);
    }
    let edged: Vec<u32> = std::iter::once(EDGE)
        .chain(letters.iter().map(|(c, ..)| *c))
        .chain(std::iter::once(EDGE))
        .collect();
    for pair in edged.windows(2) {
        add(3, pair, PAIR);
    }
}

/// Spellings of the units of amounts, in lower case. Letters as they stand in names: `MG` is milligram.
const AMOUNTS: [&str; 24] = [
    "mg",
    "g",
    "kg",
    "μg",
    "ug",
    "mcg",
    "ng",
    "ml",
    "l",
    "dl",
    "%",
    "単位",
    "iu",
    "u",
    "meq",
    "mmol",
    "min",
    "h",
    "hr",
    "分",
    "時間",
    "mol",
    "万単位",
    "ミリグラム",
];

fn amounts() -> &'static HashMap<&'static str, Strength> {
    static TABLE: OnceLock<HashMap<&'static str, Strength>> = OnceLock::new();
    TABLE.get_or_init(|| {
        AMOUNTS
            .into_iter()
            .filter_map(|spelling| {
                let code = match spelling {
                    "mcg" => "ug",
                    "ミリグラム" => "mg",
                    other => other,
                };
                let unit = Unit::parse(code)?;
                Some((
                    spelling,
                    Strength { size: unit.factor(), dimension: unit.dimension().clone() },
                ))
            })
            .collect()
    })
}

/// Amounts in a text: a number and a unit of mass, volume, activity, amount or time, or a percentage.
pub(super) fn strengths(text: &str) -> Vec<Strength> {
    let chars: Vec<char> = text.nfkc().flat_map(char::to_lowercase).collect();
    let mut found: Vec<Strength> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if !chars[at].is_ascii_digit() || at > 0 && chars[at - 1].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let mut end = at;
        while end < chars.len()
            && (chars[end].is_ascii_digit()
                || chars[end] == '.' && chars.get(end + 1).is_some_and(char::is_ascii_digit))
        {
            end += 1;
        }
        let number: String = chars[at..end].iter().collect();
        let start = end + chars[end..].iter().take_while(|c| **c == ' ').count();
        at = end;
        // The longest unit that stands there and is not the head of a longer word.
        let strength = (1..=5.min(chars.len() - start)).rev().find_map(|length| {
            let ends = start + length;
            let whole = !chars[ends - 1].is_ascii_alphabetic()
                || chars.get(ends).is_none_or(|c| !c.is_ascii_alphabetic());
            let spelling: String = chars[start..ends].iter().collect();
            let one = amounts().get(spelling.as_str()).filter(|_| whole)?;
            let size = Decimal::parse(&number)?.exact()?.times(one.size)?;
            Some(Strength { size, dimension: one.dimension.clone() })
        });
        if let Some(strength) = strength
            && !found.contains(&strength)
        {
            found.push(strength);
        }
    }
    found
}
