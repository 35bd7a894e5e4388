//! The rows, and the tables their numbers point into.

use rayon::prelude::*;

use crate::{
    list::{Field, Interner, List, Raw, mix, read_decode},
    numbers::{branch, insurer_no, phones, symbol_or_number},
    rule::RuleSet,
    text::compatible,
    typed::{
        PartialDate, Place,
        date::partial_date,
        names::{NameColumns, Parts, Script, kana_only, name_parts},
        place::place,
    },
};

/// One record. Numbers point into the tables of [`Typed`]; 0 is missing.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Row {
    pub(crate) family: u32,
    pub(crate) given: u32,
    pub(crate) full: u32,
    pub(crate) family_kanji: u32,
    pub(crate) given_kanji: u32,
    pub(crate) full_kanji: u32,
    pub(crate) birth: PartialDate,
    pub(crate) postal: u32,
    pub(crate) place: u32,
    pub(crate) town: u32,
    pub(crate) phone: u32,
    pub(crate) insurer: u32,
    /// Symbol and number.
    pub(crate) card: u32,
    pub(crate) person_no: u32,
    /// Days, of equal months; 0 if unknown.
    pub(crate) on: u32,
    pub(crate) source: u16,
    /// 1 male, 2 female.
    pub(crate) sex: u8,
    /// Branch number plus one.
    pub(crate) branch: u8,
}

/// A name is read with its family name last if the dictionary makes that so much likelier (natural logarithm): about
/// one name in a hundred is written so.
const TURN: f32 = 4.6;

/// Values as letters, by number.
#[derive(Default)]
pub(crate) struct Chars {
    ends: Vec<u32>,
    letters: Vec<char>,
}

impl Chars {
    pub(crate) fn of(values: &Interner) -> Self {
        let mut out = Self::default();
        for id in 0..values.len() as u32 {
            out.letters.extend(values.text(id).chars());
            out.ends.push(out.letters.len() as u32);
        }
        out
    }
    pub(crate) fn at(&self, id: u32) -> &[char] {
        let start = if id == 0 { 0 } else { self.ends[id as usize - 1] };
        &self.letters[start as usize..self.ends[id as usize] as usize]
    }
}

/// A column of plain values: their letters and hashes.
#[derive(Default)]
pub(crate) struct Plain {
    pub(crate) values: Interner,
    pub(crate) chars: Chars,
}

/// The list in comparable form.
pub(crate) struct Typed {
    /// In the order of the record ids.
    pub(crate) rows: Vec<Row>,
    /// For each row its place in the file.
    pub(crate) order: Vec<u32>,
    pub(crate) kana: Parts,
    pub(crate) kana_chars: Chars,
    pub(crate) kanji: Parts,
    pub(crate) kanji_chars: Chars,
    /// Of each kanji value: is it kana alone?
    pub(crate) kanji_in_kana: Vec<bool>,
    pub(crate) places: Vec<Place>,
    pub(crate) postal: Plain,
    pub(crate) town: Plain,
    pub(crate) phone: Plain,
    pub(crate) insurer: Plain,
    pub(crate) card: Plain,
    pub(crate) person_no: Plain,
    /// Of each field: records with a value as written, and with one that is usable.
    pub(crate) filled: Vec<(Field, u64, u64)>,
    /// Record ids that were given to more than one record.
    pub(crate) repeated_ids: u64,
}

/// A column typed by its distinct values.
fn plain(
    raw: &Raw,
    decode: &(dyn Fn(&[u8]) -> String + Sync),
    normal: &(dyn Fn(&str) -> Option<String> + Sync),
) -> (Plain, Vec<u32>) {
    let texts: Vec<Option<String>> = (0..raw.values.len() as u32)
        .into_par_iter()
        .map(|id| if id == 0 { None } else { normal(&decode(raw.values.bytes(id))) })
        .collect();
    let mut values = Interner::default();
    let of = texts.iter().map(|t| t.as_ref().map_or(0, |t| values.intern(t.as_bytes()))).collect();
    let chars = Chars::of(&values);
    (Plain { values, chars }, of)
}

fn by_value<T: Send + Copy + Default>(
    raw: &Raw,
    decode: &(dyn Fn(&[u8]) -> String + Sync),
    typed: &(dyn Fn(&str) -> Option<T> + Sync),
) -> Vec<T> {
    (0..raw.values.len() as u32)
        .into_par_iter()
        .map(|id| {
            if id == 0 { None } else { typed(&decode(raw.values.bytes(id))) }.unwrap_or_default()
        })
        .collect()
}

