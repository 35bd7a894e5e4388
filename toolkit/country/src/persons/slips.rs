//! Slips of the pen and of the ear: how one name or number becomes another. Each returns `None`
//! where the text offers no place for the slip.

use crate::chance::Chance;

/// Characters that stand for each other in names. Own list of families; 斎 and 斉 are different
/// characters by law and the commonest confusion in charts.
const VARIANTS: [&str; 41] = [
    "斎斉齋齊",
    "辺邊邉",
    "崎﨑嵜",
    "高髙",
    "浜濱濵",
    "沢澤",
    "島嶋嶌",
    "富冨",
    "吉𠮷",
    "渕淵",
    "曽曾",
    "桧檜",
    "広廣",
    "国國",
    "桜櫻",
    "竜龍",
    "恵惠",
    "真眞",
    "徳德",
    "浅淺",
    "滝瀧",
    "鉄鐵",
    "関關",
    "栄榮",
    "寿壽",
    "来來",
    "黒黑",
    "凛凜",
    "穂穗",
    "亀龜",
    "円圓",
    "学學",
    "実實",
    "弥彌",
    "与與",
    "豊豐",
    "薫薰",
    "静靜",
    "巌巖",
    "清淸",
    "瀬瀨",
];
/// Characters that look or sound alike and are taken for each other.
const CONFUSED: [&str; 28] = [
    "太大犬",
    "田由甲",
    "未末",
    "士土",
    "千干",
    "裕祐佑",
    "宏広浩弘博洋",
    "健建",
    "美実",
    "子予",
    "恵江枝",
    "代世",
    "夫男雄",
    "之行幸",
    "正昌雅政",
    "義善良吉",
    "明昭章",
    "井伊",
    "川河",
    "菊掬",
    "池地",
    "村林",
    "本木",
    "佐左",
    "藤籐",
    "斗人翔",
    "陽洋",
    "香佳花華",
];
const LOOK_ALIKE: [&str; 10] =
    ["シツ", "ソン", "クワ", "ウワ", "コユ", "ヌス", "チテ", "ナメ", "ノソ", "マア"];
const VOICED: [(char, char); 20] = [
    ('カ', 'ガ'),
    ('キ', 'ギ'),
    ('ク', 'グ'),
    ('ケ', 'ゲ'),
    ('コ', 'ゴ'),
    ('サ', 'ザ'),
    ('シ', 'ジ'),
    ('ス', 'ズ'),
    ('セ', 'ゼ'),
    ('ソ', 'ゾ'),
    ('タ', 'ダ'),
    ('チ', 'ヂ'),
    ('ツ', 'ヅ'),
    ('テ', 'デ'),
    ('ト', 'ド'),
    ('ハ', 'バ'),
    ('ヒ', 'ビ'),
    ('フ', 'ブ'),
    ('ヘ', 'ベ'),
    ('ホ', 'ボ'),
];
const SMALL: [(char, char); 4] = [('ャ', 'ヤ'), ('ュ', 'ユ'), ('ョ', 'ヨ'), ('ッ', 'ツ')];
const PLAIN: &str =
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";

/// Replace one character for which `other` finds another.
fn one(
    text: &str,
    chance: &mut Chance,
    other: impl Fn(char, &mut Chance) -> Option<char>,
) -> Option<String> {
    let places: Vec<(usize, char, char)> =
        text.char_indices().filter_map(|(at, c)| other(c, chance).map(|d| (at, c, d))).collect();
    if places.is_empty() {
        return None;
    }
    let (at, from, to) = *chance.pick(&places);
    let mut out = text.to_owned();
    out.replace_range(at..at + from.len_utf8(), to.encode_utf8(&mut [0; 4]));
    Some(out)
}

fn of_family(families: &[&str], c: char, chance: &mut Chance) -> Option<char> {
    let family = families.iter().find(|f| f.contains(c))?;
    let others: Vec<char> = family.chars().filter(|o| *o != c).collect();
    (!others.is_empty()).then(|| *chance.pick(&others))
}

pub(crate) fn variant(kanji: &str, chance: &mut Chance) -> Option<String> {
    one(kanji, chance, |c, chance| of_family(&VARIANTS, c, chance))
}

pub(crate) fn confused(kanji: &str, chance: &mut Chance) -> Option<String> {
    one(kanji, chance, |c, chance| of_family(&CONFUSED, c, chance))
}

pub(crate) fn look_alike(kana: &str, chance: &mut Chance) -> Option<String> {
    one(kana, chance, |c, chance| of_family(&LOOK_ALIKE, c, chance))
}

pub(crate) fn voiced(kana: &str, chance: &mut Chance) -> Option<String> {
    let first = kana.chars().next()?;
    let rest = &kana[first.len_utf8()..];
    let found = one(rest, chance, |c, _| {
        VOICED.iter().find_map(|(plain, voiced)| match c {
            c if c == *plain => Some(*voiced),
            c if c == *voiced => Some(*plain),
            _ => None,
        })
    })?;
    Some(format!("{first}{found}"))
}

