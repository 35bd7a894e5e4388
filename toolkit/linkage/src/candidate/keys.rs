//! The keys of each pass.

use rayon::prelude::*;

use crate::{
    kana::rough,
    list::{Interner, hash_bytes, mix},
    text::UNKNOWN,
    typed::{Row, Typed, house},
};

/// A part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
enum Part {
    Birth,
    Year,
    MonthDay,
    Sex,
    Family,
    Given,
    Full,
    /// Family and given name in either order.
    Turned,
    FamilyKanji,
    GivenKanji,
    FullKanji,
    /// Family and given name without sound marks and long vowels.
    Rough,
    Initials,
    Postal,
    House,
    Town,
    Phone,
    Insurer,
    Coverage,
    Branch,
    PersonNo,
}

const PARTS: usize = 21;

/// A pass: the parts of its key, and when it is made.
pub(crate) struct Pass {
    /// Name in the report.
    pub(crate) name: &'static str,
    parts: &'static [Part],
    pub(crate) when: When,
}

/// When a pass is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Always,
    /// Unless it proposes too much.
    Affordable,
    /// It brings members of a household together: for lists that have few of them.
    FewHouseholds,
    /// Only pairs of which one birth date is not known.
    BirthMissing,
}

const fn pass(name: &'static str, parts: &'static [Part], when: When) -> Pass {
    Pass { name, parts, when }
}

use Part::{
    Birth, Branch, Coverage, Family, FamilyKanji, Full, FullKanji, Given, GivenKanji, House,
    Initials, Insurer, MonthDay, PersonNo, Phone, Postal, Rough, Sex, Town, Turned, Year,
};
use When::{Affordable, Always, BirthMissing, FewHouseholds};

/// All passes, in order.
pub(crate) const PASSES: [Pass; 33] = [
    pass("birth+family", &[Birth, Family], Always),
    pass("birth+given", &[Birth, Given], Always),
    pass("birth+family_kanji", &[Birth, FamilyKanji], Always),
    pass("birth+given_kanji", &[Birth, GivenKanji], Always),
    pass("full+year", &[Full, Year], Always),
    pass("full_kanji+year", &[FullKanji, Year], Always),
    pass("full+month_day", &[Full, MonthDay], Always),
    pass("full_kanji+month_day", &[FullKanji, MonthDay], Always),
    pass("full+postal", &[Full, Postal], Always),
    pass("full_kanji+postal", &[FullKanji, Postal], Always),
    pass("birth+turned", &[Birth, Turned], Always),
    pass("phone+given", &[Phone, Given], Affordable),
    pass("phone+given_kanji", &[Phone, GivenKanji], Affordable),
    pass("phone+birth", &[Phone, Birth], Affordable),
    pass("coverage+given", &[Coverage, Given], Affordable),
    pass("coverage+given_kanji", &[Coverage, GivenKanji], Affordable),
    pass("coverage+birth", &[Coverage, Birth], Affordable),
    pass("coverage+branch", &[Coverage, Branch], Affordable),
    pass("house+given", &[House, Given], Affordable),
    pass("house+birth", &[House, Birth], Affordable),
    pass("birth+initials", &[Birth, Initials], Affordable),
    pass("birth+insurer+sex", &[Birth, Insurer, Sex], Affordable),
    pass("birth+postal", &[Birth, Postal], Affordable),
    pass("rough+year", &[Rough, Year], Affordable),
    pass("full+insurer", &[Full, Insurer], Affordable),
    pass("person_no", &[PersonNo], Affordable),
    pass("given+year+town", &[Given, Year, Town], Affordable),
    pass("house+family", &[House, Family], FewHouseholds),
    pass("house+postal", &[House, Postal], FewHouseholds),
    pass("postal+family", &[Postal, Family], FewHouseholds),
    pass("postal+given", &[Postal, Given], FewHouseholds),
    pass("full+sex, a birth date missing", &[Full, Sex], BirthMissing),
    pass("full_kanji+sex, a birth date missing", &[FullKanji, Sex], BirthMissing),
];

/// Short hashes of the parts of keys of every row, the same in every run; 0 is missing.
pub(crate) struct Keys(Vec<[u32; PARTS]>);

/// The keys of rows one by one.
pub(crate) struct KeyMaker<'a> {
    typed: &'a Typed,
    shared: Shared,
}

