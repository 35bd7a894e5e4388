//! Kana: the key by which two spellings are the same name, and the house styles in which offices
//! write it.

use unicode_normalization::UnicodeNormalization;

/// The large letter of a small kana; any other letter as it is.
pub(crate) fn large(letter: char) -> char {
    match letter {
        'ァ' => 'ア',
        'ィ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' => 'エ',
        'ォ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        other => other,
    }
}

/// The key of a name: compatibility forms, hiragana to katakana, small to large, historic kana to
/// modern, without spaces. Own, deliberately simple implementation: truth must not depend on the
/// linkage code that it judges.
pub(crate) fn key(name: &str) -> String {
    name.nfkc()
        .filter(|c| !c.is_whitespace() && !matches!(c, '・' | '='))
        .map(|c| match c {
            'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
            other => other,
        })
        .map(large)
        .map(|c| match c {
            'ヂ' => 'ジ',
            'ヅ' => 'ズ',
            'ヲ' => 'オ',
            other => other,
        })
        .collect()
}

/// Full-width katakana to half-width, as municipal systems export it.
pub(crate) fn half_width(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        let (plain, mark) = match c {
            // voiced kana follow their plain ones; パ and its like follow two behind
            'ガ' | 'ギ' | 'グ' | 'ゲ' | 'ゴ' | 'ザ' | 'ジ' | 'ズ' | 'ゼ' | 'ゾ' | 'ダ' | 'ヂ'
            | 'ヅ' | 'デ' | 'ド' | 'バ' | 'ビ' | 'ブ' | 'ベ' | 'ボ' => {
                (before(c, 1), Some('ﾞ'))
            }
            'パ' | 'ピ' | 'プ' | 'ペ' | 'ポ' => (before(c, 2), Some('ﾟ')),
            'ヴ' => ('ウ', Some('ﾞ')),
            '　' => (' ', None),
            'ー' => ('ｰ', None),
            '・' => ('･', None),
            other => (other, None),
        };
        out.push(PLAIN.iter().position(|p| *p == plain).map_or(plain, |i| HALF[i]));
        out.extend(mark);
    }
    out
}

fn before(c: char, places: u32) -> char {
    char::from_u32(c as u32 - places).unwrap_or(c)
}

/// Katakana to hiragana.
pub(crate) fn hiragana(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            'ァ'..='ヶ' => char::from_u32(c as u32 - 0x60).unwrap_or(c),
            other => other,
        })
        .collect()
}

/// ASCII digits to full-width.
pub(crate) fn wide_digits(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0'..='9' => char::from_u32(c as u32 - 0x30 + 0xff10).unwrap_or(c),
            other => other,
        })
        .collect()
}

const PLAIN: [char; 55] = [
    'ア', 'イ', 'ウ', 'エ', 'オ', 'カ', 'キ', 'ク', 'ケ', 'コ', 'サ', 'シ', 'ス', 'セ', 'ソ', 'タ',
    'チ', 'ツ', 'テ', 'ト', 'ナ', 'ニ', 'ヌ', 'ネ', 'ノ', 'ハ', 'ヒ', 'フ', 'ヘ', 'ホ', 'マ', 'ミ',
    'ム', 'メ', 'モ', 'ヤ', 'ユ', 'ヨ', 'ラ', 'リ', 'ル', 'レ', 'ロ', 'ワ', 'ヲ', 'ン', 'ァ', 'ィ',
    'ゥ', 'ェ', 'ォ', 'ッ', 'ャ', 'ュ', 'ョ',
];
const HALF: [char; 55] = [
    'ｱ', 'ｲ', 'ｳ', 'ｴ', 'ｵ', 'ｶ', 'ｷ', 'ｸ', 'ｹ', 'ｺ', 'ｻ', 'ｼ', 'ｽ', 'ｾ', 'ｿ', 'ﾀ', 'ﾁ', 'ﾂ', 'ﾃ',
    'ﾄ', 'ﾅ', 'ﾆ', 'ﾇ', 'ﾈ', 'ﾉ', 'ﾊ', 'ﾋ', 'ﾌ', 'ﾍ', 'ﾎ', 'ﾏ', 'ﾐ', 'ﾑ', 'ﾒ', 'ﾓ', 'ﾔ', 'ﾕ', 'ﾖ',
    'ﾗ', 'ﾘ', 'ﾙ', 'ﾚ', 'ﾛ', 'ﾜ', 'ｦ', 'ﾝ', 'ｧ', 'ｨ', 'ｩ', 'ｪ', 'ｫ', 'ｯ', 'ｬ', 'ｭ', 'ｮ',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_has_the_same_key() {
        let name = "ワタナベ　ショウイチロウ";
        for style in [half_width(name), hiragana(name), name.replace('　', ""), name.into()] {
            assert_eq!(key(&style), key(name));
        }
        assert_eq!(half_width("ゴトウ パッピー"), "ｺﾞﾄｳ ﾊﾟｯﾋﾟｰ");
        for (c, plain, half) in
            [('ガ', 'カ', "ｶﾞ"), ('ド', 'ト', "ﾄﾞ"), ('ヅ', 'ツ', "ﾂﾞ"), ('ポ', 'ホ', "ﾎﾟ")]
        {
            assert_eq!(half_width(&c.to_string()), half);
            assert_eq!(half_width(&plain.to_string()).chars().next(), half.chars().next());
        }
        assert_eq!(hiragana("モチヅキ"), "もちづき");
        assert_eq!(key("モチヅキ"), "モチズキ");
        assert_eq!(wide_digits("99丁目"), "９９丁目");
    }
}
