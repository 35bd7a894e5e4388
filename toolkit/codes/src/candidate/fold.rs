//! One way of writing a name out of many.

use unicode_normalization::UnicodeNormalization as _;

use super::lexicon::{Lexicon, Symbol};

/// What a letter is, for cutting words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Alnum,
    Kana,
    Kanji,
    Other,
}

/// A letter of a folded name: what it is, and whether a word begins with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter {
    pub(super) c: char,
    pub(super) script: Script,
    /// A separator or another script stands before it.
    pub(super) begins: bool,
}

fn script(c: char) -> Script {
    match c {
        'a'..='z' | '0'..='9' | '.' | '%' => Script::Alnum,
        'ァ'..='ヺ' => Script::Kana,
        '々' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' => Script::Kanji,
        _ => Script::Other,
    }
}

/// Fold a name: NFKC, spellings of the table, lower case, hiragana to katakana, small kana large, no long vowels, ヴ as バ行,
/// separators gone (a word begins behind them).
pub(super) fn letters(text: &str, lexicon: &Lexicon) -> Vec<Letter> {
    let mut plain: String = text.nfkc().collect();
    for (variant, key) in lexicon.spellings() {
        if plain.contains(variant.as_str()) {
            plain = plain.replace(variant.as_str(), key);
        }
    }
    let mut out: Vec<Letter> = Vec::with_capacity(plain.len() / 2);
    let mut separated = true;
    let mut chars = plain.chars().flat_map(char::to_lowercase).peekable();
    let mut before = ' ';
    while let Some(raw) = chars.next() {
        let after = chars.peek().copied();
        let c = match kana(raw) {
            'ヴ' => match after.map(kana) {
                Some('ア') => skip(&mut chars, 'バ'),
                Some('イ') => skip(&mut chars, 'ビ'),
                Some('エ') => skip(&mut chars, 'ベ'),
                Some('オ') => skip(&mut chars, 'ボ'),
                _ => 'ブ',
            },
            c => c,
        };
        let kana_before = script(before) == Script::Kana;
        before = c;
        // A long vowel, also where it was typed as a dash between kana.
        if c == 'ー' || kana_before && matches!(c, '-' | '‐' | '−' | '―' | '~') {
            before = 'ア';
            continue;
        }
        let decimal = c == '.'
            && out.last().is_some_and(|l| l.c.is_ascii_digit())
            && after.is_some_and(|a| a.is_ascii_digit());
        if !(c.is_alphanumeric() || c == '%' || decimal) {
            separated = true;
            continue;
        }
        let script = script(c);
        let begins = separated || out.last().is_none_or(|l| l.script != script);
        out.push(Letter { c, script, begins });
        separated = false;
    }
    out
}

fn skip(chars: &mut impl Iterator<Item = char>, c: char) -> char {
    chars.next();
    c
}

/// Hiragana as katakana, small as large, ヂ as ジ, ヅ as ズ.
const fn kana(c: char) -> char {
    let c = match c {
        'ぁ'..='ゖ' => match char::from_u32(c as u32 + 0x60) {
            Some(katakana) => katakana,
            None => c,
        },
        _ => c,
    };
    match c {
        'ァ' => 'ア',
        'ィ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' => 'エ',
        'ォ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        'ヂ' => 'ジ',
        'ヅ' => 'ズ',
        _ => c,
    }
}

/// A piece of a name: a symbol of the table or a letter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    Symbol(Symbol),
    Letter(Letter),
}

/// Cut the variants of the table out of a name, longest first from the left. A variant of letters or kana must be a word of
/// its own; one that begins or ends with kanji may stand inside a run of kanji there.
pub(super) fn pieces(letters: &[Letter], lexicon: &Lexicon) -> Vec<Piece> {
    let chars: Vec<char> = letters.iter().map(|l| l.c).collect();
    let mut out = Vec::with_capacity(letters.len());
    let mut at = 0;
    while at < letters.len() {
        let letter = letters[at];
        let open = letter.begins || letter.script == Script::Kanji;
        let longest = if open { lexicon.longest(letter.c).min(letters.len() - at) } else { 0 };
        let hit = (1..=longest).rev().find_map(|length| {
            let end = at + length;
            let closed = letters.get(end).is_none_or(|next| next.begins)
                || letters[end - 1].script == Script::Kanji;
            if !closed {
                return None;
            }
            lexicon.symbol(&chars[at..end]).map(|symbol| (symbol, end))
        });
        match hit {
            Some((symbol, end)) => {
                out.push(Piece::Symbol(symbol));
                at = end;
            }
            None => {
                out.push(Piece::Letter(letter));
                at += 1;
            }
        }
    }
    out
}
