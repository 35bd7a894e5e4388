//! The rows of a list.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::{
    list::{Field, Interner, List, Raw, mix, read_decode},
    numbers::{branch, insurer_no, phones, symbol_or_number},
    rule::RuleSet,
    text::compatible,
    typed::{
        Batch, PartialDate, Places, Typed,
        date::partial_date,
        names::{NameColumns, Script, name_parts},
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

/// The text of a raw value.
pub(crate) type Decode<'a> = &'a (dyn for<'b> Fn(&'b [u8]) -> Cow<'b, str> + Sync);

type Normal<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// A column typed by its distinct values: of each the number of its normal form.
fn plain(raw: &Raw, decode: Decode<'_>, normal: Normal<'_>, values: &mut Interner) -> Vec<u32> {
    let texts: Vec<Option<String>> = (0..raw.values.len() as u32)
        .into_par_iter()
        .map(|id| if id == 0 { None } else { normal(&decode(raw.values.bytes(id))) })
        .collect();
    let mut out = Vec::with_capacity(texts.len());
    values.intern_all(texts.iter().map(|t| t.as_deref().unwrap_or_default().as_bytes()), &mut out);
    out
}

fn by_value<T: Send + Copy + Default>(
    raw: &Raw,
    decode: Decode<'_>,
    typed: &(dyn Fn(&str) -> Option<T> + Sync),
) -> Vec<T> {
    (0..raw.values.len() as u32)
        .into_par_iter()
        .map(|id| {
            if id == 0 { None } else { typed(&decode(raw.values.bytes(id))) }.unwrap_or_default()
        })
        .collect()
}

/// Brings a list into comparable form; its values join those that are there. The dictionary of names learns from it
/// if it may.
pub(crate) fn type_list(list: &List, typed: &mut Typed, learn: bool) -> Batch {
    let cp932 = list.cp932;
    let decode: Decode<'_> = &|bytes| read_decode(bytes, cp932);
    let column = |f: Field| &list.columns[f as usize];
    let columns = |whole, family, given| NameColumns {
        whole: column(whole),
        family: column(family),
        given: column(given),
    };
    let kana = name_parts(
        &columns(Field::NameKana, Field::FamilyKana, Field::GivenKana),
        Script::Kana,
        decode,
        &mut typed.kana,
        learn,
    );
    let kanji = name_parts(
        &columns(Field::NameKanji, Field::FamilyKanji, Field::GivenKanji),
        Script::Kanji,
        decode,
        &mut typed.kanji,
        learn,
    );
    let sex = by_value(column(Field::Sex), decode, &sex);
    let birth = by_value(column(Field::BirthDate), decode, &partial_date);
    let on =
        by_value(column(Field::RecordedOn), decode, &|t| partial_date(t).map(PartialDate::days));
    let branches = by_value(column(Field::Branch), decode, &|t| {
        branch(t)?.text.parse::<u8>().ok().map(|b| b + 1)
    });
    let simple = |f: Field, normal: Normal<'_>, values: &mut Interner| {
        plain(column(f), decode, normal, values)
    };
    let number_text: Normal<'_> = &|t| symbol_or_number(t).map(|n| n.text);
    let postal_of = simple(Field::PostalCode, &postal, &mut typed.postal.values);
    let town_of = simple(Field::Town, &town, &mut typed.town.values);
    let first_phone: Normal<'_> = &phone;
    let phone_of = simple(Field::Phone, first_phone, &mut typed.phone.values);
    let insurer_text: Normal<'_> = &|t| insurer_no(t).map(|n| n.text);
    let insurer_of = simple(Field::InsurerNo, insurer_text, &mut typed.insurer.values);
    let person_no_of = simple(Field::PersonNo, number_text, &mut typed.person_no.values);
    let (mut symbol, mut number) = (Interner::default(), Interner::default());
    let symbol_of = simple(Field::Symbol, number_text, &mut symbol);
    let number_of = simple(Field::Number, number_text, &mut number);
    let addresses = column(Field::Address);
    let taken_apart: Vec<_> = (0..addresses.values.len() as u32)
        .into_par_iter()
        .map(|id| place(&decode(addresses.values.bytes(id))))
        .collect();
    let place_of: Vec<u32> = taken_apart.into_iter().map(|p| typed.places.intern(p)).collect();
    let at =
        |of: &[u32], f: Field, i: usize| column(f).ids.get(i).map_or(0, |raw| of[*raw as usize]);
    let raw_at = |f: Field, i: usize| column(f).ids.get(i).copied().unwrap_or(0) as usize;

    // symbol and number are one value
    let mut pairs = Interner::default();
    let mut pair_of = Vec::new();
    let keys: Vec<[u8; 8]> = (0..column(Field::Number).ids.len())
        .into_par_iter()
        .map(|i| {
            let (s, n) = (at(&symbol_of, Field::Symbol, i), at(&number_of, Field::Number, i));
            if n == 0 { [0; 8] } else { (u64::from(n) << 32 | u64::from(s)).to_le_bytes() }
        })
        .collect();
    pairs.intern_all(
        keys.iter().map(|key| if *key == [0; 8] { &[][..] } else { key }),
        &mut pair_of,
    );
    drop(keys);
    let (mut bytes, mut ends) = (Vec::new(), vec![0]);
    for pair in 0..pairs.len() as u32 {
        if let Ok(key) = pairs.bytes(pair).try_into().map(u64::from_le_bytes) {
            bytes.extend_from_slice(symbol.bytes(key as u32));
            bytes.push(b'|');
            bytes.extend_from_slice(number.bytes((key >> 32) as u32));
        }
        ends.push(bytes.len());
    }
    let mut card_of = Vec::with_capacity(pairs.len());
    typed.card.values.intern_all(ends.windows(2).map(|w| &bytes[w[0]..w[1]]), &mut card_of);

    let sources = sources(column(Field::SourceId), decode, &mut typed.sources);
    let (order, repeated_ids) = order(list);
    let insurers = &typed.insurer.values;
    // in the order of the file, as the columns are
    let rows: Vec<Row> = (0..list.record_ids.len())
        .into_par_iter()
        .map(|i| {
            let k = kana.of_record.get(i).map_or(0, |v| *v as usize);
            let j = kanji.of_record.get(i).map_or(0, |v| *v as usize);
            let insurer_id = at(&insurer_of, Field::InsurerNo, i);
            // the late-stage elderly system gives each person a number of his own
            let own = insurer_id != 0 && {
                let text = insurers.text(insurer_id);
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
                place: at(&place_of, Field::Address, i),
                town: at(&town_of, Field::Town, i),
                phone: at(&phone_of, Field::Phone, i),
                insurer: insurer_id,
                card: pair_of.get(i).map_or(0, |pair| card_of[*pair as usize]),
                person_no: at(&person_no_of, Field::PersonNo, i),
                on: on[raw_at(Field::RecordedOn, i)],
                source: sources[raw_at(Field::SourceId, i)],
                sex: sex[raw_at(Field::Sex, i)],
                branch: if own { 1 } else { branches[raw_at(Field::Branch, i)] },
            }
        })
        .collect();
    let rows: Vec<Row> = order.par_iter().map(|i| rows[*i as usize]).collect();
    let filled = filled(list, &rows);
    typed.grow();
    Batch { rows, order, filled, repeated_ids, cut: [kana.split, kanji.split] }
}

