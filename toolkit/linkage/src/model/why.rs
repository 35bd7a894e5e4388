//! The weight of a pair taken apart.

use crate::{
    compare::{Pattern, Variable},
    model::{Class, Model},
};

/// One bar of the waterfall: what a variable says for one person, in bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The variable; `None` for what is not one: how common such pairs are, how rare the values are, and what other
    /// classes of pairs add.
    pub variable: Option<Variable>,
    /// Id of the level, or of what else it is.
    pub level: String,
    /// Bits for (positive) or against one person.
    pub bits: f64,
}

/// Words of levels' ids, whole or part by part.
const WORDS: &[(&str, &str)] = &[
    ("missing", "記載なし"),
    ("same", "一致"),
    ("other", "不一致"),
    ("one_edit", "一字違い"),
    ("near", "ほぼ一致"),
    ("area", "町名まで一致"),
    ("sounds_alike", "同じ読みの範囲"),
    ("in_part", "一部一致"),
    ("one_character", "一字違い"),
    ("month_day_turned", "月日の入れ替わり"),
    ("one_digit", "一桁違い"),
    ("era_year", "元号の取り違え"),
    ("first_of_january", "1月1日（日不明の記載）"),
    ("one_or_ten_years", "1年または10年の差"),
    ("year_and_month_or_day", "年と月または日が一致"),
    ("month_and_day", "月日のみ一致"),
    ("year", "年のみ一致"),
    ("partly_known_same", "分かる部分は一致"),
    ("partly_known_other", "分かる部分が不一致"),
    ("same_given_other", "一致（名が異なる）"),
    ("other_given_other", "不一致（名が異なる）"),
    ("adult_woman_family_other", "ともに女性（姓が異なる、18〜49歳）"),
    ("woman_family_other", "ともに女性（姓が異なる）"),
    ("man_family_other", "ともに男性（姓が異なる）"),
    ("other_family_other", "不一致（姓が異なる）"),
    ("same_branch", "枝番まで一致"),
    ("other_branch", "番号まで一致、枝番が不一致"),
    ("near_number", "保険者が一致、番号がほぼ一致"),
    ("other_number", "保険者のみ一致"),
    ("near_insurer", "番号が一致、保険者がほぼ一致"),
    ("same_coverage.branch_missing", "番号まで一致、枝番の記載なし"),
    ("near_number.branch_missing", "保険者が一致、番号がほぼ一致、枝番の記載なし"),
    ("other_number.branch_missing", "保険者のみ一致、枝番の記載なし"),
    ("near_insurer.branch_missing", "番号が一致、保険者がほぼ一致、枝番の記載なし"),
    ("other.branch_missing", "不一致、枝番の記載なし"),
    ("turned.kana", "姓と名の入れ替わり（カナ）"),
    ("turned.kanji", "姓と名の入れ替わり（漢字）"),
    ("turned.both", "姓と名の入れ替わり"),
    ("kana_missing", "カナ記載なし"),
    ("kana_same", "カナ一致"),
    ("kana_sounds_alike", "カナ同じ読みの範囲"),
    ("kana_one_edit", "カナ一字違い"),
    ("kana_in_part", "カナ一部一致"),
    ("kana_other", "カナ不一致"),
    ("kanji_missing", "漢字記載なし"),
    ("kanji_same", "漢字一致"),
    ("kanji_one_character", "漢字一字違い"),
    ("kanji_other", "漢字不一致"),
    ("postal_missing", "郵便番号記載なし"),
    ("postal_same", "郵便番号一致"),
    ("postal_one_edit", "郵便番号一桁違い"),
    ("postal_other", "郵便番号不一致"),
    ("address_missing", "住所記載なし"),
    ("address_same", "住所一致"),
    ("address_near", "住所ほぼ一致"),
    ("address_area", "住所は町名まで一致"),
    ("address_other", "住所不一致"),
    ("prior", "組の出やすさ（事前の見込み）"),
    ("frequency_and_other_classes", "値の珍しさと他の場合"),
    ("none", "なし"),
];

impl Reason {
    /// The Japanese words for the bar: variable and level.
    pub fn ja(&self) -> String {
        let word = |id: &str| WORDS.iter().find(|w| w.0 == id).map(|w| w.1);
        let id = self.level.split(':').next().unwrap_or_default();
        let level = word(id).map_or_else(
            || id.split('.').map(|part| word(part).unwrap_or(part)).collect::<Vec<_>>().join("、"),
            str::to_owned,
        );
        self.variable.map_or(level.clone(), |v| format!("{}：{level}", v.ja()))
    }
}

impl Model {
    /// The bars of a pattern; they sum to the score.
    pub(crate) fn why(&self, pattern: Pattern, rarity: f64) -> (Vec<Reason>, f64) {
        let joint = self.joint(pattern);
        let likeliest = |one: bool| {
            Class::ALL.into_iter().filter(|c| c.is_one_person() == one).fold(
                if one { Class::Same } else { Class::Strangers },
                |best, c| {
                    if joint[c as usize] > joint[best as usize] { c } else { best }
                },
            )
        };
        let (one, other) = (likeliest(true), likeliest(false));
        let score = self.weigh(pattern).score(rarity);
        let other_name = |what: &str| format!("{what}:{}/{}", one.id(), other.id());
        let prior = (self.share[one as usize] / self.share[other as usize]).log2();
        let mut out = vec![Reason { variable: None, level: other_name("prior"), bits: prior }];
        for v in Variable::ALL {
            let level = pattern.level(v);
            let at = |c: Class| self.tables[c as usize][v as usize][level];
            out.push(Reason {
                variable: Some(v),
                level: v.level_id(level),
                bits: (at(one) / at(other)).log2(),
            });
        }
        let sum: f64 = out.iter().map(|r| r.bits).sum();
        let rest = "frequency_and_other_classes".to_owned();
        out.push(Reason { variable: None, level: rest, bits: score - sum });
        (out, score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_has_japanese_words() {
        for v in Variable::ALL {
            for level in (0..crate::compare::LEVELS).filter(|l| v.level(*l).is_some()) {
                let reason = Reason { variable: Some(v), level: v.level_id(level), bits: 0.0 };
                let words = reason.ja();
                assert!(!words.bytes().any(|b| b.is_ascii_lowercase()), "{words}");
            }
        }
        let prior = Reason { variable: None, level: "prior:same/strangers".to_owned(), bits: 0.0 };
        assert!(prior.ja().starts_with("組の出やすさ"));
    }
}
