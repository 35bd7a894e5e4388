//! Steps that several normalisers share.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::rule::{NormalRule, RuleSet};

/// A value brought to the form in which it is compared, with the rules that changed it.
#[derive(Clone, PartialEq, Eq)]
pub struct Normal {
    /// The comparable form; never shown as the person's own spelling.
    pub text: String,
    /// What changed it.
    pub rules: RuleSet,
}

impl fmt::Debug for Normal {
    /// Names the rules, never the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Normal").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// The character that stands for any unknown one.
pub(crate) const UNKNOWN: char = '〓';

/// Invisible characters out, NFKC, ends trimmed.
pub(crate) fn compatible(text: &str, rules: &mut RuleSet) -> String {
    if let Some(folded) = plain(text) {
        if folded != text {
            rules.fire(NormalRule::Nfkc);
        }
        return match folded.trim() {
            trimmed if trimmed.len() == folded.len() => folded,
            trimmed => trimmed.to_owned(),
        };
    }
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // spacing sound marks would decompose into a blank and a mark
            '\u{309B}' => visible.push('\u{3099}'),
            '\u{309C}' => visible.push('\u{309A}'),
            '\t' | '\n' | '\r' => visible.push(' '),
            c if is_invisible(c) => rules.fire(NormalRule::Invisible),
            c => visible.push(c),
        }
    }
    // a sound mark that found no letter to join says nothing
    let folded: String = visible
        .nfkc()
        .filter(|c| !is_invisible(*c) && !matches!(c, '\u{3099}' | '\u{309A}'))
        .collect();
    if folded != text {
        rules.fire(NormalRule::Nfkc);
    }
    folded.trim().to_owned()
}

/// Katakana in half width, from U+FF66.
const HALF_WIDTH: [char; 56] = [
    'ヲ', 'ァ', 'ィ', 'ゥ', 'ェ', 'ォ', 'ャ', 'ュ', 'ョ', 'ッ', 'ー', 'ア', 'イ', 'ウ', 'エ', 'オ',
    'カ', 'キ', 'ク', 'ケ', 'コ', 'サ', 'シ', 'ス', 'セ', 'ソ', 'タ', 'チ', 'ツ', 'テ', 'ト', 'ナ',
    'ニ', 'ヌ', 'ネ', 'ノ', 'ハ', 'ヒ', 'フ', 'ヘ', 'ホ', 'マ', 'ミ', 'ム', 'メ', 'モ', 'ヤ', 'ユ',
    'ヨ', 'ラ', 'リ', 'ル', 'レ', 'ロ', 'ワ', 'ン',
];

/// NFKC of the letters that nearly all lists consist of, without tables; `None` if there is any other.
fn plain(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let folded = match c {
            ' '..='~' | 'ァ'..='ヶ' | '・' | 'ー' | 'ぁ'..='ゖ' | '\u{4E00}'..='\u{9FFF}' => {
                c
            }
            '\u{3000}' => ' ',
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0)?,
            '\u{FF66}'..='\u{FF9D}' => HALF_WIDTH[c as usize - 0xFF66],
            '\u{FF9E}' => match out.pop()? {
                'ウ' => 'ヴ',
                k @ ('カ' | 'キ' | 'ク' | 'ケ' | 'コ' | 'サ' | 'シ' | 'ス' | 'セ' | 'ソ' | 'タ'
                | 'チ' | 'ツ' | 'テ' | 'ト' | 'ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ') => {
                    char::from_u32(k as u32 + 1)?
                }
                _ => return None,
            },
            '\u{FF9F}' => match out.pop()? {
                k @ ('ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ') => char::from_u32(k as u32 + 2)?,
                _ => return None,
            },
            _ => return None,
        };
        out.push(folded);
    }
    Some(out)
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0100}'..='\u{E01EF}')
}

/// Characters that mean "a character we could not write".
pub(crate) fn is_unknown(c: char) -> bool {
    matches!(c, '〓' | '■' | '□' | '●' | '?' | '*' | '＊' | '\u{FFFD}'
        | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}')
}

/// Separators inside names.
pub(crate) fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '・' | '=' | '゠' | '·' | '･' | ',' | '、' | '.' | '\'' | '’')
}

/// Any hyphen, dash, minus or box line.
pub(crate) fn is_hyphen(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}'
            ..='\u{2015}' | '\u{2212}' | '\u{2500}' | '\u{2501}' | '\u{FE63}' | '\u{FF0D}'
    )
}

/// Hiragana to katakana, one character.
pub(crate) fn katakana(c: char) -> char {
    match c {
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
        c => c,
    }
}

/// Is the letter of a script that has capitals? Kana and kanji have none.
pub(crate) fn capitals(c: char) -> bool {
    !matches!(c, '\u{3000}'..='\u{9FFF}')
}

/// Is it katakana or the long-vowel mark?
pub(crate) fn is_katakana(c: char) -> bool {
    matches!(c, 'ァ'..='ヺ' | 'ー' | 'ヽ' | 'ヾ')
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn plain_letters_as_the_tables_say(t in "[ -~　-〿ァ-ヿぁ-ゟ！-ﾟ一-龥髙﨑]{0,12}") {
            if let Some(folded) = plain(&t) {
                proptest::prop_assert_eq!(folded, t.nfkc().collect::<String>());
            }
        }

        #[test]
        fn half_width_as_the_tables_say(t in "[ｦ-ﾟカハウ]{0,6}") {
            if let Some(folded) = plain(&t) {
                proptest::prop_assert_eq!(folded, t.nfkc().collect::<String>());
            }
        }
    }
}
