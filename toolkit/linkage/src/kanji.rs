//! Kanji names: variant characters folded, unknown characters that match any.

use std::sync::LazyLock;

use crate::{
    rule::{NormalRule, RuleSet},
    text::{Normal, UNKNOWN, capitals, compatible, is_separator, is_unknown, katakana},
};

/// Families of variants; the first of each stands for all. From the comparison list of `design/linkage.md`
/// 6.3 (斎 and 斉 are different characters by law and the commonest confusion in charts) and the plain
/// old/new pairs of name kanji. For comparison only, never a rewrite of what a source wrote.
const FAMILIES: &[&str] = &[
    "斎斉齋齊亝",
    "辺邊邉",
    "崎﨑嵜碕",
    "高髙",
    "浜濱濵",
    "沢澤",
    "島嶋嶌㠀",
    "富冨",
    "吉𠮷",
    "渕淵渊",
    "曽曾",
    "桧檜",
    "滝瀧",
    "広廣",
    "恵惠",
    "真眞",
    "竜龍",
    "国國",
    "栄榮",
    "実實",
    "寿壽",
    "静靜",
    "清淸",
    "瀬瀨",
    "徳德",
    "郎郞",
    "館舘",
    "横橫",
    "関關",
    "薮藪",
    "梅楳",
    "岳嶽",
    "万萬",
    "与與",
    "亀龜",
    "仏佛",
    "児兒",
    "円圓",
    "処處",
    "剣劍劔",
    "区區",
    "医醫",
    "単單",
    "厳嚴",
    "参參",
    "双雙",
    "収收",
    "塩鹽",
    "増增",
    "壮壯",
    "変變",
    "姉姊",
    "宝寶",
    "専專",
    "将將",
    "巣巢",
    "帯帶",
    "庁廳",
    "弁辨瓣辯",
    "弥彌",
    "当當",
    "徴徵",
    "応應",
    "恒恆",
    "悦悅",
    "戸戶",
    "戻戾",
    "択擇",
    "拝拜",
    "撃擊",
    "数數",
    "旧舊",
    "暁曉",
    "条條",
    "来來",
    "桜櫻",
    "楽樂",
    "様樣",
    "検檢",
    "槙槇",
    "権權",
    "気氣",
    "沖冲",
    "涼凉",
    "淳渟",
    "満滿",
    "渋澁",
    "湧涌",
    "温溫",
    "為爲",
    "営營",
    "犠犧",
    "献獻",
    "瑶瑤",
    "痩瘦",
    "盗盜",
    "禄祿",
    "秘祕",
    "穂穗",
    "穣穰",
    "窃竊",
    "総總",
    "緑綠",
    "緒緖",
    "縁緣",
    "糸絲",
    "経經",
    "県縣",
    "聡聰",
    "声聲",
    "芸藝",
    "荘莊",
    "薫薰",
    "蔵藏",
    "虫蟲",
    "蛍螢",
    "衛衞",
    "装裝",
    "覚覺",
    "覧覽",
    "訳譯",
    "読讀",
    "謡謠",
    "豊豐",
    "頼賴",
    "軽輕",
    "転轉",
    "鉄鐵",
    "鋭銳",
    "鎌鐮",
    "鎮鎭",
    "隠隱",
    "雑雜",
    "霊靈",
    "顔顏",
    "顕顯",
    "駅驛",
    "鴎鷗",
    "鶏鷄",
    "麦麥",
    "黄黃",
    "黒黑",
    "点點",
    "頬頰",
    "騒騷",
    "桑桒",
    "松枩",
    "峰峯",
    "昇曻",
    "船舩",
    "角⻆",
    "場塲",
    "脇𦚰",
    "土圡",
    "柳栁",
    "禰祢",
    "祇祗",
    "ケヶ",
];

/// Each variant with the first of its family, sorted.
static FIRST: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let mut pairs: Vec<(char, char)> = FAMILIES
        .iter()
        .filter_map(|family| Some((family.chars().next()?, family)))
        .flat_map(|(first, family)| family.chars().skip(1).map(move |c| (c, first)))
        .collect();
    pairs.sort_unstable();
    pairs
});

