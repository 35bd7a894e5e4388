//! The error model: what laboratories and their systems do to a name.

use super::Chance;

/// What changes a name. One class at a time is measured; `Mixed` applies two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    None,
    Width,
    Kana,
    Noise,
    Cut,
    Typo,
    Dropped,
    Abbreviation,
    Mixed,
}

pub(crate) const ERRORS: [Error; 9] = [
    Error::None,
    Error::Width,
    Error::Kana,
    Error::Noise,
    Error::Cut,
    Error::Typo,
    Error::Dropped,
    Error::Abbreviation,
    Error::Mixed,
];

/// Katakana, and the same in half width.
const FULL: &str = "ガ ギ グ ゲ ゴ ザ ジ ゾ ダ デ ド バ ビ ブ ベ ボ パ ピ プ ペ ポ ヴ ア イ \
    ウ エ オ カ キ ク ケ コ サ シ ス セ ソ タ チ ト ナ ニ ネ ノ ハ ヒ フ マ \
    ミ メ モ ラ リ ル レ ロ ン ァ ィ ェ ォ ャ ュ ョ ー ッ テ ツ ホ";
const HALF: &str = "ｶﾞ ｷﾞ ｸﾞ ｹﾞ ｺﾞ ｻﾞ ｼﾞ ｿﾞ ﾀﾞ ﾃﾞ ﾄﾞ ﾊﾞ ﾋﾞ ﾌﾞ ﾍﾞ ﾎﾞ ﾊﾟ ﾋﾟ ﾌﾟ ﾍﾟ ﾎﾟ ｳﾞ ｱ ｲ \
    ｳ ｴ ｵ ｶ ｷ ｸ ｹ ｺ ｻ ｼ ｽ ｾ ｿ ﾀ ﾁ ﾄ ﾅ ﾆ ﾈ ﾉ ﾊ ﾋ ﾌ ﾏ \
    ﾐ ﾒ ﾓ ﾗ ﾘ ﾙ ﾚ ﾛ ﾝ ｧ ｨ ｪ ｫ ｬ ｭ ｮ ｰ ｯ ﾃ ﾂ ﾎ";

fn half(text: &str) -> String {
    FULL.split(' ')
        .zip(HALF.split(' '))
        .fold(text.to_owned(), |text, (full, half)| text.replace(full, half))
}

fn wide(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '!'..='~' => char::from_u32(c as u32 + 0xfee0).unwrap(),
            c => c,
        })
        .collect()
}

pub(crate) fn spoil(name: &str, error: Error, ways: &[String], chance: &mut Chance) -> String {
    let chars: Vec<char> = name.chars().collect();
    match error {
        Error::None => name.to_owned(),
        Error::Width => {
            if chance.once_in(2) {
                half(name)
            } else {
                wide(name)
            }
        }
        Error::Kana => {
            let changes: [(&str, &str); 14] = [
                ("ー", ""),
                ("ー", "-"),
                ("ァ", "ア"),
                ("ィ", "イ"),
                ("ェ", "エ"),
                ("ォ", "オ"),
                ("ュ", "ユ"),
                ("ャ", "ヤ"),
                ("ョ", "ヨ"),
                ("ヴァ", "バ"),
                ("蛋白", "タンパク"),
                ("ゾール", "ゾル"),
                ("ジ", "ヂ"),
                ("ロー", "ロ"),
            ];
            changes.iter().fold(name.to_owned(), |t, (a, b)| {
                if chance.once_in(2) { t.replace(a, b) } else { t }
            })
        }
        Error::Noise => match chance.below(6) {
            0 => format!("*{name}"),
            1 => format!("【外注】{name}"),
            2 => format!("{name}（院内）"),
            3 => format!("{name}　定量"),
            4 => format!("緊急・{name}"),
            _ => format!("※{name}_2"),
        },
        Error::Cut => chars.iter().take(8.max(chars.len() * 2 / 3)).collect(),
        Error::Typo => {
            let mut chars = chars;
            if chars.len() > 3 {
                let at = 1 + chance.below(chars.len() - 2);
                match chance.below(3) {
                    0 => {
                        chars.remove(at);
                    }
                    1 => chars.swap(at, at + 1),
                    _ => chars[at] = *chance.of(&['カ', 'ス', 'ト', 'リ', 'ン']),
                }
            }
            chars.into_iter().collect()
        }
        Error::Dropped => {
            let parts = [
                "特異",
                "定量",
                "血中",
                "レセプター",
                "結合",
                "遊離",
                "抗体価",
                "デヒドロ",
                "アミノ",
            ];
            parts.iter().fold(name.to_owned(), |t, p| {
                if t.chars().count() > p.chars().count() + 2 { t.replacen(p, "", 1) } else { t }
            })
        }
        Error::Abbreviation => {
            if ways.is_empty() {
                half(name)
            } else {
                chance.of(ways).clone()
            }
        }
        Error::Mixed => {
            let first = *chance.of(&ERRORS[1..7]);
            let second = *chance.of(&[Error::Width, Error::Kana, Error::Noise]);
            let once = spoil(name, first, ways, chance);
            spoil(&once, second, ways, chance)
        }
    }
}