pub(crate) fn small(kana: &str, chance: &mut Chance) -> Option<String> {
    if kana.contains('ッ') && chance.chance(0.3) {
        return Some(kana.replacen('ッ', "", 1));
    }
    one(kana, chance, |c, _| SMALL.iter().find(|(small, _)| *small == c).map(|(_, large)| *large))
}

pub(crate) fn long_vowel(kana: &str, chance: &mut Chance) -> Option<String> {
    let chars: Vec<char> = kana.chars().collect();
    let long = |i: usize| match (chars[i], chars[i + 1]) {
        ('ー', _) | (_, 'ー') => true,
        ('オ', 'オ') => true,
        (before, 'ウ') => "コソトノホモヨロゴゾドボョユュ".contains(before),
        _ => false,
    };
    let places: Vec<usize> = (0..chars.len().saturating_sub(1)).filter(|i| long(*i)).collect();
    if places.is_empty() {
        return None;
    }
    let at = *chance.pick(&places) + 1;
    let mut out = chars;
    if chance.chance(0.45) && out[at] != 'ー' {
        out[at] = 'ー';
    } else {
        out.remove(at);
    }
    Some(out.into_iter().collect())
}

pub(crate) fn kana_typo(kana: &str, chance: &mut Chance) -> Option<String> {
    let mut chars: Vec<char> = kana.chars().collect();
    if chars.len() < 2 {
        return None;
    }
    let at = chance.below(chars.len() as u32) as usize;
    match chance.below(10) {
        0..5 => {
            let plain: Vec<char> = PLAIN.chars().collect();
            // a slip of the finger keeps the row or the column of the table of kana
            let place = plain.iter().position(|c| *c == chars[at]);
            chars[at] = match place {
                Some(p) if p < 35 && chance.chance(0.5) => plain[(p + 5) % 35],
                Some(p) if p < 35 => plain[p / 5 * 5 + (p % 5 + 1 + chance.below(4) as usize) % 5],
                _ => *chance.pick(&plain),
            };
        }
        5..7 => {
            chars.remove(at);
        }
        7 => chars.insert(at, chars[at]),
        _ => {
            let at = at.min(chars.len() - 2);
            chars.swap(at, at + 1);
        }
    }
    let out: String = chars.into_iter().collect();
    (out != kana).then_some(out)
}

/// One digit wrong, or two neighbours exchanged.
pub(crate) fn digit(number: &str, chance: &mut Chance) -> Option<String> {
    let mut bytes = number.as_bytes().to_vec();
    let places: Vec<usize> = (0..bytes.len()).filter(|i| bytes[*i].is_ascii_digit()).collect();
    if places.is_empty() {
        return None;
    }
    let at = *chance.pick(&places);
    if at + 1 < bytes.len()
        && bytes[at + 1].is_ascii_digit()
        && bytes[at] != bytes[at + 1]
        && chance.chance(0.3)
    {
        bytes.swap(at, at + 1);
    } else {
        bytes[at] = b'0' + (bytes[at] - b'0' + 1 + chance.below(9) as u8) % 10;
    }
    String::from_utf8(bytes).ok()
}

/// ヶ, ケ and が for each other; 大字 dropped; の for ノ.
pub(crate) fn town(town: &str, chance: &mut Chance) -> Option<String> {
    if let Some(rest) = town.strip_prefix("大字").or_else(|| town.strip_prefix('字')) {
        return Some(rest.to_owned());
    }
    one(town, chance, |c, chance| {
        let others: &[char] = match c {
            'ヶ' => &['ケ', 'が', 'ガ'],
            'ケ' => &['ヶ', 'が', 'ガ'],
            'が' => &['ヶ', 'ケ'],
            'ツ' => &['ッ', 'つ'],
            'ノ' => &['の', '之'],
            _ => return of_family(&VARIANTS, c, chance),
        };
        Some(*chance.pick(others))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Purpose, Streams};

    #[test]
    fn a_slip_changes_the_text_or_says_that_it_cannot() {
        let chance = &mut Streams::new(1, Purpose::ListRecord).of(1);
        for _ in 0..200 {
            for name in ["ワタナベ", "ハットリ", "コウイチ", "シンイチ", "オオツカ"]
            {
                for slip in [look_alike, voiced, small, long_vowel, kana_typo] {
                    let other = slip(name, chance);
                    assert!(other.is_none_or(|o| o != name && !o.is_empty()));
                }
            }
            for number in ["1234567", "00", "S55"] {
                assert!(digit(number, chance).is_some_and(|o| o != number));
            }
        }
        assert_eq!(small("ワタナベ", chance), None);
        assert_eq!(long_vowel("ワタナベ", chance), None);
        assert_eq!(variant("山本", chance), None);
        assert!(matches!(variant("渡辺", chance).as_deref(), Some("渡邊" | "渡邉")));
        assert!(matches!(long_vowel("コウイチ", chance).as_deref(), Some("コーイチ" | "コイチ")));
        assert!(town("桜ケ丘", chance).is_some_and(|t| t != "桜ケ丘"));
    }
}