/// The character that stands for `c` in comparison; `c` itself if it has no variants.
pub fn fold_variant(c: char) -> char {
    match c as usize {
        // no family has a character below
        ..0x2E80 => c,
        at @ USUAL..USUAL_END => USUAL_FIRST[at - USUAL],
        _ => first_of_family(c),
    }
}

fn first_of_family(c: char) -> char {
    FIRST.binary_search_by_key(&c, |(variant, _)| *variant).map_or(c, |at| FIRST[at].1)
}

/// The block of characters that nearly all names are written in.
const USUAL: usize = 0x4E00;
const USUAL_END: usize = 0xA000;
static USUAL_FIRST: LazyLock<Vec<char>> = LazyLock::new(|| {
    (USUAL..USUAL_END).filter_map(|c| char::from_u32(c as u32)).map(first_of_family).collect()
});

/// A kanji name in the form that is compared; `None` if nothing is known of it. Unknown characters stay
/// as `〓` and match any.
pub fn name_kanji(text: &str) -> Option<Normal> {
    let mut rules = RuleSet::default();
    let text = compatible(text, &mut rules);
    let mut out = String::with_capacity(text.len());
    let mut known = 0;
    for c in text.chars() {
        if is_separator(c) {
            rules.fire(NormalRule::Separator);
            continue;
        }
        if is_unknown(c) {
            rules.fire(NormalRule::UnknownCharacter);
            out.push(UNKNOWN);
            continue;
        }
        known += 1;
        let kana = katakana(c);
        if kana != c {
            rules.fire(NormalRule::Hiragana);
        }
        let folded = fold_variant(kana);
        if folded != kana {
            rules.fire(NormalRule::VariantKanji);
        }
        if !capitals(folded) {
            out.push(folded);
            continue;
        }
        for upper in folded.to_uppercase() {
            if upper != folded {
                rules.fire(NormalRule::Capital);
            }
            out.push(upper);
        }
    }
    let placeholder =
        matches!(out.as_str(), "不明" | "名無" | "乳児" | "新生児" | "氏名不詳" | "不詳");
    (known > 0 && !placeholder).then_some(Normal { text: out, rules })
}

/// Do two names, as [`name_kanji`] leaves them, agree? An unknown character agrees with any one.
pub fn names_agree(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.chars(), b.chars());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(x), Some(y)) if x == y || x == UNKNOWN || y == UNKNOWN => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agree(a: &str, b: &str) -> bool {
        match (name_kanji(a), name_kanji(b)) {
            (Some(a), Some(b)) => names_agree(&a.text, &b.text),
            _ => false,
        }
    }

    #[test]
    fn variants_of_one_name_agree() {
        for (a, b) in [
            ("渡邉 髙子", "渡辺高子"),
            ("齋藤", "斉藤"),
            ("山﨑", "山崎"),
            ("𠮷田", "吉田"),
            ("辻\u{E0100}本", "辻本"),
            ("〓田 花子", "澁田花子"),
            ("さくら", "サクラ"),
        ] {
            assert!(agree(a, b), "{a} {b}");
        }
        assert!(!agree("佐藤花子", "佐藤華子"));
        assert!(!agree("佐藤花", "佐藤花子"));
        assert!(name_kanji("不明").is_none());
        assert!(name_kanji("〓〓").is_none());
    }

    #[test]
    fn folding_ends_at_the_first_of_a_family() {
        let mut seen = std::collections::BTreeSet::new();
        for family in FAMILIES {
            let first = family.chars().next();
            for c in family.chars() {
                assert!(seen.insert(c), "{c} stands in two families");
                assert_eq!(Some(fold_variant(c)), first, "{family}");
                assert!(c as u32 >= 0x2E80, "{family}");
            }
        }
    }

    proptest! {
        // linkage.normal-once
        #[test]
        fn twice_is_once(text in "[渡邉辺邊髙高花子々ぁ-んァ-ヶa-z 　〓]{0,8}") {
            if let Some(once) = name_kanji(&text) {
                prop_assert_eq!(name_kanji(&once.text).map(|n| n.text), Some(once.text));
            }
        }
    }
}
