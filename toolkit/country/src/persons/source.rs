//! Sources: who keeps a list, in which house style, and which columns it has.

use crate::{
    chance::{Chance, Purpose, Streams},
    day::Day,
    kana,
};

/// What kind of place keeps the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Hospital,
    Municipality,
    Insurer,
    Pharmacy,
}

/// A source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    pub(crate) kind: Kind,
    /// Place, or number of the insurer.
    pub(crate) place: u16,
    /// Which of the place's.
    pub(crate) nth: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KanaStyle {
    Full,
    Half,
    Hiragana,
    /// Half width with large kana only, as old systems.
    HalfLarge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateStyle {
    Iso,
    Compact,
    Slashed,
    EraLetter,
    EraKanji,
}

/// How an address is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressStyle {
    /// 3丁目214番8号
    Words,
    /// 3-214-8
    Hyphens,
    /// ３－２１４－８
    WideHyphens,
    /// 三丁目214番地8
    Mixed,
}

/// What characters the source's code has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Unicode,
    Cp932,
    /// JIS X 0208 only: 髙 and its like are written 〓 or by the standard form.
    Jis208,
}

/// A source's habits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) kana: KanaStyle,
    /// Between family and given name, in kanji and in kana.
    pub(crate) between: [&'static str; 2],
    pub(crate) sex: [&'static str; 2],
    pub(crate) birth: DateStyle,
    pub(crate) address: AddressStyle,
    pub(crate) prefecture: bool,
    pub(crate) postal_hyphen: bool,
    pub(crate) phone: u8,
    pub(crate) wide_number: bool,
    pub(crate) short_branch: bool,
    pub(crate) drops_zero: bool,
    pub(crate) charset: Charset,
    /// Which columns the source has: kanji, kana, sex, birth, postal, address, phone, insurance, branch.
    pub(crate) has: [bool; 9],
}

/// Columns as [`Style::has`] counts them.
pub(crate) mod column {
    pub(crate) const KANJI: usize = 0;
    pub(crate) const KANA: usize = 1;
    pub(crate) const SEX: usize = 2;
    pub(crate) const BIRTH: usize = 3;
    pub(crate) const POSTAL: usize = 4;
    pub(crate) const ADDRESS: usize = 5;
    pub(crate) const PHONE: usize = 6;
    pub(crate) const INSURANCE: usize = 7;
    pub(crate) const BRANCH: usize = 8;
}

/// Share of sources of a kind that have the column, in the base profile; in the sparse one it is
/// multiplied by [`SPARSE`].
const fn columns(kind: Kind) -> [f64; 9] {
    match kind {
        Kind::Hospital => [1.0, 1.0, 1.0, 1.0, 0.93, 0.96, 0.93, 0.96, 0.42],
        Kind::Municipality => [1.0, 0.95, 1.0, 1.0, 1.0, 1.0, 0.4, 0.75, 0.65],
        Kind::Insurer => [0.95, 1.0, 1.0, 1.0, 0.75, 0.65, 0.2, 1.0, 0.85],
        Kind::Pharmacy => [1.0, 0.95, 1.0, 1.0, 0.4, 0.4, 0.8, 0.97, 0.55],
    }
}

/// What is left of the columns in the sparse profile.
pub(crate) const SPARSE: [f64; 9] = [0.99, 0.985, 0.99, 1.0, 0.55, 0.5, 0.5, 0.54, 1.0];

impl Source {
    /// `H023B`: hospital B of place 23.
    pub(crate) fn id(self) -> String {
        let letter = match self.kind {
            Kind::Hospital => 'H',
            Kind::Municipality => 'M',
            Kind::Insurer => 'K',
            Kind::Pharmacy => 'P',
        };
        format!("{letter}{:03}{}", self.place, char::from(b'A' + self.nth))
    }

    /// The source's style, the same for every record of one seed.
    pub(crate) fn style(self, seed: u64) -> Style {
        let index = u64::from(self.place) << 16 | u64::from(self.nth) << 8 | self.kind as u64;
        let chance = &mut Streams::new(seed, Purpose::ListSource).of(index);
        let mut of = |weights: &[u32]| choose(weights, chance);
        let kana = [KanaStyle::Full, KanaStyle::Half, KanaStyle::Hiragana, KanaStyle::HalfLarge]
            [of(&[80, 12, 4, 4])];
        let between = ["　", " ", ""];
        let between = [between[of(&[80, 14, 6])], between[of(&[84, 15, 1])]];
        let sex = [["1", "2"], ["M", "F"], ["男", "女"]][of(&[90, 4, 6])];
        let birth = [
            DateStyle::Iso,
            DateStyle::Compact,
            DateStyle::Slashed,
            DateStyle::EraLetter,
            DateStyle::EraKanji,
        ][of(&[80, 9, 4, 5, 2])];
        let address = [
            AddressStyle::Words,
            AddressStyle::Hyphens,
            AddressStyle::WideHyphens,
            AddressStyle::Mixed,
        ][of(&[40, 38, 14, 8])];
        let style = [of(&[70, 30]), of(&[60, 40]), of(&[55, 30, 8, 7]), of(&[85, 15])];
        let rest = [of(&[80, 20]), of(&[93, 7])];
        let charset = [Charset::Unicode, Charset::Cp932, Charset::Jis208][of(&[45, 40, 15])];
        let shares = columns(self.kind);
        let has = std::array::from_fn(|i| chance.chance(shares[i]));
        Style {
            kana,
            between,
            sex,
            birth,
            address,
            prefecture: style[0] == 0,
            postal_hyphen: style[1] == 0,
            phone: style[2] as u8,
            wide_number: style[3] == 1,
            short_branch: rest[0] == 1,
            drops_zero: rest[1] == 1,
            charset,
            has,
        }
    }
}

fn choose(weights: &[u32], chance: &mut Chance) -> usize {
    let mut at = chance.below(weights.iter().sum());
    for (i, weight) in weights.iter().enumerate() {
        if at < *weight {
            return i;
        }
        at -= weight;
    }
    0
}

impl Style {
    pub(crate) fn kana(&self, name: &str) -> String {
        match self.kana {
            KanaStyle::Full => name.to_owned(),
            KanaStyle::Half => kana::half_width(name),
            KanaStyle::Hiragana => kana::hiragana(name),
            KanaStyle::HalfLarge => kana::half_width(&large(name)),
        }
    }

    pub(crate) fn date(&self, day: Day) -> String {
        match self.birth {
            DateStyle::Iso => day.to_string(),
            DateStyle::Compact => day.compact(),
            DateStyle::Slashed => day.slashed(),
            DateStyle::EraLetter => day.era_letter(),
            DateStyle::EraKanji => day.era_kanji(),
        }
    }

    pub(crate) fn phone(&self, digits: &[String; 3]) -> String {
        let [area, exchange, line] = digits;
        match self.phone {
            0 => format!("{area}-{exchange}-{line}"),
            1 => format!("{area}{exchange}{line}"),
            2 => format!("{area}({exchange}){line}"),
            _ => kana::wide_digits(&format!("{area}－{exchange}－{line}")),
        }
    }

    pub(crate) fn postal(&self, digits: &str) -> String {
        if self.postal_hyphen && digits.len() == 7 {
            format!("{}-{}", &digits[..3], &digits[3..])
        } else {
            digits.to_owned()
        }
    }

    /// The text as the source's code can hold it, and whether 〓 stands in it.
    pub(crate) fn encoded(&self, text: &str, chance: &mut Chance) -> (String, bool) {
        let mut gaiji = false;
        let out = text
            .chars()
            .map(|c| match self.charset {
                Charset::Unicode => c,
                Charset::Jis208 if BEYOND_208.iter().any(|(beyond, _)| *beyond == c) => {
                    let plain = BEYOND_208.iter().find(|(beyond, _)| *beyond == c);
                    match plain {
                        Some((_, plain)) if chance.chance(0.6) => *plain,
                        _ => {
                            gaiji = true;
                            '〓'
                        }
                    }
                }
                _ if BEYOND_932.contains(&c) => {
                    gaiji = true;
                    '〓'
                }
                _ => c,
            })
            .collect();
        (out, gaiji)
    }
}

/// Characters of our names in CP932's extensions but not in JIS X 0208, with their standard forms.
const BEYOND_208: [(char, char); 8] = [
    ('髙', '高'),
    ('﨑', '崎'),
    ('濵', '浜'),
    ('德', '徳'),
    ('黑', '黒'),
    ('薰', '薫'),
    ('淸', '清'),
    ('瀨', '瀬'),
];
/// Characters of our names that CP932 does not have.
const BEYOND_932: [char; 1] = ['𠮷'];

fn large(name: &str) -> String {
    name.chars()
        .map(|c| match c {
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
        })
        .collect()
}
