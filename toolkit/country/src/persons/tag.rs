//! What is wrong with, or has changed since, a record: one tag each, and how often.

use std::fmt;

macro_rules! tags {
    ($($(#[$doc:meta])* $tag:ident $name:literal $base:literal $sparse:literal,)+) => {
        /// One way in which a record differs from what its person is today. Error tags say that the
        /// record is wrong; state tags (`Marriage`, `Moved`, `InsurerChanged`, `PhoneChanged`) that it
        /// was right once.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Tag {
            $($(#[$doc])* $tag,)+
        }

        impl Tag {
            /// Every tag.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$tag),+];

            /// The name in `truth.csv`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$tag => $name,)+ }
            }

            /// How often the error is tried per record: in the base and in the sparse profile. Where
            /// it cannot happen (a name without variants, a day after the 12th to be swapped), it
            /// does not; 0: comes from lives or from house styles.
            pub const fn rates(self) -> (f64, f64) {
                match self { $(Self::$tag => ($base, $sparse),)+ }
            }
        }
    };
}

tags! {
    /// One kana wrong, lost, doubled or exchanged with its neighbour.
    KanaTypo "kana_typo" 0.007 0.014,
    /// One character of the name replaced by one that sounds or looks alike.
    KanjiTypo "kanji_typo" 0.007 0.014,
    /// A variant character (渡辺/渡邊).
    Itaiji "itaiji" 0.12 0.24,
    /// The same characters read otherwise (裕子 ユウコ/ヒロコ).
    Reading "reading" 0.008 0.016,
    /// Voicing added or lost (ヤマザキ/ヤマサキ).
    Voiced "voiced" 0.006 0.012,
    /// A small kana lost or written large (ハットリ/ハトリ).
    SmallKana "small_kana" 0.02 0.04,
    /// A long vowel shortened or written with a bar (コウイチ/コーイチ/コイチ).
    LongVowel "long_vowel" 0.004 0.008,
    /// シ for ツ, ソ for ン and their like.
    LookAlike "look_alike" 0.003 0.006,
    /// Family and given name in each other's place.
    Swapped "swapped" 0.003 0.006,
    /// Given name missing.
    GivenMissing "given_missing" 0.0015 0.003,
    /// Family name missing.
    FamilyMissing "family_missing" 0.001 0.0015,
    /// Kana name missing in a source that has it.
    KanaMissing "kana_missing" 0.005 0.012,
    /// Kanji name missing in a source that has it.
    KanjiMissing "kanji_missing" 0.005 0.012,
    /// A foreign name in the order given, middle, family.
    NameOrder "name_order" 0.1 0.15,
    /// A middle name dropped.
    MiddleDropped "middle_dropped" 0.35 0.35,
    /// 通称名 in place of the legal name.
    Alias "alias" 0.15 0.2,
    /// The surname is not today's.
    Marriage "marriage" 0.0 0.0,
    /// A newborn without or with a provisional name (ベビー).
    Newborn "newborn" 0.0 0.0,
    /// One digit of the birth date wrong or exchanged.
    BirthDigit "birth_digit" 0.005 0.01,
    /// Month and day exchanged.
    MonthDay "month_day" 0.004 0.008,
    /// A wrong year from the conversion of eras.
    EraYear "era_year" 0.003 0.006,
    /// Month and day unknown, written 01-01.
    Birth0101 "birth_0101" 0.0025 0.005,
    /// Birth date missing.
    BirthMissing "birth_missing" 0.004 0.01,
    /// The other sex.
    SexWrong "sex_wrong" 0.0015 0.003,
    /// Sex missing.
    SexMissing "sex_missing" 0.005 0.012,
    /// The address is not today's.
    Moved "moved" 0.0 0.0,
    /// The telephone number is not today's.
    PhoneChanged "phone_changed" 0.0 0.0,
    /// One digit of the telephone number wrong.
    PhoneTypo "phone_typo" 0.008 0.016,
    /// One digit of the postal code wrong.
    PostalTypo "postal_typo" 0.008 0.016,
    /// The address spelled otherwise than the source does (ヶ/ケ/が, 大字, digits).
    AddressSpelled "address_spelled" 0.06 0.10,
    /// Building and room dropped.
    BuildingDropped "building_dropped" 0.12 0.16,
    /// A digit of block or house wrong.
    AddressTypo "address_typo" 0.008 0.016,
    /// The insurer, symbol or number is not today's.
    InsurerChanged "insurer_changed" 0.0 0.0,
    /// One digit of the insurer's, or the insured's number wrong.
    NumberTypo "number_typo" 0.01 0.02,
    /// Branch number missing in a source that has it.
    BranchMissing "branch_missing" 0.06 0.12,
    /// A placeholder in place of a value (不明, 000-0000, 9999999).
    Placeholder "placeholder" 0.006 0.012,
    /// A character the source's code does not have, written 〓.
    Gaiji "gaiji" 0.0 0.0,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The tags of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tags(u64);

impl Tags {
    pub(crate) fn add(&mut self, tag: Tag) {
        self.0 |= 1 << tag as u8;
    }

    /// Whether the record has the tag.
    pub const fn has(self, tag: Tag) -> bool {
        self.0 >> tag as u8 & 1 == 1
    }

    /// The record's tags in the order of [`Tag::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Tag> {
        Tag::ALL.into_iter().filter(move |tag| self.has(*tag))
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Tags {
    /// Names joined by `|`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, tag) in self.iter().enumerate() {
            if i > 0 {
                f.write_str("|")?;
            }
            f.write_str(tag.name())?;
        }
        Ok(())
    }
}
