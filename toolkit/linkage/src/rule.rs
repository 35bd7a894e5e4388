//! The rules of normalisation, each with an id that a reviewer is shown.

use std::fmt;

/// A rule that changed a value before comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum NormalRule {
    /// Control characters, zero-width characters and variation selectors taken out.
    Invisible,
    /// Unicode compatibility form (NFKC): widths, composed marks, compatibility characters.
    Nfkc,
    /// Hyphens and dashes between kana read as the long-vowel mark.
    HyphenAsLong,
    /// Hiragana to katakana.
    Hiragana,
    /// Small kana to large.
    SmallKana,
    /// ヂ→ジ, ヅ→ズ, ヲ→オ, ヰ→イ, ヱ→エ, ヴァ→バ.
    SameSound,
    /// Long vowels in one spelling.
    LongVowel,
    /// Spaces, middle dots and double hyphens dropped.
    Separator,
    /// Latin letters in capitals.
    Capital,
    /// Variant kanji folded to one.
    VariantKanji,
    /// An unknown character (gaiji): compares with any, makes no key.
    UnknownCharacter,
    /// Leading zeros dropped.
    LeadingZeros,
    /// A placeholder (all nines, "unknown", a newborn's dummy name) read as missing.
    Placeholder,
    /// Kanji numerals, 丁目, 番地, 号 brought to digits and hyphens.
    HouseNumber,
    /// Prefecture, 大字 and 字 dropped from an address.
    AddressPrefix,
}

impl NormalRule {
    /// All rules, in the order of their bits.
    pub const ALL: [Self; 15] = [
        Self::Invisible,
        Self::Nfkc,
        Self::HyphenAsLong,
        Self::Hiragana,
        Self::SmallKana,
        Self::SameSound,
        Self::LongVowel,
        Self::Separator,
        Self::Capital,
        Self::VariantKanji,
        Self::UnknownCharacter,
        Self::LeadingZeros,
        Self::Placeholder,
        Self::HouseNumber,
        Self::AddressPrefix,
    ];

    /// Rule id.
    pub fn code(self) -> &'static str {
        match self {
            Self::Invisible => "normal.invisible",
            Self::Nfkc => "normal.nfkc",
            Self::HyphenAsLong => "normal.hyphen-as-long",
            Self::Hiragana => "normal.hiragana",
            Self::SmallKana => "normal.small-kana",
            Self::SameSound => "normal.same-sound",
            Self::LongVowel => "normal.long-vowel",
            Self::Separator => "normal.separator",
            Self::Capital => "normal.capital",
            Self::VariantKanji => "normal.variant-kanji",
            Self::UnknownCharacter => "normal.unknown-character",
            Self::LeadingZeros => "normal.leading-zeros",
            Self::Placeholder => "normal.placeholder",
            Self::HouseNumber => "normal.house-number",
            Self::AddressPrefix => "normal.address-prefix",
        }
    }

    /// One Japanese phrase for the reviewer.
    pub fn ja(self) -> &'static str {
        match self {
            Self::Invisible => "制御文字・異体字セレクタを除去",
            Self::Nfkc => "全角・半角と互換文字を統一",
            Self::HyphenAsLong => "かな間のハイフンを長音に統一",
            Self::Hiragana => "ひらがなをカタカナに統一",
            Self::SmallKana => "小書きかなを大書きに統一",
            Self::SameSound => "ヂ・ヅ・ヲ・ヴなど同音のかなを統一",
            Self::LongVowel => "長音の表記を統一",
            Self::Separator => "空白・中点を除去",
            Self::Capital => "英字を大文字に統一",
            Self::VariantKanji => "異体字を統一",
            Self::UnknownCharacter => "外字は不明文字として扱う",
            Self::LeadingZeros => "先頭のゼロを除去",
            Self::Placeholder => "仮の値は未記入として扱う",
            Self::HouseNumber => "丁目・番地・号を数字とハイフンに統一",
            Self::AddressPrefix => "都道府県名・大字・字を除去",
        }
    }
}

/// Which rules fired on a value.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct RuleSet(u16);

impl RuleSet {
    pub(crate) fn fire(&mut self, rule: NormalRule) {
        self.0 |= 1 << rule as u8;
    }
    /// The union of both.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Did `rule` fire?
    pub fn contains(self, rule: NormalRule) -> bool {
        self.0 & (1 << rule as u8) != 0
    }
    /// The rules that fired, in fixed order.
    pub fn iter(self) -> impl Iterator<Item = NormalRule> {
        NormalRule::ALL.into_iter().filter(move |r| self.contains(*r))
    }
}

impl fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(NormalRule::code)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_the_list_in_order() {
        for (i, rule) in NormalRule::ALL.into_iter().enumerate() {
            assert_eq!(rule as usize, i);
            let mut set = RuleSet::default();
            set.fire(rule);
            assert_eq!(set.iter().collect::<Vec<_>>(), [rule]);
        }
    }
}
