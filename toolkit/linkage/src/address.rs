//! Addresses, far enough to say "the same house", "another house" or "cannot say".

use crate::{
    kanji::fold_variant,
    rule::{NormalRule, RuleSet},
    text::{Normal, UNKNOWN, compatible, is_hyphen, is_unknown},
};

/// What two addresses say of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressMatch {
    /// The same down to a house number; one may lack the building.
    Same,
    /// One is coarser than the other, or a character is unknown: neither for nor against.
    CannotSay,
    /// Another place.
    Different,
}

/// An address in comparable form; `None` if empty or "unknown".
pub fn address(text: &str) -> Option<Normal> {
    let mut rules = RuleSet::default();
    let text = compatible(text, &mut rules);
    let mut s = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unknown(c) {
            rules.fire(NormalRule::UnknownCharacter);
            s.push(UNKNOWN);
        } else if c.is_whitespace() || matches!(c, ',' | '、') {
            rules.fire(NormalRule::Separator);
        } else {
            s.push(match c {
                c if is_hyphen(c) || c == 'ー' => '-',
                'が' | 'ガ' | 'ヶ' | 'ケ' | 'ヵ' | 'カ' => 'ケ',
                'ノ' | 'の' | '之' => 'ノ',
                'ツ' | 'っ' | 'ッ' => 'ツ',
                c => fold_variant(c),
            });
        }
    }
    if matches!(s.as_str(), "" | "不明" | "住所不定" | "不詳") {
        return None;
    }
    // taking a prefix out can bring a number and its mark together
    while !settled(&s) {
        let numbered = house_numbers(&s);
        if numbered != s {
            rules.fire(NormalRule::HouseNumber);
        }
        let bare = without_prefix(&numbered);
        if bare != numbered {
            rules.fire(NormalRule::AddressPrefix);
        }
        if bare == s {
            break;
        }
        s = bare;
    }
    (!s.is_empty()).then_some(Normal { text: s, rules })
}

/// Is there nothing that [`house_numbers`] or [`without_prefix`] could change?
fn settled(s: &str) -> bool {
    let mut before = ' ';
    for (i, c) in s.chars().enumerate() {
        match c {
            '丁' | '番' | '号' => return false,
            '-' if before == '-' => return false,
            '字' if before == '大' => return false,
            '都' | '道' | '府' | '県' if i < 5 => return false,
            _ => before = c,
        }
    }
    before != '-'
}

