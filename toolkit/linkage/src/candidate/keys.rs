//! The keys of each pass.

use crate::{
    kana::rough,
    list::mix,
    typed::{Row, Typed, house},
};

/// How many passes there are.
pub(crate) const PASSES: usize = 37;

/// Names of the passes for the report, in order.
pub(crate) const NAMES: [&str; PASSES] = [
    "birth+family",
    "birth+given",
    "birth+family_kanji",
    "birth+given_kanji",
    "full+birth_year",
    "full_kanji+birth_year",
    "full+month_day",
    "full_kanji+month_day",
    "full+postal",
    "full_kanji+postal",
    "birth+turned_names",
    "birth+turned_kanji",
    "phone+given",
    "phone+given_kanji",
    "phone+birth",
    "coverage+given",
    "coverage+given_kanji",
    "coverage+birth",
    "coverage+branch",
    "house+given",
    "house+given_kanji",
    "house+birth",
    "birth+initials",
    "birth+insurer+sex",
    "birth+postal",
    "rough+birth_year",
    "rough+postal",
    "full+insurer",
    "person_no",
    "full+phone_or_house_rough",
    "card+given",
    "given+birth_year+town",
    "house+family",
    "postal+family",
    "postal+given",
    "full, a birth date missing",
    "full_kanji, a birth date missing",
];

/// Passes of which only pairs count where a birth date is missing.
pub(crate) fn wants_missing_birth(pass: usize) -> bool {
    pass >= 35
}

/// Passes that bring members of a household together: for lists that have few of them.
pub(crate) fn for_small_lists(pass: usize) -> bool {
    (32..35).contains(&pass)
}

/// Hashes of values that do not depend on their numbers.
pub(crate) struct Hashes {
    kana_rough: Vec<u64>,
    kana_initial: Vec<u64>,
    place_rough: Vec<u64>,
}

impl Hashes {
    pub(crate) fn of(typed: &Typed) -> Self {
        let n = typed.kana.values.len() as u32;
        let hash = |t: &str| if t.is_empty() { 0 } else { crate::list::hash_bytes(t.as_bytes()) };
        Self {
            kana_rough: (0..n).map(|id| hash(&rough(typed.kana.values.text(id)))).collect(),
            kana_initial: (0..n)
                .map(|id| typed.kana_chars.at(id).first().map_or(0, |c| mix(7, u64::from(*c))))
                .collect(),
            place_rough: typed.places.iter().map(|p| p.area_hash).collect(),
        }
    }
}

/// The hash of values that must all be there; 0 if one is missing.
fn all<const N: usize>(pass: usize, parts: [u64; N]) -> u64 {
    if parts.contains(&0) {
        return 0;
    }
    parts.into_iter().fold(pass as u64 + 1, mix).max(1)
}

/// The key of a row in a pass; 0 is none.
pub(crate) fn key(pass: usize, r: &Row, t: &Typed, h: &Hashes) -> u64 {
    let kana = |id: u32| if id == 0 { 0 } else { t.kana.values.hash(id) };
    let kanji = |id: u32| if id == 0 { 0 } else { t.kanji.values.hash(id) };
    let whole = |id: u32| {
        // a name with an unknown letter is no key
        if id == 0 || t.kanji_chars.at(id).contains(&crate::text::UNKNOWN) { 0 } else { kanji(id) }
    };
    let birth = if r.birth.is_full() { u64::from(r.birth.packed()) } else { 0 };
    let year = u64::from(r.birth.year());
    let month_day = if r.birth.is_full() { u64::from(r.birth.month_day()) } else { 0 };
    let plain = |v: &crate::list::Interner, id: u32| if id == 0 { 0 } else { v.hash(id) };
    let postal = plain(&t.postal.values, r.postal);
    let phone = plain(&t.phone.values, r.phone);
    let insurer = plain(&t.insurer.values, r.insurer);
    let card = plain(&t.card.values, r.card);
    let coverage = if insurer == 0 || card == 0 { 0 } else { mix(insurer, card) };
    let turned = |a: u64, b: u64| if a == 0 || b == 0 { 0 } else { mix(a.min(b), a.max(b)) };
    let p = pass;
    match pass {
        0 => all(p, [birth, kana(r.family)]),
        1 => all(p, [birth, kana(r.given)]),
        2 => all(p, [birth, whole(r.family_kanji)]),
        3 => all(p, [birth, whole(r.given_kanji)]),
        4 => all(p, [kana(r.full), year]),
        5 => all(p, [whole(r.full_kanji), year]),
        6 => all(p, [kana(r.full), month_day]),
        7 => all(p, [whole(r.full_kanji), month_day]),
        8 => all(p, [kana(r.full), postal]),
        9 => all(p, [whole(r.full_kanji), postal]),
        10 => all(p, [birth, turned(kana(r.family), kana(r.given))]),
        11 => all(p, [birth, turned(whole(r.family_kanji), whole(r.given_kanji))]),
        12 => all(p, [phone, kana(r.given)]),
        13 => all(p, [phone, whole(r.given_kanji)]),
        14 => all(p, [phone, birth]),
        15 => all(p, [coverage, kana(r.given)]),
        16 => all(p, [coverage, whole(r.given_kanji)]),
        17 => all(p, [coverage, birth]),
        18 => all(p, [coverage, u64::from(r.branch)]),
        19 => all(p, [house(&t.places, r), kana(r.given)]),
        20 => all(p, [house(&t.places, r), whole(r.given_kanji)]),
        21 => all(p, [house(&t.places, r), birth]),
        22 => {
            all(p, [birth, h.kana_initial[r.family as usize], h.kana_initial[r.given as usize]])
        }
        23 => all(p, [birth, insurer, u64::from(r.sex)]),
        24 => all(p, [birth, postal]),
        25 => all(p, [h.kana_rough[r.family as usize], h.kana_rough[r.given as usize], year]),
        26 => all(p, [h.kana_rough[r.family as usize], h.kana_rough[r.given as usize], postal]),
        27 => all(p, [kana(r.full), insurer]),
        28 => all(p, [plain(&t.person_no.values, r.person_no)]),
        29 => all(p, [kana(r.full), h.place_rough[r.place as usize]]),
        30 => all(p, [card, kana(r.given)]),
        31 => all(p, [kana(r.given), year, plain(&t.town.values, r.town)]),
        32 => all(p, [house(&t.places, r), kana(r.family)]),
        33 => all(p, [postal, kana(r.family)]),
        34 => all(p, [postal, kana(r.given)]),
        35 => all(p, [kana(r.full), u64::from(r.sex)]),
        36 => all(p, [whole(r.full_kanji), u64::from(r.sex)]),
        _ => 0,
    }
}