impl<'a> KeyMaker<'a> {
    pub(crate) fn of(typed: &'a Typed) -> Self {
        Self { typed, shared: Shared::of(typed) }
    }
    /// The keys of a row in all passes; 0 is none.
    pub(crate) fn keys(&self, row: &Row) -> [u32; PASSES.len()] {
        let parts = parts(self.typed, row, &self.shared);
        std::array::from_fn(|pass| key(&parts, pass))
    }
}

/// Hashes that several rows share.
struct Shared {
    kana: Vec<u32>,
    rough: Vec<u32>,
    initial: Vec<u32>,
    kanji: Vec<u32>,
}

fn short(hash: u64) -> u32 {
    (hash >> 32) as u32 | 1
}

impl Shared {
    fn of(t: &Typed) -> Self {
        let hashes = |values: &Interner, of: &(dyn Fn(u32) -> Option<u32> + Sync)| {
            (0..values.len() as u32)
                .into_par_iter()
                .map(|id| if id == 0 { 0 } else { of(id).unwrap_or(0) })
                .collect()
        };
        let kana = &t.kana.values;
        let kanji = &t.kanji.values;
        Self {
            kana: hashes(kana, &|id| Some(short(kana.hash(id)))),
            rough: hashes(kana, &|id| Some(short(hash_bytes(rough(kana.text(id)).as_bytes())))),
            initial: hashes(kana, &|id| {
                t.kana_chars.at(id).first().map(|c| short(mix(7, u64::from(*c))))
            }),
            // a name with an unknown letter is no key
            kanji: hashes(kanji, &|id| {
                (!t.kanji_chars.at(id).contains(&UNKNOWN)).then(|| short(kanji.hash(id)))
            }),
        }
    }
}

fn both(a: u32, b: u32) -> u32 {
    if a == 0 || b == 0 { 0 } else { short(mix(u64::from(a), u64::from(b))) }
}

impl Keys {
    /// Of rows in some order.
    pub(crate) fn of(t: &Typed, order: &[u32]) -> Self {
        let shared = Shared::of(t);
        Self(order.par_iter().map(|i| parts(t, &t.rows[*i as usize], &shared)).collect())
    }

    /// The key of the row at a place of that order in a pass; 0 is none.
    pub(crate) fn key(&self, pass: usize, row: usize) -> u32 {
        key(&self.0[row], pass)
    }
}

/// The key of parts in a pass, of 31 bits whatever the list's size: whether two records share one depends on the two
/// alone. 0 is none.
fn key(parts: &[u32; PARTS], pass: usize) -> u32 {
    let mut key = pass as u64 + 1;
    for part in PASSES[pass].parts {
        let part = parts[*part as usize];
        if part == 0 {
            return 0;
        }
        key = mix(key, u64::from(part));
    }
    short(key)
}

fn parts(t: &Typed, r: &Row, s: &Shared) -> [u32; PARTS] {
    let plain = |v: &Interner, id: u32| if id == 0 { 0 } else { short(v.hash(id)) };
    let number = |n: u32| if n == 0 { 0 } else { short(mix(11, u64::from(n))) };
    let full = r.birth.is_full();
    let (family, given) = (s.kana[r.family as usize], s.kana[r.given as usize]);
    let insurer = plain(&t.insurer.values, r.insurer);
    let house = house(&t.places, r);
    let mut out = [0; PARTS];
    let mut set = |part: Part, hash: u32| out[part as usize] = hash;
    set(Birth, if full { number(r.birth.packed()) } else { 0 });
    set(Year, number(r.birth.year()));
    set(MonthDay, if full { number(r.birth.month_day()) } else { 0 });
    set(Sex, number(u32::from(r.sex)));
    set(Family, family);
    set(Given, given);
    set(Full, s.kana[r.full as usize]);
    set(Turned, both(family.min(given), family.max(given)));
    set(FamilyKanji, s.kanji[r.family_kanji as usize]);
    set(GivenKanji, s.kanji[r.given_kanji as usize]);
    set(FullKanji, s.kanji[r.full_kanji as usize]);
    set(Rough, both(s.rough[r.family as usize], s.rough[r.given as usize]));
    set(Initials, both(s.initial[r.family as usize], s.initial[r.given as usize]));
    set(Postal, plain(&t.postal.values, r.postal));
    set(House, if house == 0 { 0 } else { short(house) });
    set(Town, plain(&t.town.values, r.town));
    set(Phone, plain(&t.phone.values, r.phone));
    set(Insurer, insurer);
    set(Coverage, both(insurer, plain(&t.card.values, r.card)));
    set(Branch, number(u32::from(r.branch)));
    set(PersonNo, plain(&t.person_no.values, r.person_no));
    out
}