/// `丁目`, `番地`, `番`, `号` after a number become hyphens; kanji numerals before them become digits.
fn house_numbers(s: &str) -> String {
    let chars: Vec<char> = s.chars().collect();
    let mut out = String::with_capacity(s.len());
    let mut i = 0;
    while i < chars.len() {
        let start = i;
        while i < chars.len()
            && (chars[i].is_ascii_digit() || kanji_digit(chars[i]).is_some() || chars[i] == '十')
        {
            i += 1;
        }
        if i > start {
            let mark = match chars[i..] {
                ['番', '地', 'ノ', ..] => 3,
                ['丁', '目', ..] | ['番', '地', ..] => 2,
                ['番' | '号', ..] => 1,
                _ => 0,
            };
            if mark == 0 {
                out.extend(&chars[start..i]);
            } else if chars[start..i].iter().all(char::is_ascii_digit) {
                out.extend(&chars[start..i]);
                out.push('-');
            } else {
                out.push_str(&arabic(&chars[start..i].iter().collect::<String>()));
                out.push('-');
            }
            i += mark;
        } else {
            // one hyphen is enough
            if chars[i] != '-' || !out.ends_with('-') {
                out.push(chars[i]);
            }
            i += 1;
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

fn kanji_digit(c: char) -> Option<u32> {
    Some(match c {
        '〇' => 0,
        '一' => 1,
        '二' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

/// Kanji numerals up to 99, digits as they are.
fn arabic(number: &str) -> String {
    if number.bytes().all(|b| b.is_ascii_digit()) {
        return number.to_owned();
    }
    if let Some((tens, ones)) = number.split_once('十') {
        let digit = |t: &str, empty| {
            if t.is_empty() { Some(empty) } else { kanji_digit(t.chars().next()?) }
        };
        if tens.chars().count() < 2
            && ones.chars().count() < 2
            && let (Some(t), Some(o)) = (digit(tens, 1), digit(ones, 0))
        {
            return (t * 10 + o).to_string();
        }
    }
    number
        .chars()
        .map(|c| kanji_digit(c).and_then(|d| char::from_digit(d, 10)).unwrap_or(c))
        .collect()
}

fn without_prefix(s: &str) -> String {
    let mut rest = s;
    for (i, c) in s.char_indices().take(5) {
        let end = i + c.len_utf8();
        let prefecture = match c {
            '都' => &s[..end] == "東京都",
            '道' => &s[..end] == "北海道",
            '府' => matches!(&s[..end], "大阪府" | "京都府"),
            '県' => s[..end].chars().count() >= 3,
            _ => false,
        };
        if prefecture {
            rest = &s[end..];
            break;
        }
    }
    // a place named after its prefecture's mark alone is kept
    let rest = if rest.is_empty() { s } else { rest };
    if !rest.contains("大字") {
        return rest.to_owned();
    }
    let bare = rest.replace("大字", "");
    if bare.is_empty() { rest.to_owned() } else { bare }
}

/// Compares two addresses as [`address`] leaves them.
pub fn compare_addresses(a: &str, b: &str) -> AddressMatch {
    if a.contains(UNKNOWN) || b.contains(UNKNOWN) {
        return AddressMatch::CannotSay;
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let numbered = short.chars().any(|c| c.is_ascii_digit());
    match long.strip_prefix(short) {
        Some("") if numbered => AddressMatch::Same,
        // "1-2" goes on as "1-2-3" or "1-23": the same house only if what follows is a building
        Some(rest) if numbered && !rest.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            AddressMatch::Same
        }
        Some(rest) if numbered && rest.starts_with('-') => AddressMatch::CannotSay,
        Some(_) if !numbered => AddressMatch::CannotSay,
        _ => AddressMatch::Different,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compare(a: &str, b: &str) -> AddressMatch {
        compare_addresses(
            &address(a).map(|n| n.text).unwrap_or_default(),
            &address(b).map(|n| n.text).unwrap_or_default(),
        )
    }

    #[test]
    fn one_house_in_several_spellings() {
        for (a, b) in [
            ("東京都千代田区霞が関1丁目2番3号", "千代田区霞ヶ関一丁目２－３"),
            ("神奈川県横浜市中区日本大通１", "横濱市中区日本大通1 県庁"),
            ("北海道札幌市中央区北一条西十二丁目3番地", "札幌市中央区北一条西12-3"),
        ] {
            assert_eq!(compare(a, b), AddressMatch::Same, "{a} {b}");
        }
        assert_eq!(compare("東京都千代田区", "千代田区霞が関1-2-3"), AddressMatch::CannotSay);
        assert_eq!(compare("千代田区霞が関1-2", "千代田区霞が関1-2-3"), AddressMatch::CannotSay);
        assert_eq!(compare("千代田区霞が関1-2", "千代田区霞が関1-23"), AddressMatch::Different);
        assert_eq!(compare("東京都千代田区", "大阪府堺市"), AddressMatch::Different);
        assert!(address("不明").is_none());
    }

    proptest! {
        // linkage.normal-once
        #[test]
        fn twice_is_once(t in "[東京都道府県市区大字一二三十番地丁目号0-9ケヶがの -]{0,12}") {
            if let Some(once) = address(&t) {
                prop_assert_eq!(address(&once.text).map(|n| n.text), Some(once.text));
            }
        }

        #[test]
        fn any_text_is_survived(a in ".{0,24}", b in ".{0,24}") {
            let _ = compare(&a, &b);
        }
    }
}
