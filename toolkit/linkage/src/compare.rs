//! Comparison: a pair of records becomes a pattern of levels, packed into 64 bits.
//!
//! Each variable has a few levels. Levels belong to groups by what both records have (kana and kanji, kana alone ...):
//! a model gives probabilities inside a group, so that what is missing weighs nothing.

mod birth;
mod edit;
mod insurance;
mod names;
mod place;
mod sex;

use crate::typed::{Row, Typed};

pub(crate) use names::{BOTH_SAME, SWAPPED, both_differ};

/// A variable of comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variable {
    /// Family name, kana and kanji together.
    Family,
    /// Given name, kana and kanji together.
    Given,
    /// Birth date.
    Birth,
    /// Sex, given whether the names are alike.
    Sex,
    /// Postal code and address together.
    Place,
    /// Town, where it has a column of its own.
    Town,
    /// Telephone number.
    Phone,
    /// Insurer, symbol, number and branch together.
    Insurance,
    /// A person's own number.
    PersonNo,
    /// Who wrote the record.
    Source,
}

/// How many variables there are.
pub(crate) const VARIABLES: usize = 10;

/// Most levels a variable has.
pub(crate) const LEVELS: usize = 32;

/// How much a level says, before any model: where estimation starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing can be said.
    Missing,
    /// The same.
    Same,
    /// Nearly the same.
    Near,
    /// Something in common.
    Part,
    /// Different.
    Other,
}

impl Variable {
    /// All, in the order of their places in a pattern.
    pub const ALL: [Self; VARIABLES] = [
        Self::Family,
        Self::Given,
        Self::Birth,
        Self::Sex,
        Self::Place,
        Self::Town,
        Self::Phone,
        Self::Insurance,
        Self::PersonNo,
        Self::Source,
    ];

    /// Id in models and reports.
    pub fn id(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Given => "given",
            Self::Birth => "birth",
            Self::Sex => "sex",
            Self::Place => "place",
            Self::Town => "town",
            Self::Phone => "phone",
            Self::Insurance => "insurance",
            Self::PersonNo => "person_no",
            Self::Source => "source",
        }
    }

    /// The Japanese name for the reviewer.
    pub fn ja(self) -> &'static str {
        match self {
            Self::Family => "姓",
            Self::Given => "名",
            Self::Birth => "生年月日",
            Self::Sex => "性別",
            Self::Place => "住所・郵便番号",
            Self::Town => "市町村",
            Self::Phone => "電話番号",
            Self::Insurance => "保険資格",
            Self::PersonNo => "個人番号",
            Self::Source => "提供元",
        }
    }

    /// Group and kind of each level; `None` beyond the last.
    pub(crate) fn level(self, level: usize) -> Option<(u8, Kind)> {
        match self {
            Self::Family | Self::Given => names::level(level),
            Self::Birth => birth::level(level),
            Self::Sex => sex::level(level),
            Self::Place => place::level(level),
            Self::Town | Self::Phone | Self::PersonNo => match level {
                0 => Some((0, Kind::Missing)),
                1 => Some((1, Kind::Same)),
                2 => Some((1, Kind::Near)),
                3 => Some((1, Kind::Other)),
                _ => None,
            },
            Self::Insurance => insurance::level(level),
            Self::Source => match level {
                0 => Some((0, Kind::Missing)),
                1 => Some((1, Kind::Part)),
                2 => Some((1, Kind::Other)),
                _ => None,
            },
        }
    }

    /// Id of a level in models and reports.
    pub(crate) fn level_id(self, level: usize) -> String {
        const SIMPLE: [&str; 4] = ["missing", "same", "one_edit", "other"];
        let of = |names: &[&str], i: usize| (*names.get(i).unwrap_or(&"none")).to_owned();
        match self {
            Self::Family | Self::Given => names::level_id(level),
            Self::Birth => of(&birth::IDS, level),
            Self::Sex => of(&sex::IDS, level),
            Self::Place => place::level_id(level),
            Self::Town | Self::Phone | Self::PersonNo => of(&SIMPLE, level),
            Self::Insurance => of(&insurance::IDS, level),
            Self::Source => of(&["missing", "same", "other"], level),
        }
    }

    fn shift(self) -> u32 {
        self as u32 * 6
    }
}

/// What two records share besides name, birth date and sex (a place, a telephone, a coverage): `Some(true)` if
/// anything, `Some(false)` if all that both have differs, `None` if they have nothing to compare.
pub(crate) fn tied(pattern: Pattern) -> Option<bool> {
    use Variable::{Insurance, PersonNo, Phone, Place, Town};
    let mut out = None;
    for v in [Place, Phone, Insurance, PersonNo, Town] {
        match v.level(pattern.level(v)) {
            Some((_, Kind::Same | Kind::Near)) => return Some(true),
            Some((_, Kind::Part | Kind::Other)) => out = Some(false),
            _ => {}
        }
    }
    out
}

/// A packed pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Pattern(pub(crate) u64);

impl Pattern {
    pub(crate) fn level(self, variable: Variable) -> usize {
        (self.0 >> variable.shift() & 63) as usize
    }
    /// Does one coverage stand with two branch numbers?
    pub(crate) fn has_other_branch(self) -> bool {
        self.level(Variable::Insurance) == insurance::OTHER_BRANCH
    }
    fn set(&mut self, variable: Variable, level: usize) {
        self.0 |= (level as u64) << variable.shift();
    }
}

/// Compares two rows; the order of the two does not matter.
pub(crate) fn compare(t: &Typed, a: &Row, b: &Row) -> Pattern {
    let mut out = compare_names(t, a, b);
    for v in [
        Variable::Birth,
        Variable::Place,
        Variable::Town,
        Variable::Phone,
        Variable::Insurance,
        Variable::PersonNo,
        Variable::Source,
    ] {
        out.set(v, compare_one(t, v, a, b));
    }
    out
}

/// The names of two rows, and sex, which is weighed by what they say.
pub(crate) fn compare_names(t: &Typed, a: &Row, b: &Row) -> Pattern {
    let mut out = Pattern::default();
    let (family, given) = names::compare(t, a, b);
    out.set(Variable::Family, family);
    out.set(Variable::Given, given);
    let names = match () {
        () if !names::alike(given) => sex::Names::GivenOther,
        () if names::other(family) => sex::Names::FamilyOther,
        () => sex::Names::Alike,
    };
    out.set(Variable::Sex, sex::compare(a, b, names));
    out
}

/// The level of one variable.
#[inline]
pub(crate) fn compare_one(t: &Typed, v: Variable, a: &Row, b: &Row) -> usize {
    match v {
        Variable::Family | Variable::Given | Variable::Sex => compare_names(t, a, b).level(v),
        Variable::Birth => birth::compare(a.birth, b.birth),
        Variable::Place => place::compare(t, a, b),
        Variable::Town => plain(&t.town.chars, a.town, b.town),
        Variable::Phone => plain(&t.phone.chars, a.phone, b.phone),
        Variable::Insurance => insurance::compare(t, a, b),
        Variable::PersonNo => plain(&t.person_no.chars, a.person_no, b.person_no),
        Variable::Source => match (a.source, b.source) {
            (0, _) | (_, 0) => 0,
            (x, y) => 1 + usize::from(x != y),
        },
    }
}

/// Same, one edit, other.
fn plain(chars: &crate::typed::Chars, a: u32, b: u32) -> usize {
    match (a, b) {
        (0, _) | (_, 0) => 0,
        _ if a == b => 1,
        _ if edit::within_one(chars.at(a), chars.at(b)) => 2,
        _ => 3,
    }
}