/// Brings a list into comparable form.
pub(crate) fn type_list(list: &List) -> Typed {
    let cp932 = list.cp932;
    let decode = move |bytes: &[u8]| read_decode(bytes, cp932).into_owned();
    let decode: &(dyn Fn(&[u8]) -> String + Sync) = &decode;
    let column = |f: Field| &list.columns[f as usize];
    let names = |whole, family, given| NameColumns {
        whole: column(whole),
        family: column(family),
        given: column(given),
    };
    let (kana, kana_of) = name_parts(
        &names(Field::NameKana, Field::FamilyKana, Field::GivenKana),
        Script::Kana,
        decode,
    );
    let (kanji, kanji_of) = name_parts(
        &names(Field::NameKanji, Field::FamilyKanji, Field::GivenKanji),
        Script::Kanji,
        decode,
    );
    let sex = by_value(column(Field::Sex), decode, &sex);
    let birth = by_value(column(Field::BirthDate), decode, &partial_date);
    let on =
        by_value(column(Field::RecordedOn), decode, &|t| partial_date(t).map(PartialDate::days));
    let branches = by_value(column(Field::Branch), decode, &|t| {
        branch(t)?.text.parse::<u8>().ok().map(|b| b + 1)
    });
    let (postal, postal_of) = plain(column(Field::PostalCode), decode, &postal);
    let (town, town_of) = plain(column(Field::Town), decode, &town);
    let (phone, phone_of) =
        plain(column(Field::Phone), decode, &|t| phones(t).into_iter().next().map(|n| n.text));
    let (insurer, insurer_of) =
        plain(column(Field::InsurerNo), decode, &|t| insurer_no(t).map(|n| n.text));
    let (person_no, person_no_of) =
        plain(column(Field::PersonNo), decode, &|t| symbol_or_number(t).map(|n| n.text));
    let (symbol, symbol_of) =
        plain(column(Field::Symbol), decode, &|t| symbol_or_number(t).map(|n| n.text));
    let (number, number_of) =
        plain(column(Field::Number), decode, &|t| symbol_or_number(t).map(|n| n.text));
    let addresses = column(Field::Address);
    let places: Vec<Place> = (0..addresses.values.len() as u32)
        .into_par_iter()
        .map(|id| place(&decode(addresses.values.bytes(id))))
        .collect();
    let at =
        |of: &[u32], f: Field, i: usize| column(f).ids.get(i).map_or(0, |raw| of[*raw as usize]);
    let raw_at = |f: Field, i: usize| column(f).ids.get(i).copied().unwrap_or(0) as usize;

    // symbol and number are one value
    let mut cards = Interner::default();
    let mut card_of: hashbrown::HashMap<(u32, u32), u32> = hashbrown::HashMap::new();
    let mut joined = String::new();
    let cards_of: Vec<u32> = (0..column(Field::Number).ids.len())
        .map(|i| {
            let (s, n) = (at(&symbol_of, Field::Symbol, i), at(&number_of, Field::Number, i));
            if n == 0 {
                return 0;
            }
            *card_of.entry((s, n)).or_insert_with(|| {
                joined.clear();
                joined.push_str(symbol.values.text(s));
                joined.push('|');
                joined.push_str(number.values.text(n));
                cards.intern(joined.as_bytes())
            })
        })
        .collect();

    let sources = ranks(column(Field::SourceId));
    let (order, repeated_ids) = order(list);
    let in_kana: Vec<bool> =
        (0..kanji.values.len() as u32).map(|id| kana_only(kanji.values.text(id))).collect();
    let rows: Vec<Row> = order
        .par_iter()
        .map(|i| {
            let i = *i as usize;
            let k = kana_of.get(i).map_or(0, |v| *v as usize);
            let j = kanji_of.get(i).map_or(0, |v| *v as usize);
            let insurer_id = at(&insurer_of, Field::InsurerNo, i);
            // the late-stage elderly system gives each person a number of his own
            let own = insurer_id != 0 && {
                let text = insurer.values.text(insurer_id);
                text.len() == 8 && text.starts_with("39")
            };
            let (k, j) = (&kana.of[k], &kanji.of[j]);
            let turned = k.lean + j.lean > TURN;
            let [family, given, full] = if turned { k.turned } else { k.stands };
            let [family_kanji, given_kanji, full_kanji] = if turned { j.turned } else { j.stands };
            Row {
                family,
                given,
                full,
                family_kanji,
                given_kanji,
                full_kanji,
                birth: birth[raw_at(Field::BirthDate, i)],
                postal: at(&postal_of, Field::PostalCode, i),
                place: raw_at(Field::Address, i) as u32
                    * u32::from(places[raw_at(Field::Address, i)].is_known()),
                town: at(&town_of, Field::Town, i),
                phone: at(&phone_of, Field::Phone, i),
                insurer: insurer_id,
                card: cards_of.get(i).copied().unwrap_or(0),
                person_no: at(&person_no_of, Field::PersonNo, i),
                on: on[raw_at(Field::RecordedOn, i)],
                source: sources[raw_at(Field::SourceId, i)],
                sex: sex[raw_at(Field::Sex, i)],
                branch: if own { 1 } else { branches[raw_at(Field::Branch, i)] },
            }
        })
        .collect();
    let kana_chars = Chars::of(&kana.values);
    let kanji_chars = Chars::of(&kanji.values);
    let card_chars = Chars::of(&cards);
    let filled = filled(list, &rows);
    Typed {
        rows,
        order,
        kana,
        kana_chars,
        kanji,
        kanji_chars,
        kanji_in_kana: in_kana,
        places,
        postal,
        town,
        phone,
        insurer,
        card: Plain { values: cards, chars: card_chars },
        person_no,
        filled,
        repeated_ids,
    }
}

