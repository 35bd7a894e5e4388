//! Addresses and postal codes as regions.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use arrow::{array::ArrayRef, datatypes::DataType};
use datafusion::{
    common::{Result, exec_err},
    logical_expr::{Expr, ScalarUDF, lit},
};

use super::{
    base::{Args, Body, call, function},
    region_table::{DESIGNATED_CITIES, LONG_NAMES, NO_COUNTY, POSTAL, PREFECTURES},
    texts::{Cell, map_text},
};

/// How fine a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// One of 47.
    Prefecture,
    /// Prefecture and municipality; a designated city without its ward.
    Municipality,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Prefecture => "prefecture",
            Self::Municipality => "municipality",
        }
    }
}

/// `kiban_region(address_or_postal_code, level)`: a text of which no prefecture can be told becomes empty.
pub fn region(address: Expr, level: Level) -> Expr {
    call(&REGION, vec![address, lit(level.as_str())])
}

pub(super) static REGION: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| function("kiban_region", RegionBody));

struct RegionBody;

impl Body for RegionBody {
    fn returns(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn run(&self, args: &Args) -> Result<ArrayRef> {
        let municipality = match args.text(1)? {
            "prefecture" => false,
            "municipality" => true,
            _ => return exec_err!("a region is a prefecture or a municipality"),
        };
        map_text(&args.column(0)?, &mut |text, out| {
            if !municipality && let Some(prefecture) = named_prefecture(text) {
                out.push_str(prefecture);
                return Cell::Written;
            }
            // Most addresses are clean; a copy is made of the others only.
            let rough = |c: char| c.is_whitespace() || half_width_digit(c) != c;
            let copy: String;
            let clean = if text.chars().any(rough) {
                copy = text.chars().filter(|c| !c.is_whitespace()).map(half_width_digit).collect();
                &copy
            } else {
                text
            };
            let Some(prefecture) = prefecture_of(clean) else { return Cell::Empty };
            out.push_str(prefecture);
            if municipality && let Some(name) = municipality_of(clean) {
                out.push_str(name);
            }
            Cell::Written
        })
    }
}

fn half_width_digit(c: char) -> char {
    match c {
        '\u{FF10}'..='\u{FF19}' | '\u{FF0D}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// Prefectures by their first two characters, which no two share.
static BY_HEAD: LazyLock<HashMap<[u8; 6], &'static str>> = LazyLock::new(|| {
    PREFECTURES.iter().filter_map(|p| Some((*p.as_bytes().first_chunk::<6>()?, *p))).collect()
});

fn named_prefecture(address: &str) -> Option<&'static str> {
    let name = BY_HEAD.get(address.as_bytes().first_chunk::<6>()?)?;
    address.starts_with(name).then_some(name)
}

/// The prefecture of an address (by its name, or that of a designated city) or of a postal code.
pub fn prefecture_of(address: &str) -> Option<&'static str> {
    if let Some(name) = named_prefecture(address) {
        return Some(name);
    }
    if let Some((_, name)) = DESIGNATED_CITIES.iter().find(|(city, _)| address.starts_with(*city)) {
        return Some(name);
    }
    let code: Vec<u8> = address.trim_start_matches('〒').bytes().filter(|b| *b != b'-').collect();
    if code.len() != 7 || !code.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let head = usize::from(code[0] - b'0') * 10 + usize::from(code[1] - b'0');
    POSTAL.get(head).map(|i| PREFECTURES[usize::from(*i)])
}

/// The municipality of an address that begins with its prefecture or with a designated city.
pub fn municipality_of(address: &str) -> Option<&str> {
    let rest = named_prefecture(address).map_or(address, |p| &address[p.len()..]);
    if let Some((city, _)) = DESIGNATED_CITIES.iter().find(|(city, _)| rest.starts_with(*city)) {
        return Some(&rest[..city.len()]);
    }
    // Names that hold 市, 町, 村, 区 or 郡 before their last character.
    if let Some(name) = LONG_NAMES.iter().find(|n| rest.starts_with(**n)) {
        return Some(&rest[..name.len()]);
    }
    // A town or village is named with its county; without one it may be a quarter, which is finer than allowed, so
    // only those that belong to no county are taken.
    if let Some(name) = NO_COUNTY.iter().find(|n| rest.starts_with(**n)) {
        return Some(&rest[..name.len()]);
    }
    let mut county = None;
    for (at, c) in rest.char_indices().skip(1).take(12) {
        let end = at + c.len_utf8();
        match c {
            '郡' if county.is_none() => county = Some(end),
            '市' => return Some(&rest[..end]),
            // Wards that are municipalities are Tokyo's.
            '区' if address.starts_with("東京都") => return Some(&rest[..end]),
            '町' | '村' if county.is_some_and(|from| at > from) => return Some(&rest[..end]),
            // A house number begins: whatever follows is no municipality.
            '-' | '−' => break,
            c if c.is_numeric() && !"一二三四五六七八九十百千".contains(c) => break,
            _ => {}
        }
    }
    None
}
