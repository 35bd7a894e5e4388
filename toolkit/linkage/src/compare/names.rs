//! Names: kana and kanji say together how near two names are.

use crate::{
    compare::{
        Kind,
        edit::{jaro_winkler, within_one},
    },
    kana::unvoiced,
    text::UNKNOWN,
    typed::{Row, Typed},
};

/// States of kana: missing, same, sounding alike, one edit, something in common, other.
const KANA: usize = 6;
/// States of kanji: missing, same, one character other, other.
const KANJI: usize = 4;
/// Levels from here: family and given name turned, by what both records have.
pub(crate) const SWAPPED: usize = KANA * KANJI;

fn name_level(kana: usize, kanji: usize) -> usize {
    kana * KANJI + kanji
}

pub(crate) fn level(level: usize) -> Option<(u8, Kind)> {
    if level >= SWAPPED {
        let group = level - SWAPPED + 1;
        return (group <= 3).then_some((group as u8, Kind::Near));
    }
    let (kana, kanji) = (level / KANJI, level % KANJI);
    let group = u8::from(kana != 0) + 2 * u8::from(kanji != 0);
    let kind = match (kana, kanji) {
        (0, 0) => Kind::Missing,
        (1, 0 | 1) | (0, 1) => Kind::Same,
        (1, 2) | (2, 0..=2) | (3, 0 | 1) => Kind::Near,
        (0, 2) | (4 | 5, 1) => Kind::Near,
        (1, 3) | (2 | 3, _) | (4, 0 | 2) => Kind::Part,
        _ => Kind::Other,
    };
    Some((group, kind))
}

pub(crate) fn level_id(level: usize) -> String {
    const SOUNDS: [&str; KANA] =
        ["missing", "same", "sounds_alike", "one_edit", "in_part", "other"];
    const LOOKS: [&str; KANJI] = ["missing", "same", "one_character", "other"];
    match level.checked_sub(SWAPPED) {
        Some(group) => format!("turned.{}", ["kana", "kanji", "both"][group.min(2)]),
        None => format!("kana_{}.kanji_{}", SOUNDS[level / KANJI], LOOKS[level % KANJI]),
    }
}

/// Both scripts the same.
pub(crate) const BOTH_SAME: usize = KANJI + 1;

/// Levels at which both scripts differ, each with the two at which the kana alone and the kanji alone differ so.
pub(crate) fn both_differ() -> impl Iterator<Item = (usize, [usize; 2])> {
    (2..KANA).flat_map(|kana| {
        (2..KANJI).map(move |kanji| {
            (name_level(kana, kanji), [name_level(kana, 1), name_level(1, kanji)])
        })
    })
}

/// Do the given names of this level sound or look alike?
pub(crate) fn alike(given: usize) -> bool {
    if given >= SWAPPED {
        return true;
    }
    matches!((given / KANJI, given % KANJI), (1..=3, _) | (0 | 4 | 5, 1))
}

/// Have the family names of this level nothing in common?
pub(crate) fn other(family: usize) -> bool {
    level(family).is_some_and(|(_, kind)| kind == Kind::Other)
}

fn kana_state(t: &Typed, a: u32, b: u32) -> usize {
    if a == 0 || b == 0 {
        return 0;
    }
    if a == b {
        return 1;
    }
    let (x, y) = (t.kana_chars.at(a), t.kana_chars.at(b));
    if sound_alike(x, y) {
        return 2;
    }
    if within_one(x, y) {
        return if x.len().max(y.len()) >= 3 { 3 } else { 4 };
    }
    // an initial, a name cut short, a long foreign name
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    if long.starts_with(short) && (short.len() >= 2 || short[0].is_ascii()) {
        return 4;
    }
    // Western names are longer: two edits in seven letters are near
    if short.len() >= 4 && jaro_winkler(x, y) >= 0.88 { 4 } else { 5 }
}

/// Do they differ in sound marks, long vowels or letters that look alike only?
fn sound_alike(a: &[char], b: &[char]) -> bool {
    fn sound(c: char) -> char {
        match unvoiced(c) {
            'シ' => 'ツ',
            'ソ' => 'ン',
            c => c,
        }
    }
    if a.len() == b.len() {
        return a.iter().zip(b).all(|(x, y)| sound(*x) == sound(*y));
    }
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if long.len() - short.len() != 1 {
        return false;
    }
    // one long vowel more: ユウコ and ユコ, オオノ and オノ
    let head = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    head > 0
        && matches!(long[head], 'ウ' | 'オ' | 'イ' | 'ツ' | 'ー')
        && long[head + 1..] == short[head..]
        && !long[head].is_ascii()
}

fn kanji_state(t: &Typed, a: u32, b: u32) -> usize {
    if a == 0 || b == 0 {
        return 0;
    }
    if a == b {
        return usize::from(!t.kanji_chars.at(a).contains(&UNKNOWN));
    }
    if t.kanji_in_kana[a as usize] != t.kanji_in_kana[b as usize] {
        return 0;
    }
    let (x, y) = (t.kanji_chars.at(a), t.kanji_chars.at(b));
    if x.contains(&UNKNOWN) || y.contains(&UNKNOWN) {
        let fits = x.len() == y.len()
            && x.iter().zip(y).all(|(p, q)| p == q || *p == UNKNOWN || *q == UNKNOWN);
        return if fits { 0 } else { 3 };
    }
    if within_one(x, y) && x.len().max(y.len()) >= 2 { 2 } else { 3 }
}

/// Levels of family and given name.
pub(crate) fn compare(t: &Typed, a: &Row, b: &Row) -> (usize, usize) {
    // written together otherwise split, or split otherwise: the same name all the same
    let full = a.full != 0 && a.full == b.full;
    let full_kanji = a.full_kanji != 0
        && a.full_kanji == b.full_kanji
        && !t.kanji_chars.at(a.full_kanji).contains(&UNKNOWN);
    let state = |kana: (u32, u32), kanji: (u32, u32)| {
        (
            if full { 1 } else { kana_state(t, kana.0, kana.1) },
            if full_kanji { 1 } else { kanji_state(t, kanji.0, kanji.1) },
        )
    };
    let family = state((a.family, b.family), (a.family_kanji, b.family_kanji));
    let given = state((a.given, b.given), (a.given_kanji, b.given_kanji));
    // neither part agrees as it stands: perhaps they are turned
    let poor = |s: (usize, usize)| !matches!(s, (1..=3, _) | (_, 1));
    if poor(family) && poor(given) && (family.0 != 0 || family.1 != 0) {
        let cross_family =
            (kana_state(t, a.family, b.given), kanji_state(t, a.family_kanji, b.given_kanji));
        let cross_given =
            (kana_state(t, a.given, b.family), kanji_state(t, a.given_kanji, b.family_kanji));
        let good = |s: (usize, usize)| matches!(s, (1, _) | (0, 1));
        if good(cross_family) && (good(cross_given) || matches!(cross_given, (2 | 3, _)))
            || good(cross_given) && matches!(cross_family, (2 | 3, _))
        {
            let group = usize::from(cross_family.0 != 0) + 2 * usize::from(cross_family.1 != 0);
            let better = if good(cross_given) { cross_given } else { cross_family };
            return (SWAPPED + group - 1, name_level(better.0, better.1));
        }
    }
    (name_level(family.0, family.1), name_level(given.0, given.1))
}
