//! The country as a whole: its bytes, its truth, its readability by the platform's parsers.

mod calendar;
mod files;
mod parsers;
mod people;
mod persons;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use jiff::civil::Date;
use kiban_country::{Country, NoProgress, Params};
use tempfile::TempDir;

/// A country written to a folder.
pub(crate) struct OnDisk {
    pub(crate) country: Country,
    dir: TempDir,
}

impl OnDisk {
    pub(crate) fn new(params: &Params) -> Self {
        let country = Country::generate(params).expect("a country");
        let dir = tempfile::tempdir().expect("a folder");
        country.write(dir.path(), &mut NoProgress).expect("written");
        Self { country, dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// A UTF-8 or CP932 table as rows by column name.
    pub(crate) fn table(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let bytes = fs::read(self.path(name)).expect("file");
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(e) => {
                let (text, _, bad) = encoding_rs::SHIFT_JIS.decode(e.as_bytes());
                assert!(!bad, "neither UTF-8 nor CP932");
                text.into_owned()
            }
        };
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("header").clone();
        let cell = |row: &csv::StringRecord| {
            header.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()
        };
        reader.records().map(|row| cell(&row.expect("row"))).collect()
    }
}

/// Every file below a folder with its bytes.
pub(crate) fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below").to_owned();
                out.insert(name, fs::read(&path).expect("file"));
            }
        }
    }
    out
}

/// A date of birth in any of the styles of the municipality's clerks, read independently.
pub(crate) fn birth(text: &str) -> Date {
    let narrow = |c: char| match c {
        '０'..='９' => char::from_u32(c as u32 - 0xff10 + 0x30).expect("a digit"),
        other => other,
    };
    let text: String = text.chars().map(narrow).collect::<String>().replace('元', "1");
    let eras = [("令和", "R", 2018), ("平成", "H", 1988), ("昭和", "S", 1925), ("大正", "T", 1911)];
    let (before, rest) = eras
        .iter()
        .find_map(|(kanji, letter, before)| {
            let rest = text.strip_prefix(kanji).or_else(|| text.strip_prefix(letter))?;
            Some((*before, rest))
        })
        .unwrap_or((0, &text));
    let numbers: Vec<i16> = if rest.len() == 8 && rest.bytes().all(|b| b.is_ascii_digit()) {
        [&rest[..4], &rest[4..6], &rest[6..]].map(|n| n.parse().expect("digits")).to_vec()
    } else {
        let parts = rest.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty());
        parts.map(|n| n.parse().expect("digits")).collect()
    };
    Date::new(before + numbers[0], numbers[1] as i8, numbers[2] as i8).expect("a day")
}
