//! Kana names as keys.

use crate::{
    rule::{NormalRule, RuleSet},
    text::{
        Normal, capitals, compatible, is_hyphen, is_katakana, is_separator, is_unknown, katakana,
    },
};

/// Given names that are none: unnamed, unknown, newborn.
const PLACEHOLDERS: [&str; 7] =
    ["フメイ", "ナナシ", "ナナシノゴンベイ", "ベビイ", "ベイビイ", "アカチヤン", "シンセイジ"];

/// A kana (or Latin) name in the form that keys use; `None` if nothing remains, if a character of it is
/// unknown, or if it is a placeholder.
///
/// Order: invisible characters out, NFKC, hyphens between kana to ー, hiragana to katakana, ヴ and its
/// kin, small to large, same sounds, separators out, long vowels in one spelling (オオ, オウ and オー are
/// one, オ is another: 大野 and 小野 stay apart), capitals.
pub fn name_kana(text: &str) -> Option<Normal> {
    let mut rules = RuleSet::default();
    let text = compatible(text, &mut rules);
    if text.chars().any(is_unknown) {
        return None;
    }
    let chars = to_katakana(&text, &mut rules);
    let chars = same_sounds(&chars, &mut rules);
    let last_part: String = {
        let parts: Vec<&[char]> =
            chars.split(|c| is_separator(*c)).filter(|p| !p.is_empty()).collect();
        parts
            .last()
            .map(|p| long_vowels(p, &mut RuleSet::default()).into_iter().collect())
            .unwrap_or_default()
    };
    let joined: Vec<char> = chars.iter().copied().filter(|c| !is_separator(*c)).collect();
    if joined.len() != chars.len() {
        rules.fire(NormalRule::Separator);
    }
    let text: String = long_vowels(&joined, &mut rules)
        .into_iter()
        .flat_map(|c| {
            if c.is_lowercase() {
                rules.fire(NormalRule::Capital);
            }
            c.to_uppercase()
        })
        .collect();
    let placeholder = |t: &str| PLACEHOLDERS.contains(&t);
    if text.chars().count() < 2 || placeholder(&text) || placeholder(&last_part) {
        return None;
    }
    Some(Normal { text, rules })
}

/// Any kana text as [`name_kana`] reads it, single letters too: what comes of a beginning is the beginning of what comes
/// of the whole.
pub(crate) fn kana_letters(text: &str) -> Normal {
    let mut rules = RuleSet::default();
    let text = compatible(text, &mut rules);
    let mut chars = same_sounds(&to_katakana(&text, &mut rules), &mut rules);
    chars.retain(|c| !is_separator(*c));
    let letters = long_vowels(&chars, &mut rules);
    Normal { text: letters.into_iter().flat_map(char::to_uppercase).collect(), rules }
}

/// The parts of a kana (or Latin) name, each in the form of [`name_kana`]; a part that is a placeholder or has an
/// unknown character is `None`.
pub(crate) fn kana_parts(text: &str) -> Vec<Option<String>> {
    let mut rules = RuleSet::default();
    let text = compatible(text, &mut rules);
    let chars = same_sounds(&to_katakana(&text, &mut rules), &mut rules);
    chars
        .split(|c| is_separator(*c))
        .filter(|part| !part.is_empty())
        .map(|part| {
            let unknown = part.iter().any(|c| is_unknown(*c));
            let mut text = String::with_capacity(part.len() * 3);
            for c in long_vowels(part, &mut rules) {
                if capitals(c) {
                    text.extend(c.to_uppercase());
                } else {
                    text.push(c);
                }
            }
            (!unknown && !PLACEHOLDERS.contains(&text.as_str())).then_some(text)
        })
        .collect()
}

