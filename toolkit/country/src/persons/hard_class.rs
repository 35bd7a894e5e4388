//! Why pairs of records are hard, and how many of each kind a linker should get right.

macro_rules! classes {
    ($($(#[$doc:meta])* $class:ident $name:literal $same:literal $target:literal,)+) => {
        /// Why a pair is hard.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum HardClass {
            $($(#[$doc])* $class,)+
        }

        impl HardClass {
            /// Every class.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$class),+];

            /// The name in `hard_pairs.csv`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$class => $name,)+ }
            }

            /// Whether both records are of one person.
            pub const fn same(self) -> bool {
                match self { $(Self::$class => $same,)+ }
            }

            /// The least share of the class's pairs that a linker should get right, without other
            /// evidence than the list's.
            pub const fn target(self) -> f64 {
                match self { $(Self::$class => $target,)+ }
            }
        }
    };
}

classes! {
    /// Family and given name in each other's place.
    Swapped "swapped" true 0.9,
    /// Before and after the wedding: surname and home have changed.
    Marriage "marriage" true 0.9,
    /// A variant character, and no kana in one of the two.
    VariantKanji "variant_kanji" true 0.9,
    /// 〓 for a character, and no kana in it.
    Gaiji "gaiji" true 0.9,
    /// The same characters read otherwise.
    Reading "reading" true 0.9,
    /// Voicing added or lost.
    Voiced "voiced" true 0.95,
    /// A long vowel shortened or written with a bar.
    LongVowel "long_vowel" true 0.95,
    /// シ for ツ and their like.
    LookAlike "look_alike" true 0.95,
    /// The birth year wrong by the conversion of eras.
    EraYear "era_year" true 0.9,
    /// Month and day exchanged.
    MonthDay "month_day" true 0.9,
    /// Birth date written 01-01.
    Birth0101 "birth_0101" true 0.9,
    /// No birth date in one of the two.
    BirthMissing "birth_missing" true 0.9,
    /// Another home, telephone and insurer.
    Moved "moved" true 0.9,
    /// Another insurer from the age of 75.
    Elder "elder" true 0.9,
    /// Latin name in another order, or without the middle name.
    Foreign "foreign" true 0.85,
    /// Legal name and 通称名.
    Alias "alias" true 0.6,
    /// ベビー, and the name registered later.
    Newborn "newborn" true 0.85,
    /// Twins of one sex; the branch numbers differ.
    Twins "twins" false 0.95,
    /// Twins of one sex with like names; no branch numbers.
    TwinsAlike "twins_alike" false 0.7,
    /// Father and son, or mother and daughter, with like names in one home.
    ParentChild "parent_child" false 0.95,
    /// Siblings of one sex.
    Siblings "siblings" false 0.95,
    /// The same name, sex and birth date in another household.
    Namesakes "namesakes" false 0.8,
    /// The same sound in other characters, the same sex and birth date.
    NamesakesByEar "namesakes_by_ear" false 0.8,
    /// The same name and municipality, birth dates one digit apart.
    NearNamesakes "near_namesakes" false 0.7,
}

impl HardClass {
    /// Whether each of the two has further records.
    pub(crate) const fn lives_shown(self) -> bool {
        matches!(self, Self::Namesakes | Self::NamesakesByEar | Self::NearNamesakes)
    }
}