/// The number of each value of the column; new values in their own order, so that the file's says nothing.
fn sources(raw: &Raw, decode: Decode<'_>, sources: &mut Interner) -> Vec<u16> {
    let mut texts: Vec<(String, usize)> = (0..raw.values.len())
        .map(|id| (decode(raw.values.bytes(id as u32)).into_owned(), id))
        .collect();
    texts.sort_unstable();
    let mut out = vec![0; texts.len()];
    for (text, id) in texts {
        out[id] = sources.intern(text.as_bytes()).min(u32::from(u16::MAX)) as u16;
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

/// Whether a row has a usable value of a field.
type Usable = fn(&Row) -> bool;

const USABLE: [(Field, Usable); 14] = [
    (Field::NameKanji, |r| r.full_kanji != 0),
    (Field::NameKana, |r| r.full != 0),
    (Field::FamilyKana, |r| r.family != 0),
    (Field::GivenKana, |r| r.given != 0),
    (Field::Sex, |r| r.sex != 0),
    (Field::BirthDate, |r| r.birth.is_known()),
    (Field::PostalCode, |r| r.postal != 0),
    (Field::Address, |r| r.place != 0),
    (Field::Town, |r| r.town != 0),
    (Field::Phone, |r| r.phone != 0),
    (Field::InsurerNo, |r| r.insurer != 0),
    (Field::Number, |r| r.card != 0),
    (Field::Branch, |r| r.branch != 0),
    (Field::PersonNo, |r| r.person_no != 0),
];

fn filled(list: &List, rows: &[Row]) -> Vec<(Field, u64, u64)> {
    let counts = rows.par_chunks(4096).map(|rows| {
        let mut usable = [0u64; USABLE.len()];
        for row in rows {
            for (n, (_, is)) in usable.iter_mut().zip(USABLE) {
                *n += u64::from(is(row));
            }
        }
        usable
    });
    let usable = counts.reduce(|| [0; USABLE.len()], |a, b| std::array::from_fn(|i| a[i] + b[i]));
    let written = |f: Field| list.columns[f as usize].ids.iter().filter(|id| **id != 0).count();
    USABLE.iter().zip(usable).map(|((f, _), usable)| (*f, written(*f) as u64, usable)).collect()
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

/// The first telephone number as [`phones`] has it; nearly all are digits and hyphens.
fn phone(text: &str) -> Option<String> {
    if !text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return phones(text).into_iter().next().map(|n| n.text);
    }
    let mut digits = String::with_capacity(text.len());
    digits.extend(text.chars().filter(char::is_ascii_digit));
    let rest = digits.strip_prefix('0')?;
    let alike = rest.bytes().all(|b| Some(b) == rest.bytes().next());
    ((9..=11).contains(&digits.len()) && !alike).then_some(digits)
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
pub(crate) fn house(places: &Places, row: &Row) -> u64 {
    if row.place == 0 { 0 } else { places.at(row.place).house() }
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
        for text in ["03-1234-5678", "0312345678", "00000000000", "1234567890", "03-123", "", "-"] {
            assert_eq!(phone(text), phones(text).into_iter().next().map(|n| n.text), "{text}");
        }
    }
}