/// A key for candidates only: voicing removed, long vowels and doubled consonants dropped.
pub(crate) fn rough(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    for c in text.chars() {
        let plain = unvoiced(c);
        let long = matches!(
            (before.and_then(vowel), c),
            (Some('オ'), 'ウ' | 'オ') | (Some('ウ'), 'ウ') | (Some('エ'), 'イ') | (_, 'ー')
        );
        before = Some(c);
        if !long && c != 'ッ' {
            out.push(plain);
        }
    }
    out
}

/// The letter without its sound mark.
pub(crate) fn unvoiced(c: char) -> char {
    match c {
        'ガ' | 'ギ' | 'グ' | 'ゲ' | 'ゴ' | 'ザ' | 'ジ' | 'ズ' | 'ゼ' | 'ゾ' | 'ダ' | 'ヂ'
        | 'ヅ' | 'デ' | 'ド' | 'バ' | 'ビ' | 'ブ' | 'ベ' | 'ボ' => {
            char::from_u32(c as u32 - 1).unwrap_or(c)
        }
        'パ' | 'ピ' | 'プ' | 'ペ' | 'ポ' => char::from_u32(c as u32 - 2).unwrap_or(c),
        c => c,
    }
}

fn to_katakana(text: &str, rules: &mut RuleSet) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(text.len() / 3);
    for c in text.chars() {
        let k = katakana(c);
        if k != c {
            rules.fire(NormalRule::Hiragana);
        }
        if is_hyphen(k) {
            if out.last().is_some_and(|p| is_katakana(*p)) {
                rules.fire(NormalRule::HyphenAsLong);
                out.push('ー');
            } else {
                // between Latin letters or blanks it separates
                out.push(' ');
            }
        } else {
            out.push(k);
        }
    }
    out
}

fn same_sounds(chars: &[char], rules: &mut RuleSet) -> Vec<char> {
    let mut out = Vec::with_capacity(chars.len());
    let mut i = 0;
    while i < chars.len() {
        let (c, next) = (chars[i], chars.get(i + 1).copied());
        let v = match (c, next) {
            ('ヴ', Some('ァ' | 'ア')) => Some(('バ', 2)),
            ('ヴ', Some('ィ' | 'イ')) => Some(('ビ', 2)),
            ('ヴ', Some('ェ' | 'エ')) => Some(('ベ', 2)),
            ('ヴ', Some('ォ' | 'オ')) => Some(('ボ', 2)),
            ('ヴ', _) => Some(('ブ', 1)),
            ('ヂ', _) => Some(('ジ', 1)),
            ('ヅ', _) => Some(('ズ', 1)),
            ('ヲ', _) => Some(('オ', 1)),
            ('ヰ', _) => Some(('イ', 1)),
            ('ヱ', _) => Some(('エ', 1)),
            _ => None,
        };
        if let Some((sound, used)) = v {
            rules.fire(NormalRule::SameSound);
            out.push(sound);
            i += used;
            continue;
        }
        let large = large(c);
        if large != c {
            rules.fire(NormalRule::SmallKana);
        }
        out.push(large);
        i += 1;
    }
    out
}

fn large(c: char) -> char {
    match c {
        'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ' | 'ッ' | 'ャ' | 'ュ' | 'ョ' | 'ヮ' => {
            char::from_u32(c as u32 + 1).unwrap_or(c)
        }
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        c => c,
    }
}

/// One spelling for a long vowel, decided by the letter before it as already written.
fn long_vowels(chars: &[char], rules: &mut RuleSet) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(chars.len());
    for &c in chars {
        let one = match (out.last().copied().and_then(vowel), c) {
            (Some('オ'), 'オ' | 'ー') => 'ウ',
            (Some('エ'), 'ー') => 'イ',
            (Some(v), 'ー') => v,
            _ => c,
        };
        if one != c {
            rules.fire(NormalRule::LongVowel);
        }
        out.push(one);
    }
    out
}