/// Of each value of a column its place in the order of values: one that does not depend on the order of the file.
fn ranks(raw: &Raw) -> Vec<u16> {
    let mut ids: Vec<u32> = (0..raw.values.len() as u32).collect();
    ids.sort_unstable_by_key(|id| raw.values.bytes(*id));
    let mut out = vec![0; ids.len()];
    for (rank, id) in ids.into_iter().enumerate() {
        out[id as usize] = rank.min(usize::from(u16::MAX)) as u16;
    }
    out
}

/// Places in the file in the order of the record ids; equal ids in the order of their raw values, so that the order
/// of the file says nothing.
fn order(list: &List) -> (Vec<u32>, u64) {
    let ids = &list.record_ids;
    let n = ids.len();
    let first = if n == 0 { &[][..] } else { ids.at(0) };
    let shared = (1..n).fold(first.len(), |len, i| {
        first[..len].iter().zip(ids.at(i)).take_while(|(a, b)| a == b).count()
    });
    let mut keyed: Vec<(u64, u32)> = (0..n as u32)
        .into_par_iter()
        .map(|i| {
            let mut key = [0; 8];
            for (k, b) in key.iter_mut().zip(&ids.at(i as usize)[shared..]) {
                *k = *b;
            }
            (u64::from_be_bytes(key), i)
        })
        .collect();
    let content = |i: u32| {
        list.columns.iter().fold(0, |h, c| {
            let id = c.ids.get(i as usize).copied().unwrap_or(0);
            mix(h, c.values.hash(id))
        })
    };
    keyed.par_sort_unstable_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| {
            let (x, y) = (ids.at(a.1 as usize), ids.at(b.1 as usize));
            x.cmp(y).then_with(|| content(a.1).cmp(&content(b.1)))
        })
    });
    let repeated = keyed
        .windows(2)
        .filter(|w| w[0].0 == w[1].0 && ids.at(w[0].1 as usize) == ids.at(w[1].1 as usize))
        .count();
    (keyed.into_iter().map(|(_, i)| i).collect(), repeated as u64)
}

fn filled(list: &List, rows: &[Row]) -> Vec<(Field, u64, u64)> {
    let count = |f: Field, usable: fn(&Row) -> bool| {
        let written = list.columns[f as usize].ids.iter().filter(|id| **id != 0).count() as u64;
        (f, written, rows.iter().filter(|r| usable(r)).count() as u64)
    };
    vec![
        count(Field::NameKanji, |r| r.full_kanji != 0),
        count(Field::NameKana, |r| r.full != 0),
        count(Field::FamilyKana, |r| r.family != 0),
        count(Field::GivenKana, |r| r.given != 0),
        count(Field::Sex, |r| r.sex != 0),
        count(Field::BirthDate, |r| r.birth.is_known()),
        count(Field::PostalCode, |r| r.postal != 0),
        count(Field::Address, |r| r.place != 0),
        count(Field::Town, |r| r.town != 0),
        count(Field::Phone, |r| r.phone != 0),
        count(Field::InsurerNo, |r| r.insurer != 0),
        count(Field::Number, |r| r.card != 0),
        count(Field::Branch, |r| r.branch != 0),
        count(Field::PersonNo, |r| r.person_no != 0),
    ]
}

fn sex(text: &str) -> Option<u8> {
    let text = compatible(text, &mut RuleSet::default()).to_uppercase();
    match text.as_str() {
        "1" | "01" | "M" | "MALE" | "男" | "男性" | "男子" | "おとこ" | "オトコ" => {
            Some(1)
        }
        "2" | "02" | "F" | "FEMALE" | "女" | "女性" | "女子" | "おんな" | "オンナ" => {
            Some(2)
        }
        _ => None,
    }
}

/// A postal code: letters and digits, at least three, not all alike.
fn postal(text: &str) -> Option<String> {
    let mut code: String = compatible(text, &mut RuleSet::default())
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    // a table program dropped the leading zero of a Japanese one
    if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) {
        code.insert(0, '0');
    }
    let alike = code.bytes().all(|b| Some(b) == code.bytes().next());
    (code.len() >= 3 && !alike).then_some(code)
}

fn town(text: &str) -> Option<String> {
    let text: String = compatible(text, &mut RuleSet::default())
        .to_uppercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect();
    (!text.is_empty()).then_some(text)
}

/// Hash of a place's house for candidate keys.
pub(crate) fn house(places: &[Place], row: &Row) -> u64 {
    if row.place == 0 { 0 } else { places[row.place as usize].house() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values() {
        assert_eq!(sex("２"), Some(2));
        assert_eq!(sex("9"), None);
        assert_eq!(postal("〒100-0001").as_deref(), Some("1000001"));
        assert_eq!(postal("600001").as_deref(), Some("0600001"));
        assert_eq!(postal("0000000"), None);
    }
}