#[rustfmt::skip]
fn vowel(c: char) -> Option<char> {
    Some(match c {
        'ア' | 'カ' | 'サ' | 'タ' | 'ナ' | 'ハ' | 'マ' | 'ヤ' | 'ラ' | 'ワ' | 'ガ' | 'ザ' | 'ダ' | 'バ' | 'パ' => 'ア',
        'イ' | 'キ' | 'シ' | 'チ' | 'ニ' | 'ヒ' | 'ミ' | 'リ' | 'ギ' | 'ジ' | 'ビ' | 'ピ' => 'イ',
        'ウ' | 'ク' | 'ス' | 'ツ' | 'ヌ' | 'フ' | 'ム' | 'ユ' | 'ル' | 'グ' | 'ズ' | 'ブ' | 'プ' => 'ウ',
        'エ' | 'ケ' | 'セ' | 'テ' | 'ネ' | 'ヘ' | 'メ' | 'レ' | 'ゲ' | 'ゼ' | 'デ' | 'ベ' | 'ペ' => 'エ',
        'オ' | 'コ' | 'ソ' | 'ト' | 'ノ' | 'ホ' | 'モ' | 'ヨ' | 'ロ' | 'ゴ' | 'ゾ' | 'ド' | 'ボ' | 'ポ' => 'オ',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> String {
        name_kana(text).map(|n| n.text).unwrap_or_default()
    }

    #[test]
    fn spellings_of_one_name_make_one_key() {
        for same in [
            [
                "ヤマダ ハナコ",
                "ﾔﾏﾀﾞ ﾊﾅｺ",
                "やまだ　はなこ",
                "ヤマタ\u{3099}ハナコ",
                "ヤマタ゛・ハナコ",
            ],
            ["オオノ ジュン", "オーノ ジユン", "オウノ　ヂュン", "ｵ-ﾉ ｼﾞｭﾝ", "おおの じゅん"],
            ["ミヅキ", "ミズキ", "みづき", "ﾐﾂﾞｷ", "ミ ヅキ"],
            ["ケーコ", "ケイコ", "ｹｰｺ", "けーこ", "ケ−コ"],
            ["ヴァン リ", "バンリ", "ヴアンリ", "ばん・り", "バン＝リ"],
            ["smith john", "SMITH JOHN", "Ｓｍｉｔｈ　Ｊｏｈｎ", "Smith-John", "smith,john"],
        ] {
            for spelling in same {
                assert_eq!(key(spelling), key(same[0]), "{spelling} {:?}", same[0]);
            }
        }
    }

    #[test]
    fn different_names_stay_apart() {
        assert_ne!(key("オオノ"), key("オノ"));
        assert_ne!(key("コウジ"), key("コジ"));
        assert_ne!(key("サトウ"), key("サドウ"));
    }

    #[test]
    fn placeholders_and_unknown_characters_make_no_key() {
        for text in
            ["", " ", "ア", "フメイ", "サトウ ベビー", "ﾌﾒｲ", "サト■", "サト\u{E000}ウ", "サトウ？"]
        {
            assert!(name_kana(text).is_none(), "{text}");
        }
    }

    #[test]
    fn fired_rules_are_told() {
        let got = name_kana("やまだ ﾊﾅｺ").map(|n| n.rules).unwrap_or_default();
        for rule in [NormalRule::Nfkc, NormalRule::Hiragana, NormalRule::Separator] {
            assert!(got.contains(rule));
        }
        assert!(!got.contains(NormalRule::SameSound));
    }

    proptest! {
        // linkage.normal-once
        #[test]
        fn twice_is_once(text in "[ぁ-んァ-ヶｦ-ﾟーA-Za-zＡ-ｚ゛゜ 　・-]{0,12}") {
            if let Some(once) = name_kana(&text) {
                let twice = name_kana(&once.text).map(|n| n.text);
                prop_assert_eq!(twice, Some(once.text));
            }
        }

        #[test]
        fn any_text_is_survived(text in ".{0,24}") {
            let _ = name_kana(&text);
        }
    }
}
